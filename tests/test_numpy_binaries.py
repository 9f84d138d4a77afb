"""What binaries tell of NumPy, held to what came of their import beside each NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli
from making import environment_of

from mlenv.knowledge import Knowledge
from mlenv.rules.installed_numpy import numpy_1_binary, numpy_too_old

RECORD = Path(__file__).with_name("numpy_binaries.toml")
PAIRS = Path(__file__).with_name("numpy2_pairs.toml")
NUMPYS = ("1.26.4", "2.0.2", "2.4.6")
WORKS, NOT_INSTALLED = "works", "not-installed"
EXPLAINED = {
    "astropy 6.1.0": ("its code uses numpy.in1d", "2.4.6"),
    "fasttext-wheel 0.9.2": ("its code asks for an array with copy=False", "2.0.2", "2.4.6"),
    "iminuit 2.25.2": ("its code uses numpy.VisibleDeprecationWarning", "2.0.2", "2.4.6"),
    "jaxlib 0.10.2": ("its code uses what only NumPy 2 has", "1.26.4"),
    "numba 0.60.0": ("its code refuses a newer NumPy", "2.4.6"),
    "pyamg 5.1.0": ("its code uses numpy.deprecate", "2.0.2", "2.4.6"),
    "spacy 3.8.0": ("the thinc that it was measured with is what fails", "2.0.2", "2.4.6"),
}
"""What fails though its binaries do not say so: the reason, and beside which NumPy."""


def releases() -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
    """Yield each release with what its binaries tell, and what came of it by NumPy."""
    measured = {
        f"{table['name']} {row['version']}": row
        for table in tomli.loads(PAIRS.read_text("utf-8"))["package"]
        for row in table["measured"]
    }
    for table in tomli.loads(RECORD.read_text("utf-8"))["package"]:
        for row in table["releases"]:
            name = f"{table['name']} {row['version']}"
            came = measured[name] if "imports" not in table else row
            yield name, row, {numpy: came[numpy] for numpy in NUMPYS}


def is_refused(name: str, row: dict[str, Any], numpy: str) -> bool:
    package, version = name.split()
    kind = (row["kinds"] or ["c-api"])[0]
    use = {"old": bool(row["old"]), "minimum": row["minimum"], "kind": kind}
    environment = environment_of(
        {
            "packages": {"numpy": numpy, package: version},
            "binaries": {"files": [{"path": "x.so", "owner": package.lower(), "numpy": use}]},
        }
    )
    found = [*numpy_1_binary.check(environment, Knowledge()), *numpy_too_old.check(environment)]
    return bool(found)


def test_what_binaries_tell_is_what_comes_of_them() -> None:
    false_alarms, missed, seen = set(), set(), 0
    for name, row, came in releases():
        for numpy, outcome in came.items():
            says = is_refused(name, row, numpy)
            seen += says
            if says and outcome == WORKS:
                false_alarms.add((name, numpy))
            if not says and outcome not in (WORKS, NOT_INSTALLED):
                missed.add((name, numpy))
    assert not false_alarms
    assert missed == {(name, numpy) for name, (_, *all_) in EXPLAINED.items() for numpy in all_}
    assert seen > 200


def test_there_are_releases_of_both_kinds_that_no_record_was_made_of() -> None:
    fresh = [came["2.0.2"] for _, row, came in releases() if "2.0.2" in row]
    assert 10 < fresh.count(WORKS) < len(fresh) - 10
