"""A finding on what is installed names the environment, and is no place in the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from making import environment_of, write_environment

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.environment.read import read_environment
from mlenv.model.report import Report
from mlenv.model.surroundings import Surroundings
from mlenv.report.registry import report_renderer
from mlenv.report.view import View

TABLE: dict[str, Any] = {
    "distributions": [
        {"name": "transformers", "version": "4.39.0", "requires": ["tokenizers<0.19"]},
        {"name": "tokenizers", "version": "0.20.0"},
    ]
}


@pytest.fixture
def report(tmp_path: Path) -> Report:
    (tmp_path / "requirements.txt").write_text("transformers==4.39.0\ntokenizers==0.15.2\n")
    around = Surroundings(environment=environment_of(TABLE))
    config = Config(select=("ENV002", "ENV011"))
    return audit_project((str(tmp_path),), config, today="2026-11-20", around=around)


def shown(form: str, report: Report) -> str:
    return report_renderer(form)(report, View(prefix="project/"))


def test_json_names_the_environment(report: Report) -> None:
    document = json.loads(shown("json", report))
    assert document["environment"] == {
        "name": ".venv",
        "manager": "venv",
        "python": "3.11.7",
        "distributions": 2,
        "conda_packages": 0,
        "binaries": None,
    }
    declared, installed = document["findings"]
    assert (installed["rule"], installed["location"]) == ("ENV002", None)
    assert installed["environment"] == ".venv"
    assert declared["location"]["file"] == "requirements.txt"
    assert "environment" not in declared
    assert declared["related"][0]["environment"] == ".venv"


def test_text_shows_the_line_of_the_environment(report: Report) -> None:
    text = shown("text", report)
    assert text.startswith("mlenv 0.1.0: 1 file, 2 requirements, profile research, environment")
    assert "--> environment .venv:3:1" in text
    assert "3 | tokenizers 0.20.0" in text
    assert "--> project/requirements.txt:2:11" in text


def test_concise_lines(report: Report) -> None:
    second, first = shown("concise", report).splitlines()[:2]
    assert first.startswith("environment .venv: error ENV002 ")
    assert second.startswith("project/requirements.txt:2:11: warning ENV011 ")


def test_annotations_name_it_in_the_message(report: Report) -> None:
    first, second = shown("github", report).splitlines()[:2]
    assert first.startswith("::error title=ENV002 ")
    assert "::environment .venv: " in first
    assert second.startswith("::warning file=project/requirements.txt,line=2,")


def test_sarif_has_a_logical_location(report: Report) -> None:
    results = json.loads(shown("sarif", report))["runs"][0]["results"][::-1]
    (place,) = results[0]["locations"]
    assert "physicalLocation" not in place
    assert place["logicalLocations"] == [
        {"name": ".venv", "fullyQualifiedName": "environment .venv", "kind": "resource"}
    ]


def test_a_fingerprint_is_that_of_the_name_and_the_package(tmp_path: Path) -> None:
    def fingerprint(table: dict[str, Any]) -> str:
        around = Surroundings(environment=environment_of(table))
        config = Config(select=("ENV002",))
        found = audit_project((str(tmp_path),), config, today="2026-11-20", around=around)
        return found.findings[0].fingerprint

    more = {"distributions": [{"name": "a"}, *TABLE["distributions"]]}
    assert fingerprint(TABLE) == fingerprint(more)
    assert fingerprint(TABLE) != fingerprint({**TABLE, "name": "other"})


def test_an_environment_that_was_looked_at_is_not_called_skipped(tmp_path: Path) -> None:
    write_environment(tmp_path / ".venv", [{"name": "a"}])
    (tmp_path / "requirements.txt").write_text("a==1.0\n")
    skipped = audit_project((str(tmp_path),), Config()).skipped
    assert [one.path for one in skipped] == [".venv"]
    around = Surroundings(environment=read_environment(str(tmp_path / ".venv"), ".venv"))
    assert audit_project((str(tmp_path),), Config(), around=around).skipped == ()
