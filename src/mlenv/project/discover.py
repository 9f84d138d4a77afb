"""The walk over a tree: which files may speak of the environment, and what is left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence

from mlenv.project import classify
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.gitignore import IgnoreFile

_SKIPPED = frozenset(
    (
        ".git", ".hg", ".svn", ".tox", ".nox", ".pixi", ".eggs", ".mypy_cache", ".pytest_cache",
        ".ruff_cache", ".ipynb_checkpoints", "__pycache__", "__pypackages__",
    )
)  # fmt: skip
"""Folders of tools, which hold nothing that a person declared."""
_BUILT = (".egg-info", ".dist-info")
"""What the folders end with into which builds write a project's metadata."""

_VENDORED = {
    "node_modules": "packages of npm",
    "site-packages": "installed packages",
    "dist-packages": "installed packages",
    "vendor": "vendored code",
    "_vendor": "vendored code",
    "third_party": "vendored code",
    "third-party": "vendored code",
    "thirdparty": "vendored code",
    "3rdparty": "vendored code",
}
ENVIRONMENT = "an installed environment"
IGNORED = "git ignores it"
_LOCKS = frozenset(
    ("uv.lock", "poetry.lock", "pdm.lock", "pixi.lock", "Pipfile.lock", "pylock.toml",
     "conda-lock.yml")
)  # fmt: skip
"""What matters to others though it is left out of the repository."""
_IGNORE_BYTES = 1 << 20
CODE = (".py", ".ipynb")
_NOTED = (*CODE, "config.json", "model_index.json")
_MOST_NOTED = 20_000
Noted = tuple[str, "tuple[IgnoreFile, ...]"]
"""A file of code or of a model, and the patterns that decide whether it counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A file that may speak of the environment.

    Attributes:
        path: Relative to the root.
        kind: What its name promises; with ``?`` where its content must confirm it.
        reason: Why it is not read; empty where it is.
    """

    path: str
    kind: str
    reason: str = ""


def walk(
    root: str,
    exclude: Sequence[str] = (),
    start: str = "",
    *,
    above: tuple[IgnoreFile, ...] = (),
    excluded: tuple[IgnoreFile, ...] = (),
    code: list[Noted] | None = None,
) -> Iterator[Candidate]:
    """Yield the files below a folder that may speak of the environment, in order of path.

    Left out are what git ignores, what ``exclude`` names, environments, caches and vendored
    trees; links to folders are not followed. What is left out though it has a telling name is
    yielded with the reason.

    Args:
        root: The folder.
        exclude: Patterns in the form of .gitignore, relative to the root.
        start: The folder below the root to begin in; empty for the root itself.
        above: The .gitignore files of the folders above ``start``.
        excluded: Further patterns of what to leave out.
        code: Takes in the code and the models' configurations on the way, ignored ones too.
    """
    excluded = (*excluded, *read_patterns("", exclude))
    pending: list[tuple[str, tuple[IgnoreFile, ...]]] = [(start, above)]
    while pending:
        folder, ignores = pending.pop()
        entries = _entries(os.path.join(root, folder) if folder else root)
        if entries is None:
            yield Candidate(folder or ".", "", "the folder cannot be read")
            continue
        names = {entry.name for entry in entries}
        if folder != start and ("pyvenv.cfg" in names or "conda-meta" in names):
            yield Candidate(folder, "", ENVIRONMENT)
            continue
        if ".gitignore" in names:
            ignores = (*ignores, *ignore_file(root, folder))
        # what the caller excludes no file of the project takes back in
        patterns = (*ignores, *excluded)
        folders = []
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if _is_folder(entry, follow_links=False):
                if entry.name in _VENDORED:
                    yield Candidate(path, "", _VENDORED[entry.name])
                elif not (_is_of_tools(entry.name) or is_ignored(path, True, patterns)):
                    folders.append((path, ignores))
            else:
                if code is not None and entry.name.endswith(_NOTED):
                    _note(path, entry, patterns, code)
                yield from _candidate(path, entry, patterns)
        pending.extend(reversed(folders))


def _is_of_tools(name: str) -> bool:
    return name in _SKIPPED or name.endswith(_BUILT)


def _entries(folder: str) -> list[os.DirEntry[str]] | None:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return None


def _note(
    path: str, entry: os.DirEntry[str], patterns: tuple[IgnoreFile, ...], code: list[Noted]
) -> None:
    """Note a file; whether it is ignored is found out when somebody asks for it."""
    if len(code) < _MOST_NOTED and not entry.is_symlink():
        code.append((path, patterns))


def _candidate(
    path: str, entry: os.DirEntry[str], ignores: tuple[IgnoreFile, ...]
) -> Iterator[Candidate]:
    other = classify.not_yet(path)
    kind = "" if other else classify.by_name(path)
    if not (kind or other):
        return
    if is_ignored(path, False, ignores):
        if entry.name in _LOCKS:
            yield Candidate(path, kind, IGNORED)
        return
    if other:
        yield Candidate(path, "", f"{other}: not read by this version")
    elif _is_file(entry):
        yield Candidate(path, kind)
    elif not _is_folder(entry, follow_links=True) and not kind.endswith("?"):
        yield Candidate(path, kind, "not a regular file")


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # links that go in a circle
        return False


def _is_folder(entry: os.DirEntry[str], *, follow_links: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow_links)
    except OSError:
        return False


def ignore_file(root: str, folder: str) -> tuple[IgnoreFile, ...]:
    """Return the .gitignore of a folder below a root, or nothing where there is none."""
    path = os.path.join(root, folder, ".gitignore")
    try:
        # git follows no links here either, and a pipe would be waited for
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return ()
        with open(path, "rb") as file:
            text = file.read(_IGNORE_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return ()
    return read_patterns(folder, (text,))


def read_patterns(folder: str, lines: Sequence[str]) -> tuple[IgnoreFile, ...]:
    """Return patterns in the form of .gitignore that are relative to a folder, if there are any."""
    if not lines:
        return ()
    from mlenv.project.gitignore import read_ignore_file

    return (read_ignore_file(folder, "\n".join(lines)),)


def is_ignored(path: str, is_folder: bool, ignores: tuple[IgnoreFile, ...]) -> bool:
    """Return whether a path is left out; of files that speak of it the last decides."""
    for ignore in reversed(ignores):
        verdict = ignore.verdict(path, is_folder=is_folder)
        if verdict is not None:
            return verdict
    return False
