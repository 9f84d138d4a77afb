"""Whether a wheel is for an interpreter, held against the tags that ``packaging`` lists."""

from __future__ import annotations

import pytest
from packaging.tags import compatible_tags, cpython_tags

from mlenv.model.environment import Interpreter
from mlenv.reasoning.installed_tags import is_supported

LINUX = Interpreter("3.11.7", "linux", "x86_64", libc="glibc", libc_version="2.36")


def reference() -> set[str]:
    """Return what packaging takes for CPython 3.11 on this system."""
    platforms = ["manylinux_2_36_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64"]
    platforms += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    platforms += ["linux_x86_64"]
    tags = [
        *cpython_tags((3, 11), ["cp311"], platforms),
        *compatible_tags((3, 11), "cp311", platforms),
    ]
    return {str(tag) for tag in tags}


def test_what_packaging_takes_is_taken() -> None:
    for tag in reference():
        assert is_supported((tag,), LINUX) is True, tag


@pytest.mark.parametrize(
    "tag",
    [
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-abi3-manylinux_2_17_x86_64",
        "cp311-cp311-manylinux_2_37_x86_64",
        "cp311-cp311-manylinux_2_17_aarch64",
        "cp311-cp311-win_amd64",
        "cp311-cp311-macosx_11_0_arm64",
        "cp311-cp311t-manylinux_2_17_x86_64",
        "pp311-pypy311_pp73-manylinux_2_17_x86_64",
        "cp311-cp311-musllinux_1_2_x86_64",
        "py312-none-any",
        "py2-none-any",
        "cp2-none-any",
        "cp311-cp311-any",
        "py-none-any",
        "py3x-none-any",
        f"cp{'3' * 5000}-none-any",
        "cp311-cp311-linux_",
        "cp311-cp311-manylinux2011_x86_64",
        "cp311-cp311-manylinux_2_x86_64",
        "cp311-cp311-manylinux_2_x_x86_64",
        f"cp311-cp311-manylinux_2_{'1' * 5000}_x86_64",
    ],
)
def test_what_packaging_refuses_is_refused(tag: str) -> None:
    assert tag not in reference()
    assert is_supported((tag,), LINUX) is False


@pytest.mark.parametrize(
    ("tag", "interpreter"),
    [
        ("cp313-cp313t-win_amd64", Interpreter("3.13.0", "windows", "AMD64", free_threaded=True)),
        ("cp311-cp311-macosx_10_9_universal2", Interpreter("3.11.1", "macos", "arm64")),
        ("pp310-pypy310_pp73-win_amd64", Interpreter("3.10.1", "windows", "AMD64", "pypy")),
        (
            "cp311-abi3-musllinux_1_1_aarch64",
            Interpreter("3.12.1", "linux", "aarch64", libc="musl"),
        ),
    ],
)
def test_other_interpreters_and_systems(tag: str, interpreter: Interpreter) -> None:
    assert is_supported((tag,), interpreter) is True


def test_where_something_is_not_known_nothing_is_claimed() -> None:
    unknown = Interpreter("3.11.7", "linux", "x86_64")
    assert is_supported(("cp311-cp311-manylinux_2_28_x86_64",), unknown) is None
    assert is_supported(("no tag",), LINUX) is None
    assert is_supported((f"{'py3.' * 99}py2-{'none.' * 99}abi3-any",), LINUX) is None
    assert is_supported(("cp311-cp311-manylinux_2_28_x86_64", "py3-none-any"), unknown) is True


def test_the_stable_interface_of_the_build_without_the_lock() -> None:
    free = Interpreter(
        "3.13.0", "linux", "x86_64", free_threaded=True, libc="glibc", libc_version="2.36"
    )
    assert is_supported(("cp39-abi3-manylinux_2_17_x86_64",), free) is False
    assert is_supported(("cp313-cp313-manylinux_2_17_x86_64",), free) is False
