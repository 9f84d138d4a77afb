"""From what is said of a machine to a target, with the text that findings can show."""

from __future__ import annotations

from collections.abc import Mapping

from mlenv.knowledge import Knowledge
from mlenv.machine.keys import MACHINE_KEYS
from mlenv.model.target import Gpu, Target
from mlenv.model.text import SourceText, Span
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlenv.model.target import Installed


def target_text(name: str, text: str, path: str = "") -> SourceText:
    """Return the text of a target, which is no file of the project.

    Args:
        name: The target's.
        text: What describes it.
        path: The file that it is from, as the user named it; empty where there is none.
    """
    # a path of the project never begins so, and suppressions, baselines and sorting go by paths
    return SourceText(f"target {path or name}", text, target=name)


def make_target(
    name: str,
    whole: Span,
    fields: Mapping[str, Any],
    spans: Mapping[str, Span],
    installed: Installed | None = None,
) -> Target:
    """Return a target whose GPUs are known by their names where nothing else is stated."""
    known = {**fields, "gpus": identified(fields.get("gpus", ()))}
    return Target(name, whole, **known, installed=installed, spans=spans)


def identified(gpus: tuple[Gpu, ...]) -> tuple[Gpu, ...]:
    """Return GPUs with the compute capability of their names; one that is stated stays."""
    if not gpus:
        return ()
    records = Knowledge().gpus
    return tuple(
        gpu if gpu.capability else replace(gpu, capability=records.capability_of(gpu.name))
        for gpu in gpus
    )


def unknown_gpus(target: Target) -> tuple[str, ...]:
    """Return the names of GPUs that may be NVIDIA's and say nothing of what they can run."""
    if all(gpu.capability for gpu in target.gpus):
        return ()
    records = Knowledge().gpus
    return tuple(
        gpu.name
        for gpu in target.gpus
        if gpu.capability is None and not records.is_foreign(gpu.name)
    )


def described(name: str, fields: Mapping[str, Any]) -> Target:
    """Return a target that no file describes, with a text of its own: a line for each key."""
    said = {key: fields[key] for key in MACHINE_KEYS if fields.get(key) not in (None, "", ())}
    lines = [f"{key} {_shown(value)}" for key, value in said.items()]
    source = target_text(name, "\n".join(lines))
    spans = {}
    for number, (key, line) in enumerate(zip(said, lines, strict=True), start=1):
        end = source.line_starts[number - 1] + len(line)
        spans[key] = Span(source, end - len(line) + len(key) + 1, end)
    return make_target(name, source.line_span(1), said, spans)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    items = value if isinstance(value, tuple) else (value,)
    text = ", ".join(_gpu(item) if isinstance(item, Gpu) else str(item) for item in items)
    # one line a key, whatever a name holds
    return " ".join(text.split())


def _gpu(gpu: Gpu) -> str:
    return f"{gpu.count} x {gpu.label}" if gpu.count > 1 else gpu.label
