"""Damaged and hostile compiled files: a value comes of each, in bounded time and memory."""

from __future__ import annotations

import struct
import tempfile
import time
import tracemalloc
from pathlib import Path

import pytest
from elf_making import BASE, make_elf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_fatbin import CUBIN, PTX, container, entry
from test_numpy_marks import NEW, OLD
from test_other_formats import make_fat, make_macho, make_pe

from mlenv.binaries.elf_symbols import (
    defined_versions,
    exported_among,
    undefined_symbols,
)
from mlenv.binaries.read import read_binary
from mlenv.model.binary import Binary
from mlenv.project.files import Unreadable

CODE = container(entry(CUBIN, 80), entry(PTX, 90)) + bytes(24) + container(entry(CUBIN, 90))
SOUND = [
    make_elf(
        bits=bits,
        headers=headers,
        gnu_hash=gnu_hash,
        soname="libmade.so.1",
        needed=["libc.so.6", "libm.so.6"],
        rpath="$ORIGIN",
        needs={"libc.so.6": ["GLIBC_2.4", "GLIBC_2.28"], "libm.so.6": ["GLIBC_2.29"]},
        defines=["MADE_1", "MADE_2"],
        takes=["PyImport_ImportModule", "pow"],
        exports=["PyInit_made", "other", "more"],
        sections={".rodata": OLD + NEW, ".nv_fatbin": CODE, "__nv_relfatbin": CODE},
    )
    for bits in (32, 64)
    for headers in (True, False)
    for gnu_hash in (True, False)
]
SOUND += [
    make_pe(needed=["python311.dll", "KERNEL32.dll"], delayed=["a.dll"], data=OLD),
    make_pe(data=CODE, section=".nv_fatb"),
    make_macho(needed=["a", "b"], rpath=["c"], soname="d", symbols=["PyInit_made"], data=NEW),
    make_fat((7, make_macho(wide=False)), (0x0100000C, make_macho(symbols=["PyInit_made"]))),
]
NUMBERS = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, (1 << 64) - 1]


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A sound file with some bytes or numbers exchanged, and perhaps cut."""
    data = bytearray(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        number = draw(st.sampled_from(NUMBERS) | st.integers(0, len(data)))
        size = draw(st.sampled_from([1, 2, 4, 8]))
        form = draw(st.sampled_from(["little", "big"]))
        value = (number & ((1 << 8 * size) - 1)).to_bytes(size, form)  # type: ignore[arg-type]
        data[at : at + size] = value
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


def assert_values(path: str) -> None:
    """Ask everything that can be asked of a file."""
    assert isinstance(read_binary(path, "made.so"), Binary | Unreadable | None)
    assert isinstance(undefined_symbols(path), tuple | Unreadable)
    assert isinstance(exported_among(path, ["PyInit_made", "x"]), frozenset | Unreadable)
    assert isinstance(defined_versions(path), tuple | Unreadable)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=spoiled())
def test_a_spoiled_file_is_a_value(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.so"
        path.write_bytes(data)
        assert_values(str(path))


@settings(max_examples=100, deadline=None)
@given(
    magic=st.sampled_from([data[:8] for data in SOUND]),
    rest=st.binary(max_size=600),
)
def test_any_bytes_behind_a_magic_number_are_a_value(magic: bytes, rest: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.so"
        path.write_bytes(magic + rest)
        assert_values(str(path))


@pytest.mark.parametrize("number", range(len(SOUND)))
def test_a_file_that_is_cut_anywhere_is_a_value(number: int, tmp_path: Path) -> None:
    path = tmp_path / "made.so"
    data = SOUND[number]
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        assert isinstance(read_binary(str(path), "made.so"), Binary | Unreadable | None)


def overlapping_versions() -> bytes:
    """Return a file each of whose libraries has all versions of those behind it too."""
    records = struct.pack("<HHIII", 1, 0xFFFF, 1, 16, 16) * 50_000
    data = bytearray(make_elf(takes=["x" * 40], needs={"a": ["V_1"]}, headers=False) + records)
    for tag, value in ((0x6FFFFFFE, BASE + len(data) - len(records)), (0x6FFFFFFF, 1 << 62)):
        at = data.index(struct.pack("<q", tag))
        data[at + 8 : at + 16] = struct.pack("<Q", value)
    at = data.index(struct.pack("<IIQQQQ", 1, 4, 0, BASE, BASE, len(data) - len(records))[:32])
    data[at + 32 : at + 40] = struct.pack("<Q", len(data))
    return bytes(data)


def many_symbols() -> bytes:
    """Return a file with an older table of hashes that names as many symbols as there can be."""
    data = bytearray(make_elf(takes=["x" * 30_000], gnu_hash=False, headers=False))
    at = data.find(struct.pack("<II", 1, 2))
    data[at : at + 8] = struct.pack("<II", 1, 0xFFFFFFFF)
    return bytes(data) + bytes([1, 0, 0, 0, 0x10, 0, 0, 0] * 3) * 200_000


def many_sections() -> bytes:
    """Return a file whose sections all are the whole of it."""
    data = bytearray(make_elf(takes=["PyImport_ImportModule"], headers=False))
    at = len(data) + 8
    data += bytes(-len(data) % 8) + b"\0.rodata"
    names, count = len(data) - 8, 60_000
    table = struct.pack("<IIQQQQIIQQ", 1, 1, 2, 0, 0, 1 << 30, 0, 0, 1, 0) * count
    last = struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, names, 8, 0, 0, 1, 0)
    at = len(data)
    data += table + last
    data[40:48] = struct.pack("<Q", at)
    data[60:64] = struct.pack("<HH", count + 1, count)
    return bytes(data) + bytes(1 << 24)


HOSTILE = {
    "versions": overlapping_versions(),
    "symbols": many_symbols(),
    "sections": many_sections(),
    "entries": make_elf(
        sections={".nv_fatbin": container(entry(CUBIN, 80, header=48) * 100_000)},
    ),
    "commands": struct.pack("<7I4x", 0xFEEDFACF, 7, 0, 8, 1 << 31, 1 << 31, 0)
    + struct.pack("<IIIIII", 2, 24, 0, 0, 0, 1 << 31) * 100_000,
    "imports": make_pe(needed=["a" * 400] * 20_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_made_to_take_long_does_not(name: str, tmp_path: Path) -> None:
    path = tmp_path / "made.so"
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    start = time.perf_counter()
    assert_values(str(path))
    took = time.perf_counter() - start
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 20  # with memory traced, on a busy machine
    assert most < 120 << 20
