"""What pip is asked to install in one go, and where it looks: by a file, or by a command."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from mlenv.model.image import InstallCommand
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import Requirement
from mlenv.model.source import Index, Source
from mlenv.reasoning.includes import targets_of
from mlenv.records import dataclass

_PIP_FORMATS = ("requirements", "conda-env", "mlflow-python-env", "pipfile", "cog", "bentofile")
"""Formats whose indexes and requirements reach pip."""
_TORCH = ("torch", "pytorch")
SOURCES = ("index", "extra", "find-links", "explicit")
"""The kinds of index that packages come from."""


@dataclass(frozen=True, slots=True, eq=False)
class Installation:
    """One run of pip.

    Attributes:
        home: The file that asks for it.
        requirements: What it installs and is bounded by.
        indexes: The places that it names, in the order in which pip reads them.
        has_torch: Whether torch is there before it runs: pip does not replace what satisfies it.
    """

    home: Source
    requirements: tuple[Requirement, ...]
    indexes: tuple[Index, ...]
    has_torch: bool = False


class Installers:
    """The commands of a project and the files that they install from."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._by_target: dict[str, list[tuple[Source, InstallCommand]]] = {}
        for source in project.sources.values():
            for command in source.commands:
                for target in self.files_of(source, command):
                    self._by_target.setdefault(target, []).append((source, command))

    def files_of(self, source: Source, command: InstallCommand) -> list[str]:
        """Return the paths of the files that a command installs from or is bounded by."""
        found = (targets_of(source.path, include, self._project) for include in command.files)
        return list(dict.fromkeys(target for targets in found for target in targets))

    def of(self, path: str) -> list[tuple[Source, InstallCommand]]:
        """Return the commands that install from a file, each with the file that it stands in."""
        return self._by_target.get(path, [])

    def installations(self) -> Iterator[Installation]:
        """Yield every run of pip that the project describes."""
        for install_set in self._project.install_sets:
            if install_set.home.kind in _PIP_FORMATS:
                indexes = self.indexes_of(install_set)
                yield Installation(install_set.home, install_set.requirements, indexes)
        for source in self._project.sources.values():
            having = {stage.group for stage in source.stages if "torch" in stage.repository}
            for command in source.commands:
                if command.tool == "pip" and command.action == "install":
                    yield self._run(source, command, command.group in having)
                if any(requirement.name in _TORCH for requirement in command.requirements):
                    having.add(command.group)

    def indexes_of(self, install_set: InstallSet) -> tuple[Index, ...]:
        """Return the indexes that the files of a set name."""
        sources = self._project.sources
        return tuple(index for path in install_set.sources for index in sources[path].indexes)

    def _run(self, source: Source, command: InstallCommand, has_torch: bool) -> Installation:
        requirements = [*command.requirements]
        of_files: list[Index] = []
        for path in self.files_of(source, command):
            for install_set in self._project.sets_with(path):
                if install_set.home.path == path:
                    requirements += install_set.requirements
                    of_files += self.indexes_of(install_set)
        # what a variable names is only the default of the one main index
        replaced = any(index.kind == "index" for index in of_files)
        indexes = [
            index
            for index in command.indexes
            if not (replaced and index.kind == "index" and not _is_within(index, command))
        ]
        return Installation(source, tuple(requirements), (*indexes, *of_files), has_torch)


@lru_cache(maxsize=4)
def installers_of(project: Project) -> Installers:
    """Return the commands of a project, gathered once."""
    return Installers(project)


def commands_in(source: Source, groups: Collection[str]) -> list[InstallCommand]:
    """Return the commands of some groups of a file, in the file's order."""
    by_group = _by_group(source)
    found = [one for group in groups for one in by_group.get(group, ())]
    return [source.commands[at] for at in sorted(found)]


@lru_cache(maxsize=16)
def _by_group(source: Source) -> Mapping[str, list[int]]:
    """Return the positions of a file's commands by group: all are too many for each stage."""
    found: dict[str, list[int]] = {}
    for at, command in enumerate(source.commands):
        found.setdefault(command.group, []).append(at)
    return found


def _is_within(index: Index, command: InstallCommand) -> bool:
    return command.span.start <= index.span.start <= command.span.end
