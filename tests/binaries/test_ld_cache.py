"""The loader's cache: both of its layouts, libraries of other processors, and damage."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlenv.binaries.ld_cache import read_cache

X86_64, I386, AARCH64 = 0x0303, 0x0003, 0x0A03
ENTRIES = (
    (X86_64, "libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1"),
    (I386, "libz.so.1", "/lib/i386-linux-gnu/libz.so.1"),
    (X86_64, "libz.so.1", "/opt/libz.so.1"),
    (AARCH64, "libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"),
)


def old(entries: Sequence[tuple[int, str, str]]) -> bytes:
    texts, rows = b"", b""
    for flags, soname, path in entries:
        key = len(texts)
        texts += soname.encode() + b"\0"
        rows += struct.pack("<iII", flags, key, len(texts))
        texts += path.encode() + b"\0"
    return b"ld.so-1.7.0\0" + struct.pack("<I", len(entries)) + rows + texts


def new(entries: Sequence[tuple[int, str, str]]) -> bytes:
    start = 48 + 24 * len(entries)
    texts, rows = b"", b""
    for flags, soname, path in entries:
        key = start + len(texts)
        texts += soname.encode() + b"\0"
        rows += struct.pack("<iIIIQ", flags, key, start + len(texts), 0, 0)
        texts += path.encode() + b"\0"
    return b"glibc-ld.so.cache1.1" + struct.pack("<II20x", len(entries), len(texts)) + rows + texts


def both(entries: Sequence[tuple[int, str, str]]) -> bytes:
    first = old(())
    return first + bytes(-len(first) % 8) + new(entries)


@pytest.mark.parametrize("layout", [old, new, both])
def test_libraries_of_the_processor_in_their_order(layout: object) -> None:
    assert callable(layout)
    data = layout(ENTRIES)
    of_z = ("/lib/x86_64-linux-gnu/libz.so.1", "/opt/libz.so.1")
    assert read_cache(data, "x86_64") == {"libz.so.1": of_z}
    assert read_cache(data, "aarch64") == {"libm.so.6": ("/lib/aarch64-linux-gnu/libm.so.6",)}


def test_a_processor_without_a_flag_of_its_own_takes_all() -> None:
    assert set(read_cache(new(ENTRIES), "loongarch64")) == {"libz.so.1", "libm.so.6"}


def test_what_is_no_cache_has_no_libraries() -> None:
    assert read_cache(b"", "x86_64") == {}
    assert read_cache(b"ld.so-1.6.0 and more", "x86_64") == {}


@pytest.mark.parametrize("layout", [old, new])
def test_a_cache_that_is_cut_says_what_is_left(layout: object) -> None:
    assert callable(layout)
    data = layout(ENTRIES)
    for size in range(len(data)):
        assert set(read_cache(data[:size], "x86_64")) <= {"libz.so.1"}


@given(st.binary(max_size=300), st.sampled_from([b"ld.so-1.7.0\0", b"glibc-ld.so.cache1.1", b""]))
def test_any_bytes_are_a_value(data: bytes, magic: bytes) -> None:
    assert isinstance(read_cache(magic + data, "x86_64"), dict)


def test_a_count_beyond_the_file_is_no_matter() -> None:
    data = bytearray(old(ENTRIES[:1]))
    data[12:16] = struct.pack("<I", 0xFFFFFFFF)
    assert len(read_cache(bytes(data), "x86_64")) <= 1
