"""Reports made by hand, for the renderers to show."""

from __future__ import annotations

from mlenv.model.finding import Certainty, Evidence, Related, Severity
from mlenv.model.report import AuditedFile, Report, Reported, SkippedFile
from mlenv.model.text import SourceText, Span


def source(text: str, path: str = "requirements.txt") -> SourceText:
    return SourceText(path, text)


def span_of(source: SourceText, part: str, *, nth: int = 0) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(part, start + 1)
    return source.span(start, start + len(part))


def finding(
    span: Span | None,
    message: str = "torch has no version",
    *,
    severity: Severity = Severity.ERROR,
    certainty: Certainty = Certainty.CERTAIN,
    related: tuple[Related, ...] = (),
    help: str = "",  # noqa: A002
    evidence: tuple[Evidence, ...] = (),
) -> Reported:
    return Reported(
        rule="PIN001",
        name="unpinned",
        topic="pins",
        severity=severity,
        certainty=certainty,
        message=message,
        packages=("torch",),
        span=span,
        related=related,
        help=help,
        evidence=evidence,
        identity=("x",),
    )


def report(
    *findings: Reported,
    files: tuple[AuditedFile, ...] = (AuditedFile("requirements.txt", "requirements", 3),),
    skipped: tuple[SkippedFile, ...] = (),
    suppressed: int = 0,
    root: str = ".",
) -> Report:
    exit_code = int(any(finding.severity is Severity.ERROR for finding in findings))
    return Report(
        root, "application", files, skipped, findings, suppressed, exit_code, "2026-11-20"
    )
