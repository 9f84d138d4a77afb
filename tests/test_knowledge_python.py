"""What is known of CPython's releases and of wheel indexes."""

from __future__ import annotations

import pytest

from mlenv.knowledge import Knowledge
from mlenv.knowledge.indexes import is_accelerated, is_label, wheel_index
from mlenv.versions.version_set import ANY, pep440, unknown

KNOWN = Knowledge()


@pytest.mark.parametrize(
    ("admitted", "today", "past"),
    [
        ("==3.8.*", "2026-11-20", "3.8"),
        ("==3.8.*", "2024-10-07", None),  # the last day counts
        ("==3.8.*", "2024-10-08", "3.8"),
        ("==3.10.*", "2026-10-31", None),  # of a month that is only planned, all of it
        ("==3.10.*", "2026-11-01", "3.10"),
        ("==3.10.4", "2026-11-20", "3.10"),
        (">=3.7,<3.10", "2026-11-20", "3.9"),
        (">=3.7,<3.12", "2026-11-20", None),
        (">=3.7", "2026-11-20", None),
        ("==2.7.*", "2026-11-20", "2.7"),
        ("==3.17.*", "2026-11-20", None),  # newer than the records
        ("==3.1.*", "2026-11-20", None),  # older than the records
    ],
)
def test_a_python_is_past_when_nothing_admitted_gets_fixes(
    admitted: str, today: str, past: str | None
) -> None:
    versions = pep440(admitted)
    assert versions is not None
    found = KNOWN.interpreters.past(versions, today)
    assert (found.version if found else None) == past


def test_nothing_is_said_of_what_was_not_understood() -> None:
    assert KNOWN.interpreters.past(unknown("three"), "2099-01-01") is None
    assert KNOWN.interpreters.past(ANY, "2026-11-20") is None


def test_interpreters_are_in_order_and_their_dates_are_dates() -> None:
    known = KNOWN.interpreters.known
    minors = [tuple(map(int, one.version.split("."))) for one in known]
    assert minors == sorted(set(minors))
    assert [one.eol for one in known] == sorted(one.eol for one in known)
    assert all(len(one.eol) in (7, 10) and one.eol[4] == "-" for one in known)
    assert KNOWN.interpreters.evidence(known[0]).source


@pytest.mark.parametrize(
    ("url", "label", "nightly"),
    [
        ("https://index.example/whl/cu118", "cu118", False),
        ("https://index.example/whl/cu118/", "cu118", False),
        ("https://mirror.example/builds/whl/cpu?x=1", "cpu", False),
        ("https://index.example/whl/rocm6.2.4", "rocm6.2.4", False),
        ("https://index.example/whl/xpu", "xpu", False),
        ("https://index.example/whl/cu118/torch_stable.html", "cu118", False),
        ("https://index.example/whl/torch_stable.html", "", False),
        ("https://index.example/whl", "", False),
        ("https://index.example/whl/nightly/cu121", "cu121", True),
        ("https://index.example/whl/nightly/cpu/torch_nightly.html", "cpu", True),
        ("https://index.example/whl/test/cu128", "cu128", True),
        ("https://index.example/whl/lts/1.8/torch_lts.html", "", False),
    ],
)
def test_an_index_of_builds_is_told_by_its_address(url: str, label: str, nightly: bool) -> None:
    found = wheel_index(url)
    assert found is not None
    assert (found.label, found.nightly) == (label, nightly)


@pytest.mark.parametrize(
    "url",
    [
        "https://index.example/simple",
        "https://wheels.example/whl/torch-2.2.1+cpu.html",
        "https://wheels.example/wheels/cu118",
        "https://index.example/whl/cu118/torch-2.1.0.whl",
        "wheels",
        "",
    ],
)
def test_other_addresses_tell_nothing(url: str) -> None:
    assert wheel_index(url) is None


def test_labels_are_told_from_other_local_versions() -> None:
    assert all(map(is_label, ("cu118", "cu92", "cpu", "rocm6.2", "xpu")))
    assert not any(map(is_label, ("pt21cu118", "cu118.with.pypi.cudnn", "acme.2", "")))
    builds = ("cu118", "pt21cu118", "pt113cpu", "cuda12.cudnn89", "cpu", "cu118.with.pypi.cudnn")
    assert all(map(is_accelerated, builds))
    assert not any(map(is_accelerated, ("acme.2", "ubuntu0.20.4", "b8569585", "g123acc8", "")))


@pytest.mark.parametrize(
    ("admitted", "label", "newest"),
    [
        ("", "cu118", "2.7.1"),
        (">=2.0,<2.2", "cu118", "2.1.2"),
        (">=2.8", "cu118", None),
        ("", "cu999", None),
        ("<2.6", "", "2.5.1"),
    ],
)
def test_the_newest_build_of_torch(admitted: str, label: str, newest: str | None) -> None:
    versions = pep440(admitted)
    assert versions is not None
    found = KNOWN.indexes.newest(versions, label)
    assert (found.text if found else None) == newest


def test_what_wheel_indexes_serve() -> None:
    assert KNOWN.indexes.serves("torchvision")
    assert not KNOWN.indexes.serves("numpy")
