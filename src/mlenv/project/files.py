"""Reading files of an audited tree: only below its root, only regular ones, only so large."""

from __future__ import annotations

import os
import stat

from mlenv.model.text import SourceText
from mlenv.project.decode import decode
from mlenv.records import dataclass

_MEBIBYTE = 1 << 20
LIMITS = {"lock": 64 * _MEBIBYTE, "manifest": 8 * _MEBIBYTE, "script": _MEBIBYTE}
"""What is read at the most; larger files are named as not audited."""
_SCRIPTS = frozenset(
    ("dockerfile", "cog", "bentofile", "compose", "devcontainer", "github-workflow", "gitlab-ci")
)
"""Formats with commands of a shell, which take longer to read than lists do."""


def limit_of(kind: str) -> int:
    """Return how many bytes of a file are read at the most, by its format."""
    if kind in _SCRIPTS:
        return LIMITS["script"]
    return LIMITS["lock" if kind.endswith(("lock", "explicit")) else "manifest"]


LONGEST_PATH = 4096
"""In characters; PATH_MAX of Linux, and more than other systems open."""


@dataclass(frozen=True, slots=True, eq=False)
class Unreadable:
    """Why a file was not read.

    Attributes:
        reason: In a few words.
        outside: Whether it lies outside the root.
        missing: Whether there is no such file.
    """

    reason: str
    outside: bool = False
    missing: bool = False


class Tree:
    """The files below one root; the only door through which the audited tree is read.

    Attributes:
        root: The folder, with links resolved.
    """

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)

    def read(self, path: str, *, limit: int = LIMITS["manifest"]) -> SourceText | Unreadable:
        """Return the text of a file, or why there is none.

        Args:
            path: Relative to the root, with ``/``.
            limit: The most bytes to read.
        """
        data = self.read_bytes(path, limit=limit)
        return data if isinstance(data, Unreadable) else decode(path, data)

    def read_bytes(self, path: str, *, limit: int) -> bytes | Unreadable:
        """Return what a file holds, or why that cannot be told; see :meth:`read`."""
        if len(path) > LONGEST_PATH:  # each of its folders would be asked for
            return Unreadable("there is no such file", missing=True)
        try:
            full = os.path.realpath(os.path.join(self.root, path))
        except ValueError as error:  # a name that no system can hold: NUL, half a surrogate pair
            return Unreadable(_cause(error), missing=True)
        if not self._inside(full):
            return Unreadable("it lies outside the audited folder", outside=True)
        try:
            # opening a FIFO or a device would block; O_NONBLOCK lets the check below refuse it
            handle = os.open(full, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
        except (FileNotFoundError, NotADirectoryError):
            return Unreadable("there is no such file", missing=True)
        except (OSError, ValueError) as error:
            return Unreadable(_cause(error))
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):  # of a folder no file object can be made
            os.close(handle)
            return Unreadable("not a regular file")
        with os.fdopen(handle, "rb") as file:
            if status.st_size > limit:
                return Unreadable(f"larger than {limit // _MEBIBYTE} MiB")
            try:
                data = file.read(limit + 1)
            except OSError as error:
                return Unreadable(_cause(error))
        if len(data) > limit:  # it has grown meanwhile
            return Unreadable(f"larger than {limit // _MEBIBYTE} MiB")
        return data

    def resolve(self, origin: str, target: str) -> str | None:
        """Return where an include leads, relative to the root; None where that is outside.

        Args:
            origin: The file that includes, relative to the root.
            target: What it includes, relative to itself.
        """
        target = target.replace("\\", "/")
        if target.startswith(("/", "~")) or target[1:2] == ":":
            return None
        path = os.path.normpath(os.path.join(os.path.dirname(origin), target)).replace("\\", "/")
        return None if path == ".." or path.startswith("../") else path

    def is_empty(self, folder: str) -> bool:
        """Return whether there is no such folder, or nothing in it.

        Args:
            folder: Relative to the root, with ``/``.
        """
        full = os.path.realpath(os.path.join(self.root, folder))
        try:
            return self._inside(full) and not os.listdir(full)
        except FileNotFoundError:
            return True
        except (OSError, ValueError):
            return False

    def _inside(self, full: str) -> bool:
        return full == self.root or full.startswith(self.root.rstrip(os.sep) + os.sep)


_BINARY = getattr(os, "O_BINARY", 0)


def _cause(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) else ""
    return f"it cannot be read: {(text or str(error)).lower()}"
