"""Topic ``locks``: whether a lock still says what its manifest asks for."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator

from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.profile import LIBRARY
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import (
    BUILD,
    MAIN,
    OVERRIDE,
    REQUIREMENT,
    LockedPackage,
    Requirement,
)
from mlenv.model.source import CONTEXT, MANIFEST, Source
from mlenv.phrases import listed
from mlenv.reasoning.includes import targets_of
from mlenv.rules.base import rule
from mlenv.versions.version import parse_version

_UPDATES = {
    "uv-lock": "uv lock",
    "poetry-lock": "poetry lock",
    "pdm-lock": "pdm lock",
    "pixi-lock": "pixi lock",
    "pipfile-lock": "pipenv lock",
    "conda-lock": "conda-lock",
}
_EVERY_GROUP = ("uv-lock", "poetry-lock", "pixi-lock", "pipfile-lock")
"""Locks that record every group of their manifest."""
_LEFT_OUT = frozenset(("pip", "setuptools", "wheel", "distribute", "python"))
"""What tools leave out of a lock on purpose."""
_MOST_NAMED = 3

Locked = dict[tuple[str, str], list[LockedPackage]]


@rule("LCK004", "stale-lock", topic="locks", severity=Severity.ERROR)
def stale_lock(project: Project) -> Iterator[Finding]:
    """A lock that records a version which its manifest does not admit.

    Somebody changed the manifest and did not lock again. Tools that install from the lock refuse
    (``poetry install``, ``uv sync --locked``, ``pipenv install --deploy``) or install what the
    manifest forbids (``pip install -r requirements.txt``); tools that lock again install something
    nobody has tested.

    Bad:
        numpy>=2 in requirements.in, and numpy==1.26.4 in the requirements.txt compiled from it

    Good:
        numpy>=1.26,<2 in requirements.in, and numpy==1.26.4 in the requirements.txt
    """
    for lock, install_set in _locked_sets(project):
        locked = _by_name(lock)
        for requirement in _asked(install_set):
            found = locked.get((requirement.ecosystem, requirement.name), [])
            if found and _contradicts(requirement, found):
                yield _outdated(requirement, found, lock)


def _outdated(requirement: Requirement, found: list[LockedPackage], lock: Source) -> Finding:
    versions = listed(tuple(dict.fromkeys(one.version for one in found)), _MOST_NAMED)
    return Finding(
        f"{requirement.written} is locked at {versions} in {lock.path}, which "
        f"{_written(requirement)} does not admit",
        requirement.specifier_span or requirement.span,
        (requirement.name,),
        help=f"run {_command(lock)} and commit the result",
        related=tuple(Related(one.span, f"locked at {one.version}") for one in found[:1]),
    )


def _written(requirement: Requirement) -> str:
    span = requirement.specifier_span
    return " ".join(span.text.split()) if span else requirement.versions.text


def _contradicts(requirement: Requirement, found: list[LockedPackage]) -> bool:
    """Whether none of the locked versions satisfies a requirement."""
    if requirement.is_direct or not requirement.versions.understood:
        return False
    versions = [parse_version(one.version) for one in found]
    # an entry without a version that can be compared (a path, a repository) might satisfy it
    return not any(
        version is None or requirement.versions.admits(version, prereleases=True)
        for version in versions
    )


@rule("LCK005", "unlocked-requirement", topic="locks", severity=Severity.WARNING)
def unlocked_requirement(project: Project) -> Iterator[Finding]:
    """A requirement that the lock beside its manifest does not hold.

    It was added after the last lock. What installs from the lock lacks it, and fails at the
    import; what locks again pulls in versions nobody has tested. An error where the tool of the
    lock refuses to install.

    Bad:
        einops in pyproject.toml, and a poetry.lock without it

    Good:
        a lock that was written after the last change
    """
    for lock, install_set in _locked_sets(project):
        if install_set.group != MAIN and lock.kind not in _EVERY_GROUP:
            continue
        names = {(one.ecosystem, one.name) for one in lock.locked}
        for requirement in _asked(install_set):
            # a marker may leave it out of a lock that was made for one platform
            if requirement.marker is not None or requirement.is_local:
                continue
            if (requirement.ecosystem, requirement.name) not in names:
                yield Finding(
                    f"{requirement.written} is not in {lock.path}: the lock is older than the "
                    "requirement",
                    requirement.name_span or requirement.span,
                    (requirement.name,),
                    Severity.ERROR if lock.kind == "poetry-lock" else None,
                    help=f"run {_command(lock)} and commit the result",
                    batch=f"unlocked {lock.path}",
                    batch_message=f"{{count}} requirements are not in {lock.path}, which is "
                    "older: {packages}",
                )


@rule("LCK006", "no-longer-required", topic="locks", severity=Severity.NOTE)
def no_longer_required(project: Project) -> Iterator[Finding]:
    """A lock that was written for a requirement which its manifest no longer has.

    The lock names what was asked for when it was written. What has been dropped since is still
    installed, with all that it needs.

    Bad:
        requirements.txt with "gym==0.26.2  # via -r requirements.in", and no gym in requirements.in

    Good:
        the requirements.txt compiled again
    """
    by_lock: dict[str, list[InstallSet]] = {}
    for lock, install_set in _locked_sets(project):
        by_lock.setdefault(lock.path, []).append(install_set)
    for path, sets in by_lock.items():
        lock = project.sources[path]
        if any(problem.fatal for one in sets for problem in one.home.problems):
            continue
        if len(lock.compiled_from) > 1 or lock.problems or _is_open(project, sets):
            continue
        # an option of the compiler may have added extras
        declared = {r.name for one in sets for r in one.home.requirements}
        asked = declared | {r.name for one in sets for r in one.requirements}
        for package in lock.locked:
            if package.wanted and package.name not in asked:
                yield Finding(
                    f"{lock.path} still locks {package.written}, which its manifest no longer "
                    "asks for",
                    package.span,
                    (package.name,),
                    help=f"run {_command(lock)} and commit the result",
                    batch="dropped",
                    batch_message=f"{path} still locks {{count}} packages that its manifest no "
                    "longer asks for: {packages}",
                )


def _is_open(project: Project, sets: list[InstallSet]) -> bool:
    """Whether files that belong to some install sets were not read."""
    homes = {one.home.path: one.home for one in sets}
    return any(
        not targets_of(path, include, project)
        for path, home in homes.items()
        for include in home.includes
    )


@rule("LCK007", "lock-without-hashes", topic="locks", severity=Severity.NOTE)
def lock_without_hashes(source: Source) -> Iterator[Finding]:
    """A compiled requirements file that records no hashes.

    Versions can be uploaded again on private indexes, and files can be swapped on the way; hashes
    make pip refuse what is not the file that was locked. It costs one option of the compiler.

    Bad:
        requirements.txt compiled without --generate-hashes

    Good:
        requirements.txt with a --hash behind each version
    """
    compiled = source.generated_by in ("uv", "uv export", "pip-compile", "pip-tools")
    if source.kind != "requirements" or not compiled or not source.locked:
        return
    if not any(package.hashed for package in source.locked):
        exported = source.generated_by == "uv export"
        yield Finding(
            f"none of the {len(source.locked)} locked packages has a hash",
            source.locked[0].span,
            help="export it without --no-hashes"
            if exported
            else "compile it with --generate-hashes",
        )


@rule("LCK008", "ignored-lock", topic="locks", severity=Severity.WARNING)
def ignored_lock(project: Project) -> Iterator[Finding]:
    """A lock that .gitignore keeps out of the repository.

    It locks one person's machine. Everybody else, and CI, resolves anew. A note for libraries,
    whose users never see it.

    Bad:
        uv.lock in .gitignore

    Good:
        uv.lock committed
    """
    for ignored in project.repository.ignored_locks:
        if not ignored.tracked:
            yield Finding(
                f"git ignores {ignored.path}: others resolve anew",
                ignored.span,
                severity=Severity.NOTE if project.profile == LIBRARY else None,
                help=f"remove the pattern and commit {posixpath.basename(ignored.path)}",
            )


@rule("LCK009", "lock-without-input", topic="locks", severity=Severity.NOTE)
def lock_without_input(project: Project) -> Iterator[Finding]:
    """A compiled file whose input is not in the repository, or is not the one beside it.

    Its header names the file that it was compiled from. Without it the lock cannot be renewed, and
    nothing tells what the project itself asks for. Where another input of the same name stands
    beside it, one of the two is out of use.

    Bad:
        # uv pip compile requirements.in -o requirements.txt, and no requirements.in

    Good:
        requirements.in beside it
    """
    known = {*project.sources, *(one.path for one in project.unread)}
    names = {posixpath.basename(path) for path in known}
    for source in project.sources.values():
        if source.kind == "requirements" and source.compiled_from and source.role != CONTEXT:
            yield from _of_other_input(source, names, project)


def _of_other_input(source: Source, names: Collection[str], project: Project) -> Iterator[Finding]:
    """Yield what is wrong with the input of one compiled file, given the names of all files."""
    missing = [name for name in source.compiled_from if not _is_there(name, names)]
    if len(missing) == len(source.compiled_from):
        yield Finding(
            f"it was compiled from {listed(tuple(missing), _MOST_NAMED)}, which is not there",
            source.text.line_span(1),
            certainty=Certainty.POSSIBLE,
            help="commit the input, or compile it from the one that is there",
            evidence=(Evidence("the header names its input", source.path),),
        )
        return
    beside = project.sources.get(source.path.removesuffix(".txt") + ".in")
    named = {posixpath.basename(name.replace("\\", "/")) for name in source.compiled_from}
    if beside is not None and posixpath.basename(beside.path) not in named:
        yield Finding(
            f"it was compiled from {listed(source.compiled_from, _MOST_NAMED)}, and not from the "
            f"{posixpath.basename(beside.path)} beside it",
            source.text.line_span(1),
            certainty=Certainty.POSSIBLE,
            help="compile it from the input that counts, and delete the other",
            evidence=(Evidence("the header names its input", source.path),),
        )


def _is_there(name: str, names: Collection[str]) -> bool:
    path = name.replace("\\", "/")
    if path.startswith(("/", "-", "$", "~")) or "*" in path or "://" in path:
        return True  # nothing of the repository
    return posixpath.basename(path) in names


def _locked_sets(project: Project) -> Iterator[tuple[Source, InstallSet]]:
    """Yield the install sets of manifests that a lock records, each with its lock."""
    compiled: dict[str, list[str]] = {}
    for path, names in project.inputs.items():
        for name in names:
            compiled.setdefault(name, []).append(path)
    for install_set in project.install_sets:
        home = install_set.home
        if home.role != MANIFEST or install_set.group == BUILD or home.is_contested:
            continue
        for path in dict.fromkeys((install_set.lock, *compiled.get(home.path, ()))):
            lock = project.sources.get(path)
            if lock is None or not lock.locked or lock.is_contested:
                continue
            if lock.generated_by == "uv export":
                continue  # of some groups, which its header alone tells
            if install_set.group == MAIN or lock.kind in (*_EVERY_GROUP, "pdm-lock"):
                yield lock, install_set


def _asked(install_set: InstallSet) -> Iterator[Requirement]:
    """Yield the requirements of a set that its lock must hold."""
    from mlenv.model.compatibility import compatible  # only where there is a lock

    overridden = {r.name for r in install_set.requirements if r.kind == OVERRIDE}
    for requirement in install_set.requirements:
        if requirement.kind != REQUIREMENT or not requirement.name:
            continue
        if requirement.name in _LEFT_OUT or requirement.name in overridden:
            continue
        if compatible(requirement.marker, pythons=install_set.pythons):
            yield requirement


def _by_name(lock: Source) -> Locked:
    found: Locked = {}
    for package in lock.locked:
        found.setdefault((package.ecosystem, package.name), []).append(package)
    return found


def _command(lock: Source) -> str:
    if lock.kind in _UPDATES:
        return _UPDATES[lock.kind]
    return "pip-compile again" if lock.generated_by == "pip-compile" else "uv pip compile again"
