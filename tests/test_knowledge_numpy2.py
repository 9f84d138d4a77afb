"""The records on NumPy: their form, and the questions asked of them."""

from __future__ import annotations

import pytest

from mlenv.knowledge import Knowledge
from mlenv.knowledge.numpy2 import ABI, IMPORT_ERROR, PYTHON, RUNTIME, WARNING, Boundary
from mlenv.model.requirement import canonical_name
from mlenv.model.target import SYSTEMS
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import pep440

RECORDS = Knowledge().numpy2


def version(text: str) -> Version:
    found = parse_version(text)
    assert found is not None
    return found


def breaks(package: str, release: str, numpy: str = "2.0.2", system: str = "linux") -> bool:
    return any(
        one.broken.admits(version(release), prereleases=True)
        and one.numpy.admits(version(numpy))
        and (not one.systems or system in one.systems)
        for one in RECORDS.about(package)
    )


@pytest.mark.parametrize("one", RECORDS.all, ids=lambda one: f"{one.package}{one.broken}")
def test_every_record_can_be_read(one: Boundary) -> None:
    assert one.package == canonical_name(one.package)
    assert one.broken.understood
    assert one.numpy.understood
    assert one.numpy.text
    assert one.how in (IMPORT_ERROR, RUNTIME, WARNING)
    assert one.why in (ABI, PYTHON)
    assert set(one.systems) <= set(SYSTEMS)
    assert one.evidence.source
    assert not RECORDS.is_neutral(one.package)
    name, cap = one.cap[:5], pep440(one.cap[5:])
    assert name == "numpy"
    assert cap is not None
    assert (cap & one.numpy).is_empty or one.needs_newer
    if one.first_good:
        assert not one.broken.admits(version(one.first_good), prereleases=True)


@pytest.mark.parametrize(
    ("package", "broken", "good"),
    [
        ("pandas", "2.2.1", "2.2.2"),
        ("torch", "2.2.2", "2.3.0"),
        ("scipy", "1.12.0", "1.13.0"),
        ("opencv-python", "4.10.0.82", "4.10.0.84"),
        ("faiss-cpu", "1.8.0.post1", "1.9.0"),
        ("thinc", "9.0.0", "8.3.0"),
    ],
)
def test_boundaries(package: str, broken: str, good: str) -> None:
    assert breaks(package, broken)
    assert not breaks(package, good)
    assert not breaks(package, broken, numpy="1.26.4")


def test_a_later_line_that_was_built_earlier_is_no_better() -> None:
    assert [breaks("thinc", one) for one in ("8.2.5", "8.3.0", "9.0.0", "9.1.0")] == [
        True,
        False,
        True,
        False,
    ]


def test_the_reverse() -> None:
    assert breaks("pyarrow", "26.0.0", numpy="1.26.4")
    assert not breaks("pyarrow", "26.0.0")


def test_windows_builds_of_torch_were_later() -> None:
    assert breaks("torch", "2.4.0", system="windows")
    assert not breaks("torch", "2.4.0")


def removed(numpy: Version) -> set[str]:
    return {
        name
        for versions, names, _ in RECORDS.removals
        if versions.admits(numpy, prereleases=True)
        for name in names
    }


def test_removed_names() -> None:
    assert "float" in removed(version("1.24.0"))
    assert "float_" not in removed(version("1.26.4"))
    gone = removed(version("2.0.0"))
    assert {"float_", "Inf", "ndarray.ptp", "float"} <= gone
    assert not {"trapz", "bool", "long"} & gone
    assert {"trapz", "in1d"} <= removed(version("2.4.0"))


@pytest.mark.parametrize("numpy", ["1.26.4", "2.0.2", "2.4.0"])
@pytest.mark.parametrize("release", ["0.0.1", "1.5.0", "2.3.1", "9.0.0", "26.0.0"])
def test_what_settled_versions_rule_out_is_left_out_and_nothing_else(
    release: str, numpy: str
) -> None:
    names = {one.package for one in RECORDS.all} | {"numpy"}
    there = dict.fromkeys(names, version(release)) | {"numpy": version(numpy)}
    meant = [
        one
        for one in RECORDS.all
        if one.broken.admits(there[one.package]) and one.numpy.admits(there["numpy"])
    ]
    assert [*RECORDS.within(names, there.get)] == meant
    assert [*RECORDS.within(names, lambda _: None)] == [*RECORDS.all]
    assert [*RECORDS.within(names - {"numpy"}, lambda _: None)] == []
