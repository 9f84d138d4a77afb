"""The records of versions that fail together: each is whole, and each is found where it applies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.knowledge import Knowledge
from mlenv.knowledge.breaks import Break
from mlenv.model.requirement import canonical_name
from mlenv.versions.version_set import VersionSet, pep440

KNOWN = Knowledge()
RECORDS = KNOWN.breaks.all
RULES = ("COH001", "RMV001", "CON003")
MEET_BY_VERSION = [
    one
    for one in RECORDS
    if not (one.code or one.without or one.since or one.builds or one.channels)
    and one.python is None
]


def version_of(name: str, versions: VersionSet) -> str:
    """Return a release that a record means: the newest known one, else one that it names."""
    known = [one.version for one in KNOWN.releases.of(name) if versions.admits(one.version)]
    named = re.findall(r"(?:<=|>=|==)([0-9a-z.]+)", versions.text.replace(".*", ""))
    return str(max(known)) if known else next(iter(reversed(named)), "0.0.1")


def fixes_of(record: Break) -> list[tuple[str, str]]:
    """Return the ways out that are a bound of one of the distributions."""
    found = (re.match(r"([A-Za-z0-9-]+)((?:[<>=!~]=?[0-9][^ ]*))", fix) for fix in record.fix)
    bounds = [(canonical_name(one[1]), one[2].rstrip(",")) for one in found if one is not None]
    return [(name, text) for name, text in bounds if name in record.when]


def test_there_are_records_of_many_families() -> None:
    assert len(RECORDS) > 150
    assert len({name for one in RECORDS for name in one.when}) > 80


def test_ids_are_unique_and_in_one_form() -> None:
    ids = [one.id for one in RECORDS]
    assert len(set(ids)) == len(ids)
    assert [one for one in ids if not re.fullmatch(r"[a-z0-9]+(?:[-.][a-z0-9]+)*", one)] == []


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.id)
def test_a_record_is_whole(record: Break) -> None:
    assert record.when
    for name, versions in record.when.items():
        assert name == canonical_name(name)
        assert versions.understood
        assert not versions.is_empty
    assert record.fix
    assert all(record.fix)
    assert 15 < len(record.effect) < 190
    assert not record.effect.endswith(".")
    assert record.evidence.fact
    assert record.evidence.source
    assert record.topic in ("cohorts", "removed-api")
    assert not record.since or re.fullmatch(r"20\d\d-\d\d-\d\d", record.since)
    assert set(record.systems) <= {"linux", "windows", "macos"}
    assert not set(record.without) & set(record.when)


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.id)
def test_no_way_out_is_among_the_versions_that_fail(record: Break) -> None:
    for name, text in fixes_of(record):
        bound = pep440(text)
        assert bound is not None, text
        assert not bound.intersects(record.when[name]), (name, text)


@pytest.mark.parametrize("record", [one for one in RECORDS if one.code], ids=lambda one: one.id)
def test_names_of_code_are_dotted_and_read_without_parsing_the_file(record: Break) -> None:
    for name in record.code:
        assert re.fullmatch(r"[A-Za-z_]\w*(?:\.\w+)*(?::\w+)?", name)
    assert set(record.code) <= KNOWN.breaks.code


@pytest.mark.parametrize("record", MEET_BY_VERSION, ids=lambda one: one.id)
def test_pins_that_meet_a_record_are_found(tmp_path: Path, record: Break) -> None:
    pins = {name: version_of(name, versions) for name, versions in record.when.items()}
    lines = [f"{name}=={version}\n" for name, version in pins.items()]
    (tmp_path / "requirements.txt").write_text("".join(lines), "utf-8")
    report = audit_project((str(tmp_path),), Config(select=RULES), today="2026-11-20")
    said = [one for one in report.findings if set(one.packages) & set(record.when)]
    assert said


def test_only_the_records_of_what_is_there_are_parsed() -> None:
    found = list(KNOWN.breaks.within({"gensim", "scipy", "numpy"}, ("removed-api",)))
    assert [one.id for one in found if not one.code] == ["gensim-scipy-triu"]
