"""Gathers what the scripts of a file install, each script once."""

from __future__ import annotations

from mlenv.model.requirement import MAIN
from mlenv.project.shell.context import indexes_in
from mlenv.project.shell.installs import read_installs
from mlenv.project.shell.pip_tools import PIP_VARIABLES, UV_VARIABLES
from mlenv.records import dataclass, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlenv.model.image import InstallCommand
    from mlenv.model.source import Include, Index, Problem
    from mlenv.model.text import Fragment
    from mlenv.project.yaml_nodes import Scalar

_INDEXES = {**PIP_VARIABLES, **UV_VARIABLES}


@dataclass(slots=True, eq=False)
class Commands:
    """The installing commands of a file in the making.

    Attributes:
        found: The commands, in the order of the file.
        problems: What in them could not be read.
        values: Where the values begin that were read.
    """

    found: list[InstallCommand] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    values: set[int] = field(default_factory=set)

    def read_value(
        self, value: Scalar, variables: Mapping[str, Scalar] | None = None, *, folder: str = ""
    ) -> None:
        """Read a script that is a value of a YAML file, as are the values of its variables."""
        # to find the places of a block takes time, and aliases may lead to it many times
        if value.span.start not in self.values:
            self.values.add(value.span.start)
            known = variables or {}
            ambient = {
                name: list(indexes_in(_INDEXES[name], one.value, one.span))
                for name, one in known.items()
                if name in _INDEXES
            }
            texts = {name: one.value for name, one in known.items()}
            self.read(value.fragment, texts, folder=folder, ambient=ambient)

    def read(
        self,
        script: Fragment,
        variables: Mapping[str, str] | None = None,
        *,
        folder: str = "",
        group: str = MAIN,
        ambient: Mapping[str, list[Index]] | None = None,
    ) -> None:
        """Read a script.

        Args:
            script: Its text.
            variables: What its variables hold, so far as that is known.
            folder: The folder that it runs in.
            group: The group that its requirements join.
            ambient: The indexes that variables of pip and uv name.
        """
        found, problems = read_installs(
            script,
            group=group,
            variables=variables or {},
            folder=folder,
            ambient=ambient or {},
        )
        self.found += found
        self.problems += problems

    @property
    def includes(self) -> tuple[Include, ...]:
        """The files that the commands install from; what they are relative to is not known."""
        return tuple(replace(one, anywhere=True) for found in self.found for one in found.files)


def in_order(*problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems from several readers in the order of the file."""
    return tuple(sorted((one for part in problems for one in part), key=lambda one: one.span.start))
