"""What gets installed together: a file with what it includes, or one choice of groups."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from mlenv.model.project import InstallSet, ResolvedInclude
from mlenv.model.requirement import (
    ALL_ENVIRONMENTS,
    BUILD,
    CONDA,
    CONSTRAINT,
    FEATURE,
    MAIN,
    OVERRIDE,
    REQUIREMENT,
    Requirement,
    group_kind,
    group_name,
)
from mlenv.model.source import LOCK, MANIFEST, Source
from mlenv.records import replace

Includes = dict[str, list[ResolvedInclude]]


def install_sets(
    sources: dict[str, Source], includes: Iterable[ResolvedInclude], covered: dict[str, str]
) -> tuple[InstallSet, ...]:
    """Return the sets of requirements that somebody installs together.

    Args:
        sources: The files read.
        includes: The includes among them.
        covered: For each manifest that a lock records the path of that lock.
    """
    by_origin: Includes = {}
    for include in includes:
        by_origin.setdefault(include.origin, []).append(include)
    found: list[InstallSet] = []
    for source in sources.values():
        frozen = source.role == LOCK and source.kind == "requirements"
        if frozen or (source.role == MANIFEST and source.kind != "constraints"):
            found.extend(_sets_of(source, sources, by_origin, covered))
    return tuple(found)


def membership(sets: tuple[InstallSet, ...]) -> dict[str, tuple[int, ...]]:
    """Return for each file the positions of the sets that it is part of."""
    found: dict[str, list[int]] = {}
    for at, install_set in enumerate(sets):
        for path in install_set.sources:
            found.setdefault(path, []).append(at)
    return {path: tuple(positions) for path, positions in found.items()}


def _sets_of(
    source: Source, sources: dict[str, Source], includes: Includes, covered: dict[str, str]
) -> Iterator[InstallSet]:
    for group, members in _choices(source):
        requirements: list[Requirement] = []
        paths: dict[str, None] = {source.path: None}
        _gather(source, members, sources, includes, requirements, paths)
        if not requirements:
            continue
        yield InstallSet(
            source.path if group == MAIN else f"{source.path} [{group_name(group)}]",
            source,
            group,
            tuple(requirements),
            _pythons(source, members),
            tuple(paths),
            covered.get(source.path, ""),
        )


def _choices(source: Source) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each group with all the groups that its installation brings along.

    pixi's features are left out: only its environments are installed. So is what brings groups
    along that exclude each other: nobody can install it.
    """
    groups = dict.fromkeys([MAIN, *(r.group for r in source.requirements)])
    groups.update(dict.fromkeys(include.group for include in source.includes))
    groups.update(dict.fromkeys(source.groups.includes))
    for group in groups:
        if group_kind(group) == FEATURE:
            continue
        members = _closure(group, source.groups.includes)
        if group not in source.groups.standalone and group != BUILD:
            members |= _closure(MAIN, source.groups.includes)
        if not source.groups.excludes(frozenset(members)):
            yield group, frozenset(members)


def _closure(group: str, includes: dict[str, tuple[str, ...]]) -> set[str]:
    found: set[str] = set()
    pending = [group]
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending.extend(includes.get(one, ()))
    return found


def _gather(
    source: Source,
    groups: frozenset[str],
    sources: dict[str, Source],
    includes: Includes,
    requirements: list[Requirement],
    paths: dict[str, None],
) -> None:
    """Collect a source's requirements of some groups, and those of what it includes for them."""
    pending = deque([(source, groups)])
    bounds: deque[str] = deque()  # what only constrains; last, since it may be required as well
    while pending or bounds:
        bounding = not pending
        if bounding:
            target = bounds.popleft()
            if target in paths:
                continue
            paths[target] = None
            current, members = sources[target], frozenset((MAIN,))
        else:
            current, members = pending.popleft()
        requirements.extend(
            replace(r, kind=CONSTRAINT) if bounding and r.kind == REQUIREMENT else r
            for r in current.requirements
            if _holds_for(r, members)
        )
        for include in includes.get(current.path, ()):
            if include.include.group not in members or include.target in paths:
                continue
            if bounding or include.include.constraint:
                bounds.append(include.target)
            else:
                paths[include.target] = None
                pending.append((sources[include.target], frozenset((MAIN,))))


def _holds_for(requirement: Requirement, groups: frozenset[str]) -> bool:
    """Whether a requirement stands in some groups, or bounds what is installed with any group.

    What builds the project is bounded apart from what is installed.
    """
    if requirement.group in groups:
        return True
    bounds = requirement.kind in (CONSTRAINT, OVERRIDE)
    return bounds and BUILD not in groups and requirement.group != BUILD


def _pythons(source: Source, groups: frozenset[str]) -> int:
    """Return the environments that the file's own statements on Python leave for some groups."""
    stated = [
        (statement.versions, ALL_ENVIRONMENTS)
        for statement in source.statements
        if statement.subject == "python" and statement.binding and statement.versions
        if MAIN in groups
    ]
    stated += [
        (requirement.versions, requirement.environments)
        for requirement in source.requirements
        if requirement.name == "python" and requirement.ecosystem == CONDA
        if requirement.group in groups
    ]
    if not stated:
        return ALL_ENVIRONMENTS
    from mlenv.model.marker import for_pythons

    found = ALL_ENVIRONMENTS
    for versions, environments in stated:
        found &= for_pythons(versions) | ~environments
    return found
