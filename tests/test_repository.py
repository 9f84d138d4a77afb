"""What git keeps and leaves out, told without git, held against what git itself says."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mlenv.project.git_index import tracked
from mlenv.project.load import load_project
from mlenv.project.place import find_place
from mlenv.project.repository import find_repository

if TYPE_CHECKING:
    from pathlib import Path

    from mlenv.model.repository import Repository

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git, which is compared with, is not installed")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    home = {"HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
    command = [str(GIT), "-c", "core.excludesFile=", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**kept, **home}, capture_output=True, check=True
    )
    return done.stdout.decode()


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def asked(
    root: Path, *, environments: tuple[str, ...] = (), locks: tuple[str, ...] = ()
) -> Repository:
    return find_repository(find_place((str(root),)), environments, locks)


def test_without_a_repository_nothing_is_known_of_what_is_kept(tmp_path: Path) -> None:
    write(tmp_path, {"venv/pyvenv.cfg": "home = /usr\n"})
    found = asked(tmp_path, environments=("venv",))
    assert not found.is_git
    assert [(e.path, e.ignored, e.tracked) for e in found.environments] == [("venv", False, None)]


def test_a_repository_is_one_though_nothing_is_asked_of_it(root: Path) -> None:
    found = asked(root)
    assert (found.is_git, found.environments, found.ignored_locks) == (True, (), ())


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_a_committed_environment(root: Path, version: str) -> None:
    write(root, {f"src/module_{n}.py": "" for n in range(200)})
    write(root, {"env/pyvenv.cfg": "home = /usr\n", "other/pyvenv.cfg": "", "environment.txt": ""})
    git(root, "add", "src", "env", "environment.txt")
    git(root, "update-index", "--index-version", version)
    if version == "3":  # git writes version 3 where an entry needs it
        git(root, "add", "--intent-to-add", "other/pyvenv.cfg")
        git(root, "rm", "-q", "--cached", "other/pyvenv.cfg")
        write(root, {"later.py": ""})
        git(root, "add", "--intent-to-add", "later.py")
    assert (root / ".git/index").read_bytes()[7] == int(version)
    found = asked(root, environments=("other", "env"))
    assert [(e.path, e.tracked) for e in found.environments] == [("env", True), ("other", False)]
    assert found.environments[0].marker.path == "env/pyvenv.cfg"
    assert found.environments[0].marker.text == "home = /usr\n"


def test_every_path_that_git_lists_is_found_and_no_other(root: Path) -> None:
    chance = random.Random(1)
    names = ("a", "b", "ab", "a-b", "a.b", "é", "x y", "longer-name-than-the-others")
    paths = {"/".join(chance.choices(names, k=chance.randint(1, 4))) + ".py" for _ in range(300)}
    write(root, dict.fromkeys(paths, ""))
    kept = sorted(paths)[::2]
    for at in range(0, len(kept), 50):
        git(root, "add", *kept[at : at + 50])
    for version in ("2", "4"):
        git(root, "update-index", "--index-version", version)
        listed = set(git(root, "ls-files", "-z").split("\0")) - {""}
        assert listed == set(kept)
        assert tracked((root / ".git/index").read_bytes(), sorted(paths), ()) == frozenset(listed)


def test_sha256(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    write(tmp_path, {"a/b.txt": "", "c.txt": ""})
    git(tmp_path, "add", ".")
    data = (tmp_path / ".git/index").read_bytes()
    assert tracked(data, ("c.txt", "d.txt"), ("a", "b")) == frozenset(("c.txt", "a"))


def test_a_damaged_index_tells_nothing_and_stops_nothing(root: Path) -> None:
    write(root, {f"folder/file_{n}": "" for n in range(50)})
    git(root, "add", ".")
    git(root, "update-index", "--index-version", "4")
    data = (root / ".git/index").read_bytes()
    assert tracked(data, ("folder/file_7",), ()) == frozenset(("folder/file_7",))
    assert tracked(data[:-30], ("folder/file_7",), ()) is None
    assert tracked(b"", ("folder/file_7",), ()) is None
    assert tracked(b"DIRC\0\0\0\2\xff\xff\xff\xff" + bytes(40), ("a",), ()) is None
    chance = random.Random(2)
    for _ in range(500):
        spoiled = bytearray(data)
        for _ in range(chance.randint(1, 5)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        tracked(bytes(spoiled[: chance.randint(0, 2 * len(spoiled))]), ("a",), ("folder",))


def test_a_split_index_is_not_known(root: Path) -> None:
    write(root, {"venv/pyvenv.cfg": ""})
    git(root, "add", "-f", ".")
    git(root, "update-index", "--split-index")
    assert asked(root, environments=("venv",)).environments[0].tracked is None


def test_a_worktree_leads_elsewhere(tmp_path: Path) -> None:
    write(tmp_path, {".git": "gitdir: ../elsewhere/.git/worktrees/x\n", "venv/pyvenv.cfg": ""})
    found = asked(tmp_path, environments=("venv",))
    assert (found.is_git, found.environments[0].tracked) == (True, None)


def test_a_repository_within_the_repository_is_not_known(root: Path) -> None:
    write(root, {"sub/.git/HEAD": "", "sub/venv/pyvenv.cfg": ""})
    assert asked(root, environments=("sub/venv",)).environments[0].tracked is None


@pytest.mark.parametrize(
    ("files", "ignored"),
    [
        ({}, False),
        ({".gitignore": "venv/\n"}, True),
        ({".gitignore": "venv/*\n"}, True),
        ({".gitignore": "/env\n*.pyc\n"}, False),
        ({"venv/.gitignore": "*\n"}, True),
        ({"venv/.gitignore": "# a comment\n*\n"}, True),
        ({"venv/.gitignore": "*.pyc\n"}, False),
        ({".gitignore": "venv\n!venv\n"}, False),
    ],
)
def test_an_environment_is_left_out_by_patterns_above_it_or_its_own(
    root: Path, files: dict[str, str], ignored: bool
) -> None:
    write(root, {"venv/pyvenv.cfg": "", **files})
    assert asked(root, environments=("venv",)).environments[0].ignored is ignored
    assert ("venv" not in git(root, "status", "--porcelain")) is ignored


def test_an_environment_that_python_made(root: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / "mine")], check=True)
    own = (root / "mine/.gitignore").exists()
    git(root, "add", "-f", "mine/pyvenv.cfg")
    write(root, {"requirements.txt": "numpy==1.26.4\n"})
    (found,) = load_project((str(root),)).repository.environments
    assert (found.path, found.ignored, found.tracked) == ("mine", own, True)
    assert "home = " in found.marker.text


def test_an_environment_of_conda(root: Path) -> None:
    write(root, {"env/conda-meta/history": "==> 2024-01-01 <==\n", "bare/conda-meta/x.json": ""})
    found = asked(root, environments=("env", "bare"))
    assert [(e.path, e.marker.path) for e in found.environments] == [
        ("env", "env/conda-meta/history")
    ]


def test_a_lock_that_is_left_out_names_the_pattern(root: Path) -> None:
    write(
        root,
        {
            ".gitignore": "# locks\r\n\r\n*.lock  \r\nbuild/\n",
            "sub/.gitignore": "!uv.lock\npoetry.lock\n",
            "uv.lock": "version = 1\n",
            "sub/poetry.lock": "",
        },
    )
    git(root, "add", "-f", "uv.lock")
    found = asked(root, locks=("uv.lock", "sub/poetry.lock", "sub/uv.lock"))
    assert [(one.path, one.kind, one.tracked) for one in found.ignored_locks] == [
        ("sub/poetry.lock", "poetry-lock", False),
        ("uv.lock", "uv-lock", True),
    ]
    places = [(one.span.path, one.span.line, one.span.text) for one in found.ignored_locks]
    assert places == [("sub/.gitignore", 2, "poetry.lock"), (".gitignore", 3, "*.lock")]


def test_a_project_below_the_top_of_its_repository(root: Path) -> None:
    write(
        root,
        {
            ".gitignore": "uv.lock\n",
            "a/uv.lock": "version = 1\n",
            "a/requirements.txt": "numpy==1.26.4\n",
            "a/venv/pyvenv.cfg": "",
        },
    )
    git(root, "add", "-f", ".")
    found = load_project((str(root / "a"),)).repository
    assert [(e.path, e.tracked) for e in found.environments] == [("venv", True)]
    (lock,) = found.ignored_locks
    assert (lock.path, lock.tracked, lock.span.path) == ("uv.lock", True, "../.gitignore")


def test_what_the_caller_leaves_out_git_does_not(root: Path) -> None:
    write(root, {"uv.lock": "version = 1\n", "requirements.txt": "numpy==1.26.4\n"})
    project = load_project((str(root),), exclude=("uv.lock",))
    assert project.repository.ignored_locks == ()
