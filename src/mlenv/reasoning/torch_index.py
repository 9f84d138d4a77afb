"""Which index an installation takes torch from, and so which label its build has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlenv.knowledge.indexes import WheelIndex, wheel_index
from mlenv.knowledge.torch import CPU, label_of_cuda
from mlenv.model.image import InstallCommand
from mlenv.model.requirement import MAIN, PYPI, REQUIREMENT, Requirement
from mlenv.model.source import IMAGE, Index, Source
from mlenv.model.text import Span
from mlenv.reasoning.installations import SOURCES, commands_in, installers_of
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.project import Project
    from mlenv.reasoning.setting import Setting

_TORCH = "torch"
_BACKEND = r"--torch-backend[=\s]+[\"']?([A-Za-z0-9.]+)"
_DEFAULTS = frozenset(("pypi", "PyPI"))
AUTO = "auto"
"""What asks uv for the build that fits the driver."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where an installer looks for a distribution.

    Attributes:
        label: The one label that it finds there; ``auto`` for the one that fits the driver; empty
            where several are there, or where nobody knows which.
        span: Where that is said.
        beside_pypi: Whether PyPI is looked at as well, and the highest version wins.
        nightly: Whether builds of the day are taken there.
        how: What says so, as half a sentence.
    """

    label: str
    span: Span
    beside_pypi: bool = False
    nightly: bool = False
    how: str = ""

    @property
    def is_by_driver(self) -> bool:
        """Whether the label is the one that fits the driver."""
        return self.label == AUTO


def place_of(setting: Setting, name: str = _TORCH) -> Place | None:
    """Return the index of builds that a distribution is taken from; None for PyPI alone.

    What its own statement names counts first, then the options of the commands that install it,
    then those of the files.

    Args:
        setting: The installation.
        name: The distribution's canonical name.
    """
    if setting.install_set is None:
        return None
    choice = setting.choices.get(name)
    requirements = choice.requirements if choice is not None else ()
    for requirement in requirements:
        found = _of_requirement(setting, requirement)
        if found is not None:
            return None if found.how in _DEFAULTS else found
    home = setting.install_set.home
    cog = _of_cog(setting, home) if home.kind == "cog" else None
    if cog is not None:
        return cog
    if setting.kind == IMAGE:
        return _of_stage(setting, name)
    return _of_files(setting)


def _of_requirement(setting: Setting, requirement: Requirement) -> Place | None:
    """Return the index that a statement names for the machine."""
    named = requirement.index
    for one, marker in requirement.index_choices:
        if marker is None or marker.holds_in(setting.environment):
            named = one
            break
    else:
        named = "" if requirement.index_choices else named
    if not named:
        return None
    if named in _DEFAULTS:
        return Place("", requirement.span, how=named)
    index = next((one for one in _indexes_near(setting) if one.name == named), None)
    url, span = (index.url, index.span) if index is not None else (named, requirement.span)
    wheels = wheel_index(url)
    label = wheels.label if wheels is not None else ""
    nightly = wheels is not None and wheels.nightly
    return Place(label, span, nightly=nightly, how=f"{requirement.written} is assigned to an index")


def _indexes_near(setting: Setting) -> Iterator[Index]:
    """Yield the named indexes of a set's own files, then those of the files around them."""
    if setting.install_set is None or setting.project is None:
        return
    sources = setting.project.sources
    own = setting.install_set.sources
    for path in (*own, *(path for path in sources if path not in own)):
        yield from sources[path].indexes


def _of_stage(setting: Setting, name: str) -> Place | None:
    """Return where the last command of an image's stage that brings a distribution looks."""
    assert setting.install_set is not None
    if setting.project is None:
        return None
    home = setting.install_set.home
    installers = installers_of(setting.project)
    groups = groups_of(setting)
    for command in reversed(commands_in(home, groups)):
        if command.tool not in ("pip", "uv pip", "uv"):
            continue
        files = installers.files_of(home, command)
        own = any(_asks(one, name) for one in command.requirements)
        if own or any(_asks(r, name) for path in files for r in _wanted(setting.project, path)):
            indexes = [*command.indexes, *_of_paths(setting.project, files)]
            return _backend_of(command) or _judged(indexes, command.tool)
    return None


def groups_of(setting: Setting) -> frozenset[str]:
    """Return the groups of an image's stage: its own and those of the stages it builds on."""
    assert setting.install_set is not None
    includes = setting.install_set.home.groups.includes
    pending, found = [setting.install_set.group], set()
    while pending:
        group = pending.pop()
        if group not in found:
            found.add(group)
            pending.extend(includes.get(group, ()))
    return frozenset(found)


def _asks(requirement: Requirement, name: str) -> bool:
    asked = requirement.name == name and requirement.ecosystem == PYPI
    return asked and requirement.kind == REQUIREMENT


def _wanted(project: Project, path: str) -> Iterator[Requirement]:
    for install_set in project.sets_with(path):
        if install_set.home.path == path and install_set.group == MAIN:
            yield from install_set.requirements


def _of_paths(project: Project, paths: Iterable[str]) -> Iterator[Index]:
    for path in paths:
        for install_set in project.sets_with(path):
            if install_set.home.path == path and install_set.group == MAIN:
                yield from installers_of(project).indexes_of(install_set)


def _of_files(setting: Setting) -> Place | None:
    """Return where the files of a set and all the commands that install them look."""
    assert setting.install_set is not None
    if setting.project is None:
        return _judged(list(setting.install_set.home.indexes), "")
    installers = installers_of(setting.project)
    own = list(installers.indexes_of(setting.install_set))
    home = setting.install_set.home
    if home.kind in ("pyproject", "uv-toml"):
        return _judged(own, "uv")
    uses = [(source, one) for source, one in installers.of(home.path) if source.path != home.path]
    choice = setting.choices.get(_TORCH)
    is_open = choice is None or choice.exact is None
    if uses and is_open and all(_has_torch_before(source, one) for source, one in uses):
        return Place("", uses[0][1].span, how="torch is there before the file is installed")
    commands = [command for _, command in uses]
    places = [_backend_of(one) or _judged([*one.indexes, *own], one.tool) for one in commands] or [
        _judged(own, "")
    ]
    first, *others = places
    if all(_says_the_same(first, other) for other in others):
        return first
    known = next(one for one in places if one is not None)
    return Place("", known.span, how="several commands install it from different indexes")


def _of_cog(setting: Setting, home: Source) -> Place | None:
    """Return the label that Cog looks for: it takes torch for the CUDA that the file states.

    Source: Cog's documentation, cog.yaml: build.cuda and build.gpu.
    """
    stated = {one.subject: one for one in home.statements if one.subject in ("cuda", "gpu")}
    gpu, cuda = stated.get("gpu"), stated.get("cuda")
    if gpu is not None and gpu.value.lower() == "false":
        return Place(CPU, gpu.span, how="Cog builds without a GPU")
    if cuda is None:
        return Place("", gpu.span, how="Cog picks the CUDA") if gpu is not None else None
    label = label_of_cuda(cuda.value)
    known = setting.knowledge.torch.built_with(label)
    return Place(label if known else "", cuda.span, how=f"Cog takes torch for CUDA {cuda.value}")


def _has_torch_before(source: Source, command: InstallCommand) -> bool:
    """Whether a command finds torch installed: by its image, or by a command before it."""
    groups = {command.group, *source.groups.includes.get(command.group, ())}
    if any("torch" in one.repository for one in source.stages if one.group in groups):
        return True
    return any(
        requirement.name in (_TORCH, "pytorch")
        for earlier in source.commands
        if earlier.span.start < command.span.start and earlier.group in groups
        for requirement in earlier.requirements
    )


def _says_the_same(one: Place | None, other: Place | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.label, one.beside_pypi, one.nightly) == (
        other.label,
        other.beside_pypi,
        other.nightly,
    )


def _backend_of(command: InstallCommand) -> Place | None:
    """Return what ``--torch-backend`` asks for. Source: uv's documentation, PyTorch."""
    if "--torch-backend" not in command.options:
        return None
    match = re.search(_BACKEND, command.span.text)
    return Place(match[1].lower() if match else "", command.span, how="--torch-backend says so")


def _judged(indexes: list[Index], tool: str) -> Place | None:
    """Return which label some indexes together lead to."""
    found: list[tuple[Index, WheelIndex]] = []
    offline = None
    for index in indexes:
        wheels = wheel_index(index.url) if index.kind in SOURCES else None
        if wheels is not None and index.kind != "explicit":
            found.append((index, wheels))
        offline = index if index.kind == "none" else offline
    if not found:
        return Place("", offline.span, how="--no-index") if offline is not None else None
    index, wheels = found[-1]
    labels = {one.label for _, one in found}
    if len(labels) > 1 or "" in labels:
        return Place("", index.span, how="an index of several builds is asked")
    nightly = any(one.nightly for _, one in found)
    # uv takes a distribution from the first index that has it, pip the highest version of all
    alone = tool.startswith("uv") or any(
        one.kind == "index" and wheel_index(one.url) is not None for one in indexes
    )
    how = f"the {wheels.label} index is asked"
    return Place(wheels.label, index.span, not alone and offline is None, nightly, how)
