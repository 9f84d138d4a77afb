"""The report as one line per finding, for editors, terminals that follow places, and grep."""

from __future__ import annotations

from mlenv.model.finding import Severity
from mlenv.report.ansi import Paint, painter
from mlenv.report.columns import harmless
from mlenv.report.escape import clean
from mlenv.report.summary import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.report import Report, Reported
    from mlenv.report.view import View


def render(report: Report, view: View) -> str:
    """Return ``path:line:column: severity CODE message`` per finding, and the summary last.

    No line is broken, however long: who reads by lines must find each finding on one.
    """
    return "\n".join(_lines(report, view, painter(color=view.color))) + "\n"


def _lines(report: Report, view: View, paint: Paint) -> Iterator[str]:
    for finding in report.findings:
        if not view.quiet or finding.severity is Severity.ERROR:
            yield _line(finding, view, paint)
    if view.statistics:
        from mlenv.report.statistics import count_lines  # few ask

        yield from count_lines(report, view.width)
    yield paint(summary(report, name_all=view.verbose), "strong")


def _line(finding: Reported, view: View, paint: Paint) -> str:
    span = finding.span
    place = ""
    if span is not None:
        place = f"{view.path(span)}:{span.line}:{span.column}: "
        if span.target:
            place = f"{clean(span.described)}: "
    style = finding.severity.value
    return f"{harmless(place)}{paint(style, style)} {finding.rule} {clean(finding.message)}"
