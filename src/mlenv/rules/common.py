"""What several rules ask of the model."""

from __future__ import annotations

import re
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
_AUXILIARY_FOLDER = r"docs?|documentation|tests?|testing|\.github|\.circleci|\.devcontainer"
_ASIDE = (
    r"(?:^|[/_-])(?:examples?|demos?|tutorials?|notebooks?|recipes|samples?|benchmarks?|cookbooks?|"
    r"research_projects)(?:[_-][^/]*)?/"
)
LOCKABLE = ("pyproject", "pixi")
"""Formats whose own tools write a lock, so that ranges in them are as they should be."""


def is_auxiliary(path: str, group: str = "") -> bool:
    """Whether a file or group serves the work on a project and not what it computes.

    A file's own name may say so, or a folder for documentation or tests; other words in the names
    of folders mean other things.
    """
    *folders, name = path.lower().split("/")
    if any(re.fullmatch(_AUXILIARY_FOLDER, folder) for folder in folders):
        return True
    stem = name.rpartition(".")[0]
    return any(re.match(_AUXILIARY_NAME, part) for part in (stem, group.lower()) if part)


def is_aside(path: str) -> bool:
    """Whether a file belongs to an example, which shows what a project can do and is not it."""
    return re.search(_ASIDE, path.lower()) is not None


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


def settled_names(source: Source, project: Project) -> frozenset[str]:
    """Return the distributions whose version another file of the same install set pins."""
    found: set[str] = set()
    for install_set in project.sets_with(source.path):
        found.update(name for name, path in _pinned(install_set) if path != source.path)
    return frozenset(found)


@lru_cache(maxsize=4096)
def _pinned(install_set: InstallSet) -> frozenset[tuple[str, str]]:
    """The names that a set pins, each with the file that does; asked for by each of its files."""
    return frozenset(
        (requirement.name, requirement.span.path)
        for requirement in install_set.requirements
        if requirement.versions.is_exact
    )
