"""The one sentence that ends a report: what was found, and what was not audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlenv.model.finding import Severity
from mlenv.report.escape import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlenv.model.report import Report, SkippedFile

_NAMED = 5
"""How many skipped files are named before the rest is only counted."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def summary(report: Report, *, name_all: bool = False) -> str:
    """Return the last line of a report, fit to show.

    Args:
        report: What was audited.
        name_all: Whether every file that was not audited is named, however many.
    """
    if not report.files and not report.findings:
        return f"nothing to audit: no dependency file was found{_skipped(report, name_all)}"
    found = ", ".join(
        counted(count, severity.value) for severity in Severity if (count := report.count(severity))
    )
    suppressed = f" ({report.suppressed} suppressed)" if report.suppressed else ""
    audited = f"{counted(len(report.files), 'file')} audited"
    return f"{found or 'no findings'}{suppressed}; {audited}{_skipped(report, name_all)}"


def _skipped(report: Report, name_all: bool) -> str:
    skipped: Sequence[SkippedFile] = report.skipped
    if not skipped:
        return ""
    named = skipped if name_all else skipped[:_NAMED]
    names = ", ".join(f"{clean(file.path)} ({clean(file.reason)})" for file in named)
    more = f" and {len(skipped) - len(named)} more" if len(named) < len(skipped) else ""
    return f", {len(skipped)} not: {names}{more}"
