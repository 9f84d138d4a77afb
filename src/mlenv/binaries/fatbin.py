"""GPU code in a binary: NVIDIA's fat binaries, of which only the headers are read.

NVIDIA publishes no description of the format. Sources: the section names of ``fatbinary_section.h``
of the CUDA toolkit, and what ``cuobjdump`` says of files that nvcc made for each architecture.

A section holds containers one behind the other, each with the code of one compiled source file::

    container   u32 magic 0xBA55ED50, u16 version 1, u16 size of this header, u64 size of the rest
    entry       u16 kind, u16 version, u32 size of this header, u64 size of the payload,
                12 bytes, u32 architecture (90 for 9.0), 8 bytes, u64 flags, more by kind

Payloads may be compressed; headers never are.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mlenv.binaries.window import Damaged, Window
from mlenv.model.binary import Kernels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


RUNS = frozenset((".nv_fatbin", ".nv_fatb"))
"""The section whose code runs as it is; in PE files names are cut."""
LINKED_AGAIN = frozenset(("__nv_relfatbin", "__nv_rel"))
"""The section of what was compiled for linking (``nvcc -rdc=true``)."""
MAGIC = b"\x50\xed\x55\xba"

PTX = 1
CUBIN = 2
"""Kinds of entries; others, such as the intermediate code of link-time optimization (8), cannot
be run as they are."""

_CONTAINER = struct.Struct("<4sHHQ")
_ENTRY = struct.Struct("<HHIQ12xI8xQ")
_FOR_ONE, _FOR_FAMILY = 1 << 20, 1 << 21
"""Flags of ``sm_90a``, which runs on 9.0 alone, and of ``sm_100f``, which runs on its family."""
_LARGEST_HEADER = 1 << 16
_MOST_ENTRIES = 1_000_000
_MOST_SEARCHED = 1 << 26
"""How many bytes between containers are searched at the most; linkers leave gaps of some bytes."""
_AT_ONCE = 1 << 12
Code = tuple[int, int, str]
"""One entry: the number of its container in the section, from 0; its kind, :data:`PTX`,
:data:`CUBIN` or another; and its architecture, such as ``90``, ``90a`` or ``100f``."""


def read_kernels(window: Window, sections: Iterable[tuple[str, int, int]]) -> Kernels | None:
    """Return what GPU code a file holds; None where it holds none.

    Code that was compiled for linking lies there twice: linked, as machine code only, and as it
    was. What counts is the linked one, and of the other the intermediate code that all of it has:
    the driver compiles and links that where the machine code does not run.

    Source: NVIDIA, CUDA Compiler Driver, "Just-in-Time Linking".

    Args:
        window: The file.
        sections: Its sections, as names, places and sizes.

    Raises:
        Damaged: A container is not as its headers say.
    """
    found = {name: (at, size) for name, at, size in sections}
    runs, linked_again = (
        _counted(code for name in names if name in found for code in entries(window, *found[name]))
        for names in (RUNS, LINKED_AGAIN)
    )
    if not runs.containers:
        return linked_again if linked_again.containers else None
    ptx = dict(runs.ptx)
    ptx.update(
        (name, runs.containers)
        for name, count in linked_again.ptx
        if count == linked_again.containers
    )
    return Kernels(runs.cubins, _in_order(ptx), runs.containers)


def entries(window: Window, at: int, size: int) -> Iterator[Code]:
    """Yield what the containers of a section hold, in their order.

    Args:
        window: The file.
        at: Where the section begins.
        size: Its size.

    Raises:
        Damaged: A container is not as its headers say.
    """
    part = _Buffered(window.within(at, size))
    left = _MOST_ENTRIES
    for number, (start, end) in enumerate(_containers(part)):
        place = start
        while place < end:
            if not left:
                raise Damaged("it holds more GPU code than any binary")
            left -= 1
            kind, _, header, payload, architecture, flags = part.unpack(_ENTRY, place)
            place += header + payload
            if not _ENTRY.size <= header <= _LARGEST_HEADER or place > end:
                raise Damaged("its GPU code is not as its headers say")
            suffix = "a" if flags & _FOR_ONE else "f" if flags & _FOR_FAMILY else ""
            yield number, kind, f"{architecture}{suffix}"


def _counted(codes: Iterable[Code]) -> Kernels:
    """Return how many containers hold code for each architecture."""
    cubins: Counter[str] = Counter()
    ptx: Counter[str] = Counter()
    held: set[int] = set()
    for container, kind, architecture in set(codes):
        if kind == CUBIN:
            cubins[f"sm_{architecture}"] += 1
        elif kind == PTX:
            ptx[f"compute_{architecture}"] += 1
        else:
            continue
        held.add(container)
    return Kernels(_in_order(cubins), _in_order(ptx), len(held))


class _Buffered:
    """A stretch of a file that is read in small pieces, mostly forward."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self.size = window.size
        self._at = 0
        self._held = b""

    def unpack(self, form: struct.Struct, at: int) -> tuple[Any, ...]:
        """Return what stands at a place, taken apart.

        Raises:
            Damaged: The stretch is not as long.
        """
        start = at - self._at
        if not 0 <= start <= len(self._held) - form.size:
            self._held = self._window.up_to(at, _AT_ONCE)
            self._at, start = at, 0
            if len(self._held) < form.size:
                raise Damaged("it ends within its GPU code")
        return form.unpack_from(self._held, start)

    def find(self, at: int, most: int) -> int:
        """Return where the next container's magic number is, looking at so many bytes; else -1."""
        first = at
        for piece in self._window.chunks(at, most, most=1 << 20, overlap=3):
            found = piece.find(MAGIC)
            if found >= 0:
                return first + found
            first += len(piece) - 3
        return -1


def _containers(part: _Buffered) -> Iterator[tuple[int, int]]:
    """Yield where the entries of each container begin and end."""
    at = 0
    left = _MOST_SEARCHED
    while at + _CONTAINER.size <= part.size:
        magic, _, header, size = part.unpack(_CONTAINER, at)
        if magic != MAGIC:
            found = part.find(at, left)
            if found < 0:
                return
            left -= found - at
            at = found
            continue
        start, end = at + header, at + header + size
        if header < _CONTAINER.size or end > part.size:
            raise Damaged("a container of GPU code in it is longer than its section")
        yield start, end
        at = end


def _in_order(counted: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return architectures by their numbers; ``90`` goes before ``90a`` and ``100``."""
    return tuple(sorted(counted.items(), key=lambda one: (len(one[0].rstrip("af")), one[0])))
