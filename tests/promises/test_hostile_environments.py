"""Promises 1 and 6 on what is installed: no file of it makes the program fail, wait or tell."""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import TYPE_CHECKING

import pytest
from installed_fuzzing import (
    SITE,
    audited,
    check,
    check_commands,
    make,
    printed,
    report_of,
    whole,
    write,
)
from making import environment_of as made
from outputs import shown
from test_linear_time import in_linear_time
from test_no_leaks import (
    CHANNEL,
    GITHUB_TOKEN,
    HOSTILE,
    SECRETS,
    WITH_PASSWORD,
    WITH_QUERY,
    WITH_TOKEN,
)

from mlenv.audit import audit_surroundings
from mlenv.cli.environments import environment_of
from mlenv.config import Config
from mlenv.environment.read import read_environment
from mlenv.machine.survey import survey
from mlenv.model.environment import CONDA, VENV
from mlenv.model.project import Project
from mlenv.model.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlenv.model.report import Report

needs_links = pytest.mark.skipif(os.name == "nt", reason="Windows asks for a right to make links")
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
_SEED = 5
_TRIED = 240
EVERY = {**whole(is_condas=True), **whole()}


@pytest.mark.parametrize("block", range(8))
def test_no_spoilt_file_makes_the_program_fail(tmp_path: Path, block: int) -> None:
    size = _TRIED // 8
    for number in range(block * size, (block + 1) * size):
        write(tmp_path / str(number), make(_SEED, number))
        with in_linear_time():
            check(tmp_path / str(number))


def test_no_spoilt_file_makes_another_command_fail(tmp_path: Path) -> None:
    write(tmp_path / "other", whole())
    for number in range(24):
        write(tmp_path / str(number), make(_SEED + 1, number))
        with in_linear_time():
            check_commands(tmp_path / str(number), tmp_path / "other")


def test_what_is_remembered_of_a_spoilt_environment_is_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "cache"))
    # files that were just written are not trusted to be what they were
    monkeypatch.setattr("mlenv.caches.SETTLED", -(1 << 62))
    for number in range(12):
        prefix = tmp_path / "project" / str(number)
        write(prefix, make(_SEED + 2, number))
        said = [audited(prefix, cache=cache) for cache in (False, True, True)]
        read, first, again = [(one.text.text, _told(report)) for one, report in said]
        assert read == first == again
    assert any((tmp_path / "cache").rglob("*.json"))


def _told(report: Report) -> list[tuple[str, str]]:
    return [(one.rule, one.message) for one in report.findings]


def test_an_environment_follows_from_its_number() -> None:
    made = [make(_SEED, number) for number in range(20)]
    assert made == [make(_SEED, number) for number in range(20)]
    assert whole() not in made


def test_what_is_spoilt_is_read_where_it_is_whole(tmp_path: Path) -> None:
    write(tmp_path / "env", whole())
    environment = check(tmp_path / "env")
    assert environment.manager == VENV
    assert set(environment.distributions) >= {"numpy", "torch", "mine", "older", "flat"}
    write(tmp_path / "conda", whole(is_condas=True))
    environment = check(tmp_path / "conda")
    assert environment.manager == CONDA
    assert environment.conda.keys() == {"numpy"}


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_text_of_an_environment_acts_on_who_reads_the_report(
    tmp_path: Path, hostile: str
) -> None:
    files = whole()
    said = hostile.encode("utf-8", "surrogatepass")
    for path in list(files):
        for old in (b"torch", b"numpy", b"2.0.1", b"mine", b"nowhere", b"absent", b"3.11", b"pip"):
            files[path] = files[path].replace(old, old + said)
    write(tmp_path / "env", files)
    write(tmp_path / "other", whole())
    check(tmp_path / "env")
    check_commands(tmp_path / "env", tmp_path / "other")
    assert read_environment(str(tmp_path / "env")) is not None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
@pytest.mark.parametrize("hostile", [one for one in HOSTILE if "\0" not in one], ids=ascii)
def test_no_name_of_a_file_does(tmp_path: Path, hostile: str) -> None:
    name = hostile.replace("/", "_")
    files = whole()
    for path in list(files):
        folder, slash, last = path.rpartition("/")
        home = folder + slash
        files[f"{home}{name}{last}"] = files[path]
        files[f"{home}x{name}-1.0.dist-info/METADATA"] = b""
        files[f"{home}~{name}/x"] = b""
        files[f"{home}{name}.pth"] = f"/{name}\n".encode("utf-8", "surrogatepass")
    write(tmp_path / name, files)
    check(tmp_path / name)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode here")
def test_a_name_that_is_no_unicode_is_shown_escaped(tmp_path: Path) -> None:
    write(tmp_path / "env", whole())
    site = os.fsencode(tmp_path / "env" / SITE)
    for name in (b"\xff\x9b-1.0.dist-info", b"~\xff\xfe", b"x\xff-1.egg-info"):
        os.mkdir(os.path.join(site, name))
    with open(os.path.join(site, b"\xff.pth"), "wb") as file:
        file.write(b"/nowhere/\xff\xfe\n")
    check(tmp_path / "env")


@needs_pipes
def test_no_pipe_or_socket_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for make_one in (os.mkfifo, _socket):
        for path in EVERY:
            prefix = tmp_path / make_one.__name__ / path.replace("/", "_")
            write(prefix, whole(is_condas="conda" in path))
            (prefix / path).unlink()
            monkeypatch.chdir((prefix / path).parent)  # a socket's path is short
            make_one((prefix / path).name)
            with in_linear_time():
                check(prefix)


def _socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)


@needs_links
def test_folders_in_place_of_files_and_files_in_place_of_folders(tmp_path: Path) -> None:
    for number, path in enumerate(EVERY):
        folders, files = tmp_path / f"folders{number}", tmp_path / f"files{number}"
        every = whole(is_condas="conda" in path)
        write(folders, every)
        (folders / path).unlink()
        (folders / path).mkdir()
        check(folders)
        parent = path.rpartition("/")[0]
        if parent and parent != SITE:
            write(files, {one: data for one, data in every.items() if not one.startswith(parent)})
            write(files, {parent: b"x"})
            check(files)


@needs_links
def test_links_that_go_in_circles_end(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    write(prefix, whole())
    site = prefix / SITE
    for name in ("round", "x-1.0.dist-info", "~round", "round.egg", "torchvision", "nvidia"):
        (site / name).symlink_to(site, target_is_directory=True)
    for name in ("METADATA", "RECORD", "WHEEL", "direct_url.json"):
        (site / "numpy-2.0.1.dist-info" / name).unlink(missing_ok=True)
        (site / "numpy-2.0.1.dist-info" / name).symlink_to(name)
    (site / "again.pth").write_text(f"{site}\n.\n./round/round\n")
    (site / "link.egg-link").symlink_to("link.egg-link")
    (prefix / "lib64").symlink_to("lib")
    (prefix / "conda-meta").symlink_to(".", target_is_directory=True)
    with in_linear_time():
        check(prefix)
    (prefix / "bin" / "python").unlink()
    (prefix / "bin" / "python").symlink_to("python")
    (prefix / "pyvenv.cfg").unlink()
    (prefix / "pyvenv.cfg").symlink_to(prefix)
    (prefix / "x-1-0.json").symlink_to("x-1-0.json")
    with in_linear_time():
        check(prefix)


SECRET = b"sentinel-secret-7.7.7"


def _in_the_record(site: Path, outside: Path) -> None:
    up = "../" * 20
    lines = (f"{up}{outside}", f"{up[:-1]}{outside},sha256=AA,1", str(outside), f"{outside},,9")
    with (site / "numpy-2.0.1.dist-info" / "RECORD").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def _in_a_path_file(site: Path, outside: Path) -> None:
    (site / "out.pth").write_text(f"{outside.parent}\n{outside}\n../../../..\n")


def _in_the_metadata(site: Path, outside: Path) -> None:
    for name in ("direct_url.json", "INSTALLER", "WHEEL", "REQUESTED"):
        (site / "mine-0.1.dist-info" / name).unlink(missing_ok=True)
        (site / "mine-0.1.dist-info" / name).symlink_to(outside)


def _in_a_link(site: Path, outside: Path) -> None:
    (site / "torch" / "version.py").unlink()
    (site / "torch" / "version.py").symlink_to(outside)
    (site / "old.egg-link").write_text(f"{outside}\n")
    (site / "s-1.0.dist-info").symlink_to(outside.parent)


@needs_links
@pytest.mark.parametrize(
    "way",
    [_in_the_record, _in_a_path_file, _in_the_metadata, _in_a_link],
    ids=lambda way: way.__name__,
)
def test_what_lies_outside_is_not_shown(tmp_path: Path, way: Callable[[Path, Path], None]) -> None:
    outside = tmp_path / "outside" / "secret.txt"
    outside.parent.mkdir()
    outside.write_bytes(SECRET)
    write(tmp_path / "env", whole())
    way(tmp_path / "env" / SITE, outside)
    for text in report_of(tmp_path / "env").values():
        assert SECRET.decode() not in text


def _with_secrets(*, is_condas: bool) -> dict[str, bytes]:
    """Return an environment that was installed with credentials."""
    files = whole(is_condas=is_condas)
    info = f"{SITE}/mine-0.1.dist-info"
    origins = {
        "mine": {"url": f"https://{GITHUB_TOKEN}@git.example/a.git", "vcs_info": {"vcs": "git"}},
        "numpy": {"url": WITH_QUERY, "archive_info": {}},
    }
    files[f"{info}/direct_url.json"] = json.dumps(origins["mine"]).encode()
    files[f"{SITE}/numpy-2.0.1.dist-info/direct_url.json"] = json.dumps(origins["numpy"]).encode()
    files[f"{info}/METADATA"] = (
        f"Name: mine\nVersion: 0.1\nRequires-Dist: absent @ {WITH_PASSWORD}/absent.zip\n"
        f"Requires-Dist: torch @ git+{WITH_TOKEN}\nRequires-Dist: {WITH_PASSWORD}\n"
    ).encode()
    files[f"{SITE}/mine.pth"] = f"{WITH_PASSWORD}\n".encode()
    for path in [path for path in files if path.startswith("conda-meta/numpy")]:
        files[path] = files[path].replace(b"https://x:y@c.example", CHANNEL.encode())
    return files


@pytest.mark.parametrize("is_condas", [False, True])
def test_no_credential_of_an_environment_is_shown(tmp_path: Path, is_condas: bool) -> None:
    write(tmp_path / "env", _with_secrets(is_condas=is_condas))
    write(tmp_path / "other", whole())
    shown = report_of(tmp_path / "env")
    shown |= printed(tmp_path / "env", tmp_path / "other")
    assert any("absent" in text for text in shown.values())
    for form, text in shown.items():
        for secret in SECRETS:
            assert secret not in text, (form, text)


@pytest.mark.parametrize("length", [30, 55, 70, 150, 170, 180, 270, 290])
@pytest.mark.parametrize("marker", ["", " ; ]["])
def test_no_credential_is_shown_in_part(tmp_path: Path, length: int, marker: str) -> None:
    requirement = f"{'a' * length} @ {WITH_PASSWORD}/absent.zip{marker}"
    files = whole()
    metadata = f"Name: mine\nVersion: 0.1\nRequires-Dist: {requirement}\n"
    files[f"{SITE}/mine-0.1.dist-info/METADATA"] = metadata.encode()
    files[f"{SITE}/mine.pth"] = f"{'b' * length}/{WITH_PASSWORD}\n".encode()
    write(tmp_path / "env", files)
    parts = {secret[:5] for secret in SECRETS if secret in WITH_PASSWORD}
    assert parts
    for form, text in report_of(tmp_path / "env").items():
        assert not any(part in text for part in parts), (form, text)


def test_what_is_sent_to_others_names_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "sentineluser"
    users = home / ".local" / "lib" / "python3.11" / "site-packages"
    write(home / "code" / "env", whole(is_condas=True))
    write(tmp_path / "other", whole())
    write(users, {"numpy-1.0.dist-info/METADATA": b"Name: numpy\nVersion: 1.0\n"})
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CONDA_PREFIX", str(home / "code" / "env"))
    monkeypatch.setenv("PYTHONPATH", str(home / "code"))
    shown = printed(home / "code" / "env", tmp_path / "other")
    for form, text in shown.items():
        if form.startswith(("snapshot", "env", "diff")) and "stderr" not in form:
            assert text, form
            assert "sentineluser" not in text, (form, text)
            assert socket.gethostname() not in text.split(), (form, text)


def test_no_report_tells_where_the_users_home_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "sentineluser"
    files = {path: data for path, data in whole().items() if not path.startswith("bin/")}
    requirement = f"gone @ file://{home}/gone.whl"
    metadata = f"Name: mine\nVersion: 0.1\nRequires-Dist: {requirement}\n"
    files[f"{SITE}/mine-0.1.dist-info/METADATA"] = metadata.encode()
    files[f"{SITE}/moved.pth"] = f"{home}/moved\n".encode()
    files["pyvenv.cfg"] = f"home = {home}/python/bin\nversion = 3.11.7\n".encode()
    write(home / "code" / "env", files)
    write(home, {"cuda/lib64/libcudnn.so.9.1.0": b"", "cuda/bin/nvcc": b"", "ros/numpy.py": b""})
    for name, value in (
        ("HOME", home),
        ("VIRTUAL_ENV", home / "code" / "env"),
        ("PYTHONPATH", home / "ros"),
        ("LD_LIBRARY_PATH", home / "cuda" / "lib64"),
        ("CUDA_HOME", home / "cuda"),
    ):
        monkeypatch.setenv(name, str(value))
    machine = survey(os.environ)
    assert machine.cuda_home == machine.toolkit_folder == "~/cuda"
    around = Surroundings((), environment_of("auto", str(home / "code"), cache=False), machine)
    found = "".join(shown(audit_surroundings(around, Config()), Project(".", {})).values())
    for expected in ("file://~/gone.whl", "~/moved", "~/python/bin", "~/ros"):
        assert expected in found, expected
    assert "sentineluser" not in found


def test_ten_thousand_distributions_take_linear_time(tmp_path: Path) -> None:
    files = {"pyvenv.cfg": b"home = /usr/bin\nversion = 3.11.7\n"}
    for number in range(10_000):
        needs = f"Requires-Dist: p{number + 1}>=2\nRequires-Dist: absent\n"
        folder = f"{SITE}/p{number}-1.dist-info"
        files[f"{folder}/METADATA"] = f"Name: p{number}\nVersion: 1\n{needs}".encode()
    write(tmp_path / "env", files)
    with in_linear_time(30):
        environment, report = audited(tmp_path / "env")
    assert len(environment.distributions) == 10_000
    assert len(report.findings) > 9_000


def test_ten_thousand_libraries_that_are_missing_take_linear_time() -> None:
    paths = [f"{SITE}/mine/x{number}.so" for number in range(10_000)]
    binaries = {
        "files": [{"path": path, "owner": "mine"} for path in paths],
        "missing": [
            {"soname": f"lib{number}.so.1", "needed_by": (path,), "imports": ("other",)}
            for number, path in enumerate(paths)
        ],
    }
    environment = made({"packages": {"mine": "1.0"}, "binaries": binaries})
    with in_linear_time():
        report = audit_surroundings(Surroundings(environment=environment), Config())
    assert "SYS006" in {one.rule for one in report.findings}


LARGE: dict[str, Callable[[], bytes]] = {
    "METADATA": lambda: b"Name: x\nVersion: 1\n" + b"Requires-Dist: absent-a>=1\n" * 2_000_000,
    "METADATA without an end": lambda: b"Name: x\nVersion: 1\nRequires-Dist: " + b"a" * 50_000_000,
    "METADATA of folded lines": lambda: (
        b"Name: x\nVersion: 1\nRequires-Dist: a\n" + b" a\n" * 15_000_000
    ),
    "METADATA of blanks": lambda: b"Name:" + b" " * 50_000_000 + b"x\nVersion: 1\n",
    "METADATA of gaps": lambda: (
        b"Name: x\nVersion: 1\n" + (b"Requires-Dist: a" + b" " * 1_900 + b"(\n") * 300
    ),
    "METADATA of names": lambda: (
        b"Name: x\nVersion: 1\n" + (b"Requires-Dist: " + b"a" * 1_900 + b"(\n") * 300
    ),
    "RECORD": lambda: b"a/b,sha256=AA,1\n" * 400_000,
    "RECORD of one line": lambda: b"a" * 50_000_000,
    "RECORD of quotes": lambda: b'"' * 5_000_000,
    "RECORD in no order": lambda: b"".join(
        b"%d/x,,\n" % (n * 7919 % 1_000_003) for n in range(200_000)
    ),
    "WHEEL": lambda: b"Tag: cp311-cp311-any\n" * 2_000_000,
    "direct_url.json": lambda: b"[" * 20_000_000,
    "direct_url.json of keys": lambda: b'{"dir_info": ' * 1_000_000,
    "INSTALLER": lambda: b"pip " * 10_000_000,
}


@pytest.mark.parametrize("name", LARGE)
def test_large_files_take_linear_time(tmp_path: Path, name: str) -> None:
    files = whole()
    files[f"{SITE}/numpy-2.0.1.dist-info/{name.partition(' ')[0]}"] = LARGE[name]()
    write(tmp_path / "env", files)
    with in_linear_time(20):
        check(tmp_path / "env")


OTHERS: dict[str, Callable[[], bytes]] = {
    "pyvenv.cfg": lambda: b"home = x" + b" " * 60_000 + b"y\n" * 5_000_000,
    "conda-meta/numpy-1.24.0-0.json": lambda: b'{"files": [' + b'"a/b",' * 5_000_000 + b'"c"]}',
    "conda-meta/x-1-0.json": lambda: b"[" * 20_000_000,
    "conda-meta/history": lambda: b"==> 2026-01-01 10:00:00 <==\n+x::y-1-0\n" * 500_000,
    f"{SITE}/large.pth": lambda: b"/nowhere\n" * 5_000_000,
    f"{SITE}/torch/version.py": lambda: b"(" * 20_000_000,
    f"{SITE}/old.egg-link": lambda: b"/" * 20_000_000,
    f"{SITE}/older-1.0-py3.11.egg-info/requires.txt": lambda: b"[" * 20_000_000,
    f"{SITE}/numpy/x.so": lambda: b"\x7fELF\x02\x01\x01" + b"\xff" * 20_000_000,
}


@pytest.mark.parametrize("path", OTHERS)
def test_other_large_files_take_linear_time(tmp_path: Path, path: str) -> None:
    write(tmp_path / "env", {**whole(is_condas="conda" in path), path: OTHERS[path]()})
    with in_linear_time(20):
        check(tmp_path / "env")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may read everything"
)
@pytest.mark.parametrize("path", EVERY)
def test_what_may_not_be_read_is_passed_over(tmp_path: Path, path: str) -> None:
    write(tmp_path / "env", whole(is_condas="conda" in path))
    (tmp_path / "env" / path).chmod(0)
    check(tmp_path / "env")


def test_names_that_differ_by_case_are_one_distribution(tmp_path: Path) -> None:
    files = {"pyvenv.cfg": b"home = /usr/bin\nversion = 3.11.7\n"}
    for name in ("Zope.Interface", "zope_interface", "ZOPE-INTERFACE"):
        folder = f"{SITE}/{name.replace('-', '_')}-1.0.dist-info"
        files[f"{folder}/METADATA"] = f"Name: {name}\nVersion: 1.0\n".encode()
    files[f"{SITE}/user-1.0.dist-info/METADATA"] = (
        b"Name: user\nVersion: 1.0\nRequires-Dist: zOpE-_.interface\n"
    )
    write(tmp_path / "env", files)
    environment = check(tmp_path / "env")
    assert environment.distributions.keys() == {"zope-interface", "user"}
