"""Topic ``duplicates``: distributions that overwrite each other's files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import (
    CONDA,
    OVERRIDE,
    PYPI,
    REQUIREMENT,
    LockedPackage,
    Requirement,
)
from mlenv.model.source import IMAGE, LOCK, Source
from mlenv.rules.base import rule
from mlenv.rules.common import distributions
from mlenv.rules.conflicts import meet
from mlenv.versions.version import parse_version
from mlenv.versions.version_set import VersionSet

Member = tuple[str, Requirement]
Group = tuple[str, ...]
_MOST_PAIRS = 200
"""How many pairs of one group are looked at; more has only a hostile file."""


@rule(
    "DUP001",
    "overlapping-distributions",
    topic="duplicates",
    severity=Severity.WARNING,
    facts=("distributions",),
)
def overlapping_distributions(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """Distributions that write files at the same paths, installed together.

    pip sees no conflict: the last one installed wins file by file, and removing either takes files
    of the other along. A warning where the last one works and the part of the other is missing; an
    error where files that differ make one of them fail. Markers, extras and groups that part them
    are respected. A lock that holds both may be for several environments: a note.

    Messages that users see: "ImportError: libGL.so.1: cannot open shared object file", "module
    'cv2' has no attribute", "CUDAExecutionProvider is not in available provider names".

    Bad:
        opencv-python==4.10.0.84
        opencv-python-headless==4.10.0.84

    Good:
        opencv-python-headless==4.10.0.84
    """
    said: set[tuple[str, Group]] = set()
    for install_set in (*project.install_sets, *project.image_sets):
        for group, members in _groups_of(install_set, knowledge):
            clash = _clash(install_set, group, members, knowledge)
            if clash:
                said.add((install_set.lock, group))
                yield _overlap(clash, install_set.home.path, knowledge)
    for source in project.sources.values():
        if source.role == LOCK and source.kind != "requirements":
            for group, packages in _locked_groups(source, knowledge):
                if (source.path, group) not in said:
                    yield from _locked_overlap(packages, knowledge)


def _groups_of(
    install_set: InstallSet, knowledge: Knowledge
) -> Iterator[tuple[Group, list[Member]]]:
    if install_set.home.role == IMAGE and "uninstall" in install_set.home.text.text:
        return  # which of the two is left is not told
    found: dict[Group, list[Member]] = {}
    for requirement in install_set.requirements:
        if requirement.kind == REQUIREMENT:
            for name in distributions(requirement, knowledge):
                group = knowledge.names.overlaps_of(name)
                if group:
                    found.setdefault(group, []).append((name, requirement))
    for group, members in found.items():
        if len({name for name, _ in members}) > 1:
            yield group, members


def _clash(
    install_set: InstallSet, group: Group, members: list[Member], knowledge: Knowledge
) -> dict[str, Requirement]:
    """Return the members that some environment gets together, by name."""
    only = knowledge.names.overlap(group[0]).only
    overridden = {r.name for r in install_set.requirements if r.kind == OVERRIDE}
    meant = [
        (name, requirement)
        for name, requirement in members
        if requirement.versions.understood  # else its marker may not have been read either
        and name not in overridden
        and (name not in only or requirement.versions.implies(only[name]))
    ]
    found: dict[str, Requirement] = {}
    unique = {(name, str(one.marker or "")): (name, one) for name, one in reversed(meant)}
    pairs = combinations(reversed(unique.values()), 2)
    for (one, first), (two, second) in islice(pairs, _MOST_PAIRS):
        if one != two and _are_apart(first, second, knowledge) and meet(install_set, first, second):
            found.setdefault(one, first)
            found.setdefault(two, second)
    return found


def _are_apart(first: Requirement, second: Requirement, knowledge: Knowledge) -> bool:
    """Whether two requirements are two installations: conda sees to its own packages.

    What conda and pip both bring under one name is another matter (MIX001).
    """
    if first.ecosystem == second.ecosystem:
        return first.ecosystem != CONDA
    return not set(distributions(first, knowledge)) & set(distributions(second, knowledge))


def _overlap(clash: dict[str, Requirement], home: str, knowledge: Knowledge) -> Finding:
    # the last one in the file that puts them together, rather than in one that it includes
    ordered = sorted(clash.items(), key=lambda m: (m[1].span.path == home, m[1].span.order))
    name, last = ordered[-1]
    known = knowledge.names.overlap(name)
    names = [name for name, _ in ordered]
    return Finding(
        f"{' and '.join(names)} overwrite each other's files in {known.module}",
        last.name_span or last.span,
        tuple(names),
        known.severity,
        help=known.advice,
        related=tuple(Related(r.name_span or r.span, name) for name, r in ordered[:-1]),
        evidence=(known.evidence, Evidence(f"then {known.effect}", known.evidence.source)),
    )


def _locked_groups(
    source: Source, knowledge: Knowledge
) -> Iterator[tuple[Group, list[LockedPackage]]]:
    found: dict[tuple[Group, str], list[LockedPackage]] = {}
    for package in source.locked:
        group = knowledge.names.overlaps_of(package.name) if package.ecosystem == PYPI else ()
        if group:
            found.setdefault((group, package.platform), []).append(package)
    for (group, _), packages in found.items():
        yield group, packages


def _locked_overlap(packages: list[LockedPackage], knowledge: Knowledge) -> Iterator[Finding]:
    known = knowledge.names.overlap(packages[0].name)
    found: dict[str, LockedPackage] = {}
    unique = {(package.name, package.marker): package for package in reversed(packages)}
    for one, two in islice(combinations(reversed(unique.values()), 2), _MOST_PAIRS):
        counts = all(_counts(p, known.only) for p in (one, two))
        if one.name != two.name and counts and _may_meet(one.marker, two.marker):
            found.setdefault(one.name, one)
            found.setdefault(two.name, two)
    if found:
        first, *others = sorted(found.values(), key=lambda package: package.span.order)
        yield Finding(
            f"the lock holds {' and '.join(found)}, which overwrite each other's files in "
            f"{known.module} where they are installed together",
            first.span,
            tuple(found),
            Severity.NOTE,
            Certainty.POSSIBLE,
            help=f"{known.advice}; what asks for the other can be overridden or parted by markers",
            related=tuple(Related(other.span, other.name) for other in others),
            evidence=(known.evidence,),
        )


def _counts(package: LockedPackage, only: dict[str, VersionSet]) -> bool:
    if package.name not in only:
        return True
    version = parse_version(package.version)
    return version is not None and only[package.name].admits(version, prereleases=True)


def _may_meet(one: str, two: str) -> bool:
    if not one or not two:
        return True
    from mlenv.model.compatibility import compatible
    from mlenv.model.marker import MarkerError, parse_marker

    try:
        return compatible(parse_marker(one), parse_marker(two))
    except MarkerError:
        return False
