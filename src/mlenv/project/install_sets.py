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
    MAIN,
    OVERRIDE,
    Requirement,
)
from mlenv.model.source import LOCK, MANIFEST, Source

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
        standalone = group in source.groups.standalone or group == BUILD
        if not requirements:
            continue
        yield InstallSet(
            source.path if group == MAIN else f"{source.path} [{group}]",
            source,
            group,
            tuple(requirements),
            ALL_ENVIRONMENTS if standalone else _pythons(source),
            tuple(paths),
            covered.get(source.path, ""),
        )


def _choices(source: Source) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each group with all the groups that its installation brings along."""
    groups = dict.fromkeys([MAIN, *(r.group for r in source.requirements)])
    groups.update(dict.fromkeys(include.group for include in source.includes))
    groups.update(dict.fromkeys(source.groups.includes))
    for group in groups:
        members = _closure(group, source.groups.includes)
        if group not in source.groups.standalone and group != BUILD:
            members |= _closure(MAIN, source.groups.includes)
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
    while pending:
        current, members = pending.popleft()
        # bounds and overrides of a manifest hold for every group, whatever group they stand in
        requirements.extend(
            r
            for r in current.requirements
            if r.group in members or r.kind in (CONSTRAINT, OVERRIDE)
        )
        for include in includes.get(current.path, ()):
            if include.include.group in members and include.target not in paths:
                paths[include.target] = None
                pending.append((sources[include.target], frozenset((MAIN,))))


def _pythons(source: Source) -> int:
    """Return the environments that the file's own statements on Python leave."""
    stated = [
        statement.versions
        for statement in source.statements
        if statement.subject == "python" and statement.binding and statement.versions
    ]
    stated += [
        requirement.versions
        for requirement in source.requirements
        if requirement.name == "python" and requirement.ecosystem == CONDA
    ]
    if not stated:
        return ALL_ENVIRONMENTS
    from mlenv.model.marker import for_pythons

    found = ALL_ENVIRONMENTS
    for versions in stated:
        found &= for_pythons(versions)
    return found or ALL_ENVIRONMENTS
