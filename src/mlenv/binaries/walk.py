"""Which files of an environment look compiled: a walk that lists only the folders that changed.

A large environment has fifteen thousand folders, and listing them takes four times as long as
asking for the state of each. What an earlier walk found in a folder holds as long as the folder has
the device, inode, size, and times of the last change of content and of inode that it had: making,
renaming and removing an entry marks both times for update, and no program can set the second. So
each folder is asked for its state, those that hold nothing of interest too, and what is new in any
of them is found. Whether a file is the one it was is no matter of its folder's times: it is asked
for its own state each time (:mod:`mlenv.binaries.cache`).

A folder that changed within the last seconds is not remembered, since clocks tick coarsely. Nor is
one that could not be listed to its end, since who may list it is no matter of its times; one whose
file system keeps no times; and none in one that is mounted for reading only: the times in an image
may be those that its maker chose. On Windows, whose folders have no such second time, all are
listed.

Source: POSIX.1-2017, "File Times Update", with ``open``, ``rename`` and ``unlink``.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from itertools import islice

from mlenv.caches import Identity, identity_of
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

Row: TypeAlias = "list[Any]"
"""What is remembered of a folder: its state, or a list of that, of the names of its compiled files
and of the rows of its folders by name, where it holds any. A state is what tells that a folder is
the one it was, or empty; then the rows of the folders in it may hold all the same."""

_COMPILED = re.compile(r"\.(?:so(?:\.\d+)*|pyd|dll|dylib)$", re.IGNORECASE)
_BYTECODE = "__pycache__"
"""Every other folder of an environment, and none that a library is loaded from."""
_DEEPEST = 64
_MOST_ENTRIES = 5_000_000
_MOST_FILES = 100_000
_MOST_REMEMBERED = 100_000
"""So many folders; what is remembered of them takes some eighty bytes each."""
_PARTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A file that looks compiled.

    Attributes:
        full: As the system takes it.
        path: Relative to the prefix where it lies in it, with ``/``.
        identity: What tells that it is the one it was.
    """

    full: str
    path: str
    identity: Identity


class Walk:
    """The folders of an environment, each looked into once.

    Args:
        root: The prefix, with links resolved.
        folders: Where to look, with what is below; relative to the prefix or absolute.
        known: What an earlier walk remembered, which may be anything; None where nothing is to be.
        settled: Nothing is remembered that changed after this, in nanoseconds of the epoch.

    Attributes:
        found: The files that look compiled.
        unread: Those of which nothing is told, each with the reason.
        folders: What to remember; nothing where there are too many.
        is_new: Whether that holds more than what was known.
    """

    def __init__(
        self, root: str, folders: Iterable[str], known: Mapping[str, object] | None, settled: int
    ) -> None:
        self.found: list[Found] = []
        self.unread: list[tuple[str, str]] = []
        self.is_new = False
        self._root = root
        self._settled = settled
        self._left, self._count = _MOST_ENTRIES, 0
        tops = sorted({os.path.realpath(os.path.join(root, one)) for one in folders})
        tops = [one for one in tops if os.path.isdir(one)]
        self._tops = [one for one in tops if not any(_is_below(one, other) for other in tops)]
        self._is_told = known is not None and all(map(_tells_changes, self._tops))
        rows = {top: self._folder(top, (known or {}).get(top), 0) for top in self._tops}
        fits = self._is_told and self._count <= _MOST_REMEMBERED
        self.folders: Mapping[str, Row] = rows if fits else {}

    def _folder(self, folder: str, known: object, depth: int) -> Row:
        """Look into a folder and what is below; return what to remember."""
        self._count += 1
        state = _state_of(folder) if self._is_told else []
        if isinstance(known, list) and known == state and state:
            return known
        before, names, below = _parts_of(known)
        inner: Iterable[str] = below
        if before != state or not state:
            is_whole, names, inner = self._listed(folder)
            if not is_whole or not all(0 < at <= self._settled for at in state[3:]):
                state = []
            self.is_new = self.is_new or bool(state)
        start = folder.rstrip(os.sep) + os.sep
        for name in names:
            self._file(start + name)
        rows = {
            name: self._folder(start + name, below.get(name), depth + 1)
            for name in (inner if depth < _DEEPEST else ())
        }
        return [state, names, rows] if names or rows else state

    def _listed(self, folder: str) -> tuple[bool, list[str], list[str]]:
        """Return whether all of a folder was seen, its compiled files, and its folders."""
        files: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in islice(entries, self._left + 1):
                    self._left -= 1
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != _BYTECODE:
                            folders.append(entry.name)
                    elif _COMPILED.search(entry.name):
                        files.append(entry.name)
        except (OSError, ValueError):
            return False, files, folders
        return self._left >= 0, files, folders

    def _file(self, full: str) -> None:
        """Note a file; not a folder, nor a link within the environment.

        Such a link leads to a file that is found itself; uv's links into its cache are files.
        """
        if len(self.found) >= _MOST_FILES:
            return
        path = _shown(self._root, full)
        try:
            state = os.lstat(full)
            if stat.S_ISLNK(state.st_mode):
                target = os.path.realpath(full)
                inside = any(_is_below(target, one) for one in (self._root, *self._tops))
                if inside or not os.path.isfile(target):
                    return
                state = os.stat(target)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else ""
            self.unread.append((path, f"it cannot be read: {(reason or str(error)).lower()}"))
            return
        if stat.S_ISREG(state.st_mode):
            self.found.append(Found(full, path, identity_of(state)))


def _tells_changes(folder: str) -> bool:
    """Whether the state of folders tells that what they hold changed."""
    if sys.platform == "win32":
        return False
    try:
        return not os.statvfs(folder).f_flag & os.ST_RDONLY
    except OSError:
        return False


def _state_of(folder: str) -> list[int]:
    """Return what tells that a folder is the one it was; nothing where that cannot be told."""
    try:
        return list(identity_of(os.lstat(folder)))
    except (OSError, ValueError):
        return []


def _parts_of(known: object) -> tuple[list[Any], list[str], dict[str, object]]:
    """Return what is remembered of a folder that holds something, each part of which may be not."""
    if isinstance(known, list) and len(known) == _PARTS:
        state, names, folders = known
        kinds = type(state), type(names), type(folders)
        if kinds == (list, list, dict) and all(map(_is_name, (*names, *folders))):
            return state, names, folders
    return [], [], {}


def _is_name(value: object) -> bool:
    """Whether something is the name of what a folder holds: it leads to no other folder."""
    return type(value) is str and value not in ("", os.curdir, os.pardir) and os.sep not in value


def _shown(root: str, full: str) -> str:
    """Return a path relative to the prefix where it lies in it, with ``/``."""
    path = full[len(root) :].lstrip(os.sep) if _is_below(full, root) else full
    return path.replace(os.sep, "/")


def _is_below(path: str, folder: str) -> bool:
    return path != folder and path.startswith(folder.rstrip(os.sep) + os.sep)
