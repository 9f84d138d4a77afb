"""Topic ``index``: builds that PyPI does not hold, and whether anything says where they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.model.mention import index_mention
from mlenv.model.project import Project
from mlenv.model.requirement import CONSTRAINT, PYPI, Requirement
from mlenv.model.source import CONTEXT, DROPPED_OPTION, IMAGE, LOCK, Index, Source
from mlenv.model.text import Span
from mlenv.reasoning.installations import SOURCES, Installers
from mlenv.rules.base import rule
from mlenv.rules.places import settings_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.image import InstallCommand

_OTHERS = ("conda-list", "cog", "conda-recipe", "rapids-dependencies", "dockerfile", "compose")
"""Formats from which pip is not run as they stand; Cog finds the indexes of builds itself."""
_PYPI = Evidence(
    "indexes that serve the public hold no versions with a label behind +",
    "PEP 440, Local version identifiers",
)


@rule(
    "IDX001",
    "local-version-without-index",
    topic="index",
    severity=Severity.ERROR,
    facts=("indexes",),
)
def local_version_without_index(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A build such as ``+cu118`` that no index named here serves.

    PyPI refuses uploads whose version has a label behind a plus sign, so such a pin can only come
    from another index, and the file must name it. A warning where something else in the project
    names one (a README, a Dockerfile, a script, a comment): then the install works for those who
    read it. What pip freeze wrote is no exception: it cannot be installed again. Nothing is said
    where an index is named whose content is not known.

    Messages that users see: "Could not find a version that satisfies the requirement
    torch==2.1.0+cu118", "No matching distribution found for torch==2.1.0+cu118", "there is no
    version of torch==2.1.0+cu118".

    Bad:
        torch==2.1.0+cu118

    Good:
        --extra-index-url https://index.example/whl/cu118
        torch==2.1.0+cu118
    """
    search = _Search(project)
    for source in project.sources.values():
        if source.role == CONTEXT or source.is_contested or source.path in project.covered:
            continue
        if source.kind == "dockerfile":
            for command in source.commands:
                yield from _in_command(source, command, search)
        elif source.kind not in _OTHERS:
            dropped = _reported_otherwise(source)
            for requirement in _local_builds(source.requirements):
                if requirement.span.start not in dropped:
                    yield from _in_file(source, requirement, search, knowledge)


class _Search:
    """Where a project names indexes; everything is looked up once, and only where asked for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._installers: Installers | None = None
        self._mentions: dict[str, Span | None] = {}
        self._reach: dict[str, tuple[Index, ...]] = {}

    def reach(self, source: Source) -> tuple[Index, ...]:
        """Return the indexes that are asked when a file is installed."""
        if source.path not in self._reach:
            self._reach[source.path] = tuple(self._indexes(source))
        return self._reach[source.path]

    def _indexes(self, source: Source) -> Iterator[Index]:
        if self._installers is None:
            self._installers = Installers(self.project)
        paths = {source.path: None}
        for install_set in self.project.sets_with(source.path):
            paths.update(dict.fromkeys(install_set.sources))
        for path in paths:
            yield from self.project.sources[path].indexes
            for home, command in self._installers.of(path):
                yield from home.indexes if home.kind == "bentofile" else command.indexes
                if "--torch-backend" in command.options:
                    yield Index("extra", "", command.span)  # of builds with any label
        for settings in settings_over(source.path, self.project):
            yield from settings.indexes

    def mention(self, source: Source) -> Span | None:
        """Return the first place in a file's text that speaks of an index."""
        if source.path not in self._mentions:
            self._mentions[source.path] = index_mention(source.text)
        return self._mentions[source.path]

    def elsewhere(self, source: Source) -> Span | None:
        """Return a place in the project that speaks of an index, this file's own first."""
        return self.mention(source) or self._first

    def outside(self, source: Source) -> Span | None:
        """Return the first place in the other files of the project that speaks of an index."""
        others = (one for one in self.project.sources.values() if one.role != LOCK)
        found = (self.mention(one) for one in others if one is not source)
        return next(filter(None, found), self.project.index_note)

    @cached_property
    def _first(self) -> Span | None:
        others = (one for one in self.project.sources.values() if one.role != LOCK)
        return next(filter(None, map(self.mention, others)), self.project.index_note)


def _local_builds(requirements: tuple[Requirement, ...]) -> Iterator[Requirement]:
    for requirement in requirements:
        version = requirement.versions.exact
        if version is None or not version.local or requirement.kind == CONSTRAINT:
            continue
        if requirement.ecosystem == PYPI and not requirement.is_direct:
            yield requirement


def _reported_otherwise(source: Source) -> set[int]:
    """Return where the requirements start whose index stands on their own line; PRS005 says it."""
    return {
        span.start
        for problem in source.problems
        if problem.kind == DROPPED_OPTION
        for span, _ in problem.related
    }


def _local(requirement: Requirement) -> str:
    version = requirement.versions.exact
    return ".".join(version.local) if version is not None else ""


def _in_file(
    source: Source, requirement: Requirement, search: _Search, knowledge: Knowledge
) -> Iterator[Finding]:
    from mlenv.knowledge.indexes import is_accelerated

    named = [index for index in search.reach(source) if index.kind != "trusted-host"]
    asked = {requirement.index, *(name for name, _ in requirement.index_choices)}
    # an explicit index serves only what is assigned to it
    reach = [index for index in named if index.kind != "explicit" or index.name in asked]
    if reach:
        yield from _from_others(requirement, reach, knowledge)
        return
    # a file with explicit indexes speaks of those
    elsewhere = search.outside(source) if named else search.elsewhere(source)
    known = is_accelerated(_local(requirement))
    yield _unserved(
        requirement, elsewhere, Severity.ERROR if known and not elsewhere else Severity.WARNING
    )


def _unserved(requirement: Requirement, elsewhere: Span | None, severity: Severity) -> Finding:
    local = _local(requirement)
    version = requirement.versions.exact
    what = f"{requirement.written} {version.text if version else ''}"
    return Finding(
        f"{what} is not on PyPI, which holds no +{local} builds, and no index is named here",
        requirement.specifier_span or requirement.span,
        (requirement.name,),
        severity,
        help=f"name in this file, with --extra-index-url, the index that serves +{local} "
        "(PyTorch's installation page gives its address), or leave the label out",
        related=(Related(elsewhere, "an index is spoken of here"),) if elsewhere else (),
        evidence=(_PYPI,),
        batch=f"local {local}",
        batch_message="PyPI holds none of these {count} builds with +" + local + ", and no index "
        "is named here: {packages}",
    )


def _from_others(
    requirement: Requirement, reach: list[Index], knowledge: Knowledge
) -> Iterator[Finding]:
    """Say so where every index that is asked is one of builds with another label."""
    from mlenv.knowledge.indexes import is_label, wheel_index

    local = _local(requirement)
    if not is_label(local) or not knowledge.indexes.serves(requirement.name):
        return
    places = [(index, wheel_index(index.url)) for index in reach if index.kind in SOURCES]
    labels = dict.fromkeys(wheels.label if wheels else "" for _, wheels in places)
    if not labels or "" in labels or local in labels or len(places) < len(reach):
        return
    served = " and ".join(labels)
    yield Finding(
        f"{requirement.written} asks for a +{local} build, and the index named here serves "
        f"{served} only",
        requirement.specifier_span or requirement.span,
        (requirement.name,),
        help=f"name the index for {local}, or ask for +{next(iter(labels))}",
        related=tuple(Related(index.span, "this index") for index, _ in places),
        evidence=(_PYPI,),
        batch=f"other {local}",
        batch_message="{count} requirements ask for +" + local + " builds, and the index named "
        "here serves " + served + " only: {packages}",
    )


def _in_command(source: Source, command: InstallCommand, search: _Search) -> Iterator[Finding]:
    """Judge a command of an image, whose base may bring an index along."""
    if source.role != IMAGE or command.indexes or search.mention(source) is not None:
        return
    for requirement in _local_builds(command.requirements):
        yield _unserved(requirement, search.elsewhere(source), Severity.WARNING)
