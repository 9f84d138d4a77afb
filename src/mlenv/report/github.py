"""Annotations for GitHub Actions: one workflow command per finding, worst first.

Worst first because GitHub shows ten annotations per step and kind. Source: the runner's
``ActionCommand`` and "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from mlenv.model.finding import Severity
from mlenv.report.escape import clean
from mlenv.report.summary import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.report import Report, Reported
    from mlenv.report.view import View

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report, view: View) -> str:
    """Return a workflow command per finding, and the summary as a plain last line."""
    findings = sorted(report.findings, key=lambda finding: finding.severity.rank)
    lines = [_command(finding, view.prefix) for finding in findings]
    return "\n".join([*lines, summary(report, name_all=view.verbose)]) + "\n"


def _command(finding: Reported, prefix: str) -> str:
    properties = {**_place(finding, prefix), "title": f"{finding.rule} {finding.name}"}
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    about = f"{finding.described}: " if finding.described else ""
    message = _data(clean(about + finding.message))
    for number, line in enumerate(finding.help.splitlines()):
        message += "%0A" + _data(f"{'' if number else 'help: '}{clean(line)}")
    return f"::{_COMMANDS[finding.severity]} {written}::{message}"


def _place(finding: Reported, prefix: str) -> dict[str, str]:
    span = finding.span
    if span is None or span.target:
        return {}
    end_line, end_column = span.stop
    place = {"file": clean(prefix + span.path), "line": str(span.line)}
    if end_line != span.line:
        # columns are refused where the lines differ
        return {**place, "endLine": str(end_line)}
    return {
        **place,
        "col": str(span.column),
        "endLine": str(end_line),
        "endColumn": str(end_column),
    }


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
