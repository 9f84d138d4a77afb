"""Asks NVIDIA's driver about the GPUs and prints the answer as JSON; a process of its own.

A driver that is broken can hang or end the process that asks, and this one is there for that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

_MOST_GPUS = 256


def main() -> None:
    """Print what NVML says, as one line."""
    sys.stdout.write(json.dumps(answer()) + "\n")


def answer() -> dict[str, Any]:
    """Return ``driver``, ``cuda`` and ``gpus``, or ``error`` with what NVML says instead.

    Source: NVIDIA, "NVML API Reference Guide".
    """
    try:
        import pynvml
    except ImportError:
        return {"error": "nvidia-ml-py is not installed"}

    def asked(question: Callable[..., Any], *about: Any) -> Any:
        """Return an answer; None where this driver has none."""
        try:
            return question(*about)
        except (pynvml.NVMLError, ValueError):
            return None

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, OSError) as error:
        return {"error": str(error)}
    count = asked(pynvml.nvmlDeviceGetCount) or 0
    handles = [asked(pynvml.nvmlDeviceGetHandleByIndex, at) for at in range(min(count, _MOST_GPUS))]
    return {
        "driver": _text(asked(pynvml.nvmlSystemGetDriverVersion)),
        "cuda": asked(pynvml.nvmlSystemGetCudaDriverVersion),
        "gpus": [
            {
                "name": _text(asked(pynvml.nvmlDeviceGetName, handle)),
                "capability": asked(pynvml.nvmlDeviceGetCudaComputeCapability, handle),
            }
            for handle in handles
            if handle is not None
        ],
    }


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


if __name__ == "__main__":
    main()
