"""Runs the rules over a project: each at its granularity, each thing it asks for computed once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlenv.config import Config, covers, matches_path
from mlenv.knowledge import Knowledge
from mlenv.model.finding import Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.report import Reported
from mlenv.model.source import CONTEXT
from mlenv.model.surroundings import NOTHING_AROUND, Surroundings
from mlenv.model.text import Span
from mlenv.phrases import listed
from mlenv.records import replace
from mlenv.rules.base import Listed, Rule
from mlenv.rules.table import LISTED
from mlenv.suppress import Entries, Suppressions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlenv.baseline import Ledger
    from mlenv.model.target import Target

_OF_FILES = frozenset(("project", "code", "knowledge", "targets", "today"))
"""Rules that need no more than these judge files, and machines that files describe."""
_MOST_NAMED = 3
_LONGEST_LINE = 2_000
"""In characters; findings on a longer one would each take the time of all the others."""


def run(
    rules: Iterable[Rule | Listed],
    project: Project,
    config: Config,
    today: str,
    *,
    entries: Entries | None = None,
    ledger: Ledger | None = None,
    knowledge: Knowledge | None = None,
    around: Surroundings = NOTHING_AROUND,
) -> tuple[tuple[Reported, ...], int]:
    """Return the findings of the rules that the configuration wants, and how many were silenced.

    Args:
        rules: The rules to run; the modules of those that are listed are loaded where they have
            something to judge.
        project: What was read.
        config: Which rules count, where, and how much.
        today: The day of the audit, as ``YYYY-MM-DD``.
        entries: The configuration's own suppressions, where they are to be judged as well.
        ledger: The baseline, which accepts findings before they are joined.
        knowledge: The records; mlenv's own where none are given.
        around: The machines that it is meant for, what is installed, and this machine.

    Returns:
        The findings in order of file and place, joined where they share a cause.
    """
    suppressions = Suppressions(today, entries=entries)
    suppressions.add(project.sources.values())
    context = {
        "project": project, "code": project.code, "suppressions": suppressions, "today": today,
        "targets": around.targets, "knowledge": knowledge or Knowledge(),
        "environment": around.environment, "machine": around.machine,
    }  # fmt: skip
    wanted = [
        one
        for one in rules
        if config.reports(one.code, one.topic) and config.level(one.code, one.topic) != "off"
    ]
    # what was not looked at tells nothing of what is stale
    ran = [one for one in wanted if context.get(one.needs[0], one) is not None]
    topics = {one.code: one.topic for one in (*LISTED, *rules)}
    suppressions.known = frozenset(topics)
    suppressions.ran = frozenset(one.code for one in ran)
    if ledger is not None:
        ledger.rules, ledger.ran = suppressions.known, suppressions.ran
    if entries is not None:
        entries.judged = _judged(entries, topics, ran)
    # what judges the suppressions themselves must see which of them the other rules used
    wanted.sort(key=lambda one: "suppressions" in one.needs)
    silencer = _Silencer(config, suppressions)
    found: list[Reported] = []
    for entry in wanted:
        items = _judged_by(entry, context)
        if not items:
            continue
        one = entry.rule
        level = config.level(one.code, one.topic)
        said = _unique(_findings(one, items, context))
        heard = [finding for finding in said if not silencer.silences(one, finding)]
        if ledger is not None:
            heard = _new(one, heard, ledger, project)
        joined = _joined(heard, one.severity)
        found.extend(_reported(one, finding, level, project) for finding in joined)
    found.sort(key=_order)
    return tuple(found), silencer.count


def _new(one: Rule, findings: list[Finding], ledger: Ledger, project: Project) -> list[Finding]:
    """Return the findings that a baseline does not hold."""
    sources = project.sources
    return [
        finding
        for finding in findings
        if not ledger.holds(one.code, finding, sources.get(finding.span.path))
    ]


def _order(one: Reported) -> tuple[str, tuple[str, int, int], int, str, str]:
    """Return what findings are sorted by: those in files first, then those in each target."""
    place = one.span.order if one.span else ("", 0, 0)
    return one.target, place, one.severity.rank, one.rule, one.message


def _findings(one: Rule, items: Sequence[object], context: dict[str, Any]) -> Iterator[Finding]:
    sources = context["project"].sources
    others = [
        _items("setting", context) if name == "settings" else context[name]
        for name in one.needs[1:]
    ]
    for finding in (found for item in items for found in one.check(item, *others)):
        source = sources.get(finding.span.path)
        # nobody installs from a record or a fixture, and some are broken on purpose
        is_mild = source is not None and (
            source.is_record or (source.role == CONTEXT and one.topic == "parse")
        )
        yield replace(finding, severity=Severity.NOTE) if is_mild else finding


def _judged_by(one: Rule | Listed, context: dict[str, Any]) -> Sequence[object]:
    """Return what a rule is called for; nothing where it can have nothing to say."""
    granularity = one.needs[0]
    if _OF_FILES.issuperset(one.needs) and _is_bare(context["project"], context["targets"]):
        return ()
    items = _items(granularity, context)
    if granularity == "source" and one.topic != "parse":
        return [source for source in items if source.role != CONTEXT]
    return [item for item in items if _concerns(one, item, context)] if one.only else items


def _concerns(one: Rule | Listed, item: Any, context: dict[str, Any]) -> bool:
    """Whether there is what a rule has to find: in what it is called for, or in what is around."""
    around = [item]
    settings: Sequence[Any] = ()
    if one.needs[0] == "setting":
        around.append(item.target)
        settings = (item,)
    elif one.needs[0] == "project":
        around.extend(context["targets"])
        settings = _items("setting", context) if "settings" in one.needs else ()
    elif "project" in one.needs:
        around.append(context["project"])
    return any(setting.kind in one.only for setting in settings) or any(
        getattr(thing, field, None) for thing in around for field in one.only
    )


def _is_bare(project: Project, targets: Sequence[Target]) -> bool:
    """Whether nothing of a project was found: an audit may be of an environment alone."""
    repository = project.repository
    found = (project.sources, project.unread, repository.environments, repository.ignored_locks)
    return not targets and not any(found)


def _items(granularity: str, context: dict[str, Any]) -> Sequence[Any]:
    """Return all of one kind that was read; the installations are made when first asked for."""
    project: Project = context["project"]
    if granularity == "setting":
        if "settings" not in context:
            from mlenv.reasoning.settings import settings_of

            made = settings_of(
                project,
                context["targets"],
                context["knowledge"],
                context["today"],
                context["environment"],
            )
            context["settings"] = tuple(made)
        settings: Sequence[Any] = context["settings"]
        return settings
    if granularity in ("environment", "machine"):
        one = context[granularity]
        return () if one is None else (one,)
    if granularity == "source":
        return [*project.sources.values()]
    items = {"install_set": project.install_sets, "image_set": project.image_sets}
    return items.get(granularity, (project,))


def _judged(
    entries: Entries, topics: Mapping[str, str], ran: Iterable[Rule | Listed]
) -> frozenset[int]:
    """Return which entries of the configuration are known to be unused if nothing uses them."""
    able = {one.code for one in ran if "suppressions" not in one.needs}
    covered = [
        {code for code, topic in topics.items() if covers(entry.rule, code, topic)}
        for entry in entries.all
    ]
    return frozenset(at for at, codes in enumerate(covered) if codes and codes <= able)


class _Silencer:
    """Decides which findings the configuration and the comments silence, and counts them."""

    def __init__(self, config: Config, suppressions: Suppressions) -> None:
        self.config = config
        self.suppressions = suppressions
        self.count = 0
        self._by_path: dict[str, tuple[str, ...]] = {}

    def silences(self, one: Rule, finding: Finding) -> bool:
        # all are asked: what silences that which is silenced twice is not stale
        by_comment = self.suppressions.covers(one.code, finding.span)
        by_entry = bool(self.config.ignore_entries) and self._excused(one, finding)
        silenced = (
            by_comment
            or by_entry
            or any(covers(s, one.code, one.topic) for s in self._ignored_in(finding.span.path))
        )
        self.count += silenced
        return silenced

    def _ignored_in(self, path: str) -> tuple[str, ...]:
        if path not in self._by_path:
            self._by_path[path] = self.config.ignored_in(path)
        return self._by_path[path]

    def _excused(self, one: Rule, finding: Finding) -> bool:
        fitting = [
            at
            for at, entry in enumerate(self.config.ignore_entries)
            if covers(entry.rule, one.code, one.topic)
            and (not entry.package or entry.package in finding.packages)
            and (not entry.file or matches_path(entry.file, self.config.local(finding.span.path)))
            and (not entry.until or entry.until >= self.suppressions.today)
        ]
        if fitting and self.suppressions.entries is not None:
            self.suppressions.entries.used.update(fitting)
        return bool(fitting)


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
    places = dict.fromkeys(one.span for one in members[1:] if one.span != first.span)
    related = [Related(span) for span in places]
    others = {other.span: other for one in members for other in one.related}.values()
    if len(packages) == 1 and first.packages:
        return replace(first, severity=worst, related=(*related, *others))
    count = len(packages) if all(one.packages for one in members) else len(members)
    # not str.format: the sentence may hold a path, and a path may hold braces
    message = (first.batch_message or first.message).replace("{count}", str(count))
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
    source = project.sources.get(finding.span.path)
    if level and (source is None or not source.is_record):
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
    return *sorted(finding.packages), " ".join(_context_of(finding.span).split())


def _context_of(span: Span) -> str:
    """Return the line that a finding stands on; of one that holds a whole file only its place."""
    if span.target:  # tools write whole machines on one line
        return span.text[:_LONGEST_LINE]
    source, line = span.source, span.line
    start, following = source.line_starts[line - 1], source.line_starts[line : line + 1]
    end = following[0] if following else len(source.text)
    return span.text[:_LONGEST_LINE] if end - start > _LONGEST_LINE else source.text[start:end]
