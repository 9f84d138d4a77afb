"""The compiled files of an environment: which there are, and what each of them tells."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator

from mlenv.binaries.cache import BinaryCache, Known, Read
from mlenv.binaries.read import read_binary
from mlenv.binaries.walk import Found, Walk
from mlenv.caches import Identity, settled
from mlenv.model.binary import Binary
from mlenv.project.files import Unreadable
from mlenv.records import dataclass, replace

_AT_A_TIME = 8
_BATCH = 32


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
    before = settled()
    known = cache.load(root) if cache else Known({}, {})
    walk = Walk(root, folders, known.folders if cache else None, before)
    found = sorted(walk.found, key=lambda one: one.path)
    unread = walk.unread
    reads: dict[Identity, Read | Unreadable] = {
        one.identity: known.files[one.path][1]
        for one in found
        if one.path in known.files and known.files[one.path][0] == one.identity
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
    if cache and (walk.is_new or len(seen) > remembered or len(known.files) > len(seen)):
        cache.store(root, Known(seen, walk.folders), before)
    files = [
        replace(read, path=path, owner=owner_of(path))
        for path, (_, read) in seen.items()
        if read is not None
    ]
    return Scan(tuple(files), tuple(sorted(unread)), remembered)


def _read_fresh(
    found: Iterable[Found],
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


def _read_all(found: list[Found]) -> Iterator[Read | Unreadable]:
    """Yield what each file tells, in their order.

    Once most of the time is waiting, as where files lie on another machine or on a disk that was
    not read of late, several are read at a time. Else threads would take turns, and gain nothing.
    """
    for first in range(0, len(found), _BATCH):
        start, busy = time.perf_counter(), time.thread_time()
        for one in found[first : first + _BATCH]:
            yield read_binary(one.full, one.path)
        if time.perf_counter() - start > 2 * (time.thread_time() - busy):
            yield from _read_together(found[first + _BATCH :])
            return


def _read_together(found: list[Found]) -> Iterator[Read | Unreadable]:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        yield from pool.map(lambda one: read_binary(one.full, one.path), found)
    finally:
        pool.shutdown(cancel_futures=True)
