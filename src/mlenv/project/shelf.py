"""What install sets ask of a file again and again, sorted once, and how much they may ask."""

from __future__ import annotations

from collections.abc import Iterable

from mlenv.model.project import ResolvedInclude
from mlenv.model.requirement import (
    ALL_ENVIRONMENTS,
    BUILD,
    CONDA,
    CONSTRAINT,
    MAIN,
    OVERRIDE,
    REQUIREMENT,
    Requirement,
)
from mlenv.model.source import Source
from mlenv.records import replace

_EACH = 100
_TOGETHER = 60_000
"""How many steps each set may take, and all of them together beside that.

What one set holds others may hold as well, so a project can be made that takes the square of its
size. The sets of the largest real ones take some thousands of steps.
"""


class TooLargeError(Exception):
    """A set takes more steps than are left."""


class Budget:
    """How many steps may still be taken."""

    def __init__(self) -> None:
        self._shared = _TOGETHER
        self._own = 0

    def begin(self) -> None:
        """Begin another set, which has steps of its own."""
        self._own = _EACH

    def take(self, steps: int) -> None:
        """Take steps: a set's own ones first, then of those for all.

        Raises:
            TooLargeError: There are not enough left.
        """
        self._own -= steps
        if self._own >= 0:
            return
        self._shared += self._own
        self._own = 0
        if self._shared < 0:
            self._shared = 0
            raise TooLargeError


class Shelf:
    """What is asked of the files of a project, sorted by what it is asked for."""

    def __init__(self, sources: dict[str, Source], includes: Iterable[ResolvedInclude]) -> None:
        self._sources = sources
        self._includes: dict[tuple[str, str], list[tuple[int, ResolvedInclude]]] = {}
        for at, one in enumerate(includes):
            self._includes.setdefault((one.origin, one.include.group), []).append((at, one))
        self._places: dict[str, dict[str, list[int]]] = {}
        self._bounds: dict[str, list[int]] = {}
        self._brought: dict[tuple[str, bool], list[Requirement]] = {}
        self._pythons: dict[str, dict[str, int]] = {}

    def requirements(self, source: Source, groups: frozenset[str]) -> list[Requirement]:
        """Return a file's requirements of some groups, and what bounds any group.

        What builds the project is bounded apart from what is installed.
        """
        if source.path not in self._places:
            self._sort(source)
        places = self._places[source.path]
        found = {at for group in groups for at in places.get(group, ())}
        if BUILD not in groups:
            found.update(self._bounds[source.path])
        return [source.requirements[at] for at in sorted(found)]

    def _sort(self, source: Source) -> None:
        places = self._places[source.path] = {}
        bounds = self._bounds[source.path] = []
        for at, requirement in enumerate(source.requirements):
            places.setdefault(requirement.group, []).append(at)
            if requirement.kind in (CONSTRAINT, OVERRIDE) and requirement.group != BUILD:
                bounds.append(at)

    def brought(self, path: str, *, bounding: bool) -> list[Requirement]:
        """Return what a file brings where it is included, or bounds where it only does that."""
        key = (path, bounding)
        if key not in self._brought:
            found = self.requirements(self._sources[path], frozenset((MAIN,)))
            self._brought[key] = [
                replace(r, kind=CONSTRAINT) if bounding and r.kind == REQUIREMENT else r
                for r in found
            ]
        return self._brought[key]

    def includes(self, path: str, groups: frozenset[str]) -> list[ResolvedInclude]:
        """Return the includes of a file for some groups, in the order of the file."""
        found = [pair for group in groups for pair in self._includes.get((path, group), ())]
        found.sort(key=lambda pair: pair[0])
        return [one for _, one in found]

    def pythons(self, source: Source, groups: frozenset[str]) -> int:
        """Return the environments that a file's own statements on Python leave for some groups."""
        if source.path not in self._pythons:
            self._pythons[source.path] = _pythons(source)
        known = self._pythons[source.path]
        found = ALL_ENVIRONMENTS
        for group in groups:
            found &= known.get(group, ALL_ENVIRONMENTS)
        return found


def _pythons(source: Source) -> dict[str, int]:
    """Return for each group that says something of Python the environments that it leaves."""
    stated = [
        (statement.group, statement.versions, ALL_ENVIRONMENTS)
        for statement in source.statements
        if statement.subject == "python" and statement.binding and statement.versions
    ]
    stated += [
        (requirement.group, requirement.versions, requirement.environments)
        for requirement in source.requirements
        if requirement.name == "python" and requirement.ecosystem == CONDA
    ]
    found: dict[str, int] = {}
    if stated:
        from mlenv.model.marker import for_pythons

        for group, versions, environments in stated:
            admitted = for_pythons(versions) | ~environments
            found[group] = found.get(group, ALL_ENVIRONMENTS) & admitted
    return found
