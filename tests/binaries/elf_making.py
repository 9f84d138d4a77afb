"""Makes ELF files byte by byte, for tests: small ones, with what the loader looks at."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate

BASE = 0x400000
"""Where the file is loaded, so that an address is no place in the file."""


class ElfMaker:
    """Lays out one shared library; see :func:`make_elf`."""

    def __init__(self, bits: int, order: str) -> None:
        self.bits = bits
        self.order = order
        self.data = bytearray((64 + 2 * 56) if bits == 64 else (52 + 2 * 32))
        self.tags: list[tuple[int, int]] = []
        self.names = bytearray(b"\0")
        self.sections: list[tuple[str, int, int, int, int]] = []

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def name(self, text: str) -> int:
        at = len(self.names)
        self.names += text.encode() + b"\0"
        return at

    def place(self, data: bytes, section: str = "", kind: int = 1, flags: int = 2) -> int:
        """Append something, as a section where it has a name; return where it is."""
        self.data += bytes(-len(self.data) % 16)
        at = len(self.data)
        self.data += data
        if section:
            self.sections.append((section, kind, flags, at, len(data)))
        return at

    def versions_needed(self, needs: Mapping[str, Sequence[str]]) -> None:
        if not needs:
            return
        table = b""
        for number, (library, versions) in enumerate(needs.items()):
            last = number == len(needs) - 1
            following = 0 if last else 16 + 16 * len(versions)
            table += self.pack("HHIII", 1, len(versions), self.name(library), 16, following)
            for index, version in enumerate(versions):
                following = 0 if index == len(versions) - 1 else 16
                table += self.pack("IHHII", 0, 0, 2 + index, self.name(version), following)
        at = self.place(table, ".gnu.version_r", 0x6FFFFFFE)
        self.tags += [(0x6FFFFFFE, BASE + at), (0x6FFFFFFF, len(needs))]

    def versions_defined(self, soname: str, defines: Sequence[str]) -> None:
        if not defines:
            return
        table = b""
        for number, version in enumerate((soname, *defines)):
            following = 0 if number == len(defines) else 28
            table += self.pack("HHHHIII", 1, number == 0, 1 + number, 1, 0, 20, following)
            table += self.pack("II", self.name(version), 0)
        at = self.place(table, ".gnu.version_d", 0x6FFFFFFD)
        self.tags += [(0x6FFFFFFC, BASE + at), (0x6FFFFFFD, 1 + len(defines))]

    def symbols(
        self, takes: Sequence[str], weak: Sequence[str], exports: Sequence[str], gnu: bool
    ) -> None:
        buckets = max(1, len(exports) // 2)
        exports = sorted(exports, key=lambda name: _gnu_hash(name) % buckets)
        given = [(name, 0x10, 0) for name in takes] + [(name, 0x20, 0) for name in weak]
        given += [(name, 0x12, 7) for name in exports]
        table = bytes(24 if self.bits == 64 else 16)
        for name, info, section in given:
            offset = self.name(name)
            if self.bits == 64:
                table += self.pack("IBBHQQ", offset, info, 0, section, 0, 0)
            else:
                table += self.pack("IIIBBH", offset, 0, 0, info, 0, section)
        self.tags.append((6, BASE + self.place(table, ".dynsym", 11)))
        if gnu:
            first = 1 + len(takes) + len(weak)
            at = self.place(self._gnu_table(exports, first, buckets), ".gnu.hash", 0x6FFFFFF6)
            self.tags.append((0x6FFFFEF5, BASE + at))
        else:
            at = self.place(self.pack("II", 1, 1 + len(given)), ".hash", 5)
            self.tags.append((4, BASE + at))

    def _gnu_table(self, exports: Sequence[str], first: int, buckets: int) -> bytes:
        hashes = [_gnu_hash(name) for name in exports]
        bloom = 0
        for one in hashes:
            bloom |= 1 << one % self.bits | 1 << (one >> 5) % self.bits
        starts = [0] * buckets
        chain = b""
        for at, one in enumerate(hashes):
            starts[one % buckets] = starts[one % buckets] or first + at
            last = at == len(hashes) - 1 or hashes[at + 1] % buckets != one % buckets
            chain += self.pack("I", one | 1 if last else one & ~1)
        head = self.pack("4I", buckets, first, 1, 5)
        head += self.pack("Q" if self.bits == 64 else "I", bloom)
        return head + self.pack(f"{buckets}I", *starts) + chain

    def finish(self, machine: int, *, headers: bool) -> bytes:
        at = self.place(bytes(self.names), ".dynstr", 3)
        tags = [*self.tags, (5, BASE + at), (10, len(self.names)), (0, 0)]
        form = "qQ" if self.bits == 64 else "iI"
        dynamic = b"".join(self.pack(form, *tag) for tag in tags)
        dynamic_at = self.place(dynamic, ".dynamic", 6, 3)
        end = len(self.data)
        sections_at, count = self._section_headers() if headers else (0, 0)
        wide = self.bits == 64
        head = b"\x7fELF" + bytes((self.bits // 32, 1 if self.order == "<" else 2, 1)) + bytes(9)
        size, entry, section = (64, 56, 64) if wide else (52, 32, 40)
        numbers = (3, machine, 1, 0, size, sections_at, 0, size, entry, 2, section, count)
        head += self.pack("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH", *numbers, max(0, count - 1))
        for kind, start, length in ((1, 0, end), (2, dynamic_at, len(dynamic))):
            address = BASE + start
            if wide:
                head += self.pack("IIQQQQQQ", kind, 4, start, address, address, length, length, 8)
            else:
                head += self.pack("IIIIIIII", kind, start, address, address, length, length, 4, 4)
        self.data[: len(head)] = head
        return bytes(self.data)

    def _section_headers(self) -> tuple[int, int]:
        titles = [name.encode() + b"\0" for name, *_ in self.sections] + [b".shstrtab\0"]
        offsets = list(accumulate(map(len, titles), initial=1))
        table = b"\0" + b"".join(titles)
        self.place(table, ".shstrtab", 3, 0)
        form = "IIQQQQIIQQ" if self.bits == 64 else "IIIIIIIIII"
        rows = self.pack(form, *[0] * 10)
        for offset, (_, kind, flags, at, size) in zip(offsets, self.sections, strict=False):
            rows += self.pack(form, offset, kind, flags, BASE + at, at, size, 0, 0, 1, 0)
        return self.place(rows), 1 + len(self.sections)


def make_elf(
    *,
    bits: int = 64,
    order: str = "<",
    machine: int = 62,
    soname: str = "",
    needed: Sequence[str] = (),
    rpath: str = "",
    runpath: str = "",
    needs: Mapping[str, Sequence[str]] | None = None,
    defines: Sequence[str] = (),
    takes: Sequence[str] = (),
    weak: Sequence[str] = (),
    exports: Sequence[str] = (),
    sections: Mapping[str, bytes] | None = None,
    headers: bool = True,
    gnu_hash: bool = True,
) -> bytes:
    """Return a shared library that says of itself what the arguments say.

    ``takes``, ``weak`` and ``exports`` are symbols; ``headers`` is whether it has section headers.
    """
    made = ElfMaker(bits, order)
    for library in needed:
        made.tags.append((1, made.name(library)))
    for kind, text in ((14, soname), (15, rpath), (29, runpath)):
        if text:
            made.tags.append((kind, made.name(text)))
    made.versions_needed(needs or {})
    made.versions_defined(soname, defines)
    made.symbols(takes, weak, exports, gnu_hash)
    for name, data in (sections or {}).items():
        made.place(data, name)
    return made.finish(machine, headers=headers)


def make_extension(name: str, rodata: bytes = b"", **others: bytes) -> bytes:
    """Return an extension module with some read-only data and further sections."""
    sections = {".rodata": rodata, **{f".{key}": value for key, value in others.items()}}
    return make_elf(
        needed=["libc.so.6"],
        takes=["PyModule_Create2"],
        exports=[f"PyInit_{name}"],
        sections=sections,
    )


def _gnu_hash(name: str) -> int:
    value = 5381
    for one in name.encode():
        value = (value * 33 + one) & 0xFFFFFFFF
    return value
