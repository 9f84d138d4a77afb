"""Mach-O files: what they need. Source: Apple, ``mach-o/loader.h`` and ``mach-o/fat.h``."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator

from mlenv.binaries.elf_symbols import BEGIN_MODULE
from mlenv.binaries.window import Damaged, Window, as_text

_HEADS = {
    b"\xce\xfa\xed\xfe": ("<", 28),
    b"\xcf\xfa\xed\xfe": ("<", 32),
    b"\xfe\xed\xfa\xce": (">", 28),
    b"\xfe\xed\xfa\xcf": (">", 32),
}
"""The order of bytes and the size of the header, by magic number."""
_FAT = {
    b"\xca\xfe\xba\xbe": struct.Struct(">I4xII4x"),
    b"\xca\xfe\xba\xbf": struct.Struct(">I4xQQ8x"),
}
"""How a file for several processors lists its parts: processor, place and size of each."""
MAGICS = (*_HEADS, *_FAT)
_MACHINES = {7: "i386", 0x01000007: "x86_64", 0x0100000C: "arm64", 18: "ppc", 0x01000012: "ppc64"}
_MOST_PARTS = 16
"""Compiled Java begins like a file of several parts; as a number of parts its version is large."""
_MOST_COMMANDS = 4096
_MOST_SIZE = 1 << 22

_SEGMENT, _SEGMENT_64, _SYMTAB = 0x1, 0x19, 0x2
_ID, _RPATH = 0xD, 0x8000001C
_LOADS = frozenset((0xC, 0x8000001F, 0x20, 0x80000023))
"""A library that must be there: plain, exported again, at first use, and upwards."""
_CODE = 0x80000000 | 0x400
"""Sections of nothing but instructions, or of some."""
_ZERO_FILLED = frozenset((0x1, 0xC, 0x12))


class MachO:
    """A library or extension for macOS; of one for several processors, the first part.

    Attributes:
        window: The part of the file.
        machine: The processor's architecture; several are joined by ``+``.
        soname: Its own name; may be empty.
        needed: The libraries that it names, those that may be absent left out.
        rpath: The folders in which it looks for them, as they stand.
    """

    def __init__(self, window: Window) -> None:
        """Read the headers.

        Raises:
            Damaged: It is no such file, or ends within them.
        """
        parts = list(_parts(window))
        self.window = parts[0][1]
        self.machine = "+".join(_MACHINES.get(kind, "unknown") for kind, _ in parts)
        head = self.window.up_to(0, 32)
        if head[:4] not in _HEADS:
            raise Damaged("no Mach-O file")
        self._order, self._size = _HEADS[head[:4]]
        if len(head) < self._size:
            raise Damaged("it ends within its header")
        if len(parts) == 1:
            processor = struct.unpack_from(self._order + "I", head, 4)[0]
            self.machine = _MACHINES.get(processor, "unknown")
        self._commands = tuple(self._read_commands(head))
        self.needed = tuple(self._texts(_LOADS))
        self.rpath = tuple(self._texts((_RPATH,)))
        self.soname = next(self._texts((_ID,)), "")

    def data(self) -> list[tuple[int, int]]:
        """Return where texts may stand, as places and sizes."""
        return [place for kind, body in self._commands for place in self._data_of(kind, body)]

    def is_extension(self, stem: str) -> bool:
        """Whether Python can import it; see :func:`mlenv.binaries.elf_symbols.is_extension`."""
        names = [f"\0_{beginning}{stem}\0".encode("utf-8", "replace") for beginning in BEGIN_MODULE]
        body = next((body for kind, body in self._commands if kind == _SYMTAB), b"")
        if len(body) < 24:
            return False
        at, size = struct.unpack_from(self._order + "II", body, 16)
        pieces = self.window.chunks(at, size, most=1 << 20, overlap=len(max(names, key=len)))
        return any(name in piece for piece in pieces for name in names)

    def _read_commands(self, head: bytes) -> Iterator[tuple[int, bytes]]:
        count, size = struct.unpack_from(self._order + "II", head, 16)
        table = self.window.read(self._size, min(size, _MOST_SIZE))
        at = 0
        for _ in range(min(count, _MOST_COMMANDS)):
            if at + 8 > len(table):
                raise Damaged("it ends within its load commands")
            kind, length = struct.unpack_from(self._order + "II", table, at)
            if length < 8 or at + length > len(table):
                raise Damaged("a load command in it is longer than their table")
            yield kind, table[at : at + length]
            at += length

    def _texts(self, kinds: Collection[int]) -> Iterator[str]:
        """Yield the text that each command of some kinds names by its place in the command."""
        for kind, body in self._commands:
            if kind not in kinds:
                continue
            if len(body) < 12:
                raise Damaged("a load command in it is too short")
            start = struct.unpack_from(self._order + "I", body, 8)[0]
            yield as_text(body[start:].partition(b"\0")[0])

    def _data_of(self, kind: int, body: bytes) -> Iterator[tuple[int, int]]:
        """Yield the sections of data of one segment."""
        if kind == _SEGMENT_64:
            first, form, count_at = 72, struct.Struct(self._order + "32x8xQI12xI12x"), 64
        elif kind == _SEGMENT:
            first, form, count_at = 56, struct.Struct(self._order + "32x4xII12xI8x"), 48
        else:
            return
        if len(body) < first:
            raise Damaged("a load command in it is too short")
        count = struct.unpack_from(self._order + "I", body, count_at)[0]
        for number in range(min(count, (len(body) - first) // form.size)):
            size, at, flags = form.unpack_from(body, first + number * form.size)
            if not flags & _CODE and flags & 0xFF not in _ZERO_FILLED:
                yield at, size


def _parts(window: Window) -> Iterator[tuple[int, Window]]:
    """Yield the processor and the file of each part; one with a processor of 0 if it is whole."""
    head = window.up_to(0, 8)
    form = _FAT.get(head[:4])
    if form is None or len(head) < 8:
        yield 0, window
        return
    count = int.from_bytes(head[4:], "big")
    if not 0 < count <= _MOST_PARTS:
        raise Damaged("no Mach-O file")
    for processor, at, size in form.iter_unpack(window.read(8, count * form.size)):
        yield processor, window.within(at, size)
