"""Whether an NVIDIA driver may be there, told by files alone: most audits run where there is none.

Asking the driver takes a process of its own; this takes a few microseconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

_DEVICE = "/dev/nvidiactl"
"""What the kernel's module tells of itself a container sees as well that has no GPU; this it has
only where it was given one."""
_LIBRARY = "libnvidia-ml.so.1"
_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/usr/local/nvidia/lib64",
    "/run/opengl-driver/lib",
)
"""Where loaders look, and where the driver is put by WSL, Kubernetes' device plugin and NixOS."""


def may_have_driver(environment: Mapping[str, str]) -> bool:
    """Whether there is a trace of NVIDIA's driver, or the environment says that there is one.

    Args:
        environment: Of the process; ``CONDA_OVERRIDE_CUDA`` decides where it is set, and an empty
            one says that there is no GPU.

    Source: conda, "Managing virtual packages".
    """
    override = environment.get("CONDA_OVERRIDE_CUDA")
    if override is not None:
        return bool(override.strip())
    if sys.platform == "win32":
        root = environment.get("WINDIR", "C:\\Windows")
        return os.path.exists(os.path.join(root, "System32", "nvml.dll"))
    return os.path.exists(_DEVICE) or bool(library_folder(environment))


def library_folder(environment: Mapping[str, str]) -> str:
    """Return the folder of the driver's library on Linux; empty where it is in none of the usual.

    Args:
        environment: Of the process.
    """
    folders = (*environment.get("LD_LIBRARY_PATH", "").split(os.pathsep), *_FOLDERS)
    found = (one for one in folders if one and os.path.exists(os.path.join(one, _LIBRARY)))
    return next(found, "")
