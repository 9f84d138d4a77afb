"""Markers hold together only where an environment that exists satisfies them."""

from __future__ import annotations

import time

import pytest

from mlenv.model.compatibility import compatible
from mlenv.model.marker import for_pythons, parse_marker
from mlenv.versions.version_set import pep440

DISJOINT = [
    ("implementation_name == 'pypy'", "implementation_name != 'pypy'"),
    ("platform_machine == 'i686'", "platform_machine != 'i686'"),
    ("python_version == '3.4'", "python_version >= '3.5'"),
    ("sys_platform == 'freebsd'", "sys_platform != 'freebsd'"),
    ("'tegra' in platform_release", "'tegra' not in platform_release"),
    ("platform_release >= '5'", "platform_release < '5'"),
    ("python_full_version < '3.10.5'", "python_full_version >= '3.10.5'"),
    ("sys_platform == 'win32'", "os_name == 'posix'"),
    ("sys_platform == 'linux'", "platform_system == 'Darwin'"),
    ("sys_platform == 'win32'", "platform_machine == 'i686'"),
    ("implementation_name == 'pypy'", "platform_python_implementation == 'CPython'"),
    ("extra == 'cpu'", "extra == 'gpu'"),
    ("sys_platform == 'linux2'", "python_version >= '3.8'"),
    ("python_version >= '3.40'", "sys_platform == 'linux'"),
    ("platform_system == 'linux'", "sys_platform == 'linux'"),
]
TOGETHER = [
    ("sys_platform == 'linux'", "python_version >= '3.8'"),
    ("implementation_name == 'pypy'", "platform_python_implementation == 'PyPy'"),
    ("implementation_name == 'pypy'", "python_version < '3.9'"),
    ("platform_machine == 'i686'", "sys_platform == 'linux'"),
    ("python_version == '3.4'", "python_version < '3.5'"),
    ("python_full_version >= '3.10.5'", "python_full_version < '3.10.9'"),
    ("sys_platform == 'freebsd'", "os_name == 'posix'"),
    ("platform_system == 'FreeBSD'", "sys_platform == 'freebsd14'"),
    ("'tegra' in platform_release", "platform_machine == 'aarch64'"),
    ("'tegra' in platform_release", "'5.10' in platform_release"),
    ("sys_platform != 'linux'", "sys_platform != 'darwin'"),
]


@pytest.mark.parametrize(("one", "two"), DISJOINT)
def test_what_excludes_each_other(one: str, two: str) -> None:
    assert not compatible(parse_marker(one), parse_marker(two))


@pytest.mark.parametrize(("one", "two"), TOGETHER)
def test_what_can_hold_together(one: str, two: str) -> None:
    assert compatible(parse_marker(one), parse_marker(two), None)


@pytest.mark.parametrize(
    ("stated", "minors"),
    [("==3.10.12", {"3.10"}), (">=3.10.5,<3.11.2", {"3.10", "3.11"}), (">=3.90", set())],
)
def test_pythons_that_are_exact_stand_for_their_minor(stated: str, minors: set[str]) -> None:
    versions = pep440(stated)
    assert versions is not None
    pythons = for_pythons(versions)
    every = [f"3.{minor}" for minor in range(5, 17)]
    admitted = {
        minor
        for minor in every
        if compatible(parse_marker(f"python_version == '{minor}'"), pythons=pythons)
    }
    assert admitted == minors


def test_nothing_between_two_known_patches_is_claimed_for_a_project() -> None:
    """Of 3.10.5 and later the table knows 3.10.99 alone, which the marker leaves out."""
    versions = pep440(">=3.10.5")
    assert versions is not None
    marker = parse_marker("python_full_version < '3.10.5'")
    assert compatible(marker)
    assert not compatible(marker, pythons=for_pythons(versions))


@pytest.mark.parametrize("digits", ["9" * 5000, "\u00b2", "\u0663"])
@pytest.mark.parametrize("form", ["3.9.{}", "{}.1", "3.{}"])
def test_versions_that_are_no_numbers_are_no_pythons(form: str, digits: str) -> None:
    for name in ("python_version", "python_full_version"):
        odd = parse_marker(f"{name} == '{form.format(digits)}'")
        assert not compatible(odd, parse_marker("python_version < '3.8'"))


def test_hostile_markers_end_quickly() -> None:
    parts = [f"{v} {op} '{n}'" for n in range(25) for op in ("==", "!=") for v in VARIABLES]
    markers = [parse_marker(" and ".join(parts[at::7])) for at in range(7)]
    started = time.perf_counter()
    assert not compatible(*markers)
    assert time.perf_counter() - started < 1


VARIABLES = ("platform_release", "platform_version", "sys_platform", "python_full_version")
