"""The loader's cache: which shared libraries a Linux system knows, read from ``ld.so.cache``."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_OLD = b"ld.so-1.7.0"
_NEW = b"glibc-ld.so.cache1.1"
_OLD_HEADER = struct.Struct("<12sI")
_OLD_ENTRY = struct.Struct("<iII")
_NEW_HEADER = struct.Struct("<20sII20x")
_NEW_ENTRY = struct.Struct("<iIII8x")
_MOST = 100_000
_LONGEST = 4096
_KINDS = {
    "x86_64": 0x0300,
    "aarch64": 0x0A00,
    "ppc64le": 0x0500,
    "s390x": 0x0400,
    "riscv64": 0x1000,
}
"""The flags of libraries for a processor; ``FLAG_ELF_LIBC6`` is 3 for every one of them."""


def read_cache(data: bytes, machine: str) -> dict[str, tuple[str, ...]]:
    """Return the files that a system's cache has for each library, by soname.

    Both layouts are read: the old one, the new one, and the new one behind the old. A damaged
    cache says what can be read of it.

    Args:
        data: The content of ``/etc/ld.so.cache``.
        machine: The processor (``x86_64``, ``aarch64``); those of others are left out.

    Source: glibc, sysdeps/generic/dl-cache.h.
    """
    found: dict[str, list[str]] = {}
    for flags, soname, path in _entries(data):
        kind = _KINDS.get(machine)
        if flags & 0xFF == 3 and (kind is None or flags & 0xFF00 == kind):
            found.setdefault(soname, []).append(path)
    return {soname: tuple(paths) for soname, paths in found.items()}


def _entries(data: bytes) -> Iterator[tuple[int, str, str]]:
    if data.startswith(_OLD) and len(data) >= _OLD_HEADER.size:
        count = _OLD_HEADER.unpack_from(data)[1]
        end = _OLD_HEADER.size + count * _OLD_ENTRY.size
        aligned = (end + 7) & ~7
        if data.startswith(_NEW, aligned):
            yield from _new(data, aligned)
        else:
            yield from _rows(data, _OLD_ENTRY, _OLD_HEADER.size, count, end)
    elif data.startswith(_NEW):
        yield from _new(data, 0)


def _new(data: bytes, start: int) -> Iterator[tuple[int, str, str]]:
    if len(data) - start >= _NEW_HEADER.size:
        count = _NEW_HEADER.unpack_from(data, start)[1]
        yield from _rows(data, _NEW_ENTRY, start + _NEW_HEADER.size, count, start)


def _rows(
    data: bytes, entry: struct.Struct, at: int, count: int, texts: int
) -> Iterator[tuple[int, str, str]]:
    """Yield flags, soname and path of each entry; ``texts`` is what their offsets count from."""
    fit = max(0, (len(data) - at) // entry.size)
    for number in range(min(count, fit, _MOST)):
        flags, key, value = entry.unpack_from(data, at + number * entry.size)[:3]
        soname, path = _text(data, texts + key), _text(data, texts + value)
        if soname and path:
            yield flags, soname, path


def _text(data: bytes, at: int) -> str:
    end = data.find(b"\0", at, at + _LONGEST)
    return data[at:end].decode("utf-8", "replace") if end > at else ""
