"""GitHub's workflows and composite actions: the Pythons, images and installations of the CI.

Source: GitHub's documentation, "Workflow syntax for GitHub Actions" and "Metadata syntax for
GitHub Actions"; the documentation of actions/setup-python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.source import CONTEXT, Source, Statement
from mlenv.project.images.references import is_complete, stage
from mlenv.project.pipelines.commands import Commands, in_order
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence, read_yaml
from mlenv.project.yaml_values import member, members, scalar, scalars, version_statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.image import Stage
    from mlenv.model.text import SourceText

_PYTHON_KEY = r"(?i:py(?:thon)?(?:[-_ ]?ver(?:sion)?s?)?|pythons)"
_EXPRESSION = r"\$\{\{\s*(matrix|env|inputs)\.([\w-]+)\s*\}\}"
_VERSION = r"(?:[<>=~^!]{1,2}\s*)?v?\d"
_SHELLS = r"(?:\S*/)?(?:bash|sh|zsh)(?:\s|$)"
_DOCKER = "docker://"

_MAX_NAMES = 100
_MAX_LENGTH = 1000
_MAX_CHOICES = 256
"""GitHub runs no matrix of more jobs."""

Values = dict[tuple[str, str], list[Scalar]]
"""What ``matrix.x``, ``env.x`` and ``inputs.x`` may stand for, by context and name."""
Defaults = dict[str, Scalar | None]
"""The shell and the folder of the steps that name none."""


def read(text: SourceText) -> Source:
    """Read a workflow or an action; never fails."""
    document = read_yaml(text)
    reader = _Reader()
    root = document.mapping
    reader.workflow(root)
    return Source(
        text,
        "github-workflow",
        CONTEXT,
        problems=in_order(document.problems, reader.commands.problems),
        includes=reader.commands.includes,
        statements=tuple(reader.statements),
        stages=tuple(reader.stages.values()),
        commands=tuple(reader.commands.found),
    )


class _Reader:
    """Goes through the jobs of one file."""

    def __init__(self) -> None:
        self.commands = Commands()
        self.stated: set[int] = set()
        self.statements: list[Statement] = []
        self.stages: dict[int, Stage] = {}

    def workflow(self, root: Mapping | None) -> None:
        """Read the jobs of a workflow, and the steps of an action."""
        values = {**_inputs(member(root, "inputs"))}
        for event in ("workflow_call", "workflow_dispatch"):
            values |= _inputs(member(root, "on", event, "inputs"))
        values |= _environment(member(root, "env"))
        defaults = _defaults(root, {})
        for _, job in members(member(root, "jobs")):
            self._job(job, defaults, values)
        runs = member(root, "runs")
        image = scalar(member(runs, "image"))
        if image is not None:
            self._docker(image)
        self._steps(runs, {}, values)

    def _job(self, job: Node, defaults: Defaults, values: Values) -> None:
        values = {**values, **_environment(member(job, "env"))}
        matrix = _matrix(member(job, "strategy", "matrix"))
        values |= matrix
        for (_, name), choices in matrix.items():
            if re.fullmatch(_PYTHON_KEY, name):
                self._pythons(choices)
        container = member(job, "container")
        images = [container] if isinstance(container, Scalar) else [member(container, "image")]
        images += [member(service, "image") for _, service in members(member(job, "services"))]
        for node in images:
            image = scalar(node)
            if image is not None:
                self._image(image, values)
        self._steps(job, _defaults(job, defaults), values)

    def _steps(self, holder: Node | None, defaults: Defaults, values: Values) -> None:
        steps = member(holder, "steps")
        runner = scalar(member(holder, "runs-on"))
        on_windows = runner is not None and runner.value.lower().startswith("windows")
        for step in steps.items if isinstance(steps, Sequence) else ():
            inner = {**values, **_environment(member(step, "env"))}
            for name, node in members(member(step, "with")):
                value = scalar(node)
                if value is not None and re.fullmatch(_PYTHON_KEY, name):
                    self._pythons(_resolved(value, inner))
            uses = scalar(member(step, "uses"))
            if uses is not None:
                self._docker(uses)
            script = scalar(member(step, "run"))
            shell = scalar(member(step, "shell")) or defaults.get("shell")
            if script is not None and _is_posix(shell, on_windows):
                folder = scalar(member(step, "working-directory"))
                self._run(script, folder or defaults.get("working-directory"), inner)

    def _run(self, script: Scalar, folder: Scalar | None, values: Values) -> None:
        place = folder.value.removeprefix("./") if folder is not None else ""
        variables = {
            name: choices[0] for (context, name), choices in values.items() if context == "env"
        }
        self.commands.read_value(script, variables, folder=place if is_complete(place) else "")

    def _pythons(self, choices: list[Scalar]) -> None:
        for value in choices:
            if value.span.start not in self.stated:
                self.stated.add(value.span.start)
                self.statements += _statements(value)

    def _docker(self, value: Scalar) -> None:
        if value.value.startswith(_DOCKER) and value.span.start not in self.stages:
            place = value.fragment.part(len(_DOCKER), len(value.value))
            self.stages[value.span.start] = stage(place.text, place.whole, {})

    def _image(self, value: Scalar, values: Values) -> None:
        for choice in _resolved(value, values) or [value]:
            if choice.span.start not in self.stages:
                place = choice.fragment.whole
                self.stages[choice.span.start] = stage(choice.value, place, {})


def _statements(value: Scalar) -> Iterator[Statement]:
    """Yield what a value states: one version, or one on each line of a block."""
    fragment = value.fragment
    if "\n" not in fragment.text.strip():
        if re.match(_VERSION, value.value.strip()):
            yield version_statement("python", value, binding=False)
        return
    for line in re.finditer(r"[^\n]+", fragment.text):
        place = fragment.part(*line.span()).stripped()
        if place.pieces and re.match(_VERSION, place.text):
            # a line of a block is text, whatever it looks like alone
            block = Scalar(place.whole, place.text, '"')
            yield version_statement("python", block, binding=False)


def _resolved(value: Scalar, values: Values) -> list[Scalar]:
    """Return what a value stands for: itself, the choices of its expression, or nothing."""
    if len(value.value) > _MAX_LENGTH:
        return []
    expression = re.fullmatch(_EXPRESSION, value.value.strip())
    if expression is not None:
        return values.get((expression[1], expression[2]), [])
    return [value] if is_complete(value.value) else []


def _matrix(matrix: Node | None) -> Values:
    """Return the choices of a matrix, those of ``include`` among them."""
    found: Values = {}
    entries = members(matrix)
    included = member(matrix, "include")
    for entry in included.items if isinstance(included, Sequence) else ():
        entries += members(entry)
    for name, node in entries:
        if name in ("include", "exclude") or len(found) > _MAX_NAMES:
            continue
        choices = found.setdefault(("matrix", name), [])
        known = [value for value in scalars(node) if _is_known(value)]
        choices += known[: _MAX_CHOICES - len(choices)]
    return found


def _inputs(inputs: Node | None) -> Values:
    found: Values = {}
    for name, node in members(inputs)[:_MAX_NAMES]:
        default = scalar(member(node, "default"))
        if default is not None and _is_known(default):
            found["inputs", name] = [default]
    return found


def _environment(env: Node | None) -> Values:
    found: Values = {}
    for name, node in members(env)[:_MAX_NAMES]:
        value = scalar(node)
        if value is not None and _is_known(value):
            found["env", name] = [value]
    return found


def _is_known(value: Scalar) -> bool:
    """Whether a value says what it is, and is of a length that anyone would write."""
    return len(value.value) <= _MAX_LENGTH and is_complete(value.value)


def _defaults(holder: Node | None, outer: Defaults) -> Defaults:
    """Return the settings of a job's steps, or of all jobs, where they have none themselves."""
    settings = member(holder, "defaults", "run")
    names = ("shell", "working-directory")
    return {name: scalar(member(settings, name)) or outer.get(name) for name in names}


def _is_posix(shell: Scalar | None, on_windows: bool) -> bool:
    """Whether a step's script is one of a POSIX shell; on Windows PowerShell is the default."""
    if shell is None:
        return not on_windows
    return re.match(_SHELLS, shell.value) is not None
