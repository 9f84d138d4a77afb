"""How often each rule spoke, and how badly: a table under a report, or a list in JSON."""

from __future__ import annotations

from mlenv.model.finding import Severity
from mlenv.report.columns import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.report import Report

_LEVELS = tuple(severity.value for severity in Severity)


def rule_counts(report: Report) -> list[dict[str, object]]:
    """Return how often each rule spoke, those with the most of the worst findings first.

    Returns:
        Per rule its code as ``rule``, its ``name``, and under each severity's name a number.
    """
    return [
        {"rule": code, "name": name, **dict(zip(_LEVELS, numbers, strict=True))}
        for code, name, numbers in _counts(report)
    ]


def count_lines(report: Report, width: int) -> Iterator[str]:
    """Yield the counts as lines of a table and an empty one; nothing where nothing was found."""
    rows = [
        (*map(_right, numbers, _LEVELS), f"{code} {name}")
        for code, name, numbers in _counts(report)
    ]
    if rows:
        yield from table([(*_LEVELS, "rule"), *rows], "  ", width)
        yield ""


def _right(number: int, heading: str) -> str:
    return str(number).rjust(len(heading))


def _counts(report: Report) -> list[tuple[str, str, list[int]]]:
    found: dict[tuple[str, str], list[int]] = {}
    for one in report.findings:
        found.setdefault((one.rule, one.name), [0] * len(_LEVELS))[one.severity.rank] += 1
    counts = [(code, name, numbers) for (code, name), numbers in found.items()]
    return sorted(counts, key=lambda count: ([-number for number in count[2]], count[0]))
