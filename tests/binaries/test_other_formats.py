"""PE and Mach-O files, made byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from mlenv.binaries.read import read_binary
from mlenv.model.binary import CAPI, Binary, Kernels, NumpyUse
from mlenv.project.files import Unreadable

OLD = b"\0numpy.core._multiarray_umath\0"
RVA = 0x1000
"""Where the one section of a made PE file is loaded."""
PLACE = 0x400


def make_pe(
    *,
    machine: int = 0x8664,
    needed: Sequence[str] = (),
    delayed: Sequence[str] = (),
    wide: bool = True,
    data: bytes = b"",
    code: bytes = b"",
    section: str = ".rdata",
) -> bytes:
    """Return a library for Windows with one section of data and one of code."""
    count = len(needed) + 1, len(delayed) + 1
    names_at = 20 * count[0] + 32 * count[1]
    names = b"".join(name.encode() + b"\0" for name in (*needed, *delayed))
    offsets = []
    for name in (*needed, *delayed):
        offsets.append(RVA + names_at)
        names_at += len(name) + 1
    table = b"".join(struct.pack("<12xII", at, 1) for at in offsets[: len(needed)]) + bytes(20)
    later = RVA + len(table)
    table += b"".join(struct.pack("<II24x", 1, at) for at in offsets[len(needed) :]) + bytes(32)
    body = table + names + data
    directories = [(0, 0)] * 16
    directories[1], directories[13] = (RVA, 20 * count[0]), (later, 32 * count[1])
    optional = struct.pack("<H", 0x20B if wide else 0x10B).ljust(108 if wide else 92, b"\0")
    optional += struct.pack("<I", 16) + b"".join(struct.pack("<II", *one) for one in directories)
    rows = b""
    at = PLACE
    for name, held, flags in ((section, body, 0x40000040), (".text", code, 0x60000020)):
        address = RVA + at - PLACE
        rows += name.encode().ljust(8, b"\0")
        rows += struct.pack("<IIIIIIHHI", len(held), address, len(held), at, 0, 0, 0, 0, flags)
        at += len(held)
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0"
    head += struct.pack("<HHIIIHH", machine, 2, 0, 0, 0, len(optional), 0x2022)
    return (head + optional + rows).ljust(PLACE, b"\0") + body + code


def command(order: str, kind: int, text: str) -> bytes:
    """Return a load command that names a library or a folder."""
    fixed = 12 if kind == 0x8000001C else 24
    body = text.encode() + b"\0"
    body += bytes(-(fixed + len(body)) % 8)
    head = struct.pack(order + "III", kind, fixed + len(body), fixed)
    return head.ljust(fixed, b"\0") + body


def make_macho(
    *,
    wide: bool = True,
    order: str = "<",
    machine: int = 0x0100000C,
    soname: str = "",
    needed: Sequence[str] = (),
    weak: Sequence[str] = (),
    rpath: Sequence[str] = (),
    symbols: Sequence[str] = (),
    data: bytes = b"",
    code: bytes = b"",
) -> bytes:
    """Return a library for macOS with one section of texts and one of code."""
    commands = [command(order, 0xD, soname)] if soname else []
    commands += [command(order, 0xC, name) for name in needed]
    commands += [command(order, 0x80000018, name) for name in weak]
    commands += [command(order, 0x8000001C, name) for name in rpath]
    strings = b"\0" + b"".join(b"_" + name.encode() + b"\0" for name in symbols)
    head, segment, section = (32, 72, 80) if wide else (28, 56, 68)
    length = segment + 2 * section
    at = head + sum(map(len, commands)) + length + 24
    rows = b""
    for name, held, flags in ((b"__cstring", data, 2), (b"__text", code, 0x80000400)):
        row = name.ljust(16, b"\0") + b"__TEXT".ljust(16, b"\0")
        if wide:
            row += struct.pack(order + "QQIIIIIIII", 0, len(held), at, 0, 0, 0, flags, 0, 0, 0)
        else:
            row += struct.pack(order + "IIIIIIIII", 0, len(held), at, 0, 0, 0, flags, 0, 0)
        rows += row
        at += len(held)
    fixed = struct.pack(order + "II", 0x19 if wide else 1, length) + b"__TEXT".ljust(16, b"\0")
    fixed = fixed.ljust(segment - 8, b"\0") + struct.pack(order + "II", 2, 0)
    commands.append(fixed + rows)
    commands.append(struct.pack(order + "IIIIII", 2, 24, 0, 0, at, len(strings)))
    table = b"".join(commands)
    magic = 0xFEEDFACF if wide else 0xFEEDFACE
    numbers = (magic, machine, 0, 8, len(commands), len(table), 0)
    return struct.pack(order + "7I", *numbers).ljust(head, b"\0") + table + data + code + strings


def make_fat(*parts: tuple[int, bytes], wide: bool = False) -> bytes:
    """Return a file for several processors."""
    at = 4096
    rows, body = b"", b""
    for machine, data in parts:
        form = ">IIQQII" if wide else ">IIIII"
        rows += struct.pack(
            form, machine, 0, at + len(body), len(data), *((12, 0) if wide else (12,))
        )
        body += data
    head = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(parts))
    return (head + rows).ljust(at, b"\0") + body


def reading(folder: Path, name: str, data: bytes) -> Binary:
    path = folder / name
    path.write_bytes(data)
    found = read_binary(str(path), name)
    assert isinstance(found, Binary)
    return found


@pytest.mark.parametrize("wide", [True, False])
def test_what_a_library_for_windows_needs(wide: bool, tmp_path: Path) -> None:
    data = make_pe(wide=wide, needed=["KERNEL32.dll", "python311.dll"], delayed=["nvcuda.dll"])
    found = reading(tmp_path, "_x.cp311-win_amd64.pyd", data)
    assert (found.format, found.machine, found.is_extension) == ("pe", "AMD64", True)
    assert found.needed == ("KERNEL32.dll", "python311.dll", "nvcuda.dll")
    assert (found.numpy, found.kernels) == (None, None)


def test_a_library_for_windows_that_needs_nothing(tmp_path: Path) -> None:
    found = reading(tmp_path, "x.dll", make_pe(machine=0xAA64))
    assert (found.machine, found.needed, found.is_extension) == ("ARM64", (), False)


def test_numpy_and_gpu_code_in_a_library_for_windows(tmp_path: Path) -> None:
    found = reading(tmp_path, "_x.pyd", make_pe(data=OLD))
    assert found.numpy == NumpyUse(True, False, "", CAPI)
    assert reading(tmp_path, "_x.pyd", make_pe(code=OLD)).numpy is None
    assert reading(tmp_path, "x.dll", make_pe(data=OLD)).numpy is None
    assert reading(tmp_path, "x.dll", make_pe(data=OLD, needed=["python3.dll"])).numpy is not None
    cubin = struct.pack("<HHIQ12xI8xQ", 2, 0x101, 64, 8, 90, 0x11).ljust(64, b"\0") + bytes(8)
    blob = struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(cubin)) + cubin
    found = reading(tmp_path, "x.dll", make_pe(data=blob, section=".nv_fatb"))
    assert found.kernels == Kernels((("sm_90", 1),), (), 1)


@pytest.mark.parametrize(("wide", "order"), [(True, "<"), (False, "<"), (True, ">"), (False, ">")])
def test_what_a_library_for_macos_needs(wide: bool, order: str, tmp_path: Path) -> None:
    data = make_macho(
        wide=wide,
        order=order,
        soname="@rpath/libx.1.dylib",
        needed=["@rpath/libomp.dylib", "/usr/lib/libSystem.B.dylib"],
        weak=["/usr/lib/absent.dylib"],
        rpath=["@loader_path/.", "/opt/homebrew/lib"],
        symbols=["PyInit__x"],
        data=OLD,
    )
    found = reading(tmp_path, "_x.cpython-311-darwin.so", data)
    assert (found.format, found.machine, found.soname) == ("macho", "arm64", "@rpath/libx.1.dylib")
    assert found.needed == ("@rpath/libomp.dylib", "/usr/lib/libSystem.B.dylib")
    assert found.rpath == ("@loader_path/.", "/opt/homebrew/lib")
    assert found.is_extension
    assert found.numpy == NumpyUse(True, False, "", CAPI)


def test_a_library_for_macos_that_python_does_not_import(tmp_path: Path) -> None:
    data = make_macho(symbols=["PyInit__y"], data=OLD)
    found = reading(tmp_path, "libx.dylib", data)
    assert (found.is_extension, found.numpy) == (False, None)
    assert reading(tmp_path, "libarrow_python.dylib", data).numpy is not None


@pytest.mark.parametrize("wide", [True, False])
def test_a_file_for_several_processors(wide: bool, tmp_path: Path) -> None:
    parts = [
        (machine, make_macho(machine=machine, needed=["libomp.dylib"], symbols=["PyInit__x"]))
        for machine in (0x01000007, 0x0100000C)
    ]
    found = reading(tmp_path, "_x.so", make_fat(*parts, wide=wide))
    assert (found.machine, found.needed) == ("x86_64+arm64", ("libomp.dylib",))
    assert found.is_extension


def test_compiled_java_is_no_library(tmp_path: Path) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(struct.pack(">IHH", 0xCAFEBABE, 0, 52) + bytes(100))
    assert isinstance(read_binary(str(path), "x.so"), Unreadable)


def test_a_program_for_dos_is_no_library(tmp_path: Path) -> None:
    path = tmp_path / "x.dll"
    path.write_bytes(b"MZ" + bytes(200))
    assert isinstance(read_binary(str(path), "x.dll"), Unreadable)
