"""What a project declares and locks, held against what is installed for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlenv.knowledge import Knowledge
from mlenv.model.environment import CONDA as CONDA_MANAGED
from mlenv.model.environment import Environment
from mlenv.model.marker import MarkerError, holds, parse_condition
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import CONDA, CONSTRAINT, MAIN, LockedPackage, Requirement
from mlenv.model.source import LOCK, MANIFEST, Source
from mlenv.reasoning.interpreter import variables_of
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version

_PRINCIPAL = 0.5
_OTHER = 0.8
"""From which share of its requirements on a file is taken to have been installed: the file that a
project is installed from, and one of its others."""
_LEAST = 3
_NOT_PYTHON = frozenset(("python", "pip", "setuptools", "wheel", "uv", "nodejs"))
_INSTALLERS: Mapping[str, tuple[str, ...]] = {
    "uv-lock": ("uv",),
    "poetry-lock": ("poetry", "pip"),
    "pdm-lock": ("pdm", "uv", "unearth", "pip"),
    "pixi-lock": ("uv", "conda"),
}
"""Who installs what a lock records, by what ``INSTALLER`` holds then."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A requirement and what is installed for it.

    Attributes:
        requirement: The requirement.
        names: The canonical names that stand for it on PyPI.
        version: The installed version; empty where nothing is installed.
    """

    requirement: Requirement
    names: tuple[str, ...]
    version: str

    @property
    def is_satisfied(self) -> bool:
        """Whether the installed version is admitted, so far as that can be told."""
        versions = self.requirement.versions
        there = parse_version(self.version)
        if there is None or not versions.understood or self.requirement.is_direct:
            return True
        return versions.admits(there, prereleases=True)


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """A set of requirements that an environment was made from.

    Attributes:
        install_set: The set.
        held: Its requirements that hold there.
        is_principal: Whether it is what the project is installed from.
    """

    install_set: InstallSet
    held: tuple[Held, ...]
    is_principal: bool


def home_of(environment: Environment) -> str:
    """Return the folder of the project that an environment is for, relative to the root."""
    before, _, within = environment.name.rpartition(".pixi/envs/")
    path = before if within else environment.name.rpartition("/")[0]
    return path.strip("/") if not path.startswith("..") else ""


def declared_in(
    environment: Environment, project: Project, knowledge: Knowledge
) -> Iterator[Declared]:
    """Yield the sets of requirements that an environment holds, so far as that is evident.

    A project's own environment is made from what lies beside it; of the active one that only
    happens to be on, nothing is said before most of a file is there.

    Args:
        environment: What is installed.
        project: What is declared.
        knowledge: Tells conda's names.
    """
    interpreter = environment.interpreter
    if interpreter is None:
        return
    variables = variables_of(interpreter)
    home = home_of(environment)
    for one in project.install_sets:
        if not _is_meant(one, environment, home):
            continue
        held = tuple(
            _held(requirement, environment, knowledge)
            for requirement in one.requirements
            if requirement.name
            and requirement.kind != CONSTRAINT
            and requirement.name not in _NOT_PYTHON
            and not requirement.workspace
            and (requirement.marker is None or requirement.marker.holds_in(variables))
        )
        there = sum(bool(each.version) for each in held)
        is_principal = _is_principal(one)
        least = _PRINCIPAL if is_principal else _OTHER
        is_own = is_principal and environment.is_project and one.home.directory == home
        if held and (is_own or (there >= _LEAST and there >= least * len(held))):
            yield Declared(one, held, is_principal)


def _is_meant(one: InstallSet, environment: Environment, home: str) -> bool:
    source = one.home
    if source.is_record or one.group != MAIN or source.role not in (MANIFEST, LOCK):
        return False
    if source.role == LOCK and source.kind != "requirements":
        return False
    is_conda = any(requirement.ecosystem == CONDA for requirement in one.requirements)
    if is_conda != (environment.manager == CONDA_MANAGED):
        return False
    return source.directory == home or not environment.is_project


def _is_principal(one: InstallSet) -> bool:
    name = one.home.path.rpartition("/")[2]
    return one.home.kind != "requirements" or name == "requirements.txt"


def _held(requirement: Requirement, environment: Environment, knowledge: Knowledge) -> Held:
    if requirement.ecosystem != CONDA:
        one = environment.distributions.get(requirement.name)
        return Held(requirement, (requirement.name,), one.version if one else "")
    package = environment.conda.get(requirement.name)
    names = knowledge.distributions_of(requirement.name)
    if package is not None:
        return Held(requirement, names, package.version)
    found = (environment.distributions.get(name) for name in names)
    return Held(requirement, names, next((one.version for one in found if one), ""))


def locks_of(environment: Environment, project: Project) -> Iterator[Source]:
    """Yield the locks that a project's own environment is meant to be installed from."""
    home = home_of(environment)
    for source in project.sources.values():
        if source.role != LOCK or not source.locked or source.is_record:
            continue
        is_beside = source.directory == home and environment.is_project
        if is_beside and source.kind != "requirements":
            yield source


def was_used(source: Source, environment: Environment) -> bool:
    """Whether an environment was installed from a lock, so far as its installers tell."""
    tools = _INSTALLERS.get(source.kind)
    if tools is None:
        return True
    written = [
        one.installer.lower()
        for one in environment.distributions.values()
        if one.installer and one.name not in _NOT_PYTHON
    ]
    fitting = sum(installer.startswith(tools) for installer in written)
    return fitting * 2 > len(written)


def other_versions(source: Source, environment: Environment) -> Iterator[tuple[LockedPackage, str]]:
    """Yield what is installed in another version than a lock has, with the installed version.

    A distribution that a lock has in several versions counts where none of them is installed.
    """
    interpreter = environment.interpreter
    if interpreter is None:
        return
    variables = variables_of(interpreter)
    meant: dict[str, list[LockedPackage]] = {}
    for one in source.locked:
        if one.version and _holds(one, variables):
            meant.setdefault(f"{one.ecosystem}:{one.name}", []).append(one)
    for packages in meant.values():
        there = _installed(packages[0], environment)
        if there is None:
            continue
        locked = [parse_version(one.version) for one in packages]
        if None not in locked and all(not _is_same(one, there) for one in locked if one):
            yield packages[0], there.text


def _holds(one: LockedPackage, variables: dict[str, str]) -> bool:
    if not one.marker:
        return True
    try:
        return holds(parse_condition(one.marker), variables)
    except MarkerError:
        return False


def _installed(one: LockedPackage, environment: Environment) -> Version | None:
    if one.ecosystem == CONDA:
        package = environment.conda.get(one.name)
        return parse_version(package.version) if package else None
    found = environment.distributions.get(one.name)
    if found is None or found.origin is not None:  # of a folder or a repository
        return None
    return parse_version(found.version)


def _is_same(locked: Version, there: Version) -> bool:
    """Whether two versions are the same, of which one may leave the build's label out."""
    if locked == there:
        return True
    return not (locked.local and there.local) and locked.public == there.public
