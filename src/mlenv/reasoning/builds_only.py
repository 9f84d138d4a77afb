"""What an installation takes from an index of builds alone, where PyPI's releases say nothing."""

from __future__ import annotations

from collections.abc import Iterable

from mlenv.knowledge.indexes import wheel_index
from mlenv.model.image import InstallCommand
from mlenv.model.source import IMAGE, Index, Source
from mlenv.reasoning.domains import dependencies
from mlenv.reasoning.installations import Installers, commands_in, installers_of
from mlenv.reasoning.torch_index import groups_of
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.setting import Setting

_PIP = ("pip", "uv pip", "uv")
_PLACES = ("index", "extra")
"""The kinds of index that replace PyPI, or are asked beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class BuildsOnly:
    """Which distributions of an installation do not come from PyPI.

    Attributes:
        all_of_it: Whether nothing does.
        names: Those that do not, where the rest may.
    """

    all_of_it: bool = False
    names: frozenset[str] = frozenset()

    def holds(self, name: str) -> bool:
        """Whether it is not known which releases of a distribution are offered."""
        return self.all_of_it or name in self.names


def builds_only(setting: Setting) -> BuildsOnly:
    """Return what an installation takes from nothing but an index of builds, or from files.

    PyTorch's indexes serve other distributions too, NumPy among them, in few releases and with a
    delay: what PyPI has on the day tells nothing there.

    Source: pip's documentation, ``--index-url`` replaces PyPI, ``--no-index`` asks no index.

    Args:
        setting: The installation.
    """
    if setting.install_set is None or setting.project is None:
        return BuildsOnly()
    home, project = setting.install_set.home, setting.project
    if not any(one.indexes or one.commands for one in project.sources.values()):
        return BuildsOnly()
    installers = installers_of(project)
    if home.role == IMAGE:
        return _of_stage(setting, home, installers)
    own = installers.indexes_of(setting.install_set)
    uses = [one for source, one in installers.of(home.path) if source.path != home.path]
    indexes = [(*one.indexes, *own) for one in uses] or [own]
    return BuildsOnly(all(map(_is_alone, indexes)))


def _of_stage(setting: Setting, home: Source, installers: Installers) -> BuildsOnly:
    """Return what the commands of an image's stage take so, with all that it brings along."""
    groups = groups_of(setting)
    asked: set[str] = set()
    for command in commands_in(home, groups):
        if command.tool in _PIP and _is_alone(command.indexes):
            asked.update(_asked_by(setting, home, command, installers))
    return BuildsOnly(names=frozenset(_with_brought(setting, asked)))


def _asked_by(
    setting: Setting, home: Source, command: InstallCommand, installers: Installers
) -> Iterable[str]:
    assert setting.project is not None
    yield from (one.name for one in command.requirements)
    for path in installers.files_of(home, command):
        source = setting.project.sources.get(path)
        yield from (one.name for one in source.requirements) if source is not None else ()


def _with_brought(setting: Setting, asked: set[str]) -> set[str]:
    """Return distributions with all that they bring along in their usual releases."""
    found, pending = set(asked), sorted(asked)
    while pending:
        name = pending.pop()
        choice = setting.choices.get(name)
        version = choice.exact if choice is not None else None
        if version is None:
            out = [one for one in setting.knowledge.releases.of(name) if one.date <= setting.day]
            version = out[-1].version if out else None
        required = dependencies(setting, name, version) if version is not None else None
        new = {one.name for one in required or ()} - found
        found |= new
        pending.extend(new)
    return found


def _is_alone(indexes: Iterable[Index]) -> bool:
    """Whether some indexes together leave PyPI out and offer builds, or files, only."""
    kinds = {one.kind for one in indexes}
    if "none" in kinds:
        return True
    asked = [one for one in indexes if one.kind in _PLACES]
    return "index" in kinds and all(wheel_index(one.url) is not None for one in asked)
