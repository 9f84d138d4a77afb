"""Which Python an installation runs on, where something says so: the innermost statement counts.

An environment file, a lock, an image or a file that states nothing else brings its own Python,
whatever the machine has; the machine's fills what they leave open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import ALL_ENVIRONMENTS, CONDA
from mlenv.model.source import IMAGE, Source
from mlenv.model.target import Target
from mlenv.paths import folders_above
from mlenv.reasoning.interpreter import PythonInUse, admitted_minors
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import ANY, VersionSet, pep440

_FILES = (".python-version", "runtime.txt", ".tool-versions")
_COMMAND = r"\bpython(3\.\d{1,2})\b"
"""How a recipe names the interpreter that it uses."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What surrounds an installation.

    Attributes:
        project: What was read.
        target: The machine; None where none is named.
        knowledge: The records.
        day: The day that is judged by.
    """

    project: Project
    target: Target | None
    knowledge: Knowledge
    day: str


def python_of_set(
    install_set: InstallSet, world: World, *, in_image: bool = False
) -> PythonInUse | None:
    """Return the Python that a set of requirements runs on; None where nothing says so.

    Args:
        install_set: The set.
        world: What surrounds it.
        in_image: Whether it is what a stage of an image installs.
    """
    if not in_image:
        bits = install_set.pythons & _said_near(install_set.home, world.project)
        return stated_python(bits or install_set.pythons, world.target)
    version = _of_image(install_set, world)
    return PythonInUse(version, stated=True) if version is not None else None


def stated_python(bits: int, target: Target | None) -> PythonInUse | None:
    """Return the Python that files leave, or of several the machine's; None where neither says.

    Args:
        bits: The environments that the files leave.
        target: The machine.
    """
    minors = admitted_minors(bits)
    version = parse_version(next(iter(minors))) if len(minors) == 1 else None
    asked = target.python_version if target is not None else None
    if asked is not None:
        minor = asked.minor_line
        # a machine whose Python the files refuse is another matter than what is installed there
        if minor in minors:
            version = asked
    return PythonInUse(version, stated=True) if version is not None else None


def pythons_of(source: Source) -> int:
    """Return the environments of the Pythons that a lock is for, as a bit set."""
    from mlenv.model.marker import for_pythons

    bits = ALL_ENVIRONMENTS
    for versions in _stated_in(source):
        bits &= for_pythons(versions)
    return bits


def _stated_in(source: Source) -> Iterator[VersionSet]:
    for statement in source.statements:
        if statement.subject == "python" and statement.versions is not None:
            yield statement.versions
    exact = {one.version for one in source.locked if one.name == "python" and one.version}
    if len(exact) == 1:
        yield pep440(f"=={exact.pop()}") or ANY


def _said_near(source: Source, project: Project) -> int:
    """Return the environments of the Python that the nearest file for nothing else names."""
    if source.role == IMAGE:
        return ALL_ENVIRONMENTS
    for folder in (source.directory, *folders_above(source.directory)):
        for name in _FILES:
            near = project.sources.get(f"{folder}/{name}" if folder else name)
            if near is not None and any(s.subject == "python" for s in near.statements):
                return pythons_of(near)
    return ALL_ENVIRONMENTS


def _of_image(install_set: InstallSet, world: World) -> Version | None:
    """Return the Python of a stage: of the environment that it makes, else of its base."""
    from mlenv.reasoning.image_contents import python_of_base

    made = _of_environment(install_set)
    if made is not None:
        return made
    minors = admitted_minors(install_set.pythons)
    home, group = install_set.home, install_set.group
    version = parse_version(next(iter(minors))) if len(minors) == 1 else None
    version = version or python_of_base(home, group, world.knowledge, world.day)
    if version is None:
        named = set(re.findall(_COMMAND, home.text.text))
        version = parse_version(named.pop()) if len(named) == 1 else None
    return version if version is not None and version.text in minors else None


def _of_environment(install_set: InstallSet) -> Version | None:
    """Return the Python of the conda environment that a stage makes; None where it makes none."""
    from mlenv.model.marker import for_pythons

    bits = ALL_ENVIRONMENTS
    for one in install_set.requirements:
        if one.name == "python" and one.ecosystem == CONDA and one.versions.understood:
            bits &= for_pythons(one.versions)
    minors = admitted_minors(bits)
    return parse_version(next(iter(minors))) if len(minors) == 1 else None
