"""Which versions a manifest leaves open, with all that settles them taken into account."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.project import Project
from mlenv.model.requirement import Requirement
from mlenv.model.source import Source
from mlenv.records import dataclass
from mlenv.rules.common import (
    RANGED,
    declared,
    distributions,
    is_auxiliary,
    serves_pipeline,
    settled_among,
)
from mlenv.versions.version_set import VersionSet, intersection

_EXACT_ENOUGH = 3
"""A prefix of this many numbers leaves out only what differs in nothing but its build."""

_MINOR = 2
"""What a prefix or a compatible release of this many dots leaves open are patches."""

_MOST = 40
"""How many statements on one distribution are compared with each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Openness:
    """A distribution whose version one manifest decides.

    Attributes:
        requirement: Its first statement in the file.
        versions: What all of the file's statements on it admit together.
        framework: Whether its version decides what a model computes.
    """

    requirement: Requirement
    versions: VersionSet
    framework: bool

    @property
    def is_exact(self) -> bool:
        """Whether one version is left, be it in several builds."""
        prefixes = (c.version for c in self.versions.clauses if c.version.endswith(".*"))
        return self.versions.is_exact or any(p.count(".") >= _EXACT_ENOUGH for p in prefixes)

    @property
    def is_minor(self) -> bool:
        """Whether one minor release is left, which is what companions follow."""
        return self.is_exact or any(
            (clause.version.endswith(".*") or clause.operator == "~=")
            and clause.version.count(".") >= _MINOR
            for clause in self.versions.clauses
        )


def open_versions(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Openness]:
    """Yield the distributions whose version a manifest decides and does not fix.

    Left out is what a lock records or a tool generates, what another line, file or companion
    settles, what no index serves, and what only serves the work on the project. Manifests whose
    own tools write locks are left to the rules on locks.

    Args:
        source: The manifest.
        project: What surrounds it.
        knowledge: Which distributions are frameworks, tools and companions.
    """
    if source.path in project.covered or source.kind in RANGED or source.generated_by:
        return
    if serves_pipeline(source):
        return
    by_name = _statements(source)
    candidates = [
        _openness(statements, knowledge)
        for statements in by_name.values()
        if not _is_beside_the_point(statements[0], source, knowledge)
    ]
    candidates = [one for one in candidates if not one.is_exact]
    if not candidates:
        return
    settled = _settled(source, project, knowledge, by_name)
    for one in candidates:
        if settled.isdisjoint((one.requirement.name, *distributions(one.requirement, knowledge))):
            yield one


def _openness(statements: list[Requirement], knowledge: Knowledge) -> Openness:
    """Return the statement on a distribution that leaves most open, with what bounds it.

    Statements for environments that never meet say nothing of each other.
    """
    framework = any(knowledge.is_framework(d) for d in distributions(statements[0], knowledge))
    found = [
        Openness(
            one,
            intersection(
                other.versions for other in statements if other.environments & one.environments
            ),
            framework,
        )
        for one in statements
    ]
    return next((one for one in found if not one.is_exact), found[0])


def _statements(source: Source) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for requirement in declared(source):
        direct = requirement.is_direct or not requirement.name
        if not direct and requirement.versions.understood:
            statements = found.setdefault(requirement.name, [])
            if len(statements) < _MOST:
                statements.append(requirement)
    return found


def _is_beside_the_point(requirement: Requirement, source: Source, knowledge: Knowledge) -> bool:
    return (
        requirement.name == "python"
        or "/label/" in requirement.channel  # the label fixes the version
        or is_auxiliary(source.path, requirement.group_name)
        or knowledge.is_tool(requirement.name)
        or knowledge.is_toolkit_part(requirement.name)
    )


def _settled(
    source: Source,
    project: Project,
    knowledge: Knowledge,
    by_name: dict[str, list[Requirement]],
) -> set[str]:
    """Return what other files pin, and the companions of what is pinned anywhere."""
    own = {name: distributions(statements[0], knowledge) for name, statements in by_name.items()}
    # the names in question, and those whose pins would settle them
    asked = {name for known, names in own.items() for name in (known, *names)}
    asked.update([other for name in asked for other in knowledge.companions_of(name)])
    found = set(settled_among(asked, source, project))
    pinned = set(found)
    for name, statements in by_name.items():
        if _openness(statements, knowledge).is_minor:
            pinned.update(own[name])
    for name in pinned:
        found.update(knowledge.companions_of(name))
    return found
