"""The one sentence that ends a report: what was found, and what was not audited."""

from __future__ import annotations

from mlenv.model.finding import Severity
from mlenv.phrases import counted, listed
from mlenv.report.escape import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.report import Report

_NAMED = 3
"""How many files left out for one reason are named before the rest is only counted."""


def summary(report: Report, *, name_all: bool = False) -> str:
    """Return the last line of a report, fit to show.

    Args:
        report: What was audited.
        name_all: Whether every file that was not audited is named, however many.
    """
    # a machine or an environment that was named is audited, whatever files there are
    is_judged = bool(report.targets) and not report.exit_code
    environment = report.environment
    if environment is not None and environment.is_project:
        is_judged = True
    if not report.files and not report.findings and not is_judged:
        left_out = _skipped(report, name_all)
        return f"nothing to audit: no dependency file was read{left_out and f' ({left_out})'}"
    found = ", ".join(
        counted(count, severity.value) for severity in Severity if (count := report.count(severity))
    )
    silent = [
        f"{report.suppressed} suppressed" if report.suppressed else "",
        f"{report.baselined} in the baseline" if report.baselined else "",
    ]
    aside = ", ".join(filter(None, silent))
    audited = f"{counted(len(report.files), 'file')} audited"
    if environment is not None:
        held = counted(len(environment.distributions), "installed distribution")
        audited = f"{counted(len(report.files), 'file')} and {held} audited"
    left_out = _skipped(report, name_all)
    found = f"{found or 'no findings'}{aside and f' ({aside})'}"
    return f"{found}; {audited}{left_out and f', {left_out}'}"


def _skipped(report: Report, name_all: bool) -> str:
    """Return what was not audited, each reason once with the files that it holds for."""
    if not report.skipped:
        return ""
    by_reason: dict[str, list[str]] = {}
    for file in report.skipped:
        by_reason.setdefault(file.reason, []).append(clean(file.path))
    groups = [
        f"{listed(paths, len(paths) if name_all else _NAMED)} ({clean(reason)})"
        for reason, paths in by_reason.items()
    ]
    return f"{len(report.skipped)} not: {'; '.join(groups)}"
