"""The door to an environment's files: regular ones only, bounded, and never a reason to fail."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)
"""A pipe that somebody left under a well-known name must not be waited for."""
_PIECE = 1 << 20
MOST_NAMES = 50_000
"""So many names of one folder are looked at."""


def read_bytes(path: str, limit: int = 1 << 20) -> bytes | None:
    """Return the beginning of a regular file; None where there is none, or it cannot be read.

    Args:
        path: The file; links are followed, since installers make them.
        limit: How many bytes are read at most.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        return _content(descriptor, limit)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _content(descriptor: int, limit: int) -> bytes | None:
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        return None
    left = min(limit, state.st_size)
    data = os.read(descriptor, left)
    while len(data) < left:
        more = os.read(descriptor, left - len(data))
        if not more:
            break
        data += more
    return data


def feed(path: str, take: Callable[[bytes], object]) -> bool:
    """Hand the pieces of a regular file to a function; return whether it was read to its end."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        while piece := os.read(descriptor, _PIECE):
            take(piece)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def read_text(path: str, limit: int = 1 << 16) -> str:
    """Return the beginning of a text file; nothing where there is none, or it cannot be read."""
    return (read_bytes(path, limit) or b"").decode("utf-8", "replace")


def names_in(folder: str) -> list[str]:
    """Return the names in a folder in order; none where there is no such folder."""
    try:
        names = os.listdir(folder)
    except (OSError, ValueError):
        return []
    names.sort()
    return names[:MOST_NAMES]


def modified(path: str) -> float:
    """Return when a file was changed last, in seconds of the epoch; 0 where nothing tells."""
    try:
        return os.stat(path).st_mtime
    except (OSError, ValueError):
        return 0.0


def place_of(shown: str, prefix: str, home: str) -> str:
    """Return where something lies that messages name.

    Args:
        shown: Relative to the prefix, or to the user's home after ``~/``; else a whole path.
        prefix: The environment's folder.
        home: The user's; empty where that is not known.
    """
    if home and shown.startswith("~/"):
        return os.path.join(home, shown[2:])
    return os.path.join(prefix, shown)
