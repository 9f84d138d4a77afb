"""``mlenv rules`` and ``mlenv explain``: the rules, and the records that they rest on."""

from __future__ import annotations

import json
from pathlib import Path

from invocation import mlenv

from mlenv.knowledge.listing import files, read
from mlenv.rules.registry import RULES


def test_some_rules_are_listed_by_code_and_topic(tmp_path: Path) -> None:
    done = mlenv(tmp_path, "rules", "PIN001", "cohorts")
    codes = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert {code for code in codes if code[:3] in ("PIN", "COH")} >= {"PIN001", "COH001"}
    assert "LCK001" not in done.stdout


def test_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    done = mlenv(tmp_path, "rules", "PIN0001", "--facts")
    assert done.returncode == 2
    assert "there is no rule 'PIN0001'" in done.stderr


def test_the_records_behind_a_rule_are_shown_with_their_sources(tmp_path: Path) -> None:
    done = mlenv(tmp_path, "rules", "RMV001", "--facts")
    assert done.returncode == 0
    assert "cached_download" in done.stdout
    assert "wheels of huggingface-hub" in " ".join(done.stdout.split())


def test_the_records_as_json(tmp_path: Path) -> None:
    done = mlenv(tmp_path, "rules", "RMV001", "--facts", "--format", "json")
    (file,) = [one for one in json.loads(done.stdout)["files"] if one["name"] == "breaks"]
    assert file["rules"] == ["RMV001"]
    assert {one["says"]["topic"] for one in file["records"]} == {"removed-api"}


def test_explain_names_what_a_rule_rests_on(tmp_path: Path) -> None:
    done = mlenv(tmp_path, "explain", "COH001")
    assert "Rests on: breaks (" in done.stdout
    assert "mlenv rules --facts COH001" in done.stdout


def test_every_file_of_records_has_a_date_and_a_source() -> None:
    for name in files():
        file = read(name)
        assert file.records, name
        assert file.source or all(one.source for one in file.records), name


def test_every_rule_names_files_that_exist() -> None:
    known = set(files())
    for rule in RULES:
        assert known.issuperset(rule.facts), rule.code
