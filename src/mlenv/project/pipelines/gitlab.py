"""GitLab's pipelines: the images of the jobs, and what their scripts install.

Source: GitLab's documentation, "CI/CD YAML syntax reference".
"""

from __future__ import annotations

import re

from mlenv.model.source import CONTEXT, Source
from mlenv.project.images.references import stage
from mlenv.project.pipelines.commands import Commands, in_order
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, read_yaml
from mlenv.project.yaml_values import member, members, scalar, scalars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.image import Stage
    from mlenv.model.text import SourceText

_NO_JOBS = frozenset(("variables", "stages", "workflow", "include", "cache", "services", "spec"))
_MAX_NAMES = 100
_MAX_LENGTH = 1000
_SCRIPTS = ("before_script", "script", "after_script")


def read(text: SourceText) -> Source:
    """Read a pipeline; never fails.

    Hidden jobs count as well: others take their parts from them.
    """
    document = read_yaml(text, _without_header(text.text))
    root = document.mapping
    commands = Commands()
    stages: dict[int, Stage] = {}
    shared = _variables(member(root, "variables"))
    jobs = [node for name, node in members(root) if name not in _NO_JOBS]
    for job in (root, *jobs):
        if not isinstance(job, Mapping):
            continue
        variables = shared if job is root else {**shared, **_variables(member(job, "variables"))}
        image = _image(member(job, "image"))
        if image is not None and image.span.start not in stages:
            place = image.fragment.whole
            texts = {name: one.value for name, one in variables.items()}
            stages[image.span.start] = stage(image.value, place, texts)
        for key in _SCRIPTS:
            for line in scalars(member(job, key)):
                commands.read_value(line, variables)
    return Source(
        text,
        "gitlab-ci",
        CONTEXT,
        problems=in_order(document.problems, commands.problems),
        includes=commands.includes,
        stages=tuple(stages.values()),
        commands=tuple(commands.found),
    )


def _image(node: Node | None) -> Scalar | None:
    return scalar(node if isinstance(node, Scalar) else member(node, "name"))


def _variables(node: Node | None) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name, value in members(node)[:_MAX_NAMES]:
        known = scalar(value if isinstance(value, Scalar) else member(value, "value"))
        if known is not None and len(known.value) <= _MAX_LENGTH:
            found[name] = known
    return found


def _without_header(text: str) -> str | None:
    """Return a text with the header of a component blanked; None where it has none.

    The header is a document of its own, and the pipeline is the one after it.
    """
    if re.match(r"(?:\s|#[^\n]*\n|---[ \t]*\n)*spec\s*:", text) is None:
        return None
    separator = re.search(r"^spec\s*:[^\n]*\n(?:(?!---).*\n)*?---(?=\s)", text, re.MULTILINE)
    if separator is None:
        return None
    return re.sub(r"[^\n]", " ", text[: separator.end()]) + text[separator.end() :]
