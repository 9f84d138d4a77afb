"""Topic ``conflicts``: what gets installed together and cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, islice

from mlenv.model.finding import Finding, Related, Severity
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import CONSTRAINT, OVERRIDE, REQUIREMENT, Requirement
from mlenv.model.source import Source
from mlenv.rules.base import rule
from mlenv.rules.common import LOCKABLE, declared
from mlenv.versions.version_set import intersection

_DIGEST = re.compile(r"(sha\d+|md5)=([0-9a-f]+)")
_LISTS = (*LOCKABLE, "setup-py")
"""Formats in which one group may come from several lists."""
_NEXT_LIST = r"^[ \t]*(?:\[|[\w.-]+(?:\[[^\]\n]*\])?[ \t]*\+?=|\"[\w-]+\"[ \t]*:|'[\w-]+'[ \t]*:)"
_MOST = 40
"""How many different statements on one distribution are compared with each other."""

_MOST_PAIRS = 200
"""How many contradictions are asked for an environment; more has only a hostile file."""


def by_distribution(install_set: InstallSet) -> Iterator[list[Requirement]]:
    """Yield the statements on each distribution of a set of which there are several.

    Statements that say the same are given once; an override replaces all the others.
    """
    found: dict[tuple[str, str], list[Requirement]] = {}
    for requirement in install_set.requirements:
        if requirement.name and not requirement.workspace:
            found.setdefault((requirement.ecosystem, requirement.name), []).append(requirement)
    for statements in found.values():
        overrides = [r for r in statements if r.kind == OVERRIDE]
        if overrides:
            continue
        unique: dict[tuple[object, ...], Requirement] = {}
        for requirement in statements:
            marker = str(requirement.marker or "")
            key = (requirement.versions, requirement.url, marker, requirement.kind)
            unique.setdefault(key, requirement)
        yield list(unique.values())[:_MOST]


def meet(install_set: InstallSet, *requirements: Requirement) -> bool:
    """Return whether some environment of a set is meant by all the requirements."""
    markers = [r.marker for r in requirements if r.marker is not None]
    if not markers:
        return install_set.pythons != 0
    from mlenv.model.compatibility import compatible  # most sets have no markers

    return compatible(*markers, pythons=install_set.pythons)


@rule("CON001", "unsatisfiable", topic="conflicts", severity=Severity.ERROR)
def unsatisfiable(install_set: InstallSet, project: Project) -> Iterator[Finding]:
    """Constraints on one distribution that no version satisfies.

    Only what is installed together is compared: a file with what it includes and constrains, or a
    project with one choice of groups, in an environment that the markers of all of them admit.
    Nothing is reported where a lock proves that a solution was found.

    Messages that users see: "ResolutionImpossible", "Cannot install ... because these package
    versions have conflicting dependencies", "No solution found when resolving dependencies".

    Bad:
        numpy==1.24.3
        numpy>=2

    Good:
        numpy==2.1.3
    """
    if install_set.lock or any(project.sources[p].is_contested for p in install_set.sources):
        return
    for statements in by_distribution(install_set):
        conflict = _conflict(install_set, statements)
        if conflict:
            yield _finding(conflict)


def _conflict(
    install_set: InstallSet, statements: Sequence[Requirement]
) -> tuple[Requirement, ...] | None:
    asked = [r for r in statements if r.kind == REQUIREMENT]
    if not asked:
        return None  # nothing installs it
    for one in asked:
        if one.versions.understood and one.versions.is_empty and meet(install_set, one):
            return (one,)
    pairs = (pair for pair in combinations(statements, 2) if _contradict(*pair))
    for pair in islice(pairs, _MOST_PAIRS):
        if meet(install_set, *pair):
            return pair
    understood = [r for r in statements if r.versions.understood]
    if len(understood) < 3 or all(r.kind != REQUIREMENT for r in understood):
        return None
    if not meet(install_set, *understood):
        return None
    empty = intersection(r.versions for r in understood).is_empty
    return tuple(understood) if empty else None


def _contradict(one: Requirement, two: Requirement) -> bool:
    if one.kind == two.kind == CONSTRAINT:
        return False  # nothing asks for it
    if one.url and two.url:
        return not _same_place(one.url, two.url) and not (one.is_vcs and two.is_vcs)
    return not one.versions.intersects(two.versions)


def _same_place(one: str, two: str) -> bool:
    """Whether two URLs may lead to one file, so far as their digests tell."""
    left, right = (dict(_DIGEST.findall(url.partition("#")[2].lower())) for url in (one, two))
    differ = any(left[algorithm] != right[algorithm] for algorithm in left.keys() & right.keys())
    return _place(one) == _place(two) and not differ


def _place(url: str) -> str:
    """Return what a URL leads to, whoever asks and however it is spelled."""
    scheme, slashes, rest = url.partition("#")[0].rpartition("://")
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2].lower()
    path = path.rstrip("/").removesuffix(".git")
    return f"{scheme.lower()}{slashes}{host}{slash}{path}"


def _finding(conflict: tuple[Requirement, ...]) -> Finding:
    ordered = sorted(conflict, key=lambda r: r.span.order)
    last = ordered[-1]
    said = [_said(r) for r in ordered]
    if len(ordered) == 1:
        message = f"no version of {last.written} satisfies {said[0]}"
    else:
        message = f"no version of {last.written} satisfies {', '.join(said[:-1])} and {said[-1]}"
    others = ordered[:-1]
    return Finding(
        message,
        last.specifier_span or last.span,
        (last.name,),
        help="change one of them" if others else "correct the bounds",
        related=tuple(Related(r.specifier_span or r.span, f"asks for {_said(r)}") for r in others),
    )


def _said(requirement: Requirement) -> str:
    """What a requirement asks for, in the words of its own file."""
    if requirement.specifier_span is not None:
        return " ".join(requirement.specifier_span.text.split())
    return requirement.versions.text or requirement.url or "any version"


@rule("CON002", "repeated-requirement", topic="conflicts", severity=Severity.NOTE)
def repeated_requirement(source: Source, project: Project) -> Iterator[Finding]:
    """The same distribution twice in one list.

    Both lines hold, and whoever changes one of the two meets the other. Where neither of them
    implies the other, what gets installed is their intersection, which stands nowhere: a warning.

    Bad:
        numpy>=1.22
        torch==2.1.0
        numpy<1.26

    Good:
        numpy>=1.22,<1.26
        torch==2.1.0
    """
    if source.path in project.covered or source.generated_by:
        return
    found: dict[tuple[object, ...], Requirement] = {}
    for requirement in declared(source):
        if not requirement.name or requirement.is_direct or not requirement.versions.understood:
            continue
        if requirement.marker is not None:
            continue
        asked = (requirement.ecosystem, requirement.name, frozenset(requirement.extras))
        key = (*asked, requirement.group)
        before = found.get(key)
        found[key] = requirement  # neighbours are compared: it takes linear time
        if before is not None and (source.kind not in _LISTS or _in_one_list(before, requirement)):
            yield from _repetition(before, requirement)


def _in_one_list(one: Requirement, other: Requirement) -> bool:
    """Whether two requirements stand in one list of their file.

    The tables of a TOML file are of many tools, and a setup.py adds lists to each other.
    """
    first, again = sorted((one.span, other.span), key=lambda span: span.start)
    between = first.source.text[first.end : again.start]
    return re.search(_NEXT_LIST, between, re.MULTILINE) is None


def _repetition(first: Requirement, again: Requirement) -> Iterator[Finding]:
    both = first.versions & again.versions
    if both.is_empty:
        return  # CON001 says it
    implied = both.intervals in (first.versions.intervals, again.versions.intervals)
    if first.versions == again.versions:
        message = f"{again.written} stands here twice"
    else:
        message = f"{again.written} stands here twice: {_said(first)} and {_said(again)}"
    yield Finding(
        message,
        again.span,
        (again.name,),
        None if implied else Severity.WARNING,
        help="keep one of the two" if implied else "put both bounds on one line",
        related=(Related(first.span, "the other one"),),
        batch="repeated" if implied else "",
        batch_message="{count} distributions stand here twice: {packages}",
    )
