"""The records on names: their form, and what is asked of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomli

from mlenv.knowledge import Knowledge
from mlenv.knowledge.names import MISSING, OTHER, REFUSES
from mlenv.model.finding import Severity
from mlenv.model.requirement import canonical_name
from mlenv.versions.version import parse_version

FOLDER = Path(__file__).parent.parent / "src" / "mlenv" / "knowledge"
NAMES = Knowledge().names
FORMS = {
    "overlap": (
        {"import", "names", "severity", "effect", "advice", "fact", "source", "checked"},
        {"only"},
    ),
    "wrong": (
        {"name", "use", "state", "fact", "source", "checked"},
        {"works", "meant", "by_hand"},
    ),
    "renamed": ({"name", "use", "fact", "source", "checked"}, set()),
    "backport": ({"name", "since", "fact", "source", "checked"}, {"fails"}),
}


def records(file: str) -> dict[str, Any]:
    return tomli.loads((FOLDER / f"{file}.toml").read_text("utf-8"))


DISTRIBUTIONS = records("distributions")
ALL = [(table, record) for table in FORMS for record in DISTRIBUTIONS[table]]


def label(value: object) -> str:
    return str(value.get("name") or value.get("import")) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize(("table", "record"), ALL, ids=label)
def test_a_record_has_its_fields_a_source_and_a_date(table: str, record: dict[str, Any]) -> None:
    required, optional = FORMS[table]
    assert required <= set(record) <= required | optional
    assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", record["checked"])
    assert all(record[field] for field in required - {"use"})
    names = record.get("names", [record.get("name")])
    assert names == [canonical_name(name) for name in names]
    assert len(set(names)) == len(names)


def test_tables_are_known_and_name_a_distribution_once() -> None:
    assert set(DISTRIBUTIONS) == {"meta", *FORMS}
    for table in FORMS:
        names = [n for r in DISTRIBUTIONS[table] for n in r.get("names", [r.get("name")])]
        assert len(set(names)) == len(names), table


def test_every_record_can_be_asked_for() -> None:
    for table, record in ALL:
        if table == "overlap":
            for name in record["names"]:
                overlap = NAMES.overlap(name)
                assert overlap.names == tuple(record["names"]) == NAMES.overlaps_of(name)
                assert set(overlap.only) <= set(overlap.names)
                assert isinstance(overlap.severity, Severity)
        elif table == "wrong":
            wrong = NAMES.wrong_name(record["name"])
            assert wrong is not None
            assert wrong.state in (REFUSES, MISSING, OTHER)
            assert bool(wrong.meant) == (wrong.state == OTHER)
            assert wrong.use != record["name"]
        elif table == "renamed":
            renamed = NAMES.renamed(record["name"])
            assert renamed is not None
            assert renamed.evidence.source == record["source"]
        else:
            backport = NAMES.backport(record["name"])
            newest = parse_version("3.13")
            assert backport is not None
            assert newest is not None
            assert backport.since.admits(newest)


def test_what_has_no_record_is_nothing() -> None:
    assert NAMES.overlaps_of("numpy") == ()
    assert NAMES.wrong_name("numpy") is None
    assert NAMES.renamed("numpy") is None
    assert NAMES.backport("numpy") is None
    with pytest.raises(KeyError):
        NAMES.overlap("numpy")


@pytest.mark.parametrize(
    ("file", "table"),
    [("popular", "popular"), ("neighbours", "neighbours"), ("neighbours", "elsewhere")],
)
def test_lists_of_names_are_canonical(file: str, table: str) -> None:
    record = records(file)[table]
    names = record["names"].split()
    assert names == sorted({canonical_name(name) for name in names})
    assert all(len(name) >= 5 for name in names)
    assert record["source"]
    assert record["checked"]


def test_a_popular_name_is_no_neighbour() -> None:
    popular, neighbours = (set(records(f)[f]["names"].split()) for f in ("popular", "neighbours"))
    assert not popular & neighbours
    assert {"torch", "numpy", "transformers", "scikit-learn"} <= popular


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("pstuil", "psutil"),
        ("transfomers", "transformers"),
        ("transfformers", "transformers"),
        ("scikit-leern", "scikit-learn"),
        ("pytorchlightning", "pytorch-lightning"),
    ],
)
def test_one_slip_is_recognised(slip: str, meant: str) -> None:
    assert NAMES.meant_by(slip) == meant


@pytest.mark.parametrize(
    "name",
    [
        "psutil",  # well known itself
        "torchx",  # a project of its own
        "python",  # conda's
        "socket",  # the standard library's
        "nmpy",  # short
        "nvidia-cublas-cu19",  # a version to come
        "psutli-x",  # two slips
        "sklearn",  # DUP002 speaks of it
        "a" * 500,
    ],
)
def test_other_names_are_no_slips(name: str) -> None:
    assert NAMES.meant_by(name) == ""
