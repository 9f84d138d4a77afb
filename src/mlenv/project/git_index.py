"""git's index, read without git: which of some paths the repository keeps.

Source: git's documentation, "gitformat-index", versions 2 to 4.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

_HEADER = 12
_SIGNATURE = b"DIRC"
_FIXED = 40
"""The bytes of an entry before its object's name: times, device, mode, owner and size."""
_HASHES = (20, 32)
_EXTENDED = 0x4000
_MAX_PATH = 4096
"""No path is longer on the systems that git runs on; damage may make one of gigabytes."""


class _DamageError(ValueError):
    """The index is not what its format promises."""


def tracked(data: bytes, files: Sequence[str], folders: Sequence[str]) -> frozenset[str] | None:
    """Return those of some paths that an index names.

    Args:
        data: The index.
        files: Paths relative to the top of the repository.
        folders: Folders in the same form, none within another; one counts where the index names
            something in it.

    Returns:
        The paths; None where the index is damaged, or written in a form that leaves some out.
    """
    wanted = {_encoded(path): path for path in files}
    within = sorted((_encoded(path) + b"/", path) for path in folders)
    prefixes = [prefix for prefix, _ in within]
    for hash_size in _HASHES:
        found: set[str] = set()
        try:
            for name in _names(data, hash_size):
                if name in wanted:
                    found.add(wanted[name])
                at = bisect_right(prefixes, name) - 1
                if at >= 0 and name.startswith(prefixes[at]):
                    found.add(within[at][1])
        except _DamageError:
            continue
        return frozenset(found)
    return None


def _encoded(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _names(data: bytes, hash_size: int) -> Iterator[bytes]:
    """Yield the paths of an index.

    Raises:
        _DamageError: The index is no index, or not one of hashes of this size.
    """
    version = int.from_bytes(data[4:8], "big")
    if data[:4] != _SIGNATURE or version not in (2, 3, 4):
        raise _DamageError
    end = len(data) - hash_size
    at, name = _HEADER, b""
    for _ in range(int.from_bytes(data[8:12], "big")):
        start = at
        flags_at = at + _FIXED + hash_size
        flags = int.from_bytes(data[flags_at : flags_at + 2], "big")
        at = flags_at + (4 if flags & _EXTENDED else 2)
        previous = name
        if version == 4:
            stripped, at = _number(data, at)
            if stripped > len(previous):
                raise _DamageError
            kept = previous[: len(previous) - stripped]
        else:
            kept = b""
        stop = data.find(b"\0", at, min(end, at + _MAX_PATH))
        if stop < 0 or len(kept) + stop - at > _MAX_PATH:
            raise _DamageError
        name = kept + data[at:stop]
        # entries of a merge share one path, all others follow each other in the order of bytes
        if not name or name < previous:
            raise _DamageError
        at = stop + 1 if version == 4 else start + (stop - start) // 8 * 8 + 8
        yield name
    _check_extensions(data, at, end)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable width and where it ends. Source: "gitformat-pack", offsets."""
    value = -1
    for place in range(at, min(at + 4, len(data))):
        byte = data[place]
        value = (value + 1) << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, place + 1
    raise _DamageError


def _check_extensions(data: bytes, at: int, end: int) -> None:
    """Fail where the entries are not all: an index split in two, or one with folders folded up."""
    while at < end:
        if not b"A" <= data[at : at + 1] <= b"Z":
            raise _DamageError
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
    if at != end:
        raise _DamageError
