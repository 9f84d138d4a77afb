"""The user's cache folder: one JSON file for each thing remembered, written whole or not at all.

It never lies in what is audited, and nothing in it is trusted.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from binascii import crc32
from collections.abc import Callable, Iterable
from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _T = TypeVar("_T")


Identity = tuple[int, int, int, int, int]
"""Device, inode, size, and the times of the last change of content and of inode in nanoseconds."""
SETTLED = 2_000_000_000
"""In nanoseconds; the coarsest clock of a file system, that of FAT, ticks every two seconds."""
_LARGEST = 1 << 24
_MOST_FILES = 64
"""Of each kind: so many environments are remembered."""


def cache_folder(kind: str, audited: Iterable[str]) -> str:
    """Return where caches of a kind lie; empty where they have no place, or it is audited.

    Args:
        kind: The name of its folder.
        audited: Folders in which nothing is written.

    Source: XDG Base Directory Specification, which has relative paths ignored.
    """
    named = _of_user()
    if not os.path.isabs(named):
        return ""
    folder = os.path.realpath(os.path.join(named, kind))
    for one in audited:
        root = os.path.realpath(one)
        if folder == root or folder.startswith(root.rstrip(os.sep) + os.sep):
            return ""
    return folder


def _of_user() -> str:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "")
        return os.path.join(local, "mlenv", "cache") if local else ""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(named):
        usual = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
        named = os.path.expanduser(usual)
    return os.path.join(named, "mlenv")


def file_of(folder: str, prefix: str) -> str:
    """Return the file of a folder of the cache that stands for an environment.

    Two environments that share one take turns: what it holds names the files that it is of.

    Args:
        folder: The folder of the cache.
        prefix: The environment, with links resolved.
    """
    whole = prefix.encode("utf-8", "surrogatepass")
    # hashlib would bring OpenSSL along, which takes longer than all else here
    return os.path.join(folder, f"{crc32(whole):08x}{crc32(whole[::-1]):08x}.json")


def file_for(kind: str, prefix: str, audited: Iterable[str]) -> str:
    """Return the file of a kind that stands for an environment; empty as for :func:`cache_folder`.

    Args:
        kind: The name of its folder.
        prefix: The environment.
        audited: Folders in which nothing is written.
    """
    folder = cache_folder(kind, audited)
    return file_of(folder, os.path.realpath(prefix)) if folder else ""


def settled() -> int:
    """Return the time until which what is seen from now on can be told from what follows.

    In nanoseconds of the epoch.
    """
    return time.time_ns() - SETTLED


identity_of: Callable[[os.stat_result], Identity] = attrgetter(
    "st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns"
)
"""Return what tells that a file is the one it was."""


def sign_of(path: str) -> Identity | None:
    """Return the identity of a file; None where there is none."""
    try:
        return identity_of(os.stat(path))
    except (OSError, ValueError):
        return None


def digest_of(signs: Iterable[Identity | None]) -> int:
    """Return one number for the identities of files, of which a cache holds many.

    Unlike those of texts, the hashes of numbers are the same in all processes of one Python.
    """
    return hash(tuple([one or () for one in signs]))


def digest_of_texts(texts: Iterable[str]) -> int:
    """Return one number for some texts, such as the paths of files."""
    return crc32("\0".join(texts).encode("utf-8", "surrogatepass"))


def read_json(path: str) -> object:
    """Return what a file of the cache holds; None where it cannot be read, or is no JSON."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
        return json.loads(data) if len(data) <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None


def keep(path: str) -> None:
    """Note that a file of the cache is in use, so that others go before it."""
    with contextlib.suppress(OSError):
        os.utime(path)


def write_json(path: str, said: object) -> None:
    """Write a file of the cache; where that fails, nothing is written.

    Of very many files in its folder those go that were in use longest ago.

    Args:
        path: The file.
        said: What it is to hold.
    """
    data = json.dumps(said, separators=(",", ":")).encode()
    if len(data) > _LARGEST:
        return
    import tempfile

    folder = os.path.dirname(path)
    with contextlib.suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
        _forget_oldest(folder)


def _forget_oldest(folder: str) -> None:
    with os.scandir(folder) as entries:
        times = [(entry.stat(follow_symlinks=False).st_mtime, entry.path) for entry in entries]
    for _, path in sorted(times)[: max(0, len(times) - _MOST_FILES)]:
        os.unlink(path)


class UnexpectedError(Exception):
    """Something is not as this version writes it."""


def as_kind(kind: type[_T], value: object) -> _T:
    """Return a value that is of one kind.

    Raises:
        UnexpectedError: It is of another.
    """
    if type(value) is not kind:  # a bool is an int to isinstance
        raise UnexpectedError
    return value


def fields_of(value: object, count: int) -> list[Any]:
    """Return a list that has so many items.

    Raises:
        UnexpectedError: It is none, or has others.
    """
    found = as_kind(list, value)
    if len(found) != count:
        raise UnexpectedError
    return found


def texts_of(value: object) -> tuple[str, ...]:
    """Return the texts of a list.

    Raises:
        UnexpectedError: It is none, or holds something else.
    """
    return tuple([as_kind(str, one) for one in as_kind(list, value)])
