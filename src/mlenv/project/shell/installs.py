"""The installing commands of a shell script, with what they name and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from mlenv.model.requirement import MAIN
from mlenv.project.shell.conda_tools import read_conda, read_conda_lock
from mlenv.project.shell.context import InstallContext, Locate, indexes, joined
from mlenv.project.shell.pip_tools import (
    PIP_VARIABLES,
    UV_VARIABLES,
    read_pip,
    read_pipx,
    read_uv,
)
from mlenv.project.shell.project_tools import read_project_tool
from mlenv.project.shell.system_tools import SYSTEM_PROGRAMS, read_system_tool
from mlenv.project.shell.variables import Variables
from mlenv.project.shell.words import Command, read_commands
from mlenv.project.shell.wrappers import Call, unwrap
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.image import InstallCommand
    from mlenv.model.source import Index, Problem
    from mlenv.model.text import Fragment
    from mlenv.project.shell.scanner import Word

_READERS: dict[str, Callable[[Call, InstallContext], InstallCommand | None]] = {
    "uv": read_uv,
    "pipx": read_pipx,
    "conda": read_conda,
    "mamba": read_conda,
    "micromamba": read_conda,
    "conda-lock": read_conda_lock,
    "poetry": read_project_tool,
    "pdm": read_project_tool,
    "pipenv": read_project_tool,
    "pixi": read_project_tool,
    **dict.fromkeys(SYSTEM_PROGRAMS, read_system_tool),
}
_OUTPUTS = ("-o", "-O", "--output", "--output-file", "--output-document")
_MAX_NESTING = 4

_Place = tuple["str | None", int]
"""A working folder, and the branch in which it was entered."""


def read_installs(
    script: Fragment,
    *,
    group: str = MAIN,
    variables: Mapping[str, str] = {},
    folder: str = "",
    locate: Locate | None = None,
    ambient: Mapping[str, list[Index]] = {},
) -> tuple[list[InstallCommand], list[Problem]]:
    """Find the commands that install, in a shell script of one line or many; never fails.

    Args:
        script: The script.
        group: The group that the requirements join.
        variables: Variables with their values, as the surroundings set them.
        folder: The working folder: in the container where ``locate`` is given, else relative to
            the folder of the file.
        locate: Maps a path in the container to one in the repository, an empty one for what does
            not come from there.
        ambient: The indexes that variables of pip and uv name, by variable.

    Returns:
        The commands in order, and what an installer refuses for certain.
    """
    reader = InstallReader(locate)
    reader.ambient.update(ambient)
    reader.read(script, group, variables, folder)
    return reader.commands, reader.problems


class InstallReader:
    """Reads one script or several that run after one another.

    Attributes:
        commands: What was found so far.
        problems: What an installer refuses for certain.
        ambient: Indexes that the scripts or their surroundings have set for what comes after, by
            the variable that holds them.
        branch_group: Gives the group of what runs only under a condition, from the group and the
            number of the branch.
    """

    def __init__(
        self,
        locate: Locate | None,
        branch_group: Callable[[str, int], str] = lambda group, _: group,
    ) -> None:
        """Begin.

        Args:
            locate: Maps a path in the container to one in the repository; see `read_installs`.
            branch_group: Gives the group of what runs only under a condition.
        """
        self.commands: list[InstallCommand] = []
        self.problems: list[Problem] = []
        self.ambient: dict[str, list[Index]] = {}
        self.branch_group = branch_group
        self._locate = locate
        self._written: set[str] = set()
        self._environments: dict[str, str] = {}
        self._branches = 0

    def continued(self, locate: Locate | None) -> InstallReader:
        """Return a reader of what runs behind the scripts so far, with nothing found yet."""
        found = InstallReader(locate, self.branch_group)
        found.ambient = dict(self.ambient)
        found._written = self._written
        found._environments = dict(self._environments)
        return found

    def read(
        self,
        script: Fragment,
        group: str,
        variables: Mapping[str, str] | Variables,
        folder: str | None,
        locate: Locate | None = None,
    ) -> None:
        """Read one script; see :func:`read_installs`.

        Args:
            script: The script.
            group: The group that the requirements join.
            variables: Variables with their values.
            folder: The working folder; None where it is not known.
            locate: What to take for this script in place of the reader's own.
        """
        kept, self._locate = self._locate, locate or self._locate
        self._script(script, group, variables, folder, 0)
        self._locate = kept

    def run(
        self,
        words: Sequence[Word],
        group: str,
        variables: Variables,
        folder: str | None,
        locate: Locate | None,
    ) -> None:
        """Read one command that no shell takes apart; see :meth:`read`."""
        if not words:
            return
        kept, self._locate = self._locate, locate or self._locate
        first, last = words[0].fragment.whole, words[-1].fragment.whole
        span = first.source.span(first.start, last.end)
        self._command(Command(tuple(words), span), group, variables, [(folder, 0)], 0)
        self._locate = kept

    def _script(
        self,
        script: Fragment,
        group: str,
        variables: Mapping[str, str] | Variables,
        folder: str | None,
        depth: int,
    ) -> None:
        known = variables if isinstance(variables, Variables) else Variables(variables)
        commands = read_commands(script, known)
        before = self._branches
        self._branches += max((command.branch for command in commands), default=0)
        places: list[_Place] = [(folder, 0)]
        for command in commands:
            while len(places) <= command.level:
                places.append(places[-1])
            del places[command.level + 1 :]
            branch = before + command.branch if command.branch else 0
            self._command(replace(command, branch=branch), group, known, places, depth)

    def _command(
        self,
        command: Command,
        group: str,
        known: Variables,
        places: list[_Place],
        depth: int,
    ) -> None:
        folder, moved_in = places[-1]
        if moved_in not in (0, command.branch):  # nobody can tell whether it was left
            folder = None
        if command.branch:
            group = self.branch_group(group, command.branch)
        call = unwrap(command.words, command.assignments)
        if call is None:
            if not command.words:
                self._bodies(command, group, known, folder, depth)
            return
        if call.program in ("cd", "pushd", "popd"):
            places[-1] = (_moved(call, folder), command.branch)
        if depth < _MAX_NESTING and call.script is not None:
            self._script(call.script.fragment, group, known, folder, depth + 1)
        elif call.is_shell:
            self._bodies(command, group, known, folder, depth)
        else:
            self._call(call, command, group, folder)

    def _bodies(
        self, command: Command, group: str, known: Variables, folder: str | None, depth: int
    ) -> None:
        for body in command.heredocs:
            is_script = not body.text.startswith("#!") or "sh" in body.text.partition("\n")[0]
            if depth < _MAX_NESTING and is_script:
                self._script(body, group, known, folder, depth + 1)

    def _call(self, call: Call, command: Command, group: str, folder: str | None) -> None:
        context = InstallContext(
            command,
            group,
            folder,
            self._locate,
            self._written,
            self.ambient,
            self._environments,
            self.problems,
        )
        if call.program in ("export", "declare"):
            for name, word in call.assignments:
                kind = PIP_VARIABLES.get(name) or UV_VARIABLES.get(name)
                if kind:
                    self.ambient[name] = list(indexes(kind, word))
        read = _READERS.get(call.program)
        if read is None and re.fullmatch(r"pip[0-9.]*", call.program):
            read = read_pip
        found = read(call, context) if read is not None else None
        if found is not None:
            self.commands.append(found)
        self._written.update(_outputs(call, command, folder))


def _moved(call: Call, folder: str | None) -> str | None:
    """Return the working folder behind a command that changes it."""
    words = [word for word in call.words if not word.text.startswith("-")]
    if len(words) != 1 or call.program == "popd":
        return None
    return joined(folder, words[0])


def _outputs(call: Call, command: Command, folder: str | None) -> Iterator[str]:
    """Yield the paths that a command writes or changes."""
    names = [
        one.target
        for one in command.redirections
        if one.target is not None and ">" in one.operator and "&" not in one.operator[1:]
    ]
    words = call.words
    operands = [word for word in words if not word.text.startswith("-")]
    names += [words[at + 1] for at, word in enumerate(words[:-1]) if word.text in _OUTPUTS]
    if call.program == "sed" and any(word.text.startswith("-i") for word in words):
        names += operands[1:]
    elif call.program == "tee":
        names += operands
    elif call.program in ("cp", "mv"):
        names += operands[-1:]
    for word in names:
        path = joined(folder, word)
        if path is not None:
            yield path
