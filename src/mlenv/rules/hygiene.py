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
    finding at that line. This runs last, and only for rules that ran. Entries of the
    configuration are judged where all that they may speak of was audited.

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


@rule("HYG008", "suppression-without-reason", topic="hygiene", severity=Severity.NOTE)
def suppression_without_reason(project: Project, suppressions: Suppressions) -> Iterator[Finding]:
    """A suppression that does not say why.

    Whoever reads it next cannot tell whether it still holds, so nobody dares to remove it. Any
    words will do, and until= makes it end by itself.

    Bad:
        torch==2.1.0.dev20231010  # mlenv: ignore[PIN007]

    Good:
        torch==2.1.0.dev20231010  # mlenv: ignore[PIN007] until=2027-01-31 the release is in QA
    """
    if project.sources:
        for span in suppressions.without_reason():
            yield Finding(
                "this suppression gives no reason",
                span,
                help="say in a few words why it is there",
                batch="no-reason",
                batch_message="{count} suppressions give no reason",
            )
