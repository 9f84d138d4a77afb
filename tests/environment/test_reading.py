"""Environments of every layout are read from their files: what is installed, and what is odd."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from making import write_distribution, write_environment

from mlenv.environment.read import read_environment
from mlenv.environment.sizes import sizes_of
from mlenv.model.environment import (
    BROKEN_BASE,
    BROKEN_PTH,
    CONDA,
    DAMAGED_METADATA,
    EGG_LINK,
    LEFTOVER,
    MISSING_EDITABLE,
    PYTHON_PATH,
    SYSTEM,
    SYSTEM_SITE,
    TWICE,
    USER_SITE,
    VENV,
    Environment,
)


def read(prefix: Path, **variables: str) -> Environment:
    found = read_environment(str(prefix), variables=variables)
    assert found is not None
    return found


def versions(environment: Environment) -> dict[str, str]:
    return {one.name: one.version for one in environment.distributions.values()}


def kinds(environment: Environment) -> list[str]:
    return [one.kind for one in environment.oddities if one.kind != BROKEN_BASE]


def test_a_virtual_environment_of_uv(tmp_path: Path) -> None:
    config = "home = /usr/bin\nimplementation = CPython\nuv = 0.12.5\nversion_info = 3.12.4\n"
    table = {
        "name": "Typing.Extensions",
        "version": "4.12.2",
        "requires": ["a>=1; python_version < '3.11'"],
        "requires_python": ">=3.8",
        "extras": ["all"],
        "tags": ["py3-none-any"],
        "installer": "uv",
    }
    write_environment(tmp_path, [table], python="3.12.4", config=config)
    found = read(tmp_path)
    assert (found.manager, found.made_by) == (VENV, "uv")
    assert found.interpreter is not None
    assert found.interpreter.version == "3.12.4"
    one = found.distributions["typing-extensions"]
    assert (one.written, one.version, one.installer) == ("Typing.Extensions", "4.12.2", "uv")
    assert one.requires == ("a>=1; python_version < '3.11'",)
    assert (one.requires_python, one.extras, one.tags) == (">=3.8", ("all",), ("py3-none-any",))
    assert (one.requested, one.origin) == (False, None)
    assert one.span.text == "Typing.Extensions 4.12.2"
    assert found.where("typing-extensions").line == one.span.line


def test_the_layout_of_windows(tmp_path: Path) -> None:
    config = "home = C:\\Python311\nversion = 3.11.9\n"
    write_environment(tmp_path, [{"name": "a"}], config=config, site="Lib/site-packages")
    found = read(tmp_path)
    assert versions(found) == {"a": "1.0"}
    assert found.interpreter is not None
    assert (found.interpreter.system, found.interpreter.version) == ("windows", "3.11.9")


def test_conda_with_its_packages_and_those_of_pip(tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.10" / "site-packages"
    site.mkdir(parents=True)
    write_distribution(site, {"name": "numpy", "version": "1.26.4", "installer": "conda"})
    meta = tmp_path / "conda-meta"
    meta.mkdir()
    for name, version, build in (("python", "3.10.14", "h1_0"), ("numpy", "1.26.4", "py310_0")):
        record = {
            "name": name,
            "version": version,
            "build": build,
            "channel": "https://user:secret@index.example/conda-forge",
            "depends": ["libblas >=3.9"],
            "files": ["lib/a"],
        }
        (meta / f"{name}-{version}-{build}.json").write_text(json.dumps(record), "utf-8")
    (meta / "broken-1.0-0.json").write_text("{", "utf-8")
    found = read(tmp_path)
    assert (found.manager, found.made_by) == (CONDA, "conda")
    assert found.interpreter is not None
    assert found.interpreter.version == "3.10.14"
    assert found.conda["numpy"].build == "py310_0"
    assert "secret" not in found.conda["numpy"].channel
    assert found.conda["numpy"].files == ("lib/a",)
    assert [one.subject for one in found.oddities] == ["broken"]


def test_a_tree_that_holds_a_system(tmp_path: Path) -> None:
    debian = tmp_path / "usr" / "lib" / "python3" / "dist-packages"
    local = tmp_path / "usr" / "local" / "lib" / "python3.11" / "dist-packages"
    for folder, version in ((debian, "1.0"), (local, "2.0")):
        folder.mkdir(parents=True)
        write_distribution(folder, {"name": "a", "version": version})
    write_distribution(debian, {"name": "b"})
    (tmp_path / "usr" / "lib" / "python3.11").mkdir()
    lib = tmp_path / "lib" / "x86_64-linux-gnu"
    lib.mkdir(parents=True)
    (lib / "libc-2.31.so").touch()
    found = read(tmp_path)
    assert found.manager == SYSTEM
    assert versions(found) == {"a": "2.0", "b": "1.0"}
    assert [one.version for one in found.hidden] == ["1.0"]
    assert found.sites == ("local/lib/python3.11/dist-packages", "lib/python3/dist-packages")
    assert found.root == str(tmp_path)
    assert found.interpreter is not None
    assert (found.interpreter.libc, found.interpreter.libc_version) == ("glibc", "2.31")


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for a right to make links")
def test_a_system_whose_lib_is_a_link(tmp_path: Path) -> None:
    debian = tmp_path / "usr" / "lib" / "python3" / "dist-packages"
    debian.mkdir(parents=True)
    write_distribution(debian, {"name": "a"})
    (tmp_path / "usr" / "lib" / "python3.11").mkdir()
    (tmp_path / "lib").symlink_to("usr/lib")
    found = read(tmp_path)
    assert (versions(found), found.root) == ({"a": "1.0"}, str(tmp_path))
    write_environment(tmp_path / "opt" / "venv", [{"name": "b"}])
    found = read(tmp_path)
    assert (versions(found), found.root) == ({"b": "1.0"}, str(tmp_path))


def test_a_python_of_its_own_goes_before_that_of_debian(tmp_path: Path) -> None:
    debian = tmp_path / "usr" / "lib" / "python3" / "dist-packages"
    own = tmp_path / "usr" / "local" / "lib" / "python3.12" / "site-packages"
    for folder, name in ((debian, "a"), (own, "b")):
        folder.mkdir(parents=True)
        write_distribution(folder, {"name": name})
    (tmp_path / "usr" / "lib" / "python3.11").mkdir()
    assert versions(read(tmp_path)) == {"b": "1.0"}
    assert versions(read(tmp_path / "usr")) == {"a": "1.0"}


@pytest.mark.parametrize("site", ["lib/python3/dist-packages", "lib64/python3.11/site-packages"])
def test_the_systems_python_has_what_pip_installed_with_it(tmp_path: Path, site: str) -> None:
    system = tmp_path / "usr" / site
    local = tmp_path / "usr" / "local" / "lib" / "python3.11" / system.name
    for folder, version in ((system, "1.0"), (local, "2.0")):
        folder.mkdir(parents=True)
        write_distribution(folder, {"name": "a", "version": version})
    (tmp_path / "usr" / "lib" / "python3.11").mkdir(parents=True, exist_ok=True)
    assert versions(read(tmp_path / "usr")) == {"a": "2.0"}
    config = f"home = {tmp_path}/usr/bin\ninclude-system-site-packages = true\n"
    write_environment(tmp_path / "env", [{"name": "b"}], config=f"{config}version = 3.11.2\n")
    assert versions(read(tmp_path / "env")) == {"a": "2.0", "b": "1.0"}


@pytest.mark.parametrize("name", ["opt/conda", "opt/venv", "usr/local"])
def test_where_images_keep_their_packages(tmp_path: Path, name: str) -> None:
    write_environment(tmp_path / name, [{"name": "a"}])
    assert versions(read(tmp_path)) == {"a": "1.0"}


def test_a_folder_of_packages_and_an_interpreter_stand_for_their_environment(
    tmp_path: Path,
) -> None:
    site = write_environment(tmp_path, [{"name": "a"}])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xb7\0")
    assert versions(read(site)) == {"a": "1.0"}
    found = read(tmp_path / "bin" / "python3")
    assert versions(found) == {"a": "1.0"}
    assert found.interpreter is not None
    assert found.interpreter.machine == "aarch64"


def test_what_is_no_environment(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    assert read_environment(str(tmp_path)) is None
    assert read_environment(str(tmp_path / "absent")) is None


def test_older_forms_of_metadata(tmp_path: Path) -> None:
    site = write_environment(tmp_path)
    folder = site / "old-1.0-py3.11.egg-info"
    folder.mkdir()
    (folder / "PKG-INFO").write_text("Metadata-Version: 1.1\nName: old\nVersion: 1.0\n", "utf-8")
    text = "six\n\n[extra]\ntqdm\n\n[:python_version < '3']\nfutures\n"
    (folder / "requires.txt").write_text(text, "utf-8")
    (site / "file-2.0.egg-info").write_text("Name: file\nVersion: 2.0\n", "utf-8")
    inner = site / "unpacked-3.0-py3.11.egg" / "EGG-INFO"
    inner.mkdir(parents=True)
    (inner / "PKG-INFO").write_text("Name: unpacked\nVersion: 3.0\n", "utf-8")
    with zipfile.ZipFile(site / "zipped-4.0-py3.11.egg", "w") as egg:
        egg.writestr("EGG-INFO/PKG-INFO", "Name: zipped\nVersion: 4.0\n\nIt zips.\n")
        egg.writestr("EGG-INFO/requires.txt", "six\n")
    found = read(tmp_path)
    assert versions(found) == {"old": "1.0", "file": "2.0", "unpacked": "3.0", "zipped": "4.0"}
    assert found.distributions["old"].requires == (
        "six",
        'tqdm ; extra == "extra"',
        "futures ; (python_version < '3')",
    )
    assert found.distributions["zipped"].requires == ("six",)


def test_metadata_however_they_are_written(tmp_path: Path) -> None:
    odd = "metadata-version: 2.1\r\nNAME: odd\r\nversion : 1.0\r\nRequires-dist: a\r\n  >=1\r\n"
    tight = "Metadata-Version: 2.1\nName: tight\nVersion: 1.0\nRequires-Dist:b\n\nName: other\n"
    long = "Metadata-Version: 1.2\nName: long\nVersion: 1.0\nDescription: x\n"
    long += "        Requires-Dist: no\n" * 4000 + "Requires-Dist: yes\n\n"
    tables = [
        {"name": "odd", "metadata": odd},
        {"name": "tight", "metadata": tight},
        {"name": "long", "metadata": long},
    ]
    write_environment(tmp_path, tables)
    found = read(tmp_path)
    requires = {one.name: one.requires for one in found.distributions.values()}
    assert requires == {"odd": ("a >=1",), "tight": ("b",), "long": ("yes",)}


def test_editables_and_the_folders_of_path_files(tmp_path: Path) -> None:
    env = tmp_path / "env"
    site = write_environment(env, [{"name": "here"}, {"name": "gone"}])
    sources = tmp_path / "project"
    (sources / "mine.egg-info").mkdir(parents=True)
    (sources / "mine.egg-info" / "PKG-INFO").write_text("Name: mine\nVersion: 0.1\n", "utf-8")
    write_distribution(sources, {"name": "beside", "version": "5.0"})
    for name, folder in (("here", sources), ("gone", tmp_path / "moved")):
        url = {"url": folder.as_uri(), "dir_info": {"editable": True}}
        (site / f"{name}-1.0.dist-info" / "direct_url.json").write_text(json.dumps(url), "utf-8")
    lines = f"# a comment\nimport os; os.remove('x')\n{sources}\nno/such/folder\n"
    (site / "__editable__.mine.pth").write_text(lines, "utf-8")
    (site / "linked.egg-link").write_text(f"{sources}\n.\n", "utf-8")
    (site / "lost.egg-link").write_text("/no/such/folder\n", "utf-8")
    (sources / "linked.egg-info").mkdir()
    (sources / "linked.egg-info" / "PKG-INFO").write_text("Name: linked\nVersion: 7\n", "utf-8")
    found = read(env)
    assert versions(found) == {
        "here": "1.0",
        "gone": "1.0",
        "linked": "7",
        "mine": "0.1",
        "beside": "5.0",
    }
    assert found.distributions["linked"].form == EGG_LINK
    lost = [(one.kind, one.subject, one.detail) for one in found.oddities if "base" not in one.kind]
    assert sorted(lost) == [
        (BROKEN_PTH, "", "no/such/folder"),
        (MISSING_EDITABLE, "gone", ""),
        (MISSING_EDITABLE, "lost", ""),
    ]


def test_what_is_left_damaged_and_there_twice(tmp_path: Path) -> None:
    tables = [{"name": "a", "version": "1.0"}, {"name": "a", "version": "2.0"}]
    site = write_environment(tmp_path, tables)
    (site / "~umpy").mkdir()
    (site / "empty-1.0.dist-info").mkdir()
    (site / "halved-1.0.dist-info").mkdir()
    (site / "halved-1.0.dist-info" / "RECORD").touch()
    write_distribution(site, {"name": "nameless", "metadata": "Metadata-Version: 2.1\n\n"})
    write_distribution(site, {"name": "moved", "metadata": "M: 1\nName: moved\nVersion: 9\n\n"})
    write_distribution(site, {"name": "called", "metadata": "M: 1\nName: other\nVersion: 1.0\n\n"})
    write_distribution(site, {"name": "dirty", "version": "1.0-dirty"})
    (site / "latin.pth").write_bytes(b"caf\xe9\n")
    found = read(tmp_path)
    assert sorted(kinds(found)) == sorted(
        [LEFTOVER, TWICE, BROKEN_PTH, *[DAMAGED_METADATA] * 6],
    )
    details = {one.subject: one.detail for one in found.oddities if one.kind == DAMAGED_METADATA}
    assert details == {
        "empty": "the folder is empty",
        "halved": "there is no METADATA",
        "nameless": "METADATA has no Name",
        "moved": "METADATA say moved 9, the folder moved 1.0",
        "called": "METADATA say other 1.0, the folder called 1.0",
        "dirty": "its version 1.0-dirty is none",
    }
    assert found.distributions["moved"].version == "1.0"
    assert "other" not in found.distributions


def test_what_else_is_on_the_path(tmp_path: Path) -> None:
    home = tmp_path / "home"
    user = home / ".local" / "lib" / "python3.11" / "site-packages"
    user.mkdir(parents=True)
    write_distribution(user, {"name": "numpy", "version": "2.0"})
    site = tmp_path / "conda" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (tmp_path / "conda" / "conda-meta").mkdir()
    write_distribution(site, {"name": "numpy", "version": "1.26.4"})
    ros = tmp_path / "ros"
    (ros / "numpy").mkdir(parents=True)
    found = read(tmp_path / "conda", HOME=str(home), PYTHONPATH=str(ros))
    assert versions(found) == {"numpy": "2.0"}
    (user / "torch").mkdir()
    (user / "torch" / "version.py").write_text("__version__ = '2.9.1+cu128'\ncuda = '12.8'\n")
    write_distribution(user, {"name": "torch", "version": "2.9.1"})
    assert read(tmp_path / "conda", HOME=str(home)).torch["torch"].cuda == "12.8"
    told = {one.kind: one.detail for one in found.oddities}
    assert told[USER_SITE] == "numpy"
    assert told[PYTHON_PATH] == "numpy"
    assert [one.path for one in found.oddities if one.kind == USER_SITE] == [
        "~/.local/lib/python3.11/site-packages"
    ]
    quiet = read(tmp_path / "conda", HOME=str(home), PYTHONNOUSERSITE="1")
    assert versions(quiet) == {"numpy": "1.26.4"}


@pytest.mark.parametrize(
    ("place", "library", "users"),
    [
        ("conda", "Lib", "AppData/Roaming/Python/Python311"),
        ("Python.framework/Versions/3.11", "lib/python3.11", "Library/Python/3.11/lib/python"),
    ],
)
def test_the_users_own_packages_on_windows_and_macos(
    tmp_path: Path, place: str, library: str, users: str
) -> None:
    home, prefix = tmp_path / "home", tmp_path / place
    for folder, version in ((prefix / library, "1.26.4"), (home / users, "2.0")):
        (folder / "site-packages").mkdir(parents=True)
        write_distribution(folder / "site-packages", {"name": "numpy", "version": version})
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "python-3.11.7-0.json").write_text("{}")
    found = read(prefix, USERPROFILE=str(home), APPDATA=str(home / "AppData" / "Roaming"))
    assert versions(found) == {"numpy": "2.0"}
    assert [one.path for one in found.oddities if one.kind == USER_SITE] == [
        f"~/{users}/site-packages"
    ]


def test_the_base_interpreters_packages(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "bin").mkdir(parents=True)
    site = base / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    write_distribution(site, {"name": "numpy", "version": "1.26.4"})
    for choice, expected in (("true", {"a": "1.0", "numpy": "1.26.4"}), ("false", {"a": "1.0"})):
        config = f"home = {base / 'bin'}\ninclude-system-site-packages = {choice}\n"
        env = tmp_path / choice
        write_environment(env, [{"name": "a"}], config=f"{config}version = 3.11.7\n")
        found = read(env)
        assert versions(found) == expected
        assert (SYSTEM_SITE in kinds(found)) == (choice == "true")


def test_an_environment_whose_python_is_gone(tmp_path: Path) -> None:
    write_environment(tmp_path, [{"name": "a"}])
    assert [one.kind for one in read(tmp_path).oddities] == [BROKEN_BASE]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(os.devnull)
    assert [one.kind for one in read(tmp_path).oddities] == [BROKEN_BASE]
    (tmp_path / "bin" / "python").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(11) + b"\x3e\0")
    assert read(tmp_path).oddities == ()


def test_what_torch_says_of_itself(tmp_path: Path) -> None:
    site = write_environment(tmp_path, [{"name": "torch", "version": "2.9.1"}])
    for name, text in (
        ("torch", "from typing import Optional\n__version__ = '2.9.1+cu128'\ndebug = False\n"),
        ("torchvision", "__version__: str = '0.24.1+cu128'\n"),
    ):
        (site / name).mkdir()
        (site / name / "version.py").write_text(text, "utf-8")
    more = "cuda: Optional[str] = '12.8'\nhip = None\nraise SystemExit\n"
    with (site / "torch" / "version.py").open("a", encoding="utf-8") as file:
        file.write(more)
    found = read(tmp_path)
    assert found.torch["torch"].version == "2.9.1+cu128"
    assert (found.torch["torch"].cuda, found.torch["torch"].hip) == ("12.8", "")
    assert found.torch["torchvision"].version == "0.24.1+cu128"
    assert found.torch["torchvision"].cuda == ""
    (site / "torch" / "version.py").write_text("__version__ = '2.9.1+cpu'\ncuda = None\n", "utf-8")
    assert read(tmp_path).torch["torch"].cuda == "none"


def test_sizes_are_those_of_the_records_wherever_they_lie(tmp_path: Path) -> None:
    user = tmp_path / "home" / ".local" / "lib" / "python3.11" / "site-packages"
    site = tmp_path / "conda" / "lib" / "python3.11" / "site-packages"
    (tmp_path / "conda" / "conda-meta").mkdir(parents=True)
    for folder, name in ((user, "mine"), (site, "a")):
        folder.mkdir(parents=True)
        write_distribution(folder, {"name": name, "files": {f"{name}/x.py": "pass\n" * 5}})
    (site / "b-1.0.dist-info").mkdir()
    (site / "b-1.0.dist-info" / "METADATA").write_text("Name: b\nVersion: 1.0\n")
    assert sizes_of(read(tmp_path / "conda", HOME=str(tmp_path / "home"))) == {"a": 25, "mine": 25}
