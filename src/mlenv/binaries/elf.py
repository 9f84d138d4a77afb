"""ELF files: what the loader is told by them. Source: System V ABI, "Object Files"; ld.so(8)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import islice

from mlenv.binaries.window import Damaged, Window, as_text
from mlenv.records import dataclass

MAGIC = b"\x7fELF"
_MACHINES = {
    (3, "<"): "i686",
    (20, ">"): "ppc",
    (21, "<"): "ppc64le",
    (21, ">"): "ppc64",
    (22, ">"): "s390x",
    (40, "<"): "armv7l",
    (62, "<"): "x86_64",
    (183, "<"): "aarch64",
    (243, "<"): "riscv64",
    (258, "<"): "loongarch64",
}
"""The names that ``uname`` has for processors, by ``e_machine`` and the order of bytes."""

_PT_LOAD, _PT_DYNAMIC = 1, 2
_PF_EXECUTABLE = 1
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29
_VERNEED, _VERNEEDNUM, _VERDEF, _VERDEFNUM = 0x6FFFFFFE, 0x6FFFFFFF, 0x6FFFFFFC, 0x6FFFFFFD
_PROGBITS, _NOBITS = 1, 8
_ALLOCATED, _EXECUTABLE = 2, 4
_UNKNOWN = 0xFFFF
"""A number that stands in section 0, where it does not fit in the header."""
_MOST_SEGMENTS = 4096
_MOST_SECTIONS = 100_000
_MOST_TAGS = 4096
_MOST_NEEDED = 1000
_MOST_VERSIONS = 2000
_LONGEST_NAME = 4096
"""Of a library or a version; PATH_MAX of Linux."""
_SMALL_TABLE = 1 << 16
"""A table of names up to this size is read at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A section as its header has it; those without bytes in the file are left out.

    Attributes:
        name: Such as ``.rodata``.
        at: Where it begins in the file.
        size: In bytes.
        is_data: Whether it is loaded and holds no machine code.
    """

    name: str
    at: int
    size: int
    is_data: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    kind: int
    flags: int
    at: int
    address: int
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Where the numbers stand in files of 32 and of 64 bits."""

    header: str
    segment: str
    section: str
    tag: str


_LAYOUTS = {
    1: _Layout("HHIIIIIHHHHHH", "IIIIIIII", "IIIIIIIIII", "iI"),
    2: _Layout("HHIQQQIHHHHHH", "IIQQQQQQ", "IIQQQQIIQQ", "qQ"),
}


class Elf:
    """A shared library or program; what costs more than its headers is read when asked for.

    What the loader uses is found through the program headers alone, so that files without
    section headers are read as well.

    Attributes:
        window: The file.
        order: The order of its bytes, as :mod:`struct` writes it.
        bits: 32 or 64.
        machine: The processor's architecture, such as ``x86_64``; ``unknown`` for rare ones.
    """

    def __init__(self, window: Window) -> None:
        """Read the headers.

        Raises:
            Damaged: It is no such file, or ends within them.
        """
        head = window.up_to(0, 4096)
        if head[:4] != MAGIC or len(head) < 52:
            raise Damaged("no ELF file")
        layout, order = _LAYOUTS.get(head[4]), {1: "<", 2: ">"}.get(head[5])
        if layout is None or order is None:
            raise Damaged("an ELF file of an unknown class")
        self.window = window
        self.order = order
        self.bits = 32 * head[4]
        self._layout = layout
        form = struct.Struct(order + layout.header)
        if len(head) < 16 + form.size:
            raise Damaged("it ends within its header")
        fields = form.unpack_from(head, 16)
        self.machine = _MACHINES.get((fields[1], order), "unknown")
        self._section_headers = (fields[5], fields[11], fields[12])
        self._segments = self._read_segments(head, fields[4], fields[9])

    @property
    def soname(self) -> str:
        """Its own name (``DT_SONAME``); may be empty."""
        return self._first(_SONAME)

    @property
    def needed(self) -> tuple[str, ...]:
        """The libraries that it names (``DT_NEEDED``), in their order."""
        return tuple(map(self.name, self._tags.get(_NEEDED, ())[:_MOST_NEEDED]))

    @property
    def rpath(self) -> tuple[str, ...]:
        """The folders of ``DT_RPATH``, as they stand."""
        return _folders(self._first(_RPATH))

    @property
    def runpath(self) -> tuple[str, ...]:
        """The folders of ``DT_RUNPATH``, as they stand."""
        return _folders(self._first(_RUNPATH))

    @property
    def version_needs(self) -> Mapping[str, tuple[str, ...]]:
        """The versions that it needs of each library (``.gnu.version_r``).

        Source: Linux Standard Base, "Symbol Versioning".
        """
        found: dict[str, tuple[str, ...]] = {}
        for library, version in islice(self._version_needs(), _MOST_VERSIONS):
            found[library] = (*found.get(library, ()), version)
        return found

    @property
    def defined_versions(self) -> tuple[str, ...]:
        """The versions that it defines itself (``.gnu.version_d``), its own name left out."""
        return tuple(islice(self._defined_versions(), _MOST_VERSIONS))

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Its sections; none where their headers are gone or damaged."""
        try:
            return tuple(self._read_sections())
        except Damaged:
            return ()

    def section(self, name: str) -> Section | None:
        """Return the first section of a name, or None."""
        return next((one for one in self.sections if one.name == name), None)

    def loaded_data(self) -> list[tuple[int, int]]:
        """Return where data lies by the program headers alone, as places and sizes.

        Those are the segments that are not code, and all of them where one holds both.
        """
        loaded = [one for one in self._segments if one.kind == _PT_LOAD and one.size]
        plain = [one for one in loaded if not one.flags & _PF_EXECUTABLE]
        return [(one.at, one.size) for one in (plain if len(plain) > 1 else loaded)]

    def tag(self, kind: int) -> int | None:
        """Return the value of the first entry of a kind in the dynamic section, or None."""
        values = self._tags.get(kind)
        return values[0] if values else None

    def place(self, address: int) -> int:
        """Return where in the file an address of the loaded image lies.

        Raises:
            Damaged: No loaded part of the file has it.
        """
        for one in self._segments:
            if one.kind == _PT_LOAD and one.address <= address < one.address + one.size:
                return one.at + address - one.address
        raise Damaged("its dynamic section points out of the file")

    def name(self, offset: int, *, most: int = _LONGEST_NAME) -> str:
        """Return a name in the table of the dynamic section.

        Args:
            offset: Where in the table it begins.
            most: How long it may be.

        Raises:
            Damaged: There is no such name.
        """
        at, size, held = self._names
        if not 0 <= offset < size:
            raise Damaged("a name in it lies outside the table of names")
        end = held.find(b"\0", offset, offset + most)
        if end >= 0:
            return as_text(held[offset:end])
        return self.window.text(at + offset, at + min(size, offset + most))

    @property
    def names(self) -> tuple[int, int]:
        """Where the table of the dynamic section's names lies, and its size."""
        return self._names[:2]

    def _first(self, kind: int) -> str:
        offset = self.tag(kind)
        return "" if offset is None else self.name(offset)

    def _number(self, kind: int) -> int:
        return self.tag(kind) or 0

    def _address(self, kind: int) -> int | None:
        address = self.tag(kind)
        return None if address is None else self.place(address)

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        made = struct.Struct(self.order + form)
        return made.unpack(self.window.read(at, made.size))

    def _version_needs(self) -> Iterator[tuple[str, str]]:
        """Yield each library with each version that is needed of it."""
        at = self._address(_VERNEED)
        for _ in range(min(self._number(_VERNEEDNUM), _MOST_VERSIONS)):
            if at is None:
                return
            _, count, file, first, following = self._unpack("HHIII", at)
            library = self.name(file)
            for version in self._version_names(at + first, count, "IHHII", 3, 4):
                yield library, version
            if not following:
                return
            at += following

    def _defined_versions(self) -> Iterator[str]:
        at = self._address(_VERDEF)
        for _ in range(min(self._number(_VERDEFNUM), _MOST_VERSIONS)):
            if at is None:
                return
            _, flags, _, _, _, first, following = self._unpack("HHHHIII", at)
            if not flags & 1:  # the base definition names the file
                yield from self._version_names(at + first, 1, "II", 0, 1)
            if not following:
                return
            at += following

    def _version_names(
        self, at: int, count: int, form: str, name: int, following: int
    ) -> Iterator[str]:
        """Yield the names in one chain of records; two of their fields are told by number."""
        for _ in range(min(count, _MOST_VERSIONS)):
            record = self._unpack(form, at)
            yield self.name(record[name])
            if not record[following]:
                break
            at += record[following]

    @cached_property
    def _names(self) -> tuple[int, int, bytes]:
        """Where the table of names lies, its size, and what it holds where it is small."""
        address, size = self.tag(_STRTAB), self._number(_STRSZ)
        if address is None:
            return 0, 0, b""
        at = self.place(address)
        size = min(size, self.window.size - at)
        return at, size, self.window.read(at, size) if size <= _SMALL_TABLE else b""

    @cached_property
    def _tags(self) -> Mapping[int, list[int]]:
        """The values of the dynamic section, by kind."""
        part = next((one for one in self._segments if one.kind == _PT_DYNAMIC), None)
        found: dict[int, list[int]] = {}
        if part is None:
            return found
        form = struct.Struct(self.order + self._layout.tag)
        size = min(part.size // form.size, _MOST_TAGS) * form.size
        for kind, value in form.iter_unpack(self.window.read(part.at, size)):
            if not kind:
                break
            found.setdefault(kind, []).append(value)
        return found

    def _read_segments(self, head: bytes, at: int, count: int) -> tuple[_Segment, ...]:
        if count == _UNKNOWN:
            raise Damaged("an ELF file of more segments than any library has")
        form = struct.Struct(self.order + self._layout.segment)
        size = min(count, _MOST_SEGMENTS) * form.size
        table = head[at : at + size]
        if len(table) < size:
            table = self.window.read(at, size)
        if self.bits == 64:
            return tuple(
                _Segment(kind, flags, start, address, length)
                for kind, flags, start, address, _, length, _, _ in form.iter_unpack(table)
            )
        return tuple(
            _Segment(kind, flags, start, address, length)
            for kind, start, address, _, length, _, flags, _ in form.iter_unpack(table)
        )

    def _read_sections(self) -> Iterator[Section]:
        at, count, names_at = self._section_headers
        form = struct.Struct(self.order + self._layout.section)
        if not at:
            return
        first = form.unpack(self.window.read(at, form.size))
        count = min(count or first[5], _MOST_SECTIONS)
        names_at = first[6] if names_at == _UNKNOWN else names_at
        headers = list(form.iter_unpack(self.window.read(at, count * form.size)))
        if names_at >= len(headers):
            return
        names = self.window.read(headers[names_at][4], headers[names_at][5])
        for name, kind, flags, _, place, size, *_ in headers:
            if kind in (0, _NOBITS):
                continue
            is_data = kind == _PROGBITS and flags & (_ALLOCATED | _EXECUTABLE) == _ALLOCATED
            title = names[name : name + 64].partition(b"\0")[0]
            yield Section(_title(title), place, size, is_data)


def highest_versions(needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the highest version of each family that is needed, such as ``GLIBC_2.28``.

    Only the numbered ones of the C and C++ libraries count (``GLIBC``, ``GLIBCXX``, ``CXXABI``):
    ``GLIBC_PRIVATE`` and the like have no order.
    """
    found: dict[str, tuple[int, ...]] = {}
    for versions in needs.values():
        for version in versions:
            family, _, number = version.partition("_")
            parts = number.split(".")
            if family in _FAMILIES and all(part.isdecimal() and len(part) < 6 for part in parts):
                found[family] = max(found.get(family, ()), tuple(map(int, parts)))
    return tuple(f"{family}_{'.'.join(map(str, found[family]))}" for family in sorted(found))


_FAMILIES = frozenset(("GLIBC", "GLIBCXX", "CXXABI"))


@lru_cache(maxsize=1024)
def _title(name: bytes) -> str:
    """Return the name of a section as text; most files have the same ones."""
    return as_text(name)


def _folders(path: str) -> tuple[str, ...]:
    return tuple(path.split(":")) if path else ()
