"""Everything that the files of a project say of Python, in one form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.image import InstallCommand, Stage
from mlenv.model.project import Project
from mlenv.model.requirement import CONDA, MAIN
from mlenv.model.source import CONTEXT, LOCK, MANIFEST, Source
from mlenv.model.text import Span
from mlenv.records import dataclass
from mlenv.versions.version import parse_version
from mlenv.versions.version_set import ANY, VersionSet, pep440

_PROJECTS = ("pyproject", "setup-cfg", "setup-py")
"""Formats whose statement on Python is the project's requires-python."""
_REFUSING = frozenset(("pip", "poetry", "pdm", "pipenv"))
FILES = ("python-version", "runtime-txt", "tool-versions")
"""Formats that state a Python and nothing else."""
_ENVIRONMENTS = (
    *FILES, "conda-env", "pipfile", "cog", "bentofile", "mlflow-python-env", "dockerfile",
)  # fmt: skip
"""Formats that an environment is made from."""
_TAG = r"(?P<version>\d+(?:\.\d+){0,2})(?=-|$)"


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """One statement on Python.

    Attributes:
        source: The file.
        value: As written; empty where any Python will do.
        span: Where.
        versions: What it admits.
        makes_environment: Whether an environment is made with such a Python.
        group: What it holds for, as in a requirement.
    """

    source: Source
    value: str
    span: Span
    versions: VersionSet
    makes_environment: bool
    group: str = MAIN

    @property
    def is_main(self) -> bool:
        """Whether it holds for all of the file, or for a stage of an image."""
        return self.group == MAIN or self.source.kind == "dockerfile"

    @property
    def numbers(self) -> int:
        """How many numbers the version has as written."""
        version = parse_version(self.value)
        return len(version.release) if version is not None else 0


def said_pythons(project: Project) -> Iterator[Said]:
    """Yield what the files say of Python, but for what a project requires of it and for locks."""
    for source in project.sources.values():
        if source.role == LOCK or source.is_contested or source.kind in _PROJECTS:
            continue
        makes = source.kind in _ENVIRONMENTS
        if makes and source.role == CONTEXT and source.kind not in FILES:
            continue  # the record of a run
        yield from _stated(source, makes)
        if source.role == MANIFEST:
            yield from _conda_pythons(source, makes)
        if source.kind == "readme":
            yield from _told_pythons(source)
        for stage in source.stages if source.kind != "dockerfile" else ():
            said = _of_stage(source, stage)
            if said is not None:
                yield said


def _stated(source: Source, makes: bool) -> Iterator[Said]:
    for statement in source.statements:
        versions = statement.versions
        if statement.subject != "python" or versions is None or not versions.understood:
            continue
        if statement.binding or source.role == CONTEXT:
            place, group = statement.span, statement.group
            yield Said(source, statement.value, place, versions, makes, group)


def _conda_pythons(source: Source, makes: bool) -> Iterator[Said]:
    for requirement in source.requirements:
        is_python = requirement.name == "python" and requirement.ecosystem == CONDA
        # what bounds the version is among the statements
        if is_python and requirement.versions.is_any:
            place, group = requirement.span, requirement.group
            yield Said(source, "", place, requirement.versions, makes, group)


def _told_pythons(source: Source) -> Iterator[Said]:
    """Yield the Pythons of the environments that a README tells its readers to make."""
    for command in source.commands:
        for requirement in command.requirements:
            place, versions = requirement.specifier_span, requirement.versions
            if requirement.name != "python" or requirement.ecosystem != CONDA or place is None:
                continue
            if versions.understood and not versions.is_any:
                yield Said(source, place.text.lstrip("="), place, versions, False)


def _of_stage(source: Source, stage: Stage) -> Said | None:
    """Return the Python of an image whose tags are Pythons; None for others."""
    if stage.repository.rpartition("/")[2] != "python" or not stage.is_complete:
        return None
    match = re.match(_TAG, stage.tag)
    if match is None:
        return None
    value = match["version"]
    versions = pep440(f"=={value}" if value.count(".") > 1 else f"=={value}.*") or ANY
    return Said(source, value, stage.span, versions, source.role != CONTEXT)


def requires_python(project: Project) -> Iterator[Said]:
    """Yield what each project requires of Python: one statement for a folder.

    Where none requires any, a Pipfile's statement stands for it.
    """
    seen: set[str] = set()
    kinds = (*_PROJECTS, "pipfile")
    found = [s for kind in kinds for s in project.sources.values() if s.kind == kind]
    for source in found:
        if source.is_contested or source.directory in seen:
            continue
        for statement in source.statements:
            versions = statement.versions
            if statement.subject != "python" or statement.group != MAIN or versions is None:
                continue
            if versions.understood and statement.binding:
                seen.add(source.directory)
                yield Said(source, statement.value, statement.span, versions, False)
                break


def project_folders(project: Project) -> frozenset[str]:
    """Return the folders with a project in them, whatever it says of Python."""
    return frozenset(
        source.directory for source in project.sources.values() if source.kind in _PROJECTS
    )


def dockerfile_pythons(anchor: Said, project: Project) -> Iterator[tuple[Said, bool]]:
    """Yield the Pythons of images that install a project, and whether the tool refuses others.

    pip and Poetry refuse; uv fetches a Python that fits.
    """
    for source in project.sources.values():
        tools: dict[str, set[str]] = {}
        for command in source.commands if source.kind == "dockerfile" else ():
            if anchor.source.directory in _installed(source, command):
                tools.setdefault(command.group, set()).add(command.tool)
        by_group: dict[str, list[Said]] = {}
        for one in _stated(source, True) if tools else ():
            by_group.setdefault(one.group, []).append(one)
        for stage, origin in zip(source.stages, _origins(source), strict=True) if tools else ():
            used = tools.get(stage.group, set())
            for group in dict.fromkeys((stage.group, origin)) if used else ():
                yield from ((one, bool(used & _REFUSING)) for one in by_group.get(group, ()))


def _installed(source: Source, command: InstallCommand) -> tuple[str, ...]:
    """Return the folders that a command of an image may install a project from.

    An image is built beside its recipe, or from the root.
    """
    path = command.project.partition("[")[0].strip("/") or ("." if command.follows_lock else "")
    if path == ".":
        return "", source.directory
    return (path, f"{source.directory}/{path}") if path else ()


def _origins(source: Source) -> list[str]:
    """Return for each stage the group of the first of the stages that it continues."""
    found: list[str] = []
    for stage in source.stages:
        is_first = stage.parent is None or stage.parent >= len(found)
        found.append(stage.group if is_first else found[stage.parent or 0])
    return found


def is_open(versions: VersionSet) -> bool:
    """Whether a constraint lets in the minor releases that are to come."""
    return versions.intersects(_TO_COME)


_TO_COME = pep440("==3.99.*") or ANY
