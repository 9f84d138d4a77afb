"""Dockerfiles to the model: stages, what they install, and from where.

Source: Dockerfile reference; BuildKit's frontend, which this follows where the two differ.
"""

from __future__ import annotations

import re

from mlenv.model.image import Stage, conditional_group
from mlenv.model.requirement import STAGE, group_key
from mlenv.model.source import (
    IMAGE,
    NOT_A_MANIFEST,
    GroupRelation,
    Index,
    Problem,
    Source,
    Statement,
)
from mlenv.model.text import SourceText
from mlenv.project.conflicts import conflict_problems, is_marker
from mlenv.project.images.dockerfile_arguments import (
    assignments,
    exec_form,
    expanded,
    flag_values,
    read_copy,
    read_mounts,
    recipe_words,
)
from mlenv.project.images.dockerfile_copies import ELSEWHERE, Files
from mlenv.project.images.dockerfile_facts import PythonVariables, library_path, statements
from mlenv.project.images.dockerfile_instructions import (
    Instruction,
    instructions,
    instructions_of,
)
from mlenv.project.shell.context import indexes, joined
from mlenv.project.shell.installs import InstallReader
from mlenv.project.shell.pip_tools import PIP_VARIABLES, UV_VARIABLES
from mlenv.project.shell.scanner import Word
from mlenv.project.shell.variables import Variables
from mlenv.records import dataclass


@dataclass(slots=True, eq=False)
class _State:
    """What holds at one place of a stage.

    Attributes:
        stage: The stage.
        variables: What is known of variables.
        folder: The working folder; None where it is not known.
        files: The files that it was given.
        installs: Reads its commands.
    """

    stage: Stage
    variables: Variables
    folder: str | None
    files: Files
    installs: InstallReader


def read(text: SourceText) -> Source:
    """Read a Dockerfile; never fails.

    Args:
        text: The file.

    Returns:
        The source; each stage is a group of its own, which brings along that of the stage that
        it continues.
    """
    reader = _Reader(text)
    reader.run()
    return reader.source()


class _Reader:
    """Goes through the instructions of one file."""

    def __init__(self, text: SourceText) -> None:
        self.text = text
        self.instructions = instructions(text)
        self.globals = Variables({})
        self.global_words: dict[str, Word] = {}
        self.states: list[_State] = []
        self.by_name: dict[str, int] = {}
        self.includes: dict[str, tuple[str, ...]] = {}
        self.statements: list[Statement] = []
        self.indexes: list[Index] = []
        self.pythons = PythonVariables()

    def run(self) -> None:
        """Read the whole file."""
        for instruction in self.instructions:
            self._instruction(instruction)

    def source(self) -> Source:
        """Return what was found."""
        commands = [one for state in self.states for one in state.installs.commands]
        requirements = [one for command in commands for one in command.requirements]
        found = [*self.indexes, *(one for command in commands for one in command.indexes)]
        for state in self.states:
            found.extend(one for some in state.installs.ambient.values() for one in some)
        groups = {state.stage.group for state in self.states}
        groups.update(command.group for command in commands)
        groups.update(requirement.group for requirement in requirements)
        return Source(
            self.text,
            "dockerfile",
            IMAGE,
            requirements=tuple(requirements),
            problems=tuple(self._problems()),
            includes=tuple(one for command in commands for one in command.files),
            indexes=tuple({(one.span.order, one.url): one for one in found}.values()),
            statements=tuple(self.statements + self.pythons.statements()),
            groups=GroupRelation(self._relations(groups), frozenset(groups)),
            stages=tuple(state.stage for state in self.states),
            commands=tuple(commands),
        )

    def _relations(self, groups: set[str]) -> dict[str, tuple[str, ...]]:
        """Return what some groups bring along, without the branches in which nothing installs."""
        found: dict[str, tuple[str, ...]] = {}
        pending = list(groups)
        while pending:
            group = pending.pop()
            if group in self.includes and group not in found:
                found[group] = self.includes[group]
                pending.extend(found[group])
        return {group: found[group] for group in self.includes if group in found}

    def _problems(self) -> list[Problem]:
        markers = [one.span for one in self.instructions if is_marker(one.span.text)]
        found = conflict_problems(markers)
        for state in self.states:
            found += state.installs.problems
        if not self.states and not markers:
            span = self.text.line_span(1)
            found.append(Problem(NOT_A_MANIFEST, span, "the file holds no FROM instruction"))
        return sorted(found, key=lambda problem: problem.span.start)

    def _instruction(self, instruction: Instruction) -> None:
        name = instruction.name
        if name == "FROM":
            self._from(instruction)
        elif name == "ARG":
            self._variables(instruction, is_arg=True)
        elif not self.states:
            return
        elif name == "ENV":
            self._variables(instruction, is_arg=False)
        elif name == "ONBUILD":
            self._onbuild(instruction)
        elif name == "WORKDIR":
            self._workdir(instruction)
        elif name in ("COPY", "ADD"):
            self._copy(instruction)
        elif name == "RUN":
            self.pythons.see(instruction.script.text)
            self._run(instruction)

    def _onbuild(self, instruction: Instruction) -> None:
        """Read what an image built on this one runs, as if it ran here."""
        inner = instructions_of(instruction)
        if inner is not None and inner.name not in ("FROM", "ONBUILD"):
            self._instruction(inner)

    def _from(self, instruction: Instruction) -> None:
        words = recipe_words(instruction, self.globals)
        if not words:
            return
        at = len(self.states)
        is_named = len(words) > 2 and words[1].text.lower() == "as"
        name = words[2].text.lower() if is_named else ""
        image = words[0]
        parent = self.by_name.get(image.text.lower()) if image.complete else None
        platform = next((one for one in flag_values(instruction, "platform")), "")
        group = group_key(STAGE, name or str(at))
        stage = Stage(
            image.text,
            image.fragment.whole,
            name,
            group,
            parent,
            expanded(platform, instruction, self.globals),
            image.complete and "$" not in image.text and "{{" not in image.text,
        )
        if name:
            self.by_name[name] = at
        self._begin(stage, parent)

    def _begin(self, stage: Stage, parent: int | None) -> None:
        if parent is None:
            self.includes[stage.group] = ()
            self.statements += statements(stage)
            files = Files()
            installs = InstallReader(files.locate, self._branch)
            self.states.append(_State(stage, Variables({}), "/", files, installs))
            return
        base = self.states[parent]
        self.includes[stage.group] = (base.stage.group,)
        files = base.files.fork()
        installs = base.installs.continued(files.locate)
        variables = base.variables.fork()
        self.states.append(_State(stage, variables, base.folder, files, installs))

    def _branch(self, group: str, branch: int) -> str:
        """Return the group of what a stage installs only under a condition."""
        found = conditional_group(group, branch)
        self.includes[found] = (group,)
        return found

    def _variables(self, instruction: Instruction, *, is_arg: bool) -> None:
        state = self.states[-1] if self.states else None
        known = state.variables if state else self.globals
        found = assignments(instruction, known, is_arg=is_arg)
        for name, word in found:
            kind = PIP_VARIABLES.get(name) or UV_VARIABLES.get(name)
            if word is None:
                if state is not None and kind:
                    default = self.global_words.get(name)
                    # without a default, whoever builds the image says which
                    state.installs.ambient[name] = (
                        list(indexes(kind, default))
                        if default is not None
                        else [Index(kind, "", instruction.span)]
                    )
                value = self.globals.value(name) if state else None
                if not known.is_named(name) or value is not None:
                    known.assign(name, value)
                if state is not None and name in self.global_words:
                    self.pythons.add(name, self.global_words[name], state.stage.group)
                continue
            known.assign(name, word.text if word.complete else None)
            if state is None:
                self.global_words[name] = word
                continue
            if name == "LD_LIBRARY_PATH" and not is_arg:
                place = word.fragment.whole
                self.statements.append(library_path(word.text, place, state.stage.group))
            self.pythons.add(name, word, state.stage.group, is_env=not is_arg)
            if kind:
                state.installs.ambient[name] = list(indexes(kind, word))
                self.indexes += state.installs.ambient[name]

    def _workdir(self, instruction: Instruction) -> None:
        state = self.states[-1]
        words = recipe_words(instruction, state.variables)
        state.folder = joined(state.folder, words[0]) if len(words) == 1 else None

    def _copy(self, instruction: Instruction) -> None:
        state = self.states[-1]
        copy = read_copy(instruction, state.variables, state.folder, self._origin)
        if copy is not None:
            state.files.add(copy)

    def _origin(self, name: str) -> Files:
        """Return the files of another stage; a stage cannot copy from itself."""
        at = self.by_name.get(name.lower())
        if at is None and re.fullmatch(r"[0-9]{1,6}", name):
            at = int(name)
        is_earlier = at is not None and at < len(self.states) - 1
        return self.states[at].files if at is not None and is_earlier else ELSEWHERE

    def _run(self, instruction: Instruction) -> None:
        state = self.states[-1]
        mounts = read_mounts(instruction, state.variables, state.folder, self._origin)
        locate = state.files.with_mounts(mounts).locate if mounts else state.files.locate
        known = state.variables.fork()
        folder = state.folder
        words = exec_form(instruction.arguments)
        if words is not None:
            state.installs.run(words, state.stage.group, known, folder, locate)
        else:
            state.installs.read(instruction.script, state.stage.group, known, folder, locate)
