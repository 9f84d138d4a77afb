"""An audit from end to end: read the project, run the rules, decide the exit code."""

from __future__ import annotations

import os

from mlenv.config import Config
from mlenv.exit_codes import CLEAN, FOUND, NOTHING
from mlenv.knowledge import KNOWLEDGE_DATE, Knowledge
from mlenv.model.finding import Severity
from mlenv.model.project import Project
from mlenv.model.report import AuditedFile, Report, Reported, RuleText, SkippedFile
from mlenv.model.source import LOCK
from mlenv.model.surroundings import NOTHING_AROUND, Surroundings
from mlenv.project.files import Tree, Unreadable
from mlenv.project.load import load_project
from mlenv.project.place import Place, find_place
from mlenv.records import replace
from mlenv.rules.engine import run
from mlenv.rules.table import LISTED
from mlenv.suppress import Entries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.baseline import Ledger
    from mlenv.model.environment import Environment


def audit_project(
    paths: tuple[str, ...],
    config: Config,
    *,
    stdin: tuple[str, bytes] | None = None,
    today: str = "",
    ledger: Ledger | None = None,
    baseline: str = "",
    around: Surroundings = NOTHING_AROUND,
) -> Report:
    """Audit files and folders.

    Args:
        paths: What to audit; ``-`` stands for ``stdin``.
        config: What to report, and how.
        stdin: The name and the bytes of a file that is handed in.
        today: The day that is judged by, as ``YYYY-MM-DD``; empty for the real one.
        ledger: Holds the findings against a baseline, and takes them all in.
        baseline: The baseline's file, which lies at the top of a project that has no git
            repository and no configuration.
        around: The machines that the project is meant for, what is installed, and this machine.

    Raises:
        UsageError: A path does not exist.
    """
    place = find_place(paths, stdin[0] if stdin else "", config.path or baseline)
    config = replace(config, added=place.prefix, taken=place.home)
    project = load_project(
        paths, exclude=config.also_exclude, stdin=stdin, place=place, patterns=config.exclude
    )
    if config.profile:
        project = _with_profile(project, config.profile)
    if ledger is not None:
        ledger.prefix, ledger.named = place.prefix, place.named
        ledger.unread = frozenset(place.prefix + one.path for one in project.unread)
    findings, suppressed = run(
        LISTED,
        project,
        config,
        today or _today(),
        entries=_entries(place, project, config),
        ledger=ledger,
        knowledge=_knowledge(config),
        around=around,
    )
    return Report(
        project.root,
        project.profile,
        _audited(project),
        _skipped(project, around.environment),
        findings,
        suppressed,
        _exit_code(project, findings, config, around.environment),
        KNOWLEDGE_DATE,
        _rule_texts,
        ledger.count if ledger is not None else 0,
        around.targets,
        around.environment,
    )


def audit_surroundings(around: Surroundings, config: Config, today: str = "") -> Report:
    """Audit what is installed and the machine, without any project.

    Args:
        around: The environment, the machine, and the machine that is judged for.
        config: What to report, and how.
        today: The day that is judged by, as ``YYYY-MM-DD``; empty for the real one.
    """
    project = Project(".", {})
    findings, suppressed = run(LISTED, project, config, today or _today(), around=around)
    code = _exit_code(project, findings, replace(config, allow_empty=True), around.environment)
    return Report(
        *(project.root, project.profile, (), (), findings, suppressed, code, KNOWLEDGE_DATE),
        targets=around.targets,
        environment=around.environment,
    )


def _rule_texts() -> tuple[RuleText, ...]:
    from mlenv.rules.registry import rule_texts  # few reports list the rules

    return rule_texts()


def _with_profile(project: Project, profile: str) -> Project:
    return replace(project, profile=profile, profiles=dict.fromkeys(project.sources, profile))


def _knowledge(config: Config) -> Knowledge:
    """Return the records, with those that the configuration adds."""
    if not config.extra_facts:
        return Knowledge()
    from mlenv.knowledge.extra import read_extra

    return Knowledge(read_extra(config.extra_facts, os.path.dirname(config.path) or os.curdir))


def _entries(place: Place, project: Project, config: Config) -> Entries | None:
    """Return the configuration's suppressions where the audit can judge them.

    That is where all that they may speak of was audited: the whole folder of the configuration.
    """
    within = any(place.home.startswith(f"{name}/" if name else "") for name in place.named)
    if not config.ignore_entries or not within or config.also_exclude:
        return None
    name = os.path.basename(config.path)
    path = (place.home + name).removeprefix(place.prefix)
    if not _is_same(os.path.join(place.root, path), config.path):
        return None
    source = project.sources.get(path)
    text = source.text if source is not None else Tree(place.root).read(path)
    if isinstance(text, Unreadable):
        return None
    table = ("tool", "mlenv", "ignore") if name == "pyproject.toml" else ("ignore",)
    return Entries(config.ignore_entries, text, table)


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


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


def _skipped(project: Project, environment: Environment | None) -> tuple[SkippedFile, ...]:
    """Return what was not read; an environment that was looked at itself is not among it."""
    looked_at = environment.name if environment is not None else None
    return tuple(
        SkippedFile(one.path, one.reason)
        for one in project.unread
        if not one.kind and one.path != looked_at
    )


def _exit_code(
    project: Project,
    findings: tuple[Reported, ...],
    config: Config,
    environment: Environment | None,
) -> int:
    has_own = environment is not None and environment.is_project
    if project.is_empty and not findings and not has_own:
        return CLEAN if config.allow_empty else NOTHING
    if config.fail_on == "never":
        return CLEAN
    threshold = Severity(config.fail_on)
    return FOUND if any(one.severity.at_least(threshold) for one in findings) else CLEAN


def _today() -> str:
    from time import localtime, strftime

    return strftime("%Y-%m-%d", localtime())
