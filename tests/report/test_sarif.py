"""SARIF that code scanning accepts: every rule and place, nothing that a viewer would act on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import finding, report, source, span_of

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.model.finding import Certainty, Evidence, Related, Severity
from mlenv.model.report import Report, RuleText, SkippedFile
from mlenv.model.text import SourceText
from mlenv.records import replace
from mlenv.report.sarif import render
from mlenv.report.view import View
from mlenv.rules.registry import RULES

ROOT = Path(__file__).resolve().parents[2]
OASIS = ROOT.parent / "shared" / "schemas" / "sarif-2.1.0.json"
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())

EXPLANATION = """A requirement that is ``open``.

What gets installed
depends on the day.

Bad:
    numpy

    scipy

Good:
    numpy==1.26.4
"""
OPEN = RuleText("PIN001", "very-open", "pins", Severity.WARNING, EXPLANATION)


def run_of(audit: Report, view: View | None = None) -> Any:
    text = render(audit, view or View())
    assert text.isascii()
    document = json.loads(text)
    assert (document["version"], len(document["runs"])) == ("2.1.0", 1)
    return document["runs"][0]


def location(path: str, *region: int) -> dict[str, object]:
    names = ("startLine", "startColumn", "endLine", "endColumn")
    return {
        "artifactLocation": {"uri": path, "uriBaseId": "%SRCROOT%"},
        "region": dict(zip(names, region, strict=True)),
    }


def test_a_result_has_its_rule_its_places_and_its_evidence() -> None:
    text = source("numpy\ntorch==2.1\n")
    one = finding(
        span_of(text, "==2.1"),
        "torch is wrong",
        certainty=Certainty.POSSIBLE,
        related=(Related(span_of(text, "numpy"), "there"), Related(span_of(text, "torch"))),
        help="pin it\nor lock it",
        evidence=(Evidence("a fact", "a source"),),
    )
    run = run_of(report(one))
    assert run["results"] == [
        {
            "ruleId": "PIN001",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "torch is wrong\nhelp: pin it\nor lock it"},
            "locations": [{"physicalLocation": location("requirements.txt", 2, 6, 2, 11)}],
            "partialFingerprints": {"mlenvFingerprint/v1": one.fingerprint},
            "properties": {
                "certainty": "possible",
                "packages": ["torch"],
                "evidence": [{"fact": "a fact", "source": "a source"}],
            },
            "relatedLocations": [
                {
                    "id": 1,
                    "physicalLocation": location("requirements.txt", 1, 1, 1, 6),
                    "message": {"text": "there"},
                },
                {
                    "id": 2,
                    "physicalLocation": location("requirements.txt", 2, 1, 2, 6),
                    "message": {"text": "also here"},
                },
            ],
        }
    ]


def test_a_finding_without_a_place_has_no_location() -> None:
    assert run_of(report(finding(None)))["results"][0]["locations"] == []


@pytest.mark.parametrize("severity", Severity)
def test_severities_are_sarifs_levels(severity: Severity) -> None:
    text = source("numpy\n")
    run = run_of(report(finding(span_of(text, "numpy"), severity=severity)))
    assert run["results"][0]["level"] == severity.value


def test_columns_are_counted_in_characters_as_the_run_says() -> None:
    text = source("# 😀é\r\n😀 torch\r\n")
    run = run_of(report(finding(span_of(text, "torch"))))
    assert run["columnKind"] == "unicodeCodePoints"
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 8}
    assert "\r\n" in run["newlineSequences"]


def test_a_rule_explains_itself() -> None:
    (rule,) = run_of(replace(report(), rules=lambda: (OPEN,)))["tool"]["driver"]["rules"]
    assert rule == {
        "id": "PIN001",
        "name": "VeryOpen",
        "shortDescription": {"text": "A requirement that is `open`."},
        "fullDescription": {
            "text": "A requirement that is `open`.\n\nWhat gets installed depends on the day."
        },
        "help": {
            "text": EXPLANATION.strip(),
            "markdown": "A requirement that is `open`.\n\nWhat gets installed\ndepends on the day."
            "\n\n**Bad:**\n\n```text\nnumpy\n\nscipy\n```\n\n**Good:**\n\n```text\nnumpy==1.26.4\n```",
        },
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["pins"], "precision": "high", "problem.severity": "warning"},
    }


def test_only_rules_of_security_have_a_score() -> None:
    rules = (OPEN, replace(OPEN, code="SEC001", topic="security"))
    described = run_of(replace(report(), rules=lambda: rules))["tool"]["driver"]["rules"]
    scores = [rule["properties"].get("security-severity") for rule in described]
    assert scores == [None, "5.5"]
    assert described[1]["properties"]["tags"] == ["security"]


def test_results_point_at_their_rules_known_or_not() -> None:
    text = source("numpy\n")
    found = finding(span_of(text, "numpy"))
    audit = report(replace(found, rule="NEW001"), found, replace(found, rule="NEW001"))
    run = run_of(replace(audit, rules=lambda: (replace(OPEN, code="AAA001"), OPEN)))
    codes = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert codes == ["AAA001", "PIN001", "NEW001"]
    assert [codes[result["ruleIndex"]] for result in run["results"]] == [
        "NEW001",
        "PIN001",
        "NEW001",
    ]


def test_every_rule_of_mlenv_is_described(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy\n")
    run = run_of(audit_project((str(tmp_path),), Config()))
    described = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in described] == [rule.code for rule in RULES]
    for rule in described:
        assert rule["name"].isalnum()
        assert rule["name"][0].isupper()
        # what code scanning shows of them
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert rule["help"]["markdown"].count("```") % 2 == 0
        assert "**Bad:**" in rule["help"]["markdown"]
        assert "``" not in rule["fullDescription"]["text"]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/ü.txt", "a%20b/%C3%BC.txt"),
        ("a:b#c?d%e.txt", "a%3Ab%23c%3Fd%25e.txt"),
        ("caf\udce9.txt", "caf%E9.txt"),
        ("\ud83d.txt", "%ED%A0%BD.txt"),
        ("x\n::error::.txt", "x%0A%3A%3Aerror%3A%3A.txt"),
    ],
)
def test_paths_are_relative_references(path: str, uri: str) -> None:
    text = source("numpy\n", path)
    run = run_of(report(finding(span_of(text, "numpy")), skipped=(SkippedFile(path, "why"),)))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": uri, "uriBaseId": "%SRCROOT%"}
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["locations"][0]["physicalLocation"] == {
        "artifactLocation": place["artifactLocation"]
    }


@pytest.mark.parametrize(
    ("prefix", "uri", "base"),
    [
        ("", "requirements.txt", "The folder that mlenv was run in."),
        ("sub/..x/", "sub/..x/requirements.txt", "The folder that mlenv was run in."),
        ("../", "requirements.txt", "The audited root."),
        ("/far/away/", "requirements.txt", "The audited root."),
    ],
)
def test_paths_begin_where_a_checkout_does(prefix: str, uri: str, base: str) -> None:
    text = source("numpy\n")
    run = run_of(report(finding(span_of(text, "numpy"))), View(prefix=prefix))
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri
    assert run["originalUriBaseIds"] == {"%SRCROOT%": {"description": {"text": base}}}


def test_the_run_says_how_it_ended_and_what_it_left_out() -> None:
    text = source("numpy\n")
    audit = report(
        finding(span_of(text, "numpy")),
        skipped=(SkippedFile("big.txt", "too large"),),
        suppressed=2,
    )
    run = run_of(audit)
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "warning"
    assert notification["message"] == {"text": "not audited: too large"}
    assert run["properties"]["suppressed"] == 2


hostile = st.text(st.sampled_from("[](): /@\x1b\n\r\u2028\u202e%{}#\ud800ab"), max_size=60)


@given(hostile, hostile)
def test_no_text_acts_on_a_viewer(said: str, path: str) -> None:
    text = SourceText(path, "torch\n")
    span = text.line_span(1)
    one = finding(
        span, said, help=said, related=(Related(span, said),), evidence=(Evidence(said, said),)
    )
    run = run_of(report(one, skipped=(SkippedFile(path, said),)))
    (result,) = run["results"]
    related = result["relatedLocations"][0]
    (fact,) = result["properties"]["evidence"]
    skipped = run["invocations"][0]["toolExecutionNotifications"][0]
    for shown in (
        result["message"]["text"],
        related["message"]["text"],
        skipped["message"]["text"],
        *fact.values(),
    ):
        assert "](" not in shown
        assert all(line.isprintable() for line in shown.split("\n"))
    uri = related["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert uri.isprintable()
    assert unquote(uri, errors="surrogatepass") == path


def test_no_credential_is_in_a_path_or_a_text() -> None:
    secret = "https://user:hunter2@index.example/x"
    text = source("numpy\n", f"{secret}.txt")
    shown = render(report(finding(span_of(text, "numpy"), secret, help=secret)), View())
    assert "hunter2" not in shown


@pytest.mark.skipif(not OASIS.is_file(), reason="the schema of OASIS is no part of the project")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_valid_by_the_schema_of_oasis(example: Path) -> None:
    import jsonschema

    schema = json.loads(OASIS.read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(
        schema, format_checker=jsonschema.FormatChecker()
    )
    document = json.loads(render(audit_project((str(example),), Config()), View()))
    assert [error.message for error in validator.iter_errors(document)] == []
    document["runs"][0]["results"] = [{"ruleId": 1}]
    assert not validator.is_valid(document)
