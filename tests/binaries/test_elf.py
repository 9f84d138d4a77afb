"""What the loader is told by an ELF file, of any width and order, with section headers or not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from elf_making import make_elf

from mlenv.binaries.elf import Elf, highest_versions
from mlenv.binaries.elf_symbols import (
    defined_versions,
    exported_among,
    is_extension,
    takes_from_python,
    undefined_symbols,
)
from mlenv.binaries.window import opened
from mlenv.project.files import Unreadable

FORMS = [
    (bits, order, headers) for bits in (32, 64) for order in ("<", ">") for headers in (True, False)
]
EXPORTS = [f"_ZN2at{number}" for number in range(40)] + ["PyInit__C"]
NEEDS = {"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.28", "GLIBC_2.4"], "libm.so.6": ["GLIBC_2.29"]}


@pytest.fixture(params=FORMS, ids=str)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    bits, order, headers = request.param
    path = tmp_path / "_C.so"
    path.write_bytes(
        make_elf(
            bits=bits,
            order=order,
            headers=headers,
            soname="lib_C.so.1",
            needed=["libtorch.so", "libc.so.6"],
            rpath="$ORIGIN/lib:/opt/lib",
            runpath="$ORIGIN",
            needs=NEEDS,
            defines=["GLIBCXX_3.4", "GLIBCXX_3.4.30"],
            takes=["PyImport_ImportModule", "_ZN3c105ErrorC1Ev"],
            weak=["__gmon_start__"],
            exports=EXPORTS,
        )
    )
    return str(path)


def test_what_the_loader_is_told(library: str) -> None:
    with opened(library) as window:
        elf = Elf(window)
        assert elf.soname == "lib_C.so.1"
        assert elf.needed == ("libtorch.so", "libc.so.6")
        assert elf.rpath == ("$ORIGIN/lib", "/opt/lib")
        assert elf.runpath == ("$ORIGIN",)
        assert dict(elf.version_needs) == {name: tuple(held) for name, held in NEEDS.items()}


def test_symbols_that_are_taken(library: str) -> None:
    assert undefined_symbols(library) == ("PyImport_ImportModule", "_ZN3c105ErrorC1Ev")


def test_symbols_that_are_given(library: str) -> None:
    assert exported_among(library, [*EXPORTS[:3], "PyImport_ImportModule", "absent", ""]) == (
        frozenset(EXPORTS[:3])
    )


def test_every_symbol_is_found_by_its_hash(library: str) -> None:
    assert exported_among(library, EXPORTS) == frozenset(EXPORTS)
    assert exported_among(library, [f"{name}x" for name in EXPORTS]) == frozenset()


def test_versions_that_are_defined(library: str) -> None:
    assert defined_versions(library) == ("GLIBCXX_3.4", "GLIBCXX_3.4.30")


def test_what_makes_an_extension(library: str) -> None:
    with opened(library) as window:
        elf = Elf(window)
        assert is_extension(elf, "_C")
        assert not is_extension(elf, "other")
        assert takes_from_python(elf)


def test_a_module_that_begins_as_in_newer_pythons_is_one(tmp_path: Path) -> None:
    path = tmp_path / "_new.so"
    path.write_bytes(make_elf(exports=["PyModExport__new"]))
    with opened(str(path)) as window:
        assert is_extension(Elf(window), "_new")


@pytest.mark.parametrize("bits", [32, 64])
def test_a_file_with_the_older_table_of_hashes(bits: int, tmp_path: Path) -> None:
    path = tmp_path / "old.so"
    data = make_elf(bits=bits, gnu_hash=False, headers=False, takes=["taken"], exports=EXPORTS)
    path.write_bytes(data)
    assert exported_among(str(path), [*EXPORTS, "taken"]) == frozenset(EXPORTS)
    assert undefined_symbols(str(path)) == ("taken",)


def test_a_library_without_symbols_or_tables(tmp_path: Path) -> None:
    path = tmp_path / "empty.so"
    path.write_bytes(make_elf())
    assert exported_among(str(path), EXPORTS) == frozenset()
    assert undefined_symbols(str(path)) == ()
    assert defined_versions(str(path)) == ()


def test_the_processor_is_named_as_the_system_names_it(tmp_path: Path) -> None:
    for number, order, name in ((62, "<", "x86_64"), (183, "<", "aarch64"), (21, ">", "ppc64")):
        path = tmp_path / name
        path.write_bytes(make_elf(machine=number, order=order))
        with opened(str(path)) as window:
            assert Elf(window).machine == name


def test_the_highest_versions_are_by_number_and_numbered_only() -> None:
    needs = {
        "libc.so.6": ("GLIBC_2.9", "GLIBC_2.28", "GLIBC_PRIVATE", "GLIBC_ABI_DT_RELR"),
        "libm.so.6": ("GLIBC_2.27",),
        "libstdc++.so.6": ("GLIBCXX_3.4.9", "GLIBCXX_3.4.30", "CXXABI_1.3.13", "CXXABI_FLOAT128"),
        "libgomp.so.1": ("GOMP_4.0", "OMP_1.0"),
    }
    assert highest_versions(needs) == ("CXXABI_1.3.13", "GLIBC_2.28", "GLIBCXX_3.4.30")


def test_what_is_no_elf_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "no.so"
    for data in (b"", b"\x7fELF", b"INPUT(libtbb.so.2)", b"\x7fELF\x03\x01" + bytes(60)):
        path.write_bytes(data)
        assert isinstance(undefined_symbols(str(path)), Unreadable)
    missing = undefined_symbols(str(tmp_path / "missing.so"))
    assert isinstance(missing, Unreadable)
    assert "no such file" in missing.reason


def test_a_name_that_is_no_text_is_one_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "odd.so"
    path.write_bytes(make_elf(needed=["lib_X_.so"]).replace(b"lib_X_", b"lib\xff\xfe_"))
    with opened(str(path)) as window:
        (name,) = Elf(window).needed
    assert name == "lib\\xff\\xfe_.so"
    name.encode("utf-8")


@pytest.mark.skipif(not shutil.which("gcc"), reason="no gcc here that makes a library")
@pytest.mark.parametrize("options", [(), ("-Wl,--hash-style=sysv",), ("-s",)], ids=str)
def test_a_library_that_gcc_made(options: Sequence[str], tmp_path: Path) -> None:
    source = tmp_path / "made.c"
    source.write_text(
        "#include <math.h>\n#include <stdio.h>\n"
        "static int hidden(void) { return 1; }\n"
        'int shown(double x) { printf("%f", pow(x, 3.5)); return hidden(); }\n'
    )
    made = tmp_path / "made.so"
    command = ["gcc", "-shared", "-fPIC", "-O0", "-Wl,-soname,libmade.so.3", "-Wl,-rpath,/nowhere"]
    subprocess.run([*command, *options, str(source), "-o", str(made), "-lm"], check=True)
    assert exported_among(str(made), ["shown", "hidden", "pow"]) == frozenset({"shown"})
    taken = undefined_symbols(str(made))
    assert isinstance(taken, tuple)
    assert {"pow", "printf"} <= set(taken)
    with opened(str(made)) as window:
        elf = Elf(window)
        assert elf.soname == "libmade.so.3"
        assert "libm.so.6" in elf.needed
        assert "/nowhere" in (*elf.rpath, *elf.runpath)
        assert elf.section(".text") is not None
