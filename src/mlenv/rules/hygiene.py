"""Topic ``hygiene``: what makes a repository harder to work with than it need be."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.finding import Finding, Severity
from mlenv.model.project import Project
from mlenv.rules.base import rule
from mlenv.suppress import Suppressions


@rule("HYG001", "stale-suppression", topic="hygiene", severity=Severity.NOTE)
def stale_suppression(project: Project, suppressions: Suppressions) -> Iterator[Finding]:
    """A suppression that silences nothing, has run out, or names no rule.

    What was excused has been mended, or the date has passed; the comment now hides the next
    finding at that line. This runs last, and only for rules that ran.

    Bad:
        numpy==1.24.3  # mlenv: ignore[PIN001] pinned by the platform

    Good:
        numpy==1.24.3
    """
    if project.sources:
        for stale in suppressions.stale():
            yield Finding(
                f"this suppression does nothing: {stale.reason}", stale.span, help="remove it"
            )
