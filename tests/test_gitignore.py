"""Promise: what mlenv takes for ignored is what git takes for ignored, whatever the patterns."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlenv.project.gitignore import read_ignore_file

if TYPE_CHECKING:
    from pathlib import Path

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is what is compared with")

NAMES = ("a", "b", "ab", "abc", "a.txt", "b-c", "req.txt", "x y", "#a", "!b", "a]", "[b", "é")
PIECES = st.sampled_from(
    (
        *(
            "a",
            "b",
            "c",
            "ab",
            ".txt",
            "x y",
            "é",
            "/",
            "/",
            "*",
            "*",
            "**",
            "?",
            "***",
            "**/",
            "/**",
        ),
        *(
            "[ab]",
            "[!a]",
            "[^b]",
            "[a-c]",
            "[]a]",
            "[a",
            "[!]",
            "[[:alpha:]]",
            "[[:nope:]]",
            "[a/b]",
        ),
        *("[c-a]", r"[\]]", r"[a\-c]", "[a-]", "[[]", "\\a", "\\*", "\\", "\\/", "\\#", "\\ ", " "),
        *("!", "#", "-", ".", "\t"),
    )
)
PATTERNS = st.lists(PIECES, min_size=1, max_size=6).map("".join)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    return folder


def git(folder: Path, *arguments: str, stdin: str = "") -> str:
    return subprocess.run(
        ["git", "-c", "core.excludesFile=", "-c", "core.ignoreCase=false", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(folder),
        },
    ).stdout


def ignored_by_git(folder: Path, paths: list[str]) -> set[str]:
    """Return the paths that git ignores; a trailing slash makes one a folder."""
    arguments = ("check-ignore", "-z", "--stdin", "--no-index", "--verbose", "--non-matching")
    fields = git(folder, *arguments, stdin="".join(f"{path}\0" for path in paths)).split("\0")
    quadruples = zip(*(iter(fields[:-1]),) * 4, strict=True)
    return {path for _, _, pattern, path in quadruples if pattern and not pattern.startswith("!")}


def ignored_here(text: str, paths: list[str]) -> set[str]:
    """Return the paths that mlenv's walk would not reach."""
    file = read_ignore_file("", text)
    return {path for path in paths if _is_ignored(file, path)}


def _is_ignored(file: object, path: str) -> bool:
    names = path.rstrip("/").split("/")
    for depth in range(1, len(names) + 1):
        is_folder = depth < len(names) or path.endswith("/")
        if file.verdict("/".join(names[:depth]), is_folder=is_folder):  # type: ignore[attr-defined]
            return True
    return False


@needs_git
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    patterns=st.lists(PATTERNS, min_size=1, max_size=4),
    paths=st.lists(PATHS, min_size=1, max_size=12, unique=True),
)
def test_patterns_mean_what_they_mean_to_git(
    repository: Path, patterns: list[str], paths: list[str]
) -> None:
    text = "\n".join(patterns) + "\n"
    (repository / ".gitignore").write_text(text, "utf-8", newline="")
    asked = [*paths, *(f"{path}/below" for path in paths)]
    assert ignored_here(text, asked) == ignored_by_git(repository, asked), text
