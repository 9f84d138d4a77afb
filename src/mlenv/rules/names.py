"""Topic ``duplicates``: names that are not what is meant, are gone, or are needed no more."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from mlenv.knowledge import Knowledge
from mlenv.knowledge.names import MISSING, OTHER, Backport, WrongName
from mlenv.model.finding import Certainty, Finding, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import ALL_ENVIRONMENTS, PYPI, REQUIREMENT, Requirement
from mlenv.model.source import LOCK, Source
from mlenv.rules.base import rule
from mlenv.rules.places import may_come_from_elsewhere, own_names
from mlenv.versions.version_set import VersionSet, intersection


def _asked(source: Source) -> Iterator[Requirement]:
    """Yield what a file asks an index of Python packages for."""
    if source.is_contested:
        return
    for requirement in source.requirements:
        wanted = requirement.kind == REQUIREMENT and requirement.ecosystem == PYPI
        if wanted and requirement.name and not requirement.is_direct:
            yield requirement


@rule("DUP002", "wrong-name", topic="duplicates", severity=Severity.ERROR, facts=("distributions",))
def wrong_name(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A name under which PyPI does not have what is meant.

    Many modules are imported under another name than they are installed by. PyPI then has nothing,
    a stub that fails, or somebody else's project. An error where the installation fails, a warning
    where another project gets installed, a note for an old release that still does what is meant.
    Not meant are direct references, files with another index, and conda, whose pytorch is right.

    Messages that users see: "The 'sklearn' PyPI package is deprecated, use 'scikit-learn'", "No
    matching distribution found for cv2", "module 'clip' has no attribute 'load'".

    Bad:
        sklearn
        cv2

    Good:
        scikit-learn==1.5.2
        opencv-python-headless==4.10.0.84
    """
    for requirement in _asked(source):
        known = knowledge.names.wrong_name(requirement.name)
        if known is None or requirement.name in own_names(project):
            continue
        elsewhere = may_come_from_elsewhere(requirement, project)
        if elsewhere and known.state in (MISSING, OTHER):
            continue
        severity, certainty = _badness(requirement, known, project)
        if elsewhere and severity is Severity.ERROR:
            severity, certainty = Severity.WARNING, Certainty.POSSIBLE
        yield Finding(
            _wording(requirement, known, severity),
            requirement.name_span or requirement.span,
            (requirement.name,),
            severity,
            certainty,
            help=f"write {known.use}",
            evidence=(known.evidence,),
        )


def _badness(
    requirement: Requirement, known: WrongName, project: Project
) -> tuple[Severity, Certainty]:
    if known.state == OTHER:
        return Severity.WARNING, Certainty.CERTAIN
    if known.works is None:
        return (Severity.WARNING if known.by_hand else Severity.ERROR), Certainty.CERTAIN
    bounds = _bounds(requirement.span.path, requirement.name, project)
    admitted = requirement.versions & bounds
    if admitted.implies(known.works) or requirement.span.path in project.covered:
        return Severity.NOTE, Certainty.CERTAIN
    if not admitted.intersects(known.works):
        return Severity.ERROR, Certainty.CERTAIN
    return (Severity.ERROR if admitted.understood else Severity.WARNING), Certainty.FRESH_INSTALL


@lru_cache(maxsize=1024)
def _bounds(path: str, name: str, project: Project) -> VersionSet:
    """Return what constraints and overrides leave of a distribution that a file asks for."""
    return intersection(
        other.versions
        for install_set in project.sets_with(path)
        for other in install_set.requirements
        if other.name == name and other.kind != REQUIREMENT
    )


def _wording(requirement: Requirement, known: WrongName, severity: Severity) -> str:
    name = requirement.written
    if known.state == OTHER:
        return f"{name} on PyPI is another project than {known.meant}"
    if severity is Severity.NOTE:
        return f"{name} is a name of the past: newer releases than these refuse to install"
    if known.state == MISSING:
        return f"PyPI has no {name} to install"
    return f"{name} on PyPI refuses to install"


@rule(
    "DUP003",
    "renamed-distribution",
    topic="duplicates",
    severity=Severity.NOTE,
    facts=("distributions",),
)
def renamed_distribution(source: Source, knowledge: Knowledge) -> Iterator[Finding]:
    """A distribution that goes on under another name, or has ended.

    No release comes any more under this name: no fix, no build for the next Python or NumPy. The
    pins of a finished experiment are right as they are.

    Messages that users see: "Gym has been unmaintained since 2022", "PyPDF2 is deprecated. Please
    move to the pypdf library instead".

    Bad:
        gym

    Good:
        gymnasium==1.0.0
    """
    if source.role == LOCK:
        return
    found = [(r, knowledge.names.renamed(r.name)) for r in _asked(source)]
    known = {r.name: renamed.use for r, renamed in found if renamed is not None}
    successors = "; ".join(f"take {use} for {name}" for name, use in known.items() if use)
    for requirement, renamed in found:
        if renamed is None:
            continue
        name = requirement.written
        yield Finding(
            f"{name} gets no more releases"
            + (f"; {renamed.use} took its place" if renamed.use else ""),
            requirement.name_span or requirement.span,
            (requirement.name,),
            help=f"when the code is next worked on: {successors}" if successors else "",
            evidence=(renamed.evidence,),
            batch="renamed",
            batch_message="{count} distributions get no more releases under these names: "
            "{packages}",
        )


@rule(
    "DUP004",
    "standard-library-backport",
    topic="duplicates",
    severity=Severity.NOTE,
    facts=("distributions",),
)
def standard_library_backport(
    source: Source, project: Project, knowledge: Knowledge
) -> Iterator[Finding]:
    """A distribution for what every Python of the project has in its standard library.

    Python looks in its own library first, so the distribution is installed and never imported; only
    tools that put site-packages first trip over it. Releases that are made for the old Pythons
    alone do not install: an error where the project states a newer Python.

    Messages that users see: "No matching distribution found for dataclasses==0.8", "This backport
    is for Python 2.7 only".

    Bad:
        dataclasses

    Good:
        dataclasses; python_version < "3.7"
    """
    for requirement in _asked(source):
        known = knowledge.names.backport(requirement.name)
        if known is None:
            continue
        severity = _need(requirement, known, _pythons(source, project))
        if severity is None or (severity is Severity.NOTE and source.role == LOCK):
            continue
        fails = severity is Severity.ERROR
        yield Finding(
            f"{requirement.written} {requirement.versions} does not install on the project's Python"
            if fails
            else f"Python has {requirement.written} in its standard library and imports that",
            requirement.span,
            (requirement.name,),
            severity,
            help="remove it: the standard library has it",
            evidence=(known.evidence,),
            batch="" if fails else "backports",
            batch_message="Python has {count} of these in its standard library and imports those: "
            "{packages}",
        )


@lru_cache(maxsize=1024)
def _pythons(source: Source, project: Project) -> int:
    """Return the environments that the install sets of a file leave; all where none states any."""
    stated = [s.pythons for s in project.sets_with(source.path) if s.pythons != ALL_ENVIRONMENTS]
    found = 0 if stated else ALL_ENVIRONMENTS
    for pythons in stated:
        found |= pythons
    return found


def _need(requirement: Requirement, known: Backport, pythons: int) -> Severity | None:
    """Return how bad it is to ask for a backport; None where a stated Python needs it."""
    from mlenv.model.marker import for_pythons

    own = for_pythons(known.since)
    meant = pythons & requirement.environments
    stated = meant != ALL_ENVIRONMENTS
    if not meant & own or (stated and meant & ~own):
        return None
    fails = known.fails is not None and requirement.versions.implies(known.fails)
    if fails:
        return Severity.ERROR if stated else None  # the pin speaks for an old Python
    return Severity.NOTE
