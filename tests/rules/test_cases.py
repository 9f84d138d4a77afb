"""Every rule against its own examples: what it finds, where, how bad; and what it lets pass."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
import tomli
from machines import machine_of
from making import environment_of

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.machine.snapshot import read_snapshot
from mlenv.model.surroundings import Surroundings
from mlenv.model.target import Target
from mlenv.records import replace
from mlenv.rules.base import TOPICS
from mlenv.rules.registry import RULES

CASES = Path(__file__).parent / "cases"
TODAY = "2026-11-20"


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(file.stem, case, id=f"{file.stem}-{number}-{case['title']}")
        for file in sorted(CASES.glob("*.toml"))
        for number, case in enumerate(tomli.loads(file.read_text("utf-8")).get(kind, []))
    ]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


def write_index(folder: Path, tracked: list[str]) -> None:
    """Write what git writes when files are added: an index of version 2, with empty metadata."""
    entries = b""
    for name in sorted(tracked):
        entry = bytes(60) + struct.pack(">H", len(name)) + name.encode()
        entries += entry + bytes(8 - len(entry) % 8)
    content = b"DIRC" + struct.pack(">II", 2, len(tracked)) + entries
    (folder / ".git").mkdir(exist_ok=True)
    (folder / ".git" / "index").write_bytes(content + hashlib.sha1(content).digest())


def targets(stated: dict[str, Any] | list[dict[str, Any]], folder: Path) -> tuple[Target, ...]:
    """Return the machines of a case, each stated as in a snapshot."""
    found = []
    for at, table in enumerate(stated if isinstance(stated, list) else [stated]):
        file = folder.with_name(f"{folder.name}-machine-{at}.json")
        file.write_text(json.dumps(table, indent=1), "utf-8")
        found.append(read_snapshot(str(file), "machine.json"))
    return tuple(found)


def found(folder: Path, code: str, case: dict[str, Any]) -> list[dict[str, str]]:
    write(folder, case.get("files", {}))
    if "tracked" in case:
        write_index(folder, case["tracked"])
    config = Config(select=(code,), profile=case.get("profile", ""))
    if "facts" in case:
        write(folder, {"facts/team.toml": case["facts"]})
        own = str(folder / "mlenv.toml")
        config = replace(config, extra_facts=("facts/team.toml",), path=own)
    machines = targets(case["target"], folder) if "target" in case else ()
    today = case.get("as_of", TODAY)
    environment = environment_of(case["environment"]) if "environment" in case else None
    machine = machine_of(case["machine"]) if "machine" in case else None
    around = Surroundings(machines, environment, machine)
    report = audit_project((str(folder),), config, today=today, around=around)
    return [
        {
            "file": finding.span.path if finding.span else "",
            "text": finding.span.text if finding.span else "",
            "severity": finding.severity.value,
        }
        for finding in report.findings
    ]


@pytest.mark.parametrize(("code", "case"), cases("bad"))
def test_a_rule_finds_its_bad_examples(tmp_path: Path, code: str, case: dict[str, Any]) -> None:
    assert found(tmp_path, code, case) == case["finds"]


@pytest.mark.parametrize(("code", "case"), cases("good"))
def test_a_rule_lets_its_good_examples_pass(
    tmp_path: Path, code: str, case: dict[str, Any]
) -> None:
    assert found(tmp_path, code, case) == []


def test_every_rule_has_bad_and_good_examples_and_an_explanation() -> None:
    for rule in RULES:
        file = CASES / f"{rule.code}.toml"
        assert file.is_file(), rule.code
        examples = tomli.loads(file.read_text("utf-8"))
        assert examples["bad"], rule.code
        assert examples["good"], rule.code
        explanation = rule.explanation
        assert "\nBad:\n" in explanation, rule.code
        assert "\nGood:\n" in explanation, rule.code
        assert 10 < len(rule.summary) < 90, rule.code


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert {file.stem for file in CASES.glob("*.toml")} == {rule.code for rule in RULES}


def test_rules_are_listed_by_topic_and_code() -> None:
    order = [(TOPICS.index(rule.topic), rule.code) for rule in RULES]
    assert order == sorted(order)
