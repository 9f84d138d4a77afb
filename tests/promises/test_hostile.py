"""Projects that somebody made to do harm are audited as any other, through the command."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hostile import CASES, PASSWORD, SECRET
from outputs import assert_harmless, shown
from program import SOURCE, program
from test_linear_time import in_linear_time

from mlenv.__main__ import main
from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.project.load import load_project

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 30.0
_NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project beside files that are none of its business."""
    return surrounded(tmp_path)


def surrounded(folder: Path) -> Path:
    (folder / "secret.txt").write_text(SECRET)
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "requirements.txt").write_text(SECRET)
    project = folder / "project"
    project.mkdir()
    return project


def assert_discreet(text: str) -> None:
    assert all(line.isprintable() for line in text.split("\n"))
    assert "sentinelpackage" not in text
    assert "root:x:0" not in text
    assert PASSWORD not in text


def assert_audited(root: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, form: str) -> str:
    """Audit a folder by the command and return what it says."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["mlenv", "audit", ".", "--format", form])
    before = sorted(os.listdir(root))
    with in_linear_time(_SECONDS):
        code = main()
    said = capsys.readouterr()
    assert code in (0, 1, 3), said.err
    assert_harmless(said.out, form)
    assert_discreet(said.out + said.err)
    assert sorted(os.listdir(root)) == before
    return str(said.out)


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_project_is_audited(
    root: Path, name: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = CASES[name]
    if one.skip():
        pytest.skip(one.skip())
    one.build(root)
    assert_audited(root, capsys, monkeypatch, "json" if len(name) % 2 else "text")
    if one.heavy:
        return
    report = audit_project((str(root),), Config(), today="2026-01-01")
    for form, text in shown(report, load_project((str(root),))).items():
        assert_harmless(text, form)
        assert_discreet(text)


@pytest.mark.parametrize(
    "name",
    ["includes of the system's files", "manifests that are pipes", "a YAML bomb",
     "manifests that are devices", "a setup.py that would do harm", "names of files that act"],
)  # fmt: skip
def test_a_hostile_project_is_audited_in_a_process_of_its_own(root: Path, name: str) -> None:
    one = CASES[name]
    if one.skip():
        pytest.skip(one.skip())
    one.build(root)
    before = sorted(os.listdir(root))
    # one that waits is ended after a minute
    for arguments in (("audit", "."), ("deps", ".", "--format", "json")):
        done = program(root, *arguments, PYTHONPATH=SOURCE)
        assert done.returncode in (0, 1, 3), done.stderr
        assert_discreet(done.stdout + done.stderr)
    assert sorted(os.listdir(root)) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for a right to make links")
@pytest.mark.parametrize("name", ["mlenv.toml", ".mlenv.toml"])
def test_a_configuration_that_is_a_link_outside_is_refused(
    root: Path, name: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.parent / "outside.toml").write_text('fail-on = "never"\n')
    (root / "requirements.txt").write_text("numpy==1,==2\n")
    (root / name).symlink_to("../outside.toml")
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["mlenv", "audit", "."])
    assert main() == 2
    said = capsys.readouterr()
    assert said.err == f"mlenv: error: {name}: it is a link that leads out of the project\n"
    (root / name).unlink()
    (root / "inside.toml").write_text('fail-on = "never"\n')
    (root / name).symlink_to("inside.toml")
    assert main() == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for a right to make links")
def test_a_pyproject_that_is_a_link_outside_configures_nothing(
    root: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    CASES["a pyproject.toml that is a link outside"].build(root)
    assert "CON001" in assert_audited(root, capsys, monkeypatch, "json")


@contextmanager
def as_nobody() -> Iterator[Path]:
    """Be a user to whom modes of files mean something, in a folder that this user may enter."""
    is_root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        if is_root:
            os.chown(name, _NOBODY, -1)
            os.seteuid(_NOBODY)
        try:
            yield Path(name)
        finally:
            if is_root:
                os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no modes of files here")
def test_what_may_not_be_read_is_told(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # what is imported late must be there before: this user may not read it
    load_project((str(Path(__file__).parent),))
    with as_nobody() as folder:
        root = surrounded(folder)
        for name in ("requirements.txt", "Dockerfile", "setup.py", ".gitignore"):
            (root / name).write_text("numpy==1,==2\n")
            (root / name).chmod(0)
        (root / "dev-requirements.txt").write_text("-r requirements.txt\ntorch\n")
        (root / "closed").mkdir(mode=0)
        project = load_project((str(root),))
        reasons = {missed.path: missed.reason for missed in project.unread}
        (root / "closed").chmod(0o755)
    assert set(project.sources) == {"dev-requirements.txt"}
    assert reasons["requirements.txt"] == "it cannot be read: permission denied"
    assert reasons["closed"] == "the folder cannot be read"


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_that_changes_while_it_is_read(
    root: Path, change: int, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = root / "requirements.txt"
    manifest.write_text("numpy==1,==2\n" * 100)
    fstat = os.fstat

    def changed(handle: int) -> os.stat_result:
        status = fstat(handle)
        # it shrinks, or outgrows what is read at the most, just after its size was asked for
        if status.st_size == 1_300:
            os.truncate(manifest, 20 if change < 0 else 9 << 20)
        return status

    monkeypatch.setattr(os, "fstat", changed)
    said = assert_audited(root, capsys, monkeypatch, "json")
    assert ("larger than 8 MiB" in said) == (change > 0)


def test_a_tree_that_vanishes_while_it_is_read(
    root: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (root / name).mkdir()
        (root / name / "requirements.txt").write_text("numpy==1,==2\n")
    opened, scandir = os.open, os.scandir

    def gone(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).endswith("requirements.txt"):
            raise FileNotFoundError(2, "No such file or directory")
        return opened(path, *arguments, **options)

    def closed(path: Any) -> Any:
        if str(path).endswith("b"):
            raise FileNotFoundError(2, "No such file or directory")
        return scandir(path)

    monkeypatch.setattr(os, "open", gone)
    monkeypatch.setattr(os, "scandir", closed)
    said = assert_audited(root, capsys, monkeypatch, "json")
    assert "a/requirements.txt" in said
    assert "the folder cannot be read" in said


def test_a_file_of_50_megabytes_is_named_with_its_reason(
    root: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    CASES["a requirements file of 50 MB"].build(root)
    assert "larger than 8 MiB" in assert_audited(root, capsys, monkeypatch, "text")


def test_nothing_of_a_setup_script_runs(
    root: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    CASES["a setup.py that would do harm"].build(root)
    assert_audited(root, capsys, monkeypatch, "text")
    assert not (root / "owned").exists()


def test_sets_that_would_take_the_square_of_a_project_are_named(root: Path) -> None:
    for count, is_named in ((20, False), (700, True)):
        (root / "base.txt").write_text("".join(f"-r b{n}.txt\n" for n in range(count)))
        for number in range(count):
            (root / f"b{number}.txt").write_text(f"p{number}\n")
            (root / f"requirements-{number}.txt").write_text("-r base.txt\n")
        project = load_project((str(root),))
        left_out = {one.path for one in project.unread if "than is compared" in one.reason}
        homes = {one.home.path for one in project.install_sets}
        assert bool(left_out) == is_named
        # whatever is read is either compared or named
        assert homes | left_out == {path for path in project.sources if path != "constraints.txt"}
        assert not homes & left_out
