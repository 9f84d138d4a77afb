"""Runs the rules over a project: each at its granularity, each thing it asks for computed once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mlenv.config import Config, covers, matches_path
from mlenv.knowledge import Knowledge
from mlenv.model.finding import Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.report import Reported
from mlenv.model.source import CONTEXT
from mlenv.model.text import Span
from mlenv.phrases import listed
from mlenv.records import replace
from mlenv.rules.base import Rule
from mlenv.suppress import Suppressions

_MOST_NAMED = 3


def run(
    rules: Iterable[Rule], project: Project, config: Config, today: str
) -> tuple[tuple[Reported, ...], int]:
    """Return the findings of the rules that the configuration wants, and how many were silenced.

    Args:
        rules: The rules to run.
        project: What was read.
        config: Which rules count, where, and how much.
        today: The day of the audit, as ``YYYY-MM-DD``.

    Returns:
        The findings in order of file and place, joined where they share a cause.
    """
    suppressions = Suppressions(today)
    suppressions.add(project.sources.values())
    context = {"project": project, "knowledge": Knowledge(), "suppressions": suppressions}
    wanted = [
        one
        for one in rules
        if config.reports(one.code, one.topic) and config.level(one.code, one.topic) != "off"
    ]
    suppressions.known = frozenset(one.code for one in rules)
    suppressions.ran = frozenset(one.code for one in wanted)
    # what judges the suppressions themselves must see which of them the other rules used
    wanted.sort(key=lambda one: "suppressions" in one.needs)
    silencer = _Silencer(config, suppressions)
    found: list[Reported] = []
    for one in wanted:
        level = config.level(one.code, one.topic)
        said = _unique(_findings(one, context))
        heard = [finding for finding in said if not silencer.silences(one, finding)]
        joined = _joined(heard, one.severity)
        found.extend(_reported(one, finding, level, project) for finding in joined)
    found.sort(key=lambda r: (r.span.order if r.span else ("", 0, 0), r.severity.rank, r.rule))
    return tuple(found), silencer.count


def _findings(one: Rule, context: dict[str, Any]) -> Iterator[Finding]:
    project: Project = context["project"]
    others = [context[name] for name in one.needs[1:]]
    if one.needs[0] == "source":
        for source in project.sources.values():
            if source.role != CONTEXT:
                yield from one.check(source, *others)
            elif one.topic == "parse":
                # nobody installs from a record or a fixture, and some are broken on purpose
                for finding in one.check(source, *others):
                    yield replace(finding, severity=Severity.NOTE)
        return
    items = project.install_sets if one.needs[0] == "install_set" else (project,)
    for item in items:
        yield from one.check(item, *others)


class _Silencer:
    """Decides which findings the configuration and the comments silence, and counts them."""

    def __init__(self, config: Config, suppressions: Suppressions) -> None:
        self.config = config
        self.suppressions = suppressions
        self.count = 0
        self._by_path: dict[str, tuple[str, ...]] = {}

    def silences(self, one: Rule, finding: Finding) -> bool:
        # the comment is asked first: one that silences what is silenced twice is not stale
        silenced = (
            self.suppressions.covers(one.code, finding.span)
            or any(covers(s, one.code, one.topic) for s in self._ignored_in(finding.span.path))
            or self._excused(one, finding)
        )
        self.count += silenced
        return silenced

    def _ignored_in(self, path: str) -> tuple[str, ...]:
        if path not in self._by_path:
            self._by_path[path] = self.config.ignored_in(path)
        return self._by_path[path]

    def _excused(self, one: Rule, finding: Finding) -> bool:
        return any(
            covers(entry.rule, one.code, one.topic)
            and (not entry.package or entry.package in finding.packages)
            and (not entry.file or matches_path(entry.file, self.config.local(finding.span.path)))
            and (not entry.until or entry.until >= self.suppressions.today)
            for entry in self.config.ignore_entries
        )


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without those that a second install set said again."""
    seen: dict[tuple[Span, str, tuple[Span, ...]], Finding] = {}
    for finding in findings:
        key = (finding.span, finding.message, tuple(related.span for related in finding.related))
        seen.setdefault(key, finding)
    return list(seen.values())


def _joined(findings: Iterable[Finding], default: Severity) -> Iterator[Finding]:
    """Yield findings with those of one file and batch made one, as severe as the worst of them."""
    batches: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.batch:
            batches.setdefault((finding.span.path, finding.batch), []).append(finding)
        else:
            yield finding
    for members in batches.values():
        # the worst leads: it is the cause of the severity
        yield _join(sorted(members, key=lambda one: _rank(one, default)), default)


def _rank(finding: Finding, default: Severity) -> tuple[int, tuple[str, int, int]]:
    return (finding.severity or default).rank, finding.span.order


def _join(members: list[Finding], default: Severity) -> Finding:
    first = members[0]
    if len(members) == 1:
        return first
    packages = tuple(dict.fromkeys(name for one in members for name in one.packages))
    worst = min((one.severity or default for one in members), key=lambda severity: severity.rank)
    related = [Related(one.span) for one in members[1:]]
    others = {other.span: other for one in members for other in one.related}.values()
    if len(packages) == 1 and first.packages:
        return replace(first, severity=worst, related=(*related, *others))
    count = len(packages) if all(one.packages for one in members) else len(members)
    # not str.format: the sentence may hold a path, and a path may hold braces
    message = first.batch_message.replace("{count}", str(count))
    message = message.replace("{packages}", listed(packages, _MOST_NAMED))
    return replace(
        first,
        message=message.rstrip(": "),
        packages=packages,
        severity=worst,
        related=(*related, *others),
    )


def _reported(one: Rule, finding: Finding, level: str, project: Project) -> Reported:
    severity = finding.severity or one.severity
    # the configuration may make a rule worse, but not where nobody installs from
    if level and project.sources[finding.span.path].role != CONTEXT:
        severity = Severity(level)
    return Reported(
        one.code,
        one.name,
        one.topic,
        severity,
        finding.certainty,
        finding.message,
        finding.packages,
        finding.span,
        finding.related,
        finding.help,
        finding.evidence,
        _identity(finding),
    )


def _identity(finding: Finding) -> tuple[str, ...]:
    if finding.batch:
        return (finding.batch,)
    source = finding.span.source
    return *sorted(finding.packages), " ".join(source.line_text(finding.span.line).split())
