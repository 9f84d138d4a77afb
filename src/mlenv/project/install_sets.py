"""What gets installed together: a file with what it includes, or one choice of groups."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from mlenv.model.project import InstallSet, ResolvedInclude
from mlenv.model.requirement import (
    BUILD,
    FEATURE,
    MAIN,
    Requirement,
    group_kind,
    group_name,
)
from mlenv.model.source import IMAGE, LOCK, MANIFEST, Source
from mlenv.project.shelf import Budget, Shelf, TooLargeError


def install_sets(
    sources: dict[str, Source],
    includes: Iterable[ResolvedInclude],
    covered: dict[str, str],
    too_large: list[str] | None = None,
) -> tuple[InstallSet, ...]:
    """Return the sets of requirements that somebody installs together.

    Args:
        sources: The files read.
        includes: The includes among them.
        covered: For each manifest that a lock records the path of that lock.
        too_large: Takes the names of the sets that are left out, since they would take longer
            to put together than those of any real project.
    """
    shelf = Shelf(sources, includes)
    budget = Budget()
    found: list[InstallSet] = []
    for source in sources.values():
        frozen = source.role == LOCK and source.kind == "requirements"
        if not (frozen or source.role == IMAGE or _is_installed(source)):
            continue
        for group in _groups(source):
            budget.begin()
            try:
                found.extend(_set_of(source, group, shelf, budget, covered))
            except TooLargeError:
                if too_large is not None:
                    too_large.append(_name(source, group))
    return tuple(found)


def _is_installed(source: Source) -> bool:
    return source.role == MANIFEST and source.kind != "constraints"


def membership(sets: tuple[InstallSet, ...]) -> dict[str, tuple[int, ...]]:
    """Return for each file the positions of the sets that it is part of."""
    found: dict[str, list[int]] = {}
    for at, install_set in enumerate(sets):
        for path in install_set.sources:
            found.setdefault(path, []).append(at)
    return {path: tuple(positions) for path, positions in found.items()}


def _name(source: Source, group: str) -> str:
    return source.path if group == MAIN else f"{source.path} [{group_name(group)}]"


def _groups(source: Source) -> Iterator[str]:
    """Yield the groups of a file that somebody installs.

    pixi's features are left out: only its environments are installed.
    """
    groups = dict.fromkeys([MAIN, *(r.group for r in source.requirements)])
    groups.update(dict.fromkeys(include.group for include in source.includes))
    groups.update(dict.fromkeys(source.groups.includes))
    yield from (group for group in groups if group_kind(group) != FEATURE)


def _set_of(
    source: Source, group: str, shelf: Shelf, budget: Budget, covered: dict[str, str]
) -> Iterator[InstallSet]:
    """Yield the set of a group, where there is anything in it.

    What brings groups along that exclude each other nobody can install.
    """
    members = _members(source, group, budget)
    budget.take(len(source.groups.conflicts))
    if source.groups.excludes(members):
        return
    paths: dict[str, None] = {source.path: None}
    requirements = _gather(source, members, shelf, budget, paths)
    if requirements:
        yield InstallSet(
            _name(source, group),
            source,
            group,
            tuple(requirements),
            shelf.pythons(source, members),
            tuple(paths),
            covered.get(source.path, ""),
        )


def _members(source: Source, group: str, budget: Budget) -> frozenset[str]:
    """Return a group with all the groups that its installation brings along."""
    pending = [group]
    if group not in source.groups.standalone and group != BUILD:
        pending.append(MAIN)
    found: set[str] = set()
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            brought = source.groups.includes.get(one, ())
            budget.take(1 + len(brought))
            pending.extend(brought)
    return frozenset(found)


def _gather(
    source: Source,
    groups: frozenset[str],
    shelf: Shelf,
    budget: Budget,
    paths: dict[str, None],
) -> list[Requirement]:
    """Return a source's requirements of some groups, and those of what it includes for them."""
    found = shelf.requirements(source, groups)
    budget.take(len(found))
    pending = deque(shelf.includes(source.path, groups))
    bounds: deque[str] = deque()  # what only constrains; last, since it may be required as well
    while pending or bounds:
        budget.take(1)
        bounding = not pending
        if bounding:
            target = bounds.popleft()
        else:
            include = pending.popleft()
            target = include.target
        if target in paths:
            continue
        if not bounding and include.include.constraint:
            bounds.append(target)
            continue
        paths[target] = None
        brought = shelf.brought(target, bounding=bounding)
        budget.take(len(brought))
        found.extend(brought)
        following = shelf.includes(target, frozenset((MAIN,)))
        if bounding:
            bounds.extend(one.target for one in following)
        else:
            pending.extend(following)
    return found
