"""The JSON reports keep their contract, in ASCII, without a credential."""

from __future__ import annotations

import json
from typing import Any

from samples import finding, report, source, span_of

from mlenv.model.finding import Certainty, Evidence, Related
from mlenv.model.marker import parse_marker
from mlenv.model.project import Project, Unread
from mlenv.model.report import Report, SkippedFile
from mlenv.model.requirement import CONDA, LockedPackage, Requirement
from mlenv.model.source import DROPPED_OPTION, UNREADABLE_LINE, Problem, Source
from mlenv.report import deps_json, deps_table, json_report
from mlenv.report.columns import text_width
from mlenv.report.view import View
from mlenv.versions.version_set import pep440

SECRET = "https://user:hunter2@index.example/simple"


def written(audit: Report) -> Any:
    text = json_report.render(audit, View())
    assert text.isascii()
    assert text.endswith("}\n")
    return json.loads(text)


def test_every_key_of_the_contract() -> None:
    text = source("numpy\ntorch\n")
    one = finding(
        span_of(text, "torch"),
        certainty=Certainty.POSSIBLE,
        related=(Related(span_of(text, "numpy"), "there"),),
        help="pin it",
        evidence=(Evidence("fact", "source"),),
    )
    document = written(report(one, skipped=(SkippedFile("a.txt", "too large"),), suppressed=2))
    fingerprint = document["findings"][0].pop("fingerprint")
    assert fingerprint
    assert document == {
        "schema": 1,
        "tool": {"name": "mlenv", "version": "0.1.0", "knowledge": "2026-11-20"},
        "root": ".",
        "profile": "application",
        "target": None,
        "files": [{"path": "requirements.txt", "kind": "requirements", "requirements": 3}],
        "skipped": [{"path": "a.txt", "reason": "too large"}],
        "findings": [
            {
                "rule": "PIN001",
                "name": "unpinned",
                "topic": "pins",
                "severity": "error",
                "certainty": "possible",
                "message": "torch has no version",
                "packages": ["torch"],
                "location": {
                    "file": "requirements.txt",
                    "line": 2,
                    "column": 1,
                    "end_line": 2,
                    "end_column": 6,
                },
                "related": [
                    {
                        "location": {
                            "file": "requirements.txt",
                            "line": 1,
                            "column": 1,
                            "end_line": 1,
                            "end_column": 6,
                        },
                        "message": "there",
                    }
                ],
                "help": "pin it",
                "evidence": [{"fact": "fact", "source": "source"}],
                "fixes": [],
            }
        ],
        "summary": {"error": 1, "warning": 0, "note": 0, "suppressed": 2, "baselined": 0},
        "exit_code": 1,
    }


def test_no_place_is_null() -> None:
    assert written(report(finding(None)))["findings"][0]["location"] is None


def test_controls_surrogates_and_credentials() -> None:
    text = json_report.render(report(finding(None, f"\x1b[1m \u202e \ud800 {SECRET}")), View())
    assert "hunter2" not in text
    assert "\x1b" not in text
    assert json.loads(text)["findings"][0]["message"] == (
        "\x1b[1m \u202e \\ud800 https://****@index.example/simple"
    )


def project() -> Project:
    text = source(f'torch[cuda]==2.1.0 ; python_version < "3.12"\nprivate @ {SECRET}\n=x\n--bad\n')
    env = source("dependencies:\n  - pytorch::torch=2.1=py3*\n", "environment.yml")
    lock = source('name = "torch"\n', "uv.lock")
    versions = pep440("==2.1.0")
    assert versions is not None
    requirements = (
        Requirement(
            "torch",
            "Torch",
            "pypi",
            text.line_span(1),
            versions=versions,
            extras=("cuda",),
            marker=parse_marker('python_version < "3.12"'),
            hashes=("sha256:00",),
        ),
        Requirement("private", "private", "pypi", text.line_span(2), url=SECRET, group="dev"),
    )
    problems = (
        Problem(UNREADABLE_LINE, text.line_span(3), f"expected a name, not {SECRET}"),
        Problem(DROPPED_OPTION, text.line_span(4), "dropped", fatal=False),
    )
    conda = Requirement("torch", "torch", CONDA, env.line_span(2), channel="pytorch", build="py3*")
    locked = LockedPackage("torch", "torch", "2.1.0", span_of(lock, "torch"), origin=SECRET)
    sources = (
        Source(env, "conda-env", requirements=(conda,)),
        Source(text, "requirements", requirements=requirements, problems=problems),
        Source(lock, "uv-lock", "lock", locked=(locked,)),
    )
    unread = (Unread("big.txt", "it is too large"),)
    return Project(".", {one.path: one for one in sources}, unread=unread)


def test_deps_json() -> None:
    text = deps_json.render(project(), View())
    document = json.loads(text)
    assert text.isascii()
    assert document["schema"] == 1
    conda, torch, private = document["requirements"]
    assert torch == {
        "file": "requirements.txt",
        "line": 1,
        "name": "torch",
        "written": "Torch",
        "ecosystem": "pypi",
        "specifier": "==2.1.0",
        "extras": ["cuda"],
        "marker": 'python_version < "3.12"',
        "url": None,
        "group": "main",
        "group_kind": "main",
        "channel": None,
        "build": None,
        "hashes": ["sha256:00"],
    }
    assert (conda["ecosystem"], conda["channel"], conda["build"]) == ("conda", "pytorch", "py3*")
    assert private["url"] == "https://****@index.example/simple"
    assert document["locked"][0]["source"] == "https://****@index.example/simple"
    assert document["locked"][0]["version"] == "2.1.0"
    assert document["errors"] == [
        {
            "file": "requirements.txt",
            "line": 3,
            "message": "unreadable line: expected a name, not https://****@index.example/simple",
        }
    ]
    assert document["skipped"] == [{"path": "big.txt", "reason": "it is too large"}]


def test_deps_table() -> None:
    text = deps_table.render(project(), View())
    assert text == (
        "environment.yml (conda-env)\n"
        "     2  torch  any  channel pytorch; build py3*\n"
        "\n"
        "requirements.txt (requirements)\n"
        '     1  torch[cuda]  ==2.1.0  python_version < "3.12"\n'
        "     2  private      any      group dev; https://****@index.example/simple\n"
        "  line 3: unreadable line: expected a name, not\n"
        "    https://****@index.example/simple\n"
        "\n"
        "uv.lock (uv-lock)\n"
        "     1  torch  2.1.0  https://****@index.example/simple\n"
        "\n"
        "not read: big.txt (it is too large)\n"
        "3 requirements and 1 locked package in 3 files\n"
    )
    assert all(
        text_width(line) <= 40 for line in deps_table.render(project(), View(40)).split("\n")[:-2]
    )
