"""What the git repository around a project keeps and leaves out; git itself is never run."""

from __future__ import annotations

import os
import posixpath

from mlenv.model.repository import EnvironmentFolder, IgnoredLock, Repository
from mlenv.model.text import SourceText
from mlenv.paths import folders_above
from mlenv.project import classify
from mlenv.project.discover import is_ignored
from mlenv.project.files import Tree, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlenv.model.text import Span
    from mlenv.project.place import Place

_INDEX_BYTES = 64 << 20
_MARKERS = ("pyvenv.cfg", "conda-meta/history")


def find_repository(
    place: Place, environments: Sequence[str], ignored_locks: Sequence[str]
) -> Repository:
    """Return what the version control tells of some paths.

    Args:
        place: Where the audited folder lies in its repository.
        environments: Folders that hold an installed environment, relative to the audited root.
        ignored_locks: Locks that a .gitignore leaves out, in the same form.
    """
    is_git = os.path.lexists(os.path.join(place.top, ".git"))
    if not environments and not ignored_locks:
        return Repository(is_git)
    files = [place.prefix + path for path in ignored_locks]
    folders = [place.prefix + path for path in environments]
    kept = _Kept(place.top, files, folders)
    found = [_environment(place, path, kept) for path in sorted(environments)]
    locks = [_lock(place, path, kept) for path in sorted(ignored_locks)]
    return Repository(
        is_git,
        tuple(one for one in found if one is not None),
        tuple(one for one in locks if one is not None),
    )


class _Kept:
    """Which paths the repository at a folder keeps."""

    def __init__(self, top: str, files: Sequence[str], folders: Sequence[str]) -> None:
        self.top = top
        self.paths = _tracked(top, files, folders)

    def has(self, path: str) -> bool | None:
        """Return whether a path is kept; None where that is not known."""
        if self.paths is None or self._is_nested(path):
            return None
        return path in self.paths

    def _is_nested(self, path: str) -> bool:
        """Whether a repository below the top has the path, so that the top's index has not."""
        return any(
            folder and os.path.lexists(os.path.join(self.top, folder, ".git"))
            for folder in folders_above(path)
        )


def _tracked(top: str, files: Sequence[str], folders: Sequence[str]) -> frozenset[str] | None:
    if not os.path.isdir(os.path.join(top, ".git")):
        # a file leads to a repository elsewhere, which is outside of what may be read
        return None
    data = Tree(top).read_bytes(".git/index", limit=_INDEX_BYTES)
    if isinstance(data, Unreadable):
        return frozenset() if data.missing else None
    from mlenv.project.git_index import tracked

    return tracked(data, files, folders)


def _environment(place: Place, path: str, kept: _Kept) -> EnvironmentFolder | None:
    tree = Tree(place.root)
    for name in _MARKERS:
        marker = tree.read(f"{path}/{name}")
        if isinstance(marker, SourceText):
            whole = place.prefix + path
            ignored = _leaves_out(place, whole, name)
            return EnvironmentFolder(path, marker, ignored, kept.has(whole))
    return None


def _leaves_out(place: Place, folder: str, marker: str) -> bool:
    """Whether patterns leave out a folder: those above it, or its own, as tools write one."""
    above = place.ignores(folder.rpartition("/")[0])
    if is_ignored(folder, True, above):
        return True
    inside = f"{folder}/{marker}"
    return is_ignored(inside, False, place.ignores(folder))


def _lock(place: Place, path: str, kept: _Kept) -> IgnoredLock | None:
    whole = place.prefix + path
    span = _deciding_pattern(place, whole)
    if span is None:  # the caller's own patterns leave it out
        return None
    return IgnoredLock(path, classify.by_name(path).rstrip("?"), span, kept.has(whole))


def _deciding_pattern(place: Place, path: str) -> Span | None:
    """Return the pattern by which a .gitignore leaves out a file; None where none does."""
    for ignore in reversed(place.ignores(path.rpartition("/")[0])):
        verdict = ignore.verdict(path, is_folder=False)
        if verdict is None:
            continue
        line = ignore.deciding_line(path, is_folder=False)
        name = f"{ignore.folder}/.gitignore" if ignore.folder else ".gitignore"
        return _line(place, name, line) if verdict and line is not None else None
    return None


def _line(place: Place, name: str, line: int) -> Span | None:
    text = Tree(place.top).read(name)
    if isinstance(text, Unreadable):
        return None
    if place.prefix:
        text = SourceText(posixpath.relpath(name, place.prefix), text.text, text.encoding)
    lines = text.text.split("\n")
    if line >= len(lines):  # the file is another one by now
        return None
    start = sum(len(one) + 1 for one in lines[:line])
    return text.span(start, start + len(lines[line].rstrip()))
