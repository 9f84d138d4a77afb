"""Topic ``pins``: versions that are left open, or fixed to something that does not stay."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Finding, Severity
from mlenv.model.profile import APPLICATION, LIBRARY, RESEARCH
from mlenv.model.project import Project
from mlenv.model.requirement import MAIN, PYPI
from mlenv.model.source import IMAGE, LOCK, Source
from mlenv.rules.base import rule
from mlenv.rules.common import declared, is_aside, is_auxiliary, is_metadata, profile_of
from mlenv.rules.openness import Openness, open_versions
from mlenv.versions.version_set import Clause

_FEW = 5
"""From so few pins nobody can tell whether most are meant to be pinned."""


@rule("PIN001", "unpinned", topic="pins", severity=Severity.WARNING, facts=("frameworks",))
def unpinned(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A requirement without any version.

    What gets installed depends on the day. The next major release of a framework or of NumPy
    arrives without a change to the repository, and an environment of last year cannot be made
    again. A warning for frameworks, in applications, and where a project's only list has no version
    at all; a note elsewhere and in examples. Not
    reported for libraries, whose users need ranges, nor where a lock, a constraint file, a
    companion or another file of the same install fixes the version.

    Bad:
        transformers

    Good:
        transformers==4.35.2
    """
    profile = profile_of(source, project)
    if profile == LIBRARY:
        return
    for one in open_versions(source, project, knowledge):
        if one.versions.has_lower_bound or one.versions.has_upper_bound:
            continue
        if profile == APPLICATION and one.framework and not is_metadata(source, project):
            continue  # PIN004 says it
        requirement = one.requirement
        yield Finding(
            f"{requirement.written} has no version: what gets installed depends on the day",
            requirement.name_span or requirement.span,
            (requirement.name,),
            None if _matters(one, source, project) else Severity.NOTE,
            help=_pin_advice(source, project),
            batch="unpinned",
            batch_message="{count} requirements have no version: {packages}",
        )


def _matters(one: Openness, source: Source, project: Project) -> bool:
    """Whether an open version is worth a warning: it changes results, or what is deployed."""
    if is_aside(source.path) or is_metadata(source, project):
        return False
    return (
        one.framework
        or profile_of(source, project) == APPLICATION
        or _has_no_version(source, project)
    )


def _has_no_version(source: Source, project: Project) -> bool:
    """Whether a file at the top leaves everything open, and no lock records anything."""
    if "/" in source.path or any(one.role == LOCK for one in project.sources.values()):
        return False
    return all(one.versions.is_any and not one.is_direct for one in declared(source))


def _pin_advice(source: Source, project: Project) -> str:
    if is_metadata(source, project):
        return "commit a lock beside it; ranges are right in what a project requires"
    if source.path.endswith(".in"):
        return "compile it with uv pip compile or pip-compile and commit the result"
    return "pin the version that you tested, or commit a lock"


@rule("PIN002", "floor-only", topic="pins", severity=Severity.NOTE)
def floor_only(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A requirement with a lower bound only.

    It keeps old releases out and lets every future one in: ``torch>=1.13`` installs today's torch,
    for today's CUDA. A warning for frameworks and in applications, a note elsewhere and in
    examples; libraries are left alone.

    Bad:
        torch>=1.13

    Good:
        torch>=2.1,<2.2
    """
    profile = profile_of(source, project)
    if profile == LIBRARY:
        return
    for one in open_versions(source, project, knowledge):
        if one.versions.has_upper_bound or not one.versions.has_lower_bound:
            continue
        if one.framework and profile == APPLICATION and not is_metadata(source, project):
            continue  # PIN004 says it
        requirement = one.requirement
        yield Finding(
            f"{requirement.written} has a lower bound only and takes every future release",
            requirement.specifier_span or requirement.span,
            (requirement.name,),
            Severity.WARNING if _matters(one, source, project) else None,
            help=_pin_advice(source, project),
            batch="floor-only",
            batch_message="{count} requirements have a lower bound only: {packages}",
        )


@rule("PIN003", "major-wildcard", topic="pins", severity=Severity.NOTE)
def major_wildcard(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A framework pinned to its major version only.

    ``torch==2.*`` admits every 2.x release: other CUDA versions, other companions, other numbers.
    Frameworks break their interfaces with minor releases.

    Bad:
        torch==2.*

    Good:
        torch==2.1.*
    """
    if profile_of(source, project) != RESEARCH:
        return  # libraries need ranges, and applications hear of it from PIN004
    for one in open_versions(source, project, knowledge):
        if one.framework and any(_is_major(clause) for clause in one.versions.clauses):
            yield Finding(
                f"{one.requirement.written} is pinned to its major version only",
                one.requirement.specifier_span or one.requirement.span,
                (one.requirement.name,),
                help="pin the minor version too",
            )


def _is_major(clause: Clause) -> bool:
    numbers = clause.version.removesuffix(".*").count(".") + 1
    return (clause.version.endswith(".*") and numbers == 1) or (
        clause.operator == "~=" and numbers == 2
    )


@rule(
    "PIN004", "framework-not-exact", topic="pins", severity=Severity.WARNING, facts=("frameworks",)
)
def framework_not_exact(
    source: Source, project: Project, knowledge: Knowledge
) -> Iterator[Finding]:
    """A framework without an exact version in an application that has no lock.

    The exact release of torch, TensorFlow, JAX, NumPy and their companions decides which CUDA
    runs, whether checkpoints load, and which numbers come out. An application that is deployed
    without a lock must at least fix these.

    Bad:
        torch>=2.1
        transformers

    Good:
        torch==2.1.0
        transformers==4.35.2
    """
    if profile_of(source, project) != APPLICATION or is_metadata(source, project):
        return
    for one in open_versions(source, project, knowledge):
        if one.framework:
            requirement = one.requirement
            yield Finding(
                f"{requirement.written} decides what a model computes and is not pinned exactly",
                requirement.specifier_span or requirement.name_span or requirement.span,
                (requirement.name,),
                Severity.NOTE if is_aside(source.path) else None,
                help="pin it with ==, or commit a lock",
                batch="frameworks",
                batch_message="{count} packages that decide what a model computes are not pinned "
                "exactly: {packages}",
            )


@rule("PIN007", "pre-release", topic="pins", severity=Severity.NOTE)
def pre_release(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A pin to a pre-release.

    Alphas, betas and candidates are replaced by the release they lead to. Nightly builds are
    deleted from their index after some weeks; then the pin cannot be installed: a warning.

    Bad:
        torch==2.2.0.dev20231010+cu121

    Good:
        torch==2.2.0
    """
    if source.path in project.covered or is_auxiliary(source.path):
        return
    nightly_index = any("nightly" in index.url for index in source.indexes)
    for requirement in declared(source):
        version = requirement.versions.exact
        if version is None or not version.is_prerelease or requirement.is_direct:
            continue
        if requirement.ecosystem != PYPI or knowledge.is_tool(requirement.name):
            continue
        nightly = version.dev is not None and (nightly_index or bool(version.local))
        kind = "a nightly build, which its index deletes in time" if nightly else "a pre-release"
        yield Finding(
            f"{requirement.written} {version.text} is {kind}",
            requirement.specifier_span or requirement.span,
            (requirement.name,),
            Severity.WARNING if nightly else None,
            help="pin a release, once there is one",
            batch="nightly" if nightly else "pre-release",
            batch_message="{count} pins are to nightly builds, which their index deletes in time: "
            "{packages}"
            if nightly
            else "{count} pins are to pre-releases: {packages}",
        )


@rule("PIN008", "exact-pin-in-library", topic="pins", severity=Severity.WARNING)
def exact_pin_in_library(source: Source, project: Project) -> Iterator[Finding]:
    """A published library that pins a dependency exactly.

    Whoever installs the library gets that one version or a conflict: two libraries that pin torch
    differently cannot be installed together. Pins belong in the lock that the library is tested
    with, ranges in its metadata. A note where most are pinned, or where an image installs the
    project from its lock: that is a decision, and the project rather a program. Companions that
    must match exactly are the exception: say so with a suppression.

    Bad:
        dependencies = ["numpy==1.24.3"]

    Good:
        dependencies = ["numpy>=1.24,<2"]
    """
    packaging = source.packaging
    if packaging is None or not packaging.published:
        return
    if profile_of(source, project) != LIBRARY:
        return
    own = packaging.name
    main = [r for r in declared(source) if r.group == MAIN and r.name != "python"]
    deliberate = sum(r.versions.is_exact for r in main) > max(len(main) / 2, _FEW)
    deliberate = deliberate or _is_deployed(source, project)
    for requirement in main:
        if requirement.versions.exact is None or requirement.is_direct:
            continue
        name = requirement.name
        if requirement.ecosystem != PYPI or (own and (name == own or name.startswith(f"{own}-"))):
            continue
        yield Finding(
            f"this library pins {requirement.written} exactly, which its users must share",
            requirement.specifier_span or requirement.span,
            (requirement.name,),
            Severity.NOTE if deliberate else None,
            help="state the range that works",
            batch="exact",
            batch_message="this library pins {count} dependencies exactly, which its users must "
            "share: {packages}",
        )


def _is_deployed(source: Source, project: Project) -> bool:
    """Whether an image installs a project from the lock beside it."""
    folder = f"{source.directory}/" if source.directory else ""
    return source.path in project.covered and any(
        command.follows_lock
        for other in project.sources.values()
        if other.role == IMAGE and other.path.startswith(folder) and not is_auxiliary(other.path)
        for command in other.commands
    )
