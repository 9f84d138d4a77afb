"""A machine in one text of the command line: ``driver=535.104,gpu=8xA100,python=3.10``."""

from __future__ import annotations

from mlenv.errors import UsageError
from mlenv.machine.build import make_target, target_text
from mlenv.machine.keys import MACHINE_KEYS, Path, capability, known, machine_fields
from mlenv.model.target import Gpu, Target
from mlenv.model.text import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_SHORT = {
    "cuda": "driver_cuda",
    "gpu": "gpus",
    "toolkit": "cuda_toolkit",
    "nvcc": "cuda_toolkit",
    "cc": "compute_capability",
    "system": "os",
}
"""What people call the keys where there is little room."""
_KEYS = (*(key for key in MACHINE_KEYS if key != "missing_libraries"), "compute_capability")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TRUE_OR_FALSE = ("wants_gpu", "builds_extensions")


def read_inline(text: str) -> Target:
    """Return the target that a text describes.

    Raises:
        UsageError: A key is unknown, stands twice or has a value that is none of its.
    """
    source = target_text(text, text)
    said: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    at = 0
    for part in text.split(","):
        key, value = _pair(part)
        if key in said:
            raise UsageError(f"--target: {_written(key)!r} stands twice")
        said[key] = _TRUTHS.get(value.lower(), value) if key in _TRUE_OR_FALSE else value
        start = at + len(part) - len(part.lstrip())
        spans[key] = Span(source, start, start + len(part.strip()))
        at += len(part) + 1
    stated = said.pop("compute_capability", None)
    fields = machine_fields(said, (), _refused)
    if stated is not None:
        fields["gpus"] = _with_capability(fields.get("gpus", ()), stated)
        spans.setdefault("gpus", spans["compute_capability"])
    return make_target(text, Span(source, 0, len(text)), fields, spans)


def _pair(part: str) -> tuple[str, str]:
    written, equals, value = part.partition("=")
    key = written.strip().lower().replace("-", "_")
    names = (*(_written(key) for key in _KEYS), *_SHORT)
    known(_written(key), names, "--target")
    if not equals or not value.strip():
        raise UsageError(f"--target: {_written(key)!r} has no value: write {_written(key)}=…")
    return _SHORT.get(key, key), value.strip()


def _written(key: str) -> str:
    return key.replace("_", "-")


def _with_capability(gpus: tuple[Gpu, ...], stated: str) -> tuple[Gpu, ...]:
    number = capability(stated, ("compute_capability",), _refused)
    if len(gpus) > 1:
        raise UsageError("--target: 'compute-capability' goes with one kind of GPU")
    return (Gpu(gpus[0].name, number, gpus[0].count) if gpus else Gpu("", number),)


def _refused(at: Path, why: str) -> UsageError:
    key = next((part for part in reversed(at) if isinstance(part, str)), "")
    return UsageError(f"--target: {_written(key)!r} {why.replace(' in quotes', '')}")
