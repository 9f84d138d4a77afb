"""What several rules ask of the model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from mlenv.knowledge import Knowledge
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import BUILD, CONDA, REQUIREMENT, Requirement
from mlenv.model.source import MANIFEST, Source

_WORDS = (
    r"docs?|documentation|tests?|testing|lint(?:ing|ers?)?|dev(?:el(?:op(?:ment)?)?)?|ci|style|typing|"
    r"types|benchmarks?|build|readthedocs|rtd|sphinx|pre-?commit|format(?:ting)?|coverage|quality|"
    r"release|mypy|ruff|tox|nox"
)
_AUXILIARY_NAME = rf"(?:^|.*[-_.:])(?:{_WORDS})(?:[-_.].*)?$"
_AUXILIARY_FOLDER = (
    r"(?:[^-_]+[-_])*docs?(?:[-_]build(?:er|s)?)?|documentation|"
    r"(?:integration|unit|e2e|functional)?_*(?:[^-_]+[-_])*tests?_*|testing|"
    r"\.github|\.circleci|\.devcontainer"
)
_ASIDE = (
    r"(?:^|[/_-])(?:examples?|demos?|tutorials?|notebooks?|recipes|samples?|benchmarks?|cookbooks?|"
    r"research_projects|profil(?:es?|ing))(?:[_-][^/]*)?/"
)
_PIPELINE_NAME = r"(?:.*[-_.])?(?:ci|docs?|lint(?:ing)?|tests?|rtd)"
LOCKABLE = ("pyproject", "pixi", "pipfile")
"""Formats whose own tools write a lock, so that ranges in them are as they should be."""
RANGED = (*LOCKABLE, "setup-py", "setup-cfg", "conda-recipe", "rapids-dependencies")
"""Formats that state what is needed, and not what is installed."""


def is_auxiliary(path: str, group: str = "") -> bool:
    """Whether a file or group serves the work on a project and not what it computes.

    A file's own name may say so, or a folder for documentation or tests; other words in the names
    of folders mean other things.
    """
    *folders, name = path.lower().split("/")
    if any(re.fullmatch(_AUXILIARY_FOLDER, folder) for folder in folders):
        return True
    # the word behind the dot of Dockerfile.dev is no extension
    stem = name if name.startswith("dockerfile.") else name.rpartition(".")[0]
    return any(re.match(_AUXILIARY_NAME, part) for part in (stem, group.lower()) if part)


def is_aside(path: str) -> bool:
    """Whether a file belongs to an example, which shows what a project can do and is not it.

    So does a template with placeholders in its path: the project made from it decides and locks.
    """
    return "{{" in path or re.search(_ASIDE, path.lower()) is not None


def is_metadata(source: Source, project: Project) -> bool:
    """Whether a project's metadata takes its dependencies from a requirements file.

    Ranges are right there then: what it says reaches everybody who installs the project.
    """
    return source.path in _metadata_files(project)


@lru_cache(maxsize=4)
def _metadata_files(project: Project) -> frozenset[str]:
    return frozenset(
        include.target
        for include in project.includes
        if project.sources[include.origin].kind in ("pyproject", "setup-py", "setup-cfg")
        and not include.include.constraint
    )


def serves_pipeline(source: Source) -> bool:
    """Whether a conda environment is named for what tests, checks or documents the project."""
    return any(
        statement.subject == "environment" and re.fullmatch(_PIPELINE_NAME, statement.value.lower())
        for statement in source.statements
    )


def profile_of(source: Source, project: Project) -> str:
    """Return the profile that the advice for a file follows."""
    return project.profiles.get(source.path, project.profile)


def distributions(requirement: Requirement, knowledge: Knowledge) -> tuple[str, ...]:
    """Return the PyPI distributions that a requirement installs, by canonical name."""
    if requirement.ecosystem == CONDA:
        return knowledge.distributions_of(requirement.name)
    return (requirement.name,) if requirement.name else ()


def declared(source: Source) -> list[Requirement]:
    """Return what a manifest asks to be installed, whatever its group, but not its build tools."""
    if source.role != MANIFEST or source.is_contested:
        return []
    return [r for r in source.requirements if r.kind == REQUIREMENT and r.group != BUILD]


def settled_among(names: Iterable[str], source: Source, project: Project) -> frozenset[str]:
    """Return those distributions whose version another file of the same install set pins.

    Args:
        names: The distributions in question.
        source: The file that leaves their version open.
        project: What surrounds it.
    """
    asked = frozenset(names)
    found: set[str] = set()
    for install_set in project.sets_with(source.path):
        if len(install_set.sources) > 1:
            pinned, where = _pinned(install_set)
            # an intersection takes the time of the smaller of the two
            found.update(name for name in asked & pinned if where[name] != source.path)
    return frozenset(found)


@lru_cache(maxsize=4096)
def _pinned(install_set: InstallSet) -> tuple[frozenset[str], dict[str, str]]:
    """The names that a set pins, and the one file that does; empty where there are several."""
    where: dict[str, str] = {}
    for requirement in install_set.requirements:
        if requirement.versions.is_exact:
            path = requirement.span.path
            where[requirement.name] = path if where.get(requirement.name, path) == path else ""
    return frozenset(where), where


def channel_name(written: str) -> str:
    """Return the name of a channel that is written as a name or as the URL of a mirror."""
    if "://" not in written:
        return written
    folders = written.rstrip("/").split("/")
    return "/".join(folders[-2:]) if folders[-2] == "pkgs" else folders[-1]
