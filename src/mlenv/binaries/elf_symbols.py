"""Which symbols an ELF file takes and gives. Source: System V ABI, "Symbol Table"; DT_GNU_HASH."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from functools import lru_cache

from mlenv.binaries.elf import Elf
from mlenv.binaries.window import Damaged, as_text, opened
from mlenv.project.files import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal


BEGIN_MODULE = ("PyInit_", "PyModExport_")
"""How the names of functions begin that make a module; the module's name follows."""

_SYMTAB, _HASH, _GNU_HASH = 6, 4, 0x6FFFFEF5
_SYMBOLS_AT_ONCE = 1 << 15
_MOST_SYMBOLS = 2_000_000
_MOST_TEXT = 1 << 26
"""How long all names together may be; those of a whole environment's files reach as much."""
_LONGEST_NAME = 1 << 16
"""The names of C++ templates reach some thousand characters."""
_MOST_BUCKETS = 1 << 21
_LARGEST_TABLE = 1 << 24
"""A table of names up to this size is held in memory; of a larger one each name is read."""
_CHAIN_AT_ONCE = 32
_LONGEST_CHAIN = 4096
_LOCAL, _WEAK = 0, 2
_HIDDEN = (1, 2)
"""The visibilities ``internal`` and ``hidden``."""


def undefined_symbols(path: str) -> tuple[str, ...] | Unreadable:
    """Return the symbols that a file takes from others, weak ones left out.

    A weak one may stay undefined. The names are as they are in the file, not demangled.

    Args:
        path: As the system takes it.
    """
    try:
        with opened(path) as window:
            return tuple(_names(Elf(window), defined=False))
    except Damaged as error:
        return Unreadable(str(error))


def exported_among(path: str, names: Collection[str]) -> frozenset[str] | Unreadable:
    """Return which of some symbols a file gives to others, asked as the loader asks.

    Args:
        path: As the system takes it.
        names: The symbols.
    """
    try:
        with opened(path) as window:
            elf = Elf(window)
            table = _hash_table(elf)
            if table is None:
                return frozenset(names).intersection(_names(elf, defined=True))
            return frozenset(name for name in names if table.has(name.encode("utf-8", "replace")))
    except Damaged as error:
        return Unreadable(str(error))


def defined_versions(path: str) -> tuple[str, ...] | Unreadable:
    """Return the versions of interfaces that a library defines, such as ``GLIBCXX_3.4.30``.

    Args:
        path: As the system takes it.
    """
    try:
        with opened(path) as window:
            return Elf(window).defined_versions
    except Damaged as error:
        return Unreadable(str(error))


def takes_from_python(elf: Elf) -> bool:
    """Whether a file calls Python's C interface, by the names in its table.

    Raises:
        Damaged: The table lies outside the file.
    """
    at, size = elf.names
    pieces = elf.window.chunks(at, size, most=1 << 20, overlap=16)
    return any(b"\0PyImport_Import" in piece for piece in pieces)


def is_extension(elf: Elf, stem: str) -> bool:
    """Whether Python can import a file: it has one of the functions that begin a module.

    Sources: PEP 489 and PEP 793.

    Args:
        elf: The file.
        stem: The name of the module, which is the file's up to its first dot.

    Raises:
        Damaged: The tables of symbols lie outside the file.
    """
    names = {f"{beginning}{stem}" for beginning in BEGIN_MODULE}
    table = _hash_table(elf)
    if table is None:
        return not names.isdisjoint(_names(elf, defined=True))
    return any(table.has(name.encode("utf-8", "replace")) for name in names)


@lru_cache(maxsize=4096)
def _hash_of(name: bytes) -> int:
    """Return what the table of a file has for a name; every library of torch is asked for each."""
    value = 5381
    for one in name:
        value = (value * 33 + one) & 0xFFFFFFFF
    return value


class _GnuHash:
    """The table by which the loader finds a symbol.

    Source: "GNU Hash ELF Sections" by Ali Bahrami, and the GNU C library's ``elf/dl-lookup.c``.
    """

    def __init__(self, elf: Elf, at: int) -> None:
        self._elf = elf
        self._window = elf.window
        self._word = elf.bits // 8
        head = struct.unpack(f"{elf.order}4I", self._window.read(at, 16))
        self._buckets: int = head[0]
        self._first: int = head[1]
        self._words: int = head[2]
        self._shift: int = head[3]
        self._bloom_at = at + 16
        self._buckets_at = self._bloom_at + self._words * self._word
        self._chains_at = self._buckets_at + 4 * self._buckets
        self._symbols = _SymbolTable(elf)

    def has(self, name: bytes) -> bool:
        """Whether the file defines a symbol."""
        if not self._buckets or not self._words:
            return False
        value = _hash_of(name)
        width = 8 * self._word
        at = self._bloom_at + value // width % self._words * self._word
        bloom = int.from_bytes(self._window.read(at, self._word), _endian(self._elf))
        if not bloom >> value % width & 1 or not bloom >> (value >> self._shift) % width & 1:
            return False
        return any(self._symbols.exports(one, name) for one in self._candidates(value))

    def count(self) -> int:
        """Return how many symbols there are, those that are not in the table counted too."""
        size = min(self._buckets, _MOST_BUCKETS)
        buckets = self._window.read(self._buckets_at, 4 * size)
        last = max(struct.unpack(f"{self._elf.order}{size}I", buckets), default=0)
        if last < self._first:
            return self._first
        return last + sum(1 for _ in self._chain(last))

    def _candidates(self, value: int) -> Iterator[int]:
        """Yield the numbers of the symbols whose hash is a value."""
        bucket = self._window.read(self._buckets_at + 4 * (value % self._buckets), 4)
        number = int.from_bytes(bucket, _endian(self._elf))
        if number < self._first:
            return
        for hashed in self._chain(number):
            if hashed | 1 == value | 1:
                yield number
            number += 1

    def _chain(self, number: int) -> Iterator[int]:
        """Yield the hashes of a bucket, the last of which is odd."""
        at = self._chains_at + 4 * (number - self._first)
        for _ in range(_LONGEST_CHAIN // _CHAIN_AT_ONCE):
            part = self._window.up_to(at, 4 * _CHAIN_AT_ONCE)
            for (hashed,) in struct.iter_unpack(f"{self._elf.order}I", part[: len(part) & ~3]):
                yield hashed
                if hashed & 1:
                    return
            at += len(part)


class _SymbolTable:
    """The dynamic symbols of a file, by number."""

    def __init__(self, elf: Elf) -> None:
        self._window = elf.window
        # the name, binding and type, the visibility and the section; not the value and the size
        self._form = struct.Struct(elf.order + ("IBBH16x" if elf.bits == 64 else "I8xBBH"))
        self._at = elf.place(elf.tag(_SYMTAB) or 0)
        self._names_at, self._names_size = elf.names

    def exports(self, number: int, name: bytes) -> bool:
        """Whether the symbol of a number has a name, and is given to others."""
        size = self._form.size
        offset, info, visibility, section = self._form.unpack(
            self._window.read(self._at + number * size, size)
        )
        if not section or not _is_open(info, visibility):
            return False
        return self._window.up_to(self._names_at + offset, len(name) + 1) == name + b"\0"

    def each(self, count: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield name, binding and type, visibility and section of each."""
        size = self._form.size
        for first in range(1, min(count, _MOST_SYMBOLS), _SYMBOLS_AT_ONCE):
            part = min(count - first, _SYMBOLS_AT_ONCE)
            block = self._window.read(self._at + first * size, part * size)
            yield from self._form.iter_unpack(block)

    def size_before(self, at: int) -> int:
        """Return how many symbols there would be if the table ended at a place."""
        return max(0, at - self._at) // self._form.size

    @property
    def at(self) -> int:
        """Where the table begins."""
        return self._at


def _names(elf: Elf, *, defined: bool) -> Iterator[str]:
    """Yield the names of the symbols that a file gives, or of those that it must be given."""
    if elf.tag(_SYMTAB) is None:
        return
    table = _SymbolTable(elf)
    at, size = elf.names
    held = elf.window.read(at, size) if size <= _LARGEST_TABLE else b""
    left = _MOST_TEXT
    for offset, info, visibility, section in table.each(_count(elf, table)):
        if defined != bool(section) or not _is_open(info, visibility):
            continue
        if not defined and info >> 4 == _WEAK:
            continue
        end = held.find(b"\0", offset, offset + _LONGEST_NAME)
        name = as_text(held[offset:end]) if end >= 0 else elf.name(offset, most=_LONGEST_NAME)
        left -= len(name)
        if left < 0:
            raise Damaged("it names more symbols than any library")
        yield name


def _count(elf: Elf, table: _SymbolTable) -> int:
    """Return the number of dynamic symbols: no header names it, and its section may be gone."""
    section = next((one for one in elf.sections if one.at == table.at), None)
    if section is not None:
        return table.size_before(section.at + section.size)
    hashed = _hash_table(elf)
    if hashed is not None:
        return hashed.count()
    address = elf.tag(_HASH)
    if address is None:
        return 0
    return int.from_bytes(elf.window.read(elf.place(address) + 4, 4), _endian(elf))


def _hash_table(elf: Elf) -> _GnuHash | None:
    """Return the table by which symbols are found, or None where there is none."""
    address = elf.tag(_GNU_HASH)
    if address is None or elf.tag(_SYMTAB) is None:
        return None
    return _GnuHash(elf, elf.place(address))


def _is_open(info: int, visibility: int) -> bool:
    return info >> 4 != _LOCAL and visibility & 3 not in _HIDDEN


def _endian(elf: Elf) -> Literal["little", "big"]:
    return "little" if elf.order == "<" else "big"
