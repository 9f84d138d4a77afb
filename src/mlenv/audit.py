"""An audit from end to end: read the project, run the rules, decide the exit code."""

from __future__ import annotations

from mlenv.config import Config
from mlenv.exit_codes import CLEAN, FOUND, NOTHING
from mlenv.knowledge import KNOWLEDGE_DATE
from mlenv.model.finding import Severity
from mlenv.model.project import Project
from mlenv.model.report import AuditedFile, Report, Reported, SkippedFile
from mlenv.model.source import CONTEXT, LOCK
from mlenv.project.load import load_project
from mlenv.project.place import find_place
from mlenv.records import replace
from mlenv.rules.engine import run
from mlenv.rules.registry import RULES


def audit_project(
    paths: tuple[str, ...],
    config: Config,
    *,
    stdin: tuple[str, bytes] | None = None,
    today: str = "",
) -> Report:
    """Audit files and folders.

    Args:
        paths: What to audit; ``-`` stands for ``stdin``.
        config: What to report, and how.
        stdin: The name and the bytes of a file that is handed in.
        today: The day that suppressions are judged by, as ``YYYY-MM-DD``; empty for the real one.

    Raises:
        UsageError: A path does not exist.
    """
    place = find_place(paths, stdin[0] if stdin else "", config.path)
    config = replace(config, added=place.prefix, taken=place.home)
    project = load_project(
        paths, exclude=config.also_exclude, stdin=stdin, place=place, patterns=config.exclude
    )
    if config.profile:
        project = replace(
            project, profile=config.profile, profiles=dict.fromkeys(project.sources, config.profile)
        )
    findings, suppressed = run(RULES, project, config, today or _today())
    return Report(
        project.root,
        project.profile,
        _audited(project),
        _skipped(project),
        findings,
        suppressed,
        _exit_code(project, findings, config),
        KNOWLEDGE_DATE,
    )


def _audited(project: Project) -> tuple[AuditedFile, ...]:
    return tuple(
        AuditedFile(
            source.path,
            source.kind,
            len(source.requirements) or len(source.locked),
            source.role == LOCK,
        )
        for source in project.sources.values()
    )


def _skipped(project: Project) -> tuple[SkippedFile, ...]:
    return tuple(SkippedFile(one.path, one.reason) for one in project.unread if not one.kind)


def _exit_code(project: Project, findings: tuple[Reported, ...], config: Config) -> int:
    is_context = all(source.role == CONTEXT for source in project.sources.values())
    if is_context and not findings:
        return CLEAN if config.allow_empty else NOTHING
    if config.fail_on == "never":
        return CLEAN
    threshold = Severity(config.fail_on)
    return FOUND if any(one.severity.at_least(threshold) for one in findings) else CLEAN


def _today() -> str:
    from time import localtime, strftime

    return strftime("%Y-%m-%d", localtime())
