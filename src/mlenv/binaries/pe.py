"""PE files (``.pyd``, ``.dll``): what they need. Source: Microsoft, "PE Format"."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import takewhile
from operator import itemgetter

from mlenv.binaries.window import Damaged, Window
from mlenv.records import dataclass

MAGIC = b"MZ"
_MACHINES = {0x14C: "x86", 0x8664: "AMD64", 0xAA64: "ARM64", 0x1C4: "ARM"}
"""The names that Windows has for processors."""
_OPTIONAL = {0x10B: 92, 0x20B: 108}
"""Where the number of data directories stands, in files of 32 and of 64 bits."""
_IMPORTS, _DELAYED = 1, 13
_IMPORT, _DELAY = struct.Struct("<12xII"), struct.Struct("<II24x")
_BY_ADDRESS = 1
"""Delayed imports of today's compilers name addresses relative to the image."""
_CODE, _INITIALIZED = 0x20, 0x40
_WITHOUT_TEXTS = frozenset((".pdata", ".reloc", ".rsrc", ".nv_fatb", "__nv_rel", ".nvFatBi"))
_MOST_SECTIONS = 96
_MOST_LIBRARIES = 1000
_LONGEST_NAME = 512


@dataclass(frozen=True, slots=True, eq=False)
class PeSection:
    """A section of a PE file.

    Attributes:
        name: At most eight characters, such as ``.rdata``.
        address: Where it is loaded, relative to the image.
        at: Where it begins in the file.
        size: In the file, in bytes.
        is_data: Whether it holds data and no code.
    """

    name: str
    address: int
    at: int
    size: int
    is_data: bool


class Pe:
    """A library or extension for Windows.

    Attributes:
        window: The file.
        machine: The processor's architecture, such as ``AMD64``; ``unknown`` for rare ones.
        sections: Its sections.
    """

    def __init__(self, window: Window) -> None:
        """Read the headers.

        Raises:
            Damaged: It is no such file, or ends within them.
        """
        head = window.up_to(0, 64)
        if head[:2] != MAGIC or len(head) < 64:
            raise Damaged("no PE file")
        at = int.from_bytes(head[60:64], "little")
        if window.up_to(at, 4) != b"PE\0\0":
            raise Damaged("no PE file")
        machine, sections, size = struct.unpack("<HH12xH2x", window.read(at + 4, 20))
        self.window = window
        self.machine = _MACHINES.get(machine, "unknown")
        self._optional = window.read(at + 24, size)
        self.sections = tuple(self._read_sections(at + 24 + size, min(sections, _MOST_SECTIONS)))

    @property
    def needed(self) -> tuple[str, ...]:
        """The libraries that it names, those loaded at first use behind the others."""
        now = takewhile(itemgetter(0), self._records(_IMPORTS, _IMPORT))
        later = takewhile(itemgetter(1), self._records(_DELAYED, _DELAY))
        addresses = [name for name, _ in now]
        addresses += [name for kind, name in later if kind & _BY_ADDRESS]
        return tuple(map(self._name, addresses))

    def data(self) -> list[tuple[int, int]]:
        """Return where texts may stand, as places and sizes."""
        return [
            (one.at, one.size)
            for one in self.sections
            if one.is_data and one.name not in _WITHOUT_TEXTS
        ]

    def _records(self, directory: int, form: struct.Struct) -> Iterator[tuple[int, int]]:
        """Yield the records of a data directory, which a record of zeros ends."""
        address = self._directory(directory)
        if not address:
            return
        at = self._place(address)
        for number in range(_MOST_LIBRARIES):
            first, second = form.unpack(self.window.read(at + number * form.size, form.size))
            yield first, second

    def _name(self, address: int) -> str:
        at = self._place(address)
        return self.window.text(at, at + _LONGEST_NAME)

    def _directory(self, number: int) -> int:
        """Return the address of a data directory; 0 where there is none."""
        magic = int.from_bytes(self._optional[:2], "little")
        at = _OPTIONAL.get(magic)
        if at is None or len(self._optional) < at + 4:
            return 0
        count = int.from_bytes(self._optional[at : at + 4], "little")
        entry = self._optional[at + 4 + 8 * number :][:4]
        return int.from_bytes(entry, "little") if number < count and len(entry) == 4 else 0

    def _place(self, address: int) -> int:
        for one in self.sections:
            if one.address <= address < one.address + one.size:
                return one.at + address - one.address
        raise Damaged("its table of imports points out of the file")

    def _read_sections(self, at: int, count: int) -> Iterator[PeSection]:
        form = struct.Struct("<8s4xIII12xI")
        table = self.window.read(at, count * form.size)
        for name, address, size, place, flags in form.iter_unpack(table):
            title = name.partition(b"\0")[0].decode("utf-8", "backslashreplace")
            is_data = bool(flags & _INITIALIZED) and not flags & _CODE
            yield PeSection(title, address, place, size, is_data)
