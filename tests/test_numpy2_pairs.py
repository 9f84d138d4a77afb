"""Verdicts on package versions beside NumPy, held to what was measured of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomli

from mlenv.audit import audit_project
from mlenv.config import Config

RECORD = Path(__file__).with_name("numpy2_pairs.toml")
NUMPYS = ("1.26.4", "2.0.2", "2.4.6")
WORKS = "works"
METADATA = "CON003"
RULES = ("NPY001", "NPY002", METADATA)
"""What a pair is refused by: what was measured, or the metadata where they say it."""


def tables() -> list[dict[str, Any]]:
    """Return what was measured of each package."""
    found: list[dict[str, Any]] = tomli.loads(RECORD.read_text("utf-8"))["package"]
    return found


def pairs() -> dict[str, str]:
    """Return what came of each pair, by a folder's name."""
    return {
        f"{table['name']}_{row['version']}_{numpy}": row[numpy]
        for table in tables()
        for row in table["measured"]
        for numpy in NUMPYS
    }


def verdicts(folder: Path, names: list[str]) -> dict[str, set[str]]:
    """Return the rules that refuse each pair, pinned in a file of its own."""
    beside = {table["name"]: table.get("beside", ()) for table in tables()}
    for name in names:
        package, version, numpy = name.split("_")
        (folder / name).mkdir()
        others = [one.format(version=version) for one in beside[package]]
        text = "\n".join([f"numpy=={numpy}", f"{package}=={version}", *others, ""])
        (folder / name / "requirements.txt").write_text(text, "utf-8")
    (folder / ".python-version").write_text("3.11\n", "utf-8")
    report = audit_project((str(folder),), Config(select=RULES), today="2026-11-20")
    found: dict[str, set[str]] = {name: set() for name in names}
    for finding in report.findings:
        assert finding.span is not None
        found[finding.span.path.split("/")[-2]].add(finding.rule)
    return found


def test_what_fails_is_refused_and_what_works_is_not(tmp_path: Path) -> None:
    measured = pairs()
    found = verdicts(tmp_path, [*measured])
    # metadata may refuse what would work: an installer does so too
    wrong = {
        name: rules
        for name, rules in found.items()
        if (rules - {METADATA} if measured[name] == WORKS else not rules)
    }
    assert wrong == {}


def test_enough_is_measured() -> None:
    names = [*pairs()]
    assert len({name.rpartition("_")[0] for name in names}) >= 100
    assert sum(outcome != WORKS for outcome in pairs().values()) >= 60
