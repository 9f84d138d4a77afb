"""Topic ``locks``: whether what was chosen is recorded, once, in a form that others can use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.model.profile import APPLICATION, LIBRARY
from mlenv.model.project import Project
from mlenv.model.requirement import MAIN
from mlenv.model.source import LOCK, MANIFEST, Source
from mlenv.model.text import Span
from mlenv.phrases import listed
from mlenv.rules.base import rule
from mlenv.rules.common import LOCKABLE, declared, is_aside, is_auxiliary, profile_of, settled_among

_WRITES_LOCK = {
    "uv": "uv lock",
    "poetry": "poetry lock",
    "pdm": "pdm lock",
    "pixi": "pixi lock",
    "pipenv": "pipenv lock",
}
_MOST_NAMED = 3
_COMPETING = ("uv-lock", "poetry-lock", "pdm-lock", "pylock", "pipfile-lock", "pixi-lock")


@rule("LCK001", "no-lock", topic="locks", severity=Severity.NOTE)
def no_lock(source: Source, project: Project) -> Iterator[Finding]:
    """A pyproject.toml or pixi.toml with ranges and no lock beside it.

    Ranges are the right form for these files, as long as a lock records what they resolved to.
    Without one every install resolves anew, and nobody can make last month's environment again.
    A warning where the project is an application or its tool writes locks (uv, Poetry, PDM, pixi),
    a note elsewhere; published libraries need none.

    Bad:
        pyproject.toml with torch>=2.1, and nothing else

    Good:
        pyproject.toml with torch>=2.1, and the uv.lock that `uv lock` writes
    """
    if source.kind not in LOCKABLE or source.path in project.covered:
        return
    profile = profile_of(source, project)
    if profile == LIBRARY or is_auxiliary(source.directory):
        return
    main = [r for r in declared(source) if r.group == MAIN and not r.is_direct]
    settled = settled_among((r.name for r in main), source, project)
    open_ones = [
        r
        for r in main
        if r.name != "python"
        and r.name not in settled
        and not r.versions.is_exact
        and r.versions.understood
    ]
    if not open_ones:
        return
    manager = source.packaging.manager if source.packaging else ""
    command = _WRITES_LOCK.get(manager, "")
    first = open_ones[0]
    matters = (profile == APPLICATION or bool(command)) and not is_aside(source.path)
    names = tuple(dict.fromkeys(r.name for r in open_ones))
    count = len(names)
    yield Finding(
        f"{count} requirements state ranges, and no lock records what they became: "
        f"{listed(names, _MOST_NAMED)}"
        if count > 1
        else f"{first.written} states a range, and no lock records what it became",
        first.span,
        names,
        Severity.WARNING if matters else None,
        help=f"run {command or 'uv lock'} and commit the lock",
        batch="no-lock",
    )


@rule("LCK002", "competing-locks", topic="locks", severity=Severity.WARNING)
def competing_locks(project: Project) -> Iterator[Finding]:
    """Several locks of different tools for one manifest.

    They age apart, and which one an install follows depends on the tool at hand: two colleagues,
    or CI and production, run different versions.

    Bad:
        poetry.lock and uv.lock beside one pyproject.toml

    Good:
        the lock of the tool in use, alone
    """
    folders: dict[str, list[Source]] = {}
    for source in project.sources.values():
        if source.role == LOCK and source.kind in _COMPETING:
            folders.setdefault(source.directory, []).append(source)
    for locks in folders.values():
        kinds = {lock.kind for lock in locks}
        if len(kinds) < 2 or is_auxiliary(locks[0].path):
            continue
        names = [lock.path.rpartition("/")[2] for lock in locks]
        yield Finding(
            f"{' and '.join(names)} lock the same project and will drift apart",
            _start(locks[0]),
            help="keep the lock of the tool in use and delete the others",
            related=tuple(Related(_start(lock), "another lock") for lock in locks[1:]),
        )


def _start(source: Source) -> Span:
    return source.text.line_span(1)


@rule("LCK003", "frozen-manifest", topic="locks", severity=Severity.NOTE)
def frozen_manifest(source: Source, project: Project) -> Iterator[Finding]:
    """The output of ``pip freeze`` that serves as the manifest.

    It lists everything that was in one environment: what the project needs, what that needed, and
    what happened to be installed. Nothing tells them apart any more, so no pin can be raised with
    confidence, and entries for one platform break the install on another.

    Bad:
        requirements.txt written by pip freeze, with 150 entries

    Good:
        requirements.in with the 12 that are imported, and a requirements.txt compiled from it
    """
    if source.role != LOCK or source.generated_by != "pip freeze":
        return
    if not source.requirements or source.directory in _declaring_folders(project):
        return
    yield Finding(
        f"this looks like the output of pip freeze: {len(source.requirements)} entries, and "
        "nothing tells which of them the project itself needs",
        source.requirements[0].span,
        help="list what the code imports in a requirements.in or pyproject.toml and compile that "
        "with uv pip compile or pip-compile",
        evidence=(
            Evidence("its entries are fixed, in the order in which pip freeze sorts", "the file"),
        ),
    )


@lru_cache(maxsize=1)
def _declaring_folders(project: Project) -> frozenset[str]:
    """The folders with a manifest that a person writes; every frozen file asks for them."""
    return frozenset(
        one.directory for one in project.sources.values() if one.role == MANIFEST and _declares(one)
    )


def _declares(source: Source) -> bool:
    return source.kind in (*LOCKABLE, "conda-env") or source.path.endswith(".in")
