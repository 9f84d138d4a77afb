"""Topic ``removed-api`` with evidence: what the project's own code uses is gone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import canonical_name
from mlenv.model.source import CONTEXT, Source
from mlenv.model.usage import Code, Use
from mlenv.phrases import listed
from mlenv.reasoning.setting import INSTALLED, Setting
from mlenv.reasoning.verdict import Verdict, judge
from mlenv.records import dataclass, replace
from mlenv.rules.base import rule
from mlenv.rules.cohorts import may_apply, may_be_capped
from mlenv.rules.common import is_auxiliary
from mlenv.rules.ownership import Realm, realm_of
from mlenv.rules.pairs import met, pair_finding
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import VersionSet

_TOPICS = ("removed-api", "cohorts", "numpy2", "companions", "conflicts", "build")
_MOST_PLACES = 3
_PACKAGE_FILES = ("pyproject", "setup-py", "setup-cfg")
_FIX = "replace the names in the code, as ruff's NPY rules do"


@dataclass(frozen=True, slots=True, eq=False)
class _Gone:
    """Names that an installation does not have.

    Attributes:
        names: As :class:`Code` is asked for them.
        when: The versions that do not have them, by distribution.
        verdict: How sure it is.
        effect: What goes wrong; empty where the names say it all.
        fix: The ways out.
        evidence: Who says so.
        severity: How bad it is.
        batch: What it is told together with, where that is as sure; empty for itself.
        uses: Where the code uses them.
    """

    names: tuple[str, ...]
    when: Mapping[str, VersionSet]
    verdict: Verdict
    effect: str
    fix: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    severity: Severity
    batch: str = ""
    uses: tuple[Use, ...] = ()


@rule(
    "RMV002",
    "removed-name-in-use",
    topic="removed-api",
    severity=Severity.ERROR,
    facts=("breaks", "numpy2"),
    only=("has_code",),
)
def removed_name_in_use(
    project: Project, settings: Sequence[Setting], code: Code
) -> Iterator[Finding]:
    """The project's own code uses what the installed release no longer has.

    A release removes names and arguments that older code uses: NumPy 2 ``np.float_``, Pillow 10
    ``Image.ANTIALIAS``, Keras 3 the old optimizers. The code is searched for them, its notebooks
    too; it is parsed and never run. Judged is what is pinned, and what an installer picks on the
    day. Code that is prepared is left alone: inside ``try`` with ``except ImportError``, behind
    ``hasattr`` or a check of a version. What only tests, examples or documentation use is a note
    where it is certain, and else nothing.

    Messages that users see: "`np.float_` was removed in the NumPy 2.0 release", "module 'numpy'
    has no attribute 'int'", "module 'PIL.Image' has no attribute 'ANTIALIAS'", "got an unexpected
    keyword argument 'evaluation_strategy'".

    Bad:
        requirements.txt: pillow==10.4.0
        resize.py:        image.resize(size, Image.ANTIALIAS)

    Good:
        requirements.txt: pillow==10.4.0
        resize.py:        image.resize(size, Image.LANCZOS)
    """
    if not code.paths:
        return
    causes: dict[tuple[str, ...], list[Finding]] = {}
    searched: dict[str, Sequence[Use]] = {}
    for setting in settings:
        machine = setting.target.name if setting.target and setting.kind == INSTALLED else ""
        for folder, finding in _of_setting(setting, project, code, searched):
            causes.setdefault((machine, folder, finding.batch), []).append(finding)
    yield from map(_once, causes.values())


def _once(findings: Sequence[Finding]) -> Finding:
    """Return the worst of the findings on one piece of code, with the places of the others."""
    first, *others = sorted(
        findings,
        key=lambda one: (
            one.severity is not Severity.ERROR,
            one.certainty is not Certainty.CERTAIN,
        ),
    )
    spans = [span for span in dict.fromkeys(one.span for one in others) if span != first.span]
    places = [Related(span, "this leads there as well") for span in spans[:_MOST_PLACES]]
    return replace(first, batch="", related=(*first.related, *places))


def _of_setting(
    setting: Setting, project: Project, code: Code, searched: dict[str, Sequence[Use]]
) -> Iterator[tuple[str, Finding]]:
    """Yield what an installation lacks, each with the folder of the code that uses it.

    What the code was found to use is kept in ``searched``: it spares the next ones the question.
    """
    gone = [*_of_records(setting, project, searched), *_of_numpy(setting)]
    if not gone:
        return
    # one search for all that any installation may ask for
    found = code.uses(_every_name(setting))
    searched.update(found)
    searched.setdefault("", ())
    if not any(name in found for one in gone for name in one.names):
        return
    realm = realm_of(setting, project)
    used = []
    for one in gone:
        uses = [use for name in one.names for use in found.get(name, ()) if not use.guarded]
        own = tuple(use for use in uses if realm.holds(use.span.path))
        if own and not _is_bounded_beside(setting, one):
            is_doubtful = _is_bounded_in_realm(setting, project, one, realm)
            severity = _at_most_warning(one.severity) if is_doubtful else one.severity
            used.append(replace(one, uses=own, severity=severity))
    for one in _joined(used):
        finding = _finding(setting, project, one, realm)
        if finding is not None:
            yield realm.folder or "", finding


def _every_name(setting: Setting) -> frozenset[str]:
    knowledge = setting.knowledge
    of_numpy = (f"numpy.{name}" for _, names, _ in knowledge.numpy2.removals for name in names)
    return knowledge.breaks.code.union(of_numpy)


def _of_records(
    setting: Setting, project: Project, searched: Mapping[str, Sequence[Use]]
) -> Iterator[_Gone]:
    is_unclear = _has_forgotten_pin(setting)
    for record in setting.knowledge.breaks.within(setting.names, _TOPICS, in_code=True):
        if searched and searched.keys().isdisjoint(record.code):
            continue
        if not may_apply(record, setting):
            continue
        # the code may run with what another list installs
        if setting.kind != INSTALLED and not _named_in(project).isdisjoint(record.without):
            continue
        verdict = judge(setting, record.when, record.latest, in_code=True)
        if verdict is None or verdict.certainty is Certainty.POSSIBLE:
            continue
        if verdict.opened and is_unclear:
            continue
        evidence = [record.evidence]
        if record.error:
            evidence.append(Evidence(f"users see: {record.error}", record.evidence.source))
        severity = _milder(setting, verdict, record.severity)
        yield _Gone(
            record.code, record.when, verdict, record.effect, record.fix, tuple(evidence), severity
        )


def _of_numpy(setting: Setting) -> Iterator[_Gone]:
    """Yield the names that the installation's NumPy lacks, the oldest removals first."""
    if "numpy" not in setting.names:
        return
    for versions, names, evidence in sorted(
        setting.knowledge.numpy2.removals, key=lambda one: _first(one[0]).release
    ):
        when = {"numpy": versions}
        verdict = judge(setting, when, in_code=True)
        if verdict is None or verdict.certainty is Certainty.POSSIBLE:
            continue
        fix = (f"numpy<{_first(versions).text}", _FIX)
        dotted = tuple(f"numpy.{name}" for name in names)
        severity = _milder(setting, verdict, Severity.ERROR)
        yield _Gone(dotted, when, verdict, "", fix, (evidence,), severity, batch="numpy")


def _has_forgotten_pin(setting: Setting) -> bool:
    """Whether a pin is older than all on record, so that nobody knows which Python it is for."""
    releases = setting.knowledge.releases
    return not setting.python.stated and any(
        choice.exact is not None
        and not choice.is_conda
        and releases.knows(name)
        and choice.exact < releases.of(name)[0].version
        for name, choice in setting.choices.items()
    )


def _milder(setting: Setting, verdict: Verdict, severity: Severity) -> Severity:
    """Return how bad it is, less so where a pick is not quite known."""
    is_guess = verdict.by_conda or bool(verdict.guessed) or may_be_capped(setting, verdict)
    return _at_most_warning(severity) if is_guess else severity


def _at_most_warning(severity: Severity) -> Severity:
    return Severity.WARNING if severity is Severity.ERROR else severity


@lru_cache(maxsize=4)
def _named_in(project: Project) -> frozenset[str]:
    """Return every distribution that some file of a project installs or records."""
    installing = [one for one in project.sources.values() if one.role != CONTEXT]
    asked = (canonical_name(one.name) for source in installing for one in source.requirements)
    return frozenset(asked).union(one.name for source in installing for one in source.locked)


def _avoids(one: _Gone, source: Source) -> bool:
    """Whether a file bounds what is open to releases that still have the names."""
    return any(
        asked.versions.understood and not asked.versions.intersects(one.when[name])
        for name in one.verdict.opened
        if name in one.when
        for asked in source.requirements
        # what holds on some machines only says nothing of the others
        if canonical_name(asked.name) == name and asked.marker is None
    )


def _is_bounded_beside(setting: Setting, one: _Gone) -> bool:
    """Whether another group or extra of the file bounds it: the code may be that one's."""
    return setting.source is not None and _avoids(one, setting.source)


def _is_bounded_in_realm(setting: Setting, project: Project, one: _Gone, realm: Realm) -> bool:
    """Whether another file for the same code bounds it, such as the environment of a package."""
    if setting.source is None or not one.verdict.opened:
        return False
    return any(
        source.role != CONTEXT and realm.holds(path) and _avoids(one, source)
        for path, source in project.sources.items()
    )


def _is_outside(setting: Setting, project: Project, path: str, realm: Realm) -> bool:
    """Whether a file is no part of the package whose metadata are judged."""
    if setting.source is None or setting.source.kind not in _PACKAGE_FILES:
        return False
    folder = realm.folder or ""
    first, _, rest = path[len(folder) + 1 if folder else 0 :].partition("/")
    if not rest or first == "src":
        return False
    package = f"{folder}/{first}/__init__.py" if folder else f"{first}/__init__.py"
    paths = project.code.paths
    at = bisect_left(paths, package)
    return at == len(paths) or paths[at] != package


def _first(versions: VersionSet) -> Version:
    """Return the release from which on names are gone."""
    texts = (part.removeprefix(">=") for part in versions.text.split(",") if part[:2] == ">=")
    version = parse_version(next(texts, ""))
    assert version is not None, versions.text
    return version


def _joined(used: Sequence[_Gone]) -> Iterator[_Gone]:
    """Yield what is used, with what has one cause and one way out made one."""
    batches: dict[tuple[str, Certainty], _Gone] = {}
    for one in used:
        key = (one.batch, one.verdict.certainty)
        first = batches.get(key)
        if not one.batch:
            yield one
        elif first is None:
            batches[key] = one
        else:
            # the oldest removal says how far back to go
            batches[key] = replace(
                first, uses=first.uses + one.uses, evidence=first.evidence + one.evidence
            )
    yield from batches.values()


def _finding(setting: Setting, project: Project, one: _Gone, realm: Realm) -> Finding | None:
    # lists for tests and documentation are not what the code runs with
    is_beside = setting.source is not None and is_auxiliary(setting.source.path)
    decisive = [] if is_beside else [use for use in one.uses if not realm.is_aside(use.span.path)]
    if not decisive and one.verdict.certainty is not Certainty.CERTAIN:
        return None
    shown = sorted(decisive or one.uses, key=lambda use: use.span.order)
    severity = one.severity if decisive else Severity.NOTE
    is_open = one.verdict.certainty is not Certainty.CERTAIN
    if is_open and all(_is_outside(setting, project, use.span.path, realm) for use in decisive):
        severity = _at_most_warning(severity)
    finding = pair_finding(setting, one.verdict, "", one.fix, one.evidence, severity)
    if finding is None:
        return None
    called: dict[str, str] = {}
    for use in shown:
        if use.name not in called or called[use.name] == use.name:
            called[use.name] = _written(use)
    names = listed([*called.values()], _MOST_PLACES)
    files = [*dict.fromkeys(use.span.path for use in shown)]
    users = f"{listed(files, 2)} {'uses' if len(files) == 1 else 'use'} {names}"
    effect = f"{users}; {one.effect}" if one.effect else f"{users}, which it no longer has"
    places = [Related(use.span, f"{called[use.name]} is used here") for use in shown[:_MOST_PLACES]]
    return replace(
        finding,
        message=f"{met(setting, one.verdict)}: {effect}",
        # several lists, and several Pythons, may lead to releases that all lack it
        batch=" ".join((*finding.packages, *called)),
        related=(*places, *finding.related),
    )


def _written(use: Use) -> str:
    """Return a name as the code has it, where that is short."""
    module, _, keyword = use.name.partition(":")
    if keyword:
        return f"{keyword}= of {module.rpartition('.')[2]}"
    text = use.span.text
    return text if "." in text and len(text) <= len(use.name) and "\n" not in text else use.name
