"""devcontainer.json to the model: the image to work in, and what is installed into it.

Source: the Development Container Specification, "Dev Container metadata reference" and the
references of its features ``python`` and ``nvidia-cuda``.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.source import CONTEXT, Source, Statement
from mlenv.model.text import Fragment
from mlenv.project.images.references import stage
from mlenv.project.json_nodes import read_json
from mlenv.project.pipelines.commands import Commands, in_order
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence
from mlenv.project.yaml_values import member, members, scalar, scalars, version_statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText

_HOOKS = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
"""Run inside the container, in this order; ``initializeCommand`` runs outside."""
_FEATURES = {"python": ("python", "version"), "nvidia-cuda": ("cuda", "cudaVersion")}


def read(text: SourceText) -> Source:
    """Read the file; never fails."""
    document = read_json(text)
    root = document.mapping
    commands = Commands()
    for hook in _HOOKS:
        for script in _scripts(member(root, hook)):
            commands.read(script)
    image = scalar(member(root, "image"))
    return Source(
        text,
        "devcontainer",
        CONTEXT,
        problems=in_order(document.problems, commands.problems),
        includes=commands.includes,
        statements=tuple(_statements(root)),
        stages=(stage(image.value, image.fragment.whole, {}),) if image is not None else (),
        commands=tuple(commands.found),
    )


def _statements(root: Node | None) -> Iterator[Statement]:
    for name, options in members(member(root, "features")):
        feature = name.rpartition("/")[2].partition(":")[0]
        subject, option = _FEATURES.get(feature, ("", ""))
        value = scalar(member(options, option) if isinstance(options, Mapping) else options)
        # other values are words: latest, os-provided, none
        if subject and value is not None and value.value[:1].isdigit():
            yield version_statement(subject, value)
    gpu = member(root, "hostRequirements", "gpu")
    if isinstance(gpu, Scalar) and gpu.value != "false":
        yield Statement("gpu", gpu.value, gpu.fragment.whole)
    elif isinstance(gpu, Mapping):
        yield Statement("gpu", "true", gpu.span)
    for argument in scalars(member(root, "runArgs")):
        if argument.value.partition("=")[0] == "--gpus":
            yield Statement("gpu", argument.value, argument.fragment.whole)


def _scripts(node: Node | None) -> Iterator[Fragment]:
    """Yield the commands of a hook: a script, the words of one command, or several of either."""
    if isinstance(node, Mapping):
        for _, value in members(node):
            if not isinstance(value, Mapping):
                yield from _scripts(value)
    elif isinstance(node, Sequence):
        yield _command(node)
    elif isinstance(node, Scalar) and not node.is_null:
        yield node.fragment


def _command(words: Sequence) -> Fragment:
    """Return a list of words as a command line: its strings, with nothing between them."""
    start = at = words.span.start
    parts = []
    for word in scalars(words):
        parts += [" " * (word.span.start - at), word.span.text]
        at = word.span.end
    return Fragment("".join(parts), words.span, ((0, start),))
