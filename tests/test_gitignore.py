"""What mlenv takes for ignored is what git takes for ignored, whatever the patterns."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from mlenv.project.discover import IGNORED, walk
from mlenv.project.gitignore import compile_pattern, read_ignore_file

if TYPE_CHECKING:
    from pathlib import Path

    from mlenv.project.gitignore import IgnoreFile

GIT = shutil.which("git")
needs_git = pytest.mark.skipif(GIT is None, reason="git, which is compared with, is not installed")

NAMES = ("a", "b", "ab", "abc", "a.txt", "b-c", "req.txt", "x y", "#a", "!b", "a]", "[b", "é")
PIECES = (
    *("a", "b", "c", "ab", ".txt", "x y", "é", "/", "/", "*", "*", "**", "?", "***", "**/", "/**"),
    *("[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "[a", "[!]", "[[:alpha:]]", "[[:nope:]]", "[a/b]"),
    *("[c-a]", r"[\]]", r"[a\-c]", "[a-]", "[[]", "\\a", "\\*", "\\", "\\/", "\\#", "\\ ", " "),
    *("!", "#", "-", ".", "\t", "\r"),
)
patterns_of = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
paths_of = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
QUIRK = re.compile(r"!?/?[^*?\[\\]*[^*?\[\\/]\*\*|.*\*\\/")
"""git cuts plain text off a pattern before it looks at the stars behind it, and so takes them for
more than its documentation says; an escaped slash behind stars is not worth having."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    return folder


def git(folder: Path, *arguments: str, stdin: str = "") -> str:
    """Run git as if nobody had ever configured it."""
    home = {"HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
    return subprocess.run(
        [str(GIT), "-c", "core.excludesFile=", "-c", "core.ignoreCase=false", *arguments],
        cwd=folder,
        env={**kept, **home},
        input=stdin.encode("utf-8"),
        capture_output=True,
        check=False,
    ).stdout.decode("utf-8")


def ignored_by_git(folder: Path, paths: list[str]) -> set[str]:
    arguments = ("check-ignore", "-z", "--stdin", "--no-index", "--verbose", "--non-matching")
    fields = git(folder, *arguments, stdin="".join(f"{path}\0" for path in paths)).split("\0")
    answers = zip(*(iter(fields[:-1]),) * 4, strict=True)
    return {path for _, _, pattern, path in answers if pattern and not pattern.startswith("!")}


def ignored_here(file: IgnoreFile, paths: list[str]) -> set[str]:
    """Return the paths that a walk does not come to: ignored themselves, or below what is."""
    return {path for path in paths if any(_verdicts(file, path.split("/")))}


def _verdicts(file: IgnoreFile, names: list[str]) -> list[bool | None]:
    depths = range(1, len(names) + 1)
    return [file.verdict("/".join(names[:n]), is_folder=n < len(names)) for n in depths]


@needs_git
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    patterns=st.lists(patterns_of, min_size=1, max_size=4),
    paths=st.lists(paths_of, min_size=1, max_size=12, unique=True),
)
@example(patterns=["a/**/b", "!a/b/b"], paths=["a/b", "a/b/b", "a/c/b", "a/c/d/b", "c/a/b"])
@example(patterns=["*", "!*/", "!a.txt"], paths=["a.txt", "a/a.txt", "a/b"])
@example(patterns=["?", "[!a]"], paths=["é", "a", "b"])
def test_patterns_mean_what_they_mean_to_git(
    repository: Path, patterns: list[str], paths: list[str]
) -> None:
    assume(not any(QUIRK.match(pattern) for pattern in patterns))
    text = "\n".join(patterns) + "\n"
    (repository / ".gitignore").write_bytes(text.encode("utf-8"))
    asked = [*paths, *(f"{path}/below" for path in paths)]
    assert ignored_here(read_ignore_file("", text), asked) == ignored_by_git(repository, asked)


@needs_git
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_walk_finds_what_git_would_add(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("walk")
    git(root, "init", "-q")
    folder = st.lists(st.sampled_from(("a", "b", "ab")), max_size=3).map("/".join)
    names = st.sampled_from(("requirements.txt", "req-b.txt", "environment.yml", "uv.lock"))
    line = st.sampled_from(
        (
            "a",
            "b/",
            "/a",
            "!a",
            "*.txt",
            "!req*",
            "a/*",
            "!a/b",
            "**/b",
            "a/**",
            "*",
            "!*/",
            "uv.lock",
        )
    )
    for place in data.draw(st.lists(folder, min_size=1, max_size=6, unique=True)):
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / place / data.draw(names)).write_text("numpy\n")
    for place in data.draw(st.lists(folder, max_size=3, unique=True)):
        lines = data.draw(st.lists(line, max_size=4))
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / place / ".gitignore").write_text("\n".join(lines))
    listed = git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    wanted = {path for path in listed if path and not path.endswith(".gitignore")}
    found = {candidate.path for candidate in walk(str(root)) if candidate.reason != IGNORED}
    assert found == wanted


@pytest.mark.parametrize("line", ["", "#", "# a", "   ", "/", "!", "!/"])
def test_some_lines_say_nothing(line: str) -> None:
    assert compile_pattern(line) is None


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("\\#a", "#a"),
        ("\\!a", "!a"),
        ("a\\ ", "a "),
        ("a ", "a"),
        ("a\t", "a\t"),
        ("[[:digit:]-]", "-"),
        ("requirements-*.txt", "requirements-dev.txt"),
        ("*.e[g]g", "x.egg"),
    ],
)
def test_blanks_escapes_and_classes(line: str, path: str) -> None:
    pattern = compile_pattern(line)
    assert pattern is not None
    assert pattern.matches(path)
    assert pattern.matches(f"below/{path}")
    assert not pattern.matches(f"{path}/below")


def test_a_byte_order_mark_and_carriage_returns_are_no_part_of_a_pattern() -> None:
    file = read_ignore_file("", "\ufeffa\r\nb\r\n")
    assert ignored_here(file, ["a", "b", "c"]) == {"a", "b"}
