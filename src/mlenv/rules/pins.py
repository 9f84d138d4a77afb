"""Topic ``pins``: versions that are left open, or fixed to something that does not stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Evidence, Finding, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import MAIN, Requirement
from mlenv.model.source import MANIFEST, Source
from mlenv.project.profiles import APPLICATION, LIBRARY
from mlenv.rules.base import rule
from mlenv.rules.common import (
    LOCKABLE,
    declared,
    distributions,
    is_auxiliary,
    profile_of,
    settled_names,
)

_FOREIGN_BUILD = re.compile(
    r"/(?:croot|work|feedstock_root|conda-bld|_build_env|build_artifacts)/|abs_[0-9a-z]{8,}|"
    r"/tmp/|/private/var/|/home/[^/]+/|/Users/[^/]+/|^file:///[A-Za-z]:",
)
_RELATIVE = re.compile(r"file:(?:\.|//\.|///?\$\{|[^/])")
_TAG = re.compile(r"(?:[\w.]*[-_/])?v?\d+(?:\.\d+)*[\w.+-]*")
_OTHER_CONDA_PARTS = frozenset(("cudatoolkit", "pytorch-cuda", "cuda-version", "python"))


def _open_requirements(
    source: Source, project: Project, knowledge: Knowledge
) -> Iterator[Requirement]:
    """Yield the requirements whose version this file alone decides, and does not fix.

    Left out is what a lock records, what another file of the install set pins, what no index
    serves, the tools that install others, and what only serves the work on the project.
    """
    if source.path in project.covered or source.kind in LOCKABLE:
        return
    settled: frozenset[str] | None = None
    seen = {r.name for r in declared(source) if r.versions.is_exact}
    for requirement in declared(source):
        if requirement.is_direct or not requirement.name or not requirement.versions.understood:
            continue
        if requirement.versions.has_upper_bound or requirement.name in seen:
            continue
        if is_auxiliary(source.path, requirement.group) or knowledge.is_installer(requirement.name):
            continue
        settled = settled if settled is not None else settled_names(source, project)
        if requirement.name not in settled and requirement.name not in _OTHER_CONDA_PARTS:
            yield requirement


def _is_framework(requirement: Requirement, knowledge: Knowledge) -> bool:
    return any(knowledge.is_framework(name) for name in distributions(requirement, knowledge))


@rule("PIN001", "unpinned", topic="pins", severity=Severity.WARNING)
def unpinned(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A requirement without any version.

    What gets installed depends on the day. The next major release of a framework or of NumPy
    arrives without a change to the repository, and an environment of last year cannot be made
    again. Not reported for libraries, whose users need ranges, nor where a lock, a constraint file
    or another file of the same install fixes the version.

    Bad:
        transformers

    Good:
        transformers==4.35.2
    """
    profile = profile_of(source, project)
    if profile == LIBRARY:
        return
    for requirement in _open_requirements(source, project, knowledge):
        if requirement.versions.has_lower_bound:
            continue
        if profile == APPLICATION and _is_framework(requirement, knowledge):
            continue  # PIN004 says it
        yield Finding(
            f"{requirement.written} has no version: what gets installed depends on the day",
            requirement.name_span or requirement.span,
            (requirement.name,),
            help="pin the version that the results were made with, or commit a lock",
            batch="unpinned",
            batch_message="{count} requirements have no version: {packages}",
        )


@rule("PIN002", "floor-only", topic="pins", severity=Severity.NOTE)
def floor_only(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A requirement with a lower bound only.

    It keeps old releases out and lets every future one in: ``torch>=1.13`` installs today's torch,
    for today's CUDA. A warning for frameworks and in applications, a note elsewhere; libraries are
    left alone.

    Bad:
        torch>=1.13

    Good:
        torch>=2.1,<2.2
    """
    profile = profile_of(source, project)
    if profile == LIBRARY:
        return
    for requirement in _open_requirements(source, project, knowledge):
        if not requirement.versions.has_lower_bound:
            continue
        framework = _is_framework(requirement, knowledge)
        if framework and profile == APPLICATION:
            continue  # PIN004 says it
        severe = framework or profile == APPLICATION
        yield Finding(
            f"{requirement.written} has a lower bound only and takes every future release",
            requirement.specifier_span or requirement.span,
            (requirement.name,),
            Severity.WARNING if severe else None,
            help="add an upper bound, pin the version, or commit a lock",
            batch="severe" if severe else "mild",
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
    if source.path in project.covered or source.kind in LOCKABLE:
        return
    if profile_of(source, project) == LIBRARY or is_auxiliary(source.path):
        return
    for requirement in declared(source):
        wildcards = [c.version for c in requirement.versions.clauses if c.version.endswith(".*")]
        if not any(version.count(".") == 1 for version in wildcards):
            continue
        if _is_framework(requirement, knowledge):
            yield Finding(
                f"{requirement.written} is pinned to its major version only",
                requirement.specifier_span or requirement.span,
                (requirement.name,),
                help="pin the minor version too",
            )


@rule("PIN004", "framework-not-exact", topic="pins", severity=Severity.WARNING)
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
    if profile_of(source, project) != APPLICATION:
        return
    for requirement in _open_requirements(source, project, knowledge):
        if _is_framework(requirement, knowledge):
            yield Finding(
                f"{requirement.written} decides what a model computes and is not pinned exactly",
                requirement.specifier_span or requirement.name_span or requirement.span,
                (requirement.name,),
                help="pin it with ==, or commit a lock",
                batch="frameworks",
                batch_message="{count} frameworks are not pinned exactly: {packages}",
            )


@rule("PIN005", "vcs-without-commit", topic="pins", severity=Severity.WARNING)
def vcs_without_commit(source: Source, project: Project) -> Iterator[Finding]:
    """A repository reference that names no commit or tag.

    A branch moves: two installs of the same line give different code, and a force-push can take
    what was tested away altogether. Tags that look like versions are let pass.

    Bad:
        git+https://github.com/huggingface/peft.git@main

    Good:
        git+https://github.com/huggingface/peft.git@v0.7.1
    """
    if source.role != MANIFEST or source.path in project.covered:
        return
    for requirement in source.requirements:
        if not requirement.is_vcs or requirement.has_commit or "$" in requirement.url:
            continue
        revision = requirement.revision
        if revision and _TAG.fullmatch(revision):
            continue
        name = requirement.written or "the repository"
        followed = f"the branch {revision!r}" if revision else "its default branch"
        yield Finding(
            f"{name} follows {followed}, which moves",
            requirement.span,
            (requirement.name,) if requirement.name else (),
            help="add the commit after the URL: @<commit>",
            batch="vcs",
            batch_message="{count} repository references follow a branch, which moves: {packages}",
        )


@rule("PIN006", "url-without-hash", topic="pins", severity=Severity.NOTE)
def url_without_hash(source: Source, project: Project) -> Iterator[Finding]:
    """An archive by URL without a hash.

    Nothing tells whether the file behind the URL is still the one that was tested.

    Bad:
        https://example.org/wheels/tool-1.0-py3-none-any.whl

    Good:
        https://example.org/wheels/tool-1.0-py3-none-any.whl#sha256=9f86d081884c7d65...
    """
    if source.role != MANIFEST or source.path in project.covered:
        return
    for requirement in source.requirements:
        url = requirement.url.lower()
        if not url.startswith(("http:", "https:")) or requirement.hashes:
            continue
        if not re.search(r"#.*(?:sha\d+|md5)=", url):
            yield Finding(
                "this URL comes without a hash",
                requirement.span,
                (requirement.name,) if requirement.name else (),
                help="append #sha256=<digest>",
                batch="urls",
                batch_message="{count} URLs come without a hash: {packages}",
            )


@rule("PIN007", "pre-release", topic="pins", severity=Severity.NOTE)
def pre_release(source: Source, project: Project) -> Iterator[Finding]:
    """A pin to a pre-release.

    Alphas, betas and candidates are replaced by the release they lead to. Development builds and
    nightlies are deleted from their index after some weeks; then the pin cannot be installed: a
    warning.

    Bad:
        torch==2.2.0.dev20231010+cu121

    Good:
        torch==2.2.0
    """
    if source.role != MANIFEST or source.path in project.covered:
        return
    for requirement in declared(source):
        version = requirement.versions.exact
        if version is None or not version.is_prerelease or requirement.is_direct:
            continue
        nightly = version.dev is not None
        kind = "a nightly build, which its index deletes in time" if nightly else "a pre-release"
        yield Finding(
            f"{requirement.written} {version.text} is {kind}",
            requirement.specifier_span or requirement.span,
            (requirement.name,),
            Severity.WARNING if nightly else None,
            help="pin a release",
        )


@rule("PIN008", "exact-pin-in-library", topic="pins", severity=Severity.WARNING)
def exact_pin_in_library(source: Source, project: Project) -> Iterator[Finding]:
    """A published library that pins a dependency exactly.

    Whoever installs the library gets that one version or a conflict: two libraries that pin torch
    differently cannot be installed together. Pins belong in the lock that the library is tested
    with, ranges in its metadata. Companions that must match exactly are the exception: say so with
    a suppression.

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
    for requirement in declared(source):
        version = requirement.versions.exact
        if requirement.group != MAIN or version is None or requirement.is_direct:
            continue
        if requirement.ecosystem != "pypi" or (own and requirement.name.startswith(own)):
            continue
        yield Finding(
            f"this library pins {requirement.written} exactly, which its users must share",
            requirement.specifier_span or requirement.span,
            (requirement.name,),
            help="state the range that works",
            batch="exact",
            batch_message="this library pins {count} dependencies exactly, which its users must "
            "share: {packages}",
        )


@rule("PIN009", "foreign-path", topic="pins", severity=Severity.ERROR)
def foreign_path(source: Source) -> Iterator[Finding]:
    """A requirement that points at a path of the machine that wrote the file.

    ``pip freeze`` in a conda environment prints the folder in which conda once built the package.
    That folder exists nowhere else, so the install fails at that line.

    Messages that users see: "No such file or directory: '/croot/...'".

    Bad:
        certifi @ file:///croot/certifi_1665076670883/work/certifi

    Good:
        certifi==2022.9.24
    """
    if source.kind not in ("requirements", "constraints", "conda-env", "pyproject"):
        return
    for requirement in source.requirements:
        url = requirement.url
        if not url.lower().startswith("file:") or _RELATIVE.match(url):
            continue
        foreign = _FOREIGN_BUILD.search(url) is not None
        yield Finding(
            f"{requirement.written or 'this'} points at a path of one machine",
            requirement.span,
            (requirement.name,) if requirement.name else (),
            None if foreign else Severity.WARNING,
            help="write the version instead; pip list --format=freeze prints versions only",
            evidence=(
                Evidence(
                    "pip freeze prints a direct reference for what was installed from a path",
                    "pip's documentation, pip freeze; PEP 610",
                ),
            ),
            batch="foreign" if foreign else "local",
            batch_message="{count} requirements point at paths of one machine: {packages}",
        )
