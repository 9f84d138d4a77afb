"""Workflow commands are well-formed, come worst first, and cannot be forged by a manifest."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from samples import finding, report, source, span_of

from mlenv.model.finding import Severity
from mlenv.model.report import SkippedFile
from mlenv.model.text import SourceText
from mlenv.report.github import render
from mlenv.report.view import View

COMMAND = re.compile(r"::(error|warning|notice) [^:]*::[^\r\n]*")


def test_worst_first_with_help_and_a_summary() -> None:
    text = source("numpy\ntorch\n")
    note = finding(span_of(text, "numpy"), "a note", severity=Severity.NOTE)
    warning = finding(span_of(text, "numpy"), "a warning", severity=Severity.WARNING)
    error = finding(span_of(text, "torch"), "100% wrong", help="pin it\nor lock it")
    assert render(report(note, warning, error), View()) == (
        "::error file=requirements.txt,line=2,col=1,endLine=2,endColumn=6,title=PIN001 unpinned"
        "::100%25 wrong%0Ahelp: pin it%0Aor lock it\n"
        "::warning file=requirements.txt,line=1,col=1,endLine=1,endColumn=6,title=PIN001 unpinned"
        "::a warning\n"
        "::notice file=requirements.txt,line=1,col=1,endLine=1,endColumn=6,title=PIN001 unpinned"
        "::a note\n"
        "1 error, 1 warning, 1 note; 1 file audited\n"
    )


def test_columns_are_left_out_over_several_lines_and_all_without_a_place() -> None:
    text = source("torch \\\n  ==2.1\n", "a,b:c%.txt")
    lines = render(report(finding(text.span(0, 15)), finding(None)), View(prefix="sub/")).split(
        "\n"
    )
    assert lines[0].startswith("::error file=sub/a%2Cb%3Ac%25.txt,line=1,endLine=2,title=PIN001")
    assert lines[1] == "::error title=PIN001 unpinned::torch has no version"


hostile = st.text(st.sampled_from("::error file=,%\r\n\x1b\u2028#[]ab "), max_size=60)


@given(hostile, hostile, hostile)
def test_nothing_is_injected(message: str, path: str, reason: str) -> None:
    text = SourceText(path, "torch\n")
    one = finding(text.line_span(1), message, help=reason)
    skipped = (SkippedFile(path, reason),)
    *commands, summary, end = re.split(
        r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]", render(report(one, skipped=skipped), View())
    )
    assert end == ""
    assert len(commands) == 1
    assert COMMAND.fullmatch(commands[0])
    assert not summary.lstrip().startswith("::")
    assert "##[" not in commands[0] + summary
