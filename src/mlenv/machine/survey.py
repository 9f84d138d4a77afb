"""This machine as it is found: its driver is asked once, the rest is read from files."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

from mlenv.homes import home_of, without_home
from mlenv.machine.driver import NUMBER, TIMEOUT, read_driver
from mlenv.machine.root import Root
from mlenv.machine.surroundings import (
    amd_gpus,
    container_name,
    kernel_name,
    memory_limit,
    processors,
    rocm_version,
    system_name,
    wsl_version,
)
from mlenv.machine.toolkit import cuda_home, forward_compatibility, library_folders, toolkits
from mlenv.model.machine import Machine
from mlenv.model.target import LINUX, MACOS, WINDOWS
from mlenv.records import replace

_LONGEST = 4_000
"""More than the UUIDs of all GPUs that a machine can have."""
_SYSTEMS = {"linux": LINUX, "win32": WINDOWS, "cygwin": WINDOWS, "darwin": MACOS}


def survey(variables: Mapping[str, str], *, root: str = "/", timeout: float = TIMEOUT) -> Machine:
    """Return what this machine is.

    Nothing is run but a process of mlenv's own that asks the driver, and that only where files
    show that there may be one.

    Args:
        variables: The environment of the process.
        root: The folder that stands for ``/``.
        timeout: How long the driver may take, in seconds.
    """
    files = Root(root)
    driver, gpus = read_driver(variables, files, timeout)
    toolkit, home, on_path = toolkits(variables, files)
    compat_folder, compat_version = forward_compatibility(variables, files)
    arch = _arch(variables)
    user = home_of(variables)

    def shown(path: str) -> str:
        return without_home(path, user)

    made = Machine(
        _SYSTEMS.get(sys.platform, ""),
        release=system_name(files),
        kernel=kernel_name(files),
        arch=arch,
        libc=_libc(),
        cpus=processors(files),
        memory=memory_limit(files),
        driver=driver,
        gpus=gpus,
        visible_devices=_visible_devices(variables),
        toolkit=toolkit.version if toolkit else "",
        toolkit_folder=shown(toolkit.folder) if toolkit else "",
        cuda_home=shown(cuda_home(variables)),
        home_nvcc=home and replace(home, folder=shown(home.folder)),
        path_nvcc=on_path and replace(on_path, folder=shown(on_path.folder)),
        compat_folder=shown(compat_folder),
        compat_version=compat_version,
        library_folders=tuple(
            replace(one, path=shown(one.path)) for one in library_folders(variables, files)
        ),
        wsl=wsl_version(files),
        container=container_name(variables, files),
        rocm=rocm_version(variables, files),
        amd_gpus=amd_gpus(files),
        apple_gpu=sys.platform == "darwin" and arch == "arm64",
    )
    return replace(made, hidden_gpus=len(made.visible) < len(gpus))


def _visible_devices(variables: Mapping[str, str]) -> str | None:
    """Return the value of ``CUDA_VISIBLE_DEVICES``, of a length that can be shown."""
    value = variables.get("CUDA_VISIBLE_DEVICES")
    return None if value is None else value[:_LONGEST]


def _arch(variables: Mapping[str, str]) -> str:
    if sys.platform == "win32":
        names = ("PROCESSOR_ARCHITEW6432", "PROCESSOR_ARCHITECTURE")
        found = next((variables[name] for name in names if variables.get(name)), "")
        return {"AMD64": "x86_64", "ARM64": "aarch64"}.get(found.upper(), found.lower())
    return os.uname().machine


def _libc() -> str:
    """Return ``glibc 2.36``; empty where it is another C library."""
    stated = ""
    if hasattr(os, "confstr"):
        try:
            stated = os.confstr("CS_GNU_LIBC_VERSION") or ""
        except (OSError, ValueError):
            return ""
    match = re.fullmatch(rf"glibc ({NUMBER})", stated.strip())
    return f"glibc {match[1]}" if match else ""
