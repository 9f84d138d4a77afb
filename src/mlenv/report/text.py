"""The report for people: a frame per finding, with the line, the reason and what to do."""

from __future__ import annotations

from mlenv import __version__
from mlenv.model.finding import Certainty, Related, Severity
from mlenv.phrases import counted
from mlenv.report.ansi import Paint, painter
from mlenv.report.columns import table, wrapped
from mlenv.report.escape import clean
from mlenv.report.frame import Mark, frame, gutter_width
from mlenv.report.summary import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlenv.model.report import Report, Reported
    from mlenv.report.view import View

_RELATED = 3
"""How many related places are shown before the rest is only counted."""
_EVIDENCE = 2

_CERTAINTY = {
    Certainty.POSSIBLE: "possible: it depends on what gets installed",
    Certainty.FRESH_INSTALL: "what an installer would pick today",
}


def render(report: Report, view: View) -> str:
    """Return the report as lines of text.

    No line is wider than ``view.width``, but for one that names a place whose path is too long: a
    path that was cut could not be opened.

    Args:
        report: What was found.
        view: Width, colour and how much to say.
    """
    return "\n".join(_lines(report, view, painter(color=view.color))) + "\n"


def _lines(report: Report, view: View, paint: Paint) -> Iterator[str]:
    if not view.quiet:
        yield from _header(report, view, paint)
    for finding in report.findings:
        if view.quiet and finding.severity is not Severity.ERROR:
            continue
        yield from _finding(finding, view, paint)
        yield ""
    if view.statistics:
        from mlenv.report.statistics import count_lines  # few ask

        yield from count_lines(report, view.width)
    for line in wrapped(summary(report, name_all=view.verbose), view.width, "", "  "):
        yield paint(line, "strong")


def _header(report: Report, view: View, paint: Paint) -> Iterator[str]:
    locks = [file for file in report.files if file.is_lock]
    locked = sum(file.requirements for file in locks)
    declared = sum(file.requirements for file in report.files) - locked
    said = [counted(len(report.files), "file"), counted(declared, "requirement")]
    if locked:
        said.append(counted(locked, "locked package"))
    said.append(f"profile {report.profile}")
    said += [f"target {clean(target.name)}" for target in report.targets]
    if report.environment is not None:
        said.append(f"environment {clean(report.environment.name)}")
    if report.root != ".":
        said.append(f"root {clean(report.root)}")
    for line in wrapped(f"mlenv {__version__}: {', '.join(said)}", view.width, "", "  "):
        yield paint(line, "strong")
    if view.verbose:
        rows = [
            (clean(file.path), clean(file.kind), str(file.requirements)) for file in report.files
        ]
        yield from table(rows, "  ", view.width)
    yield ""


def _finding(finding: Reported, view: View, paint: Paint) -> Iterator[str]:
    style = finding.severity.value
    label = f"{style}[{finding.rule}]"
    head = list(wrapped(clean(finding.message), view.width, f"{label} ", "  "))
    yield paint(label, style) + paint(head[0][len(label) :], "strong")
    yield from (paint(line, "strong") for line in head[1:])
    is_compact = finding.severity is Severity.NOTE and not view.verbose
    gutter = 1
    if finding.span is not None and is_compact:
        yield _arrow(finding, gutter, view, paint)
        yield from _more(finding, finding.related, "also", gutter, view, paint)
    elif finding.span is not None:
        related = finding.related if view.verbose else finding.related[:_RELATED]
        marks = [Mark(finding.span, "^", style), *map(_related_mark, related)]
        gutter = gutter_width(marks)
        yield _arrow(finding, gutter, view, paint)
        for number, group in enumerate(_by_file(marks)):
            if number:
                yield _place(group[0], gutter, view, paint)
            yield from frame(group, gutter, view.width, paint)
        rest = finding.related[len(related) :]
        yield from _more(finding, rest, f"and {len(rest)} more", gutter, view, paint)
    yield from _remarks(finding, gutter, view, paint, is_compact=is_compact)


def _related_mark(related: Related) -> Mark:
    return Mark(related.span, "-", "gutter", related.message)


def _by_file(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Return the marks by file, the primary one's first."""
    groups: dict[str, list[Mark]] = {}
    for mark in marks:
        groups.setdefault(mark.span.path, []).append(mark)
    return list(groups.values())


def _arrow(finding: Reported, gutter: int, view: View, paint: Paint) -> str:
    assert finding.span is not None
    return _place(Mark(finding.span, "^", ""), gutter, view, paint)


def _place(mark: Mark, gutter: int, view: View, paint: Paint) -> str:
    span = mark.span
    place = f"{view.path(span)}:{span.line}:{span.column}"
    if span.target and len(span.source.line_starts) == 1:  # no file has one line
        place = view.path(span)
    return f"{paint(' ' * gutter + '-->', 'gutter')} {place}"


def _more(
    finding: Reported,
    places: Sequence[Related],
    label: str,
    gutter: int,
    view: View,
    paint: Paint,
) -> Iterator[str]:
    """Name the places that get no frame, by their lines where they share a file."""
    if not places:
        return
    paths = {related.span.path for related in places}
    text = f"in {len(paths)} files"
    if len(paths) == 1:
        first = places[0].span
        text = f"at {_line_ranges([related.span.line for related in places])}"
        if finding.span is None or first.path != finding.span.path:
            text += f" of {view.path(first)}"
    yield from _remark(label, text, gutter, view, paint)


def _line_ranges(lines: Sequence[int]) -> str:
    """Return line numbers with neighbours joined: ``lines 3-5, 9``."""
    ranges: list[list[int]] = []
    for line in sorted(set(lines)):
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    joined = ", ".join(f"{low}" if low == high else f"{low}-{high}" for low, high in ranges)
    return f"{'line' if joined.isdigit() else 'lines'} {joined}"


def _remarks(
    finding: Reported, gutter: int, view: View, paint: Paint, *, is_compact: bool
) -> Iterator[str]:
    if finding.certainty in _CERTAINTY:
        yield from _remark("certainty", _CERTAINTY[finding.certainty], gutter, view, paint)
    shown = len(finding.evidence) if view.verbose else 0 if is_compact else _EVIDENCE
    for evidence in finding.evidence[:shown]:
        text = f"{evidence.fact} ({evidence.source})"
        yield from _remark("why", text, gutter, view, paint)
    hidden = len(finding.evidence) - shown
    if hidden > 0 and not is_compact:
        text = f"{counted(hidden, 'more fact')}, shown with -v"
        yield from _remark("why", text, gutter, view, paint)
    if finding.help:
        yield from _remark("help", finding.help, gutter, view, paint)


def _remark(label: str, text: str, gutter: int, view: View, paint: Paint) -> Iterator[str]:
    margin = " " * gutter
    sign = f"{margin} = "
    # every line of the text is a line of its own: help may hold a few
    lines = [clean(line) for line in text.splitlines() or [""]]
    for number, line in enumerate(lines):
        first = f"{sign}{label}: " if number == 0 else f"{margin}     "
        for at, broken in enumerate(wrapped(line, view.width, first, f"{margin}     ")):
            is_head = number == 0 and at == 0
            yield paint(sign, "gutter") + broken[len(sign) :] if is_head else broken
