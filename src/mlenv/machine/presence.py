"""Whether an NVIDIA driver may be there, told by files alone: most audits run where there is none.

Asking the driver takes a process of its own; this takes a few microseconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from mlenv.machine.root import HERE, Root

DEVICE = "/dev/nvidiactl"
"""What the kernel's module tells of itself a container sees as well that has no GPU; this it has
only where it was given one."""
LIBRARY = "libnvidia-ml.so.1"
FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/usr/local/nvidia/lib64",
    "/run/opengl-driver/lib",
)
"""Where loaders look, and where the driver is put by WSL, Kubernetes' device plugin and NixOS."""


def may_have_driver(environment: Mapping[str, str], root: Root = HERE) -> bool:
    """Whether there is a trace of NVIDIA's driver, or the environment says that there is one.

    Args:
        environment: Of the process; ``CONDA_OVERRIDE_CUDA`` decides where it is set, and an empty
            one says that there is no GPU.
        root: The files of the machine.

    Source: conda, "Managing virtual packages".
    """
    override = environment.get("CONDA_OVERRIDE_CUDA")
    if override is not None:
        return bool(override.strip())
    if sys.platform == "win32":
        windows = environment.get("WINDIR", "C:\\Windows")
        return os.path.exists(os.path.join(windows, "System32", "nvml.dll"))
    return root.has(DEVICE) or bool(library_folder(environment, root))


def library_folder(environment: Mapping[str, str], root: Root = HERE) -> str:
    """Return the folder of the driver's library on Linux; empty where it is in none of the usual.

    Args:
        environment: Of the process.
        root: The files of the machine.
    """
    folders = (*environment.get("LD_LIBRARY_PATH", "").split(os.pathsep), *FOLDERS)
    return next((one for one in folders if root.has(os.path.join(one, LIBRARY))), "")
