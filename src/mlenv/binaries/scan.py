"""The compiled files of an environment: which there are, and what each of them tells."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice

from mlenv.binaries.cache import BinaryCache, Read
from mlenv.binaries.read import read_binary
from mlenv.caches import Identity, identity_of
from mlenv.model.binary import Binary
from mlenv.project.files import Unreadable
from mlenv.records import dataclass, replace

_COMPILED = re.compile(r"\.(?:so(?:\.\d+)*|pyd|dll|dylib)$", re.IGNORECASE)
_BYTECODE = "__pycache__"
"""Every other folder of an environment, and none that a library is loaded from."""
_DEEPEST = 64
_MOST_ENTRIES = 5_000_000
_MOST_FILES = 100_000
_AT_A_TIME = 8


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What the compiled files tell, each for itself.

    Attributes:
        files: Those that were read, in order of path.
        unread: Those that could not be, or not wholly, each with the reason.
        from_cache: How many were known from an earlier scan.
    """

    files: tuple[Binary, ...]
    unread: tuple[tuple[str, str], ...]
    from_cache: int


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    full: str
    path: str
    identity: Identity


def read_binaries(
    prefix: str,
    folders: Iterable[str],
    owner_of: Callable[[str], str],
    *,
    cache: BinaryCache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scan:
    """Return what the compiled files of an environment tell, each for itself.

    Args:
        prefix: The environment's folder.
        folders: Where to look, with what is below; relative to the prefix or absolute.
        owner_of: Tells which distribution records a file, by its path; empty for none.
        cache: Where earlier scans are remembered; None to read every file.
        progress: Called with how many files are done, and how many there are.
    """
    root = os.path.realpath(prefix)
    unread: list[tuple[str, str]] = []
    found = sorted(_walk(root, folders, unread), key=lambda one: one.path)
    known = cache.load(root) if cache else {}
    reads: dict[Identity, Read | Unreadable] = {
        one.identity: known[one.path][1]
        for one in found
        if one.path in known and known[one.path][0] == one.identity
    }
    remembered = sum(one.identity in reads for one in found)
    _read_fresh(found, reads, remembered, progress)
    seen: dict[str, tuple[Identity, Read]] = {}
    for one in found:
        read = reads[one.identity]
        if isinstance(read, Unreadable):
            unread.append((one.path, read.reason))
            continue
        seen[one.path] = one.identity, read
        if read is not None and read.damage:
            unread.append((one.path, read.damage))
    if cache and (len(seen) > remembered or len(known) > len(seen)):
        cache.store(root, seen)
    files = [
        replace(read, path=path, owner=owner_of(path))
        for path, (_, read) in seen.items()
        if read is not None
    ]
    return Scan(tuple(files), tuple(sorted(unread)), remembered)


def _read_fresh(
    found: Iterable[_Found],
    reads: dict[Identity, Read | Unreadable],
    remembered: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Add what is not known from an earlier scan, each file once; it may have several names."""
    fresh = list({one.identity: one for one in found if one.identity not in reads}.values())
    total = len(fresh) + remembered
    for number, (one, read) in enumerate(zip(fresh, _read_all(fresh), strict=True)):
        if progress:
            progress(remembered + number, total)
        reads[one.identity] = read
    if progress:
        progress(total, total)


def _read_all(found: list[_Found]) -> Iterator[Read | Unreadable]:
    """Yield what each file tells, in their order.

    Several are read at a time: where files lie on another machine, most of the time is waiting.
    """
    if not found:
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        yield from pool.map(lambda one: read_binary(one.full, one.path), found)
    finally:
        pool.shutdown(cancel_futures=True)


def _walk(root: str, folders: Iterable[str], unread: list[tuple[str, str]]) -> Iterator[_Found]:
    """Yield the files that look compiled, each once."""
    tops = sorted({os.path.realpath(os.path.join(root, folder)) for folder in folders})
    left = [(top, 0) for top in tops if not any(_is_below(top, other) for other in tops)]
    entries = files = 0
    while left and entries < _MOST_ENTRIES and files < _MOST_FILES:
        folder, depth = left.pop()
        for entry in _entries(folder):
            entries += 1
            if _COMPILED.search(entry.name):
                one = _found(root, entry, tops, unread)
                if one is not None:
                    files += 1
                    yield one
            elif (
                entry.name != _BYTECODE and depth < _DEEPEST and entry.is_dir(follow_symlinks=False)
            ):
                left.append((entry.path, depth + 1))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """Return what a folder holds; what is not there, or not for this user, has nothing to read."""
    found = []
    with suppress(OSError), os.scandir(folder) as held:
        for entry in islice(held, _MOST_ENTRIES):
            found.append(entry)  # noqa: PERF402 - listing may fail on its way
    return found


def _found(
    root: str, entry: os.DirEntry[str], tops: list[str], unread: list[tuple[str, str]]
) -> _Found | None:
    """Return a file as it was found; None for a folder, and for a link within the environment.

    Such a link leads to a file that is found itself; uv's links into its cache are files.
    """
    path = _shown(root, entry.path)
    try:
        if entry.is_symlink():
            target = os.path.realpath(entry.path)
            if not os.path.isfile(target) or any(_is_below(target, one) for one in (root, *tops)):
                return None
            return _Found(entry.path, path, identity_of(os.stat(target)))
        if not entry.is_file(follow_symlinks=False):
            return None
        # Windows leaves the file's identity out of what it tells of a folder's entries
        status = os.stat(entry.path) if os.name == "nt" else entry.stat(follow_symlinks=False)
    except OSError as error:
        unread.append((path, f"it cannot be read: {(error.strerror or str(error)).lower()}"))
        return None
    return _Found(entry.path, path, identity_of(status))


def _shown(root: str, full: str) -> str:
    """Return a path relative to the prefix where it lies in it, with ``/``."""
    path = full[len(root) :].lstrip(os.sep) if _is_below(full, root) else full
    return path.replace(os.sep, "/")


def _is_below(path: str, folder: str) -> bool:
    return path != folder and path.startswith(folder.rstrip(os.sep) + os.sep)
