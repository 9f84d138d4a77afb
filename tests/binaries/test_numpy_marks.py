"""How extensions use NumPy, by the texts that each kind of header leaves in them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from elf_making import make_elf, make_extension

from mlenv.binaries.numpy_marks import numpy_use
from mlenv.binaries.read import read_binary
from mlenv.binaries.window import Damaged, Window
from mlenv.model.binary import CAPI, PYBIND11, RUST, Binary, NumpyUse

OLD = (
    b"numpy.core._multiarray_umath\0_ARRAY_API\0module compiled against API version 0x%x but\0"
    b"numpy.core.multiarray failed to import\0"
)
NEW = (
    b"numpy._core._multiarray_umath\0numpy.core._multiarray_umath\0_ARRAY_API\0"
    b"module was compiled against NumPy C-API version 0x%x (NumPy %s) but the running NumPy has\0"
    b"numpy._core.multiarray failed to import\0"
)
CYTHON_OLD = b"\0numpy.core.multiarray failed to import\0numpy.core.umath failed to import\0"
PYBIND11_OLD = b"\0numpy.core.multiarray\0_ARRAY_API\0"
UNFINISHED = (
    b"module compiled against API version 0x%x but this version of numpy is 0x%x\0"
    b"numpy._core._multiarray_umath\0numpy.core._multiarray_umath\0_ARRAY_API\0"
)
"""As pykdtree 1.3.11 has it, which was built with a NumPy 2 from before its first candidate."""
PYBIND11_NEW = b"\0numpy._core\0numpy.core\0.multiarray\0_ARRAY_API\0numpy.core.multiarray\0"
RUST_OLD = b"/rustc/4eb161250e340c8f48f66e2b929ef4a5bed7c181/numpy.core.multiarray_ARRAY_APIFailed"
RUST_NEW = b"/rustc/4eb161250e340c8f/numpy._core.multiarraynumpy.core.multiarray_ARRAY_API"


def use_of(data: bytes) -> NumpyUse | None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        return numpy_use(Window(file.fileno(), len(data)), [(0, len(data))])


def new(minimum: bytes) -> bytes:
    return NEW.replace(b"%s", minimum)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (OLD, NumpyUse(True, False, "", CAPI)),
        (new(b"1.20"), NumpyUse(False, True, "1.20", CAPI)),
        (CYTHON_OLD, NumpyUse(True, False, "", CAPI)),
        (CYTHON_OLD + new(b"1.25"), NumpyUse(False, True, "1.25", CAPI)),
        (PYBIND11_OLD, NumpyUse(False, False, "", PYBIND11)),
        (PYBIND11_NEW, NumpyUse(False, True, "", PYBIND11)),
        (RUST_OLD, NumpyUse(False, False, "", RUST)),
        (RUST_NEW, NumpyUse(False, True, "", RUST)),
        (UNFINISHED, NumpyUse(True, True, "", CAPI)),
        (PYBIND11_NEW + OLD, NumpyUse(True, True, "", CAPI)),
        (new(b"1.9") + new(b"2.0") + new(b"1.20"), NumpyUse(False, True, "2.0", CAPI)),
        (b"see numpy.core.multiarray for details", None),
        (b"from numpy._core import umath", None),
        (b"numpy.core.umath failed to import", None),
        (b"", None),
    ],
)
def test_each_kind_of_header(data: bytes, expected: NumpyUse | None) -> None:
    assert use_of(b"\0" + data + b"\0") == expected


@pytest.mark.parametrize("data", [OLD, new(b"2.1"), CYTHON_OLD, PYBIND11_OLD, RUST_OLD])
@pytest.mark.parametrize("back", range(0, 200, 7))
def test_a_mark_across_the_end_of_a_piece_is_seen(data: bytes, back: int) -> None:
    assert use_of(bytes((1 << 18) - back) + data + bytes(1000)) == use_of(data + bytes(1000))


def test_only_data_that_may_hold_texts_is_searched(tmp_path: Path) -> None:
    path = tmp_path / "made.so"
    for data, expected in (
        (make_extension("made", OLD), True),
        (make_extension("made", b"", data=OLD), True),
        (make_extension("made", b"", nv_fatbin=OLD), None),
        (make_extension("made", b"", eh_frame=OLD), None),
    ):
        path.write_bytes(data)
        found = read_binary(str(path), "made.so")
        assert isinstance(found, Binary)
        assert (found.numpy.old if found.numpy else None) == expected


def test_a_file_without_section_headers_is_searched(tmp_path: Path) -> None:
    path = tmp_path / "made.so"
    exports = ["PyInit_made"]
    path.write_bytes(make_elf(exports=exports, sections={".rodata": OLD}, headers=False))
    found = read_binary(str(path), "made.so")
    assert isinstance(found, Binary)
    assert found.numpy == NumpyUse(True, False, "", CAPI)


def test_a_library_that_python_does_not_import_is_searched_if_it_calls_python(
    tmp_path: Path,
) -> None:
    path = tmp_path / "libarrow_python.so"
    for takes, expected in ((["PyImport_ImportModule"], True), (["printf"], False)):
        path.write_bytes(make_elf(takes=takes, sections={".rodata": OLD}))
        found = read_binary(str(path), path.name)
        assert isinstance(found, Binary)
        assert not found.is_extension
        assert (found.numpy is not None) is expected


def test_places_over_each_other_are_refused() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(100))
        file.flush()
        with pytest.raises(Damaged):
            numpy_use(Window(file.fileno(), 100), [(0, 100)] * 1000)
