"""Asks NVIDIA's driver about the GPUs and prints the answer as JSON; a process of its own.

A driver that is broken can hang or end the process that asks, and this one is there for that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

NOT_THERE = -1
"""The number of no error of NVML: there is no nvidia-ml-py to ask it with."""
_MOST_GPUS = 256
_MOST_INSTANCES = 16
"""More than any GPU can be divided into."""

Ask: TypeAlias = "Callable[..., Any]"
"""Puts a question of NVML; None where this driver has no answer."""


def main() -> None:
    """Print what NVML says, as one line."""
    sys.stdout.write(json.dumps(answer()) + "\n")


def answer() -> dict[str, Any]:
    """Return ``driver``, ``cuda`` and ``gpus``.

    Where the driver does not answer, or a GPU cannot be reached, it is ``error`` with what NVML
    says instead, and its number as ``code``.

    Source: NVIDIA, "NVML API Reference Guide".
    """
    try:
        import pynvml
    except ImportError:
        return {"error": "nvidia-ml-py is not installed", "code": NOT_THERE}
    nvml: Any = pynvml

    def asked(question: str, *about: Any) -> Any:
        # an older nvidia-ml-py has no function for what only newer drivers know
        try:
            return getattr(nvml, question)(*about)
        except (nvml.NVMLError, AttributeError, ValueError):
            return None

    try:
        nvml.nvmlInit()
    except (nvml.NVMLError, OSError) as error:
        return _refused(error)

    def gpu(at: int) -> dict[str, Any]:
        try:
            return _gpu(asked, nvml.nvmlDeviceGetHandleByIndex(at))
        except nvml.NVMLError as error:
            return _refused(error)

    gpus = [gpu(at) for at in range(min(asked("nvmlDeviceGetCount") or 0, _MOST_GPUS))]
    return {
        "driver": _text(asked("nvmlSystemGetDriverVersion")),
        "cuda": asked("nvmlSystemGetCudaDriverVersion"),
        "gpus": gpus,
    }


def _refused(error: Exception) -> dict[str, Any]:
    return {"error": str(error), "code": getattr(error, "value", None)}


def _gpu(asked: Ask, handle: Any) -> dict[str, Any]:
    memory = asked("nvmlDeviceGetMemoryInfo", handle)
    remapped = asked("nvmlDeviceGetRemappedRows", handle) or (0, 0, 0, 0)
    mig = asked("nvmlDeviceGetMigMode", handle)
    uncorrected, since_load, ever = 1, 0, 1
    return {
        "name": _text(asked("nvmlDeviceGetName", handle)),
        "capability": asked("nvmlDeviceGetCudaComputeCapability", handle),
        "memory": [int(memory.total), int(memory.used)] if memory is not None else None,
        "mig": bool(mig[0]) if mig else None,
        "instances": _instances(asked, handle) if mig and mig[0] else 0,
        "ecc": asked("nvmlDeviceGetTotalEccErrors", handle, uncorrected, ever),
        "recent_ecc": asked("nvmlDeviceGetTotalEccErrors", handle, uncorrected, since_load),
        "pending": bool(remapped[2] or asked("nvmlDeviceGetRetiredPagesPendingStatus", handle)),
        "failing": bool(remapped[3]),
    }


def _instances(asked: Ask, handle: Any) -> int:
    most = min(asked("nvmlDeviceGetMaxMigDeviceCount", handle) or 0, _MOST_INSTANCES)
    parts = (asked("nvmlDeviceGetMigDeviceHandleByIndex", handle, at) for at in range(most))
    return sum(part is not None for part in parts)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


if __name__ == "__main__":
    main()
