"""One finding, one line, that editors and grep understand; and how often each rule spoke."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import finding, report, source, span_of

from mlenv.model.finding import Severity
from mlenv.model.report import Report, SkippedFile
from mlenv.model.text import SourceText
from mlenv.records import replace
from mlenv.report import concise, json_report, text
from mlenv.report.view import View


def mixed() -> Report:
    file = source("numpy\ntorch\nscipy\n")
    return report(
        finding(span_of(file, "numpy"), "a note " + "x" * 200, severity=Severity.NOTE),
        finding(span_of(file, "torch"), "an error", help="pin it"),
        replace(
            finding(span_of(file, "scipy"), "a warning", severity=Severity.WARNING),
            rule="LCK001",
            name="no-lock",
        ),
        replace(finding(span_of(file, "scipy"), "worse"), rule="LCK001", name="no-lock"),
        skipped=(SkippedFile("x.txt", "too large"),),
    )


def test_a_line_for_each_finding_however_long_and_the_summary() -> None:
    assert concise.render(mixed(), View(width=40, prefix="sub/")).splitlines() == [
        "sub/requirements.txt:1:1: note PIN001 a note " + "x" * 200,
        "sub/requirements.txt:2:1: error PIN001 an error",
        "sub/requirements.txt:3:1: warning LCK001 a warning",
        "sub/requirements.txt:3:1: error LCK001 worse",
        "2 errors, 1 warning, 1 note; 1 file audited, 1 not: x.txt (too large)",
    ]


def test_quiet_is_errors_only() -> None:
    lines = concise.render(mixed(), View(quiet=True)).splitlines()
    assert [line.split(": ")[-1] for line in lines[:-1]] == [
        "error PIN001 an error",
        "error LCK001 worse",
    ]


def test_colour_only_decorates() -> None:
    painted = concise.render(mixed(), View(color=True))
    assert "\x1b[1;31merror\x1b[0m PIN001" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == concise.render(mixed(), View())


def test_a_finding_without_a_place_has_its_line_too() -> None:
    lines = concise.render(report(finding(None, "no file")), View()).splitlines()
    assert lines[0] == "error PIN001 no file"


hostile = st.text(st.sampled_from("::error::,\r\n\x1b\u2028\u202e#[]ab "), max_size=60)


@given(hostile, hostile)
def test_nothing_is_injected(message: str, path: str) -> None:
    one = finding(SourceText(path, "torch\n").line_span(1), message)
    line, summary, end = concise.render(report(one), View()).split("\n")
    assert ":1:1: error PIN001" in line
    assert line.isprintable()
    assert not line.lstrip().startswith("::")
    assert "##[" not in line
    assert (summary, end) == ("1 error; 1 file audited", "")


TABLE = [
    "  error  warning  note  rule",
    "      1        1     0  LCK001 no-lock",
    "      1        0     1  PIN001 unpinned",
    "",
]


@pytest.mark.parametrize("render", [text.render, concise.render])
def test_statistics_stand_before_the_summary(render: object) -> None:
    assert callable(render)
    with_counts = render(mixed(), View(statistics=True)).splitlines()
    without = render(mixed(), View()).splitlines()
    assert with_counts == [*without[:-1], *TABLE, without[-1]]
    assert render(report(), View(statistics=True)) == render(report(), View())


def test_statistics_fit_the_narrowest_view() -> None:
    shown = text.render(mixed(), View(width=40, statistics=True)).splitlines()
    assert [line for line in shown if line.startswith("      1")] == TABLE[1:3]
    long = replace(mixed().findings[0], name="x" * 60)
    shown = concise.render(report(long), View(width=40, statistics=True)).splitlines()
    assert len(shown[2]) == 40
    assert shown[2].endswith("…")


def test_statistics_in_json_come_with_the_flag_alone() -> None:
    shown = json.loads(json_report.render(mixed(), View(statistics=True)))
    assert shown.pop("statistics") == [
        {"rule": "LCK001", "name": "no-lock", "error": 1, "warning": 1, "note": 0},
        {"rule": "PIN001", "name": "unpinned", "error": 1, "warning": 0, "note": 1},
    ]
    assert shown == json.loads(json_report.render(mixed(), View()))
