"""NVIDIA's driver: what a process of its own learns from it, and what its answer means."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress

from mlenv.machine.nvml import NOT_THERE
from mlenv.machine.presence import DEVICE, LIBRARY, library_folder, may_have_driver
from mlenv.machine.root import HERE, Root
from mlenv.model.machine import (
    CRASHED,
    HANGS,
    LOST,
    MISMATCH,
    NO_DRIVER,
    NO_PERMISSION,
    NOT_ASKED,
    OTHER,
    Driver,
    GpuState,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


TIMEOUT = 5.0
"""Seconds; a driver that is well answers in a few hundredths."""
KERNEL_FILES = ("/sys/module/nvidia/version", "/proc/driver/nvidia/version")
NUMBER = r"[0-9]{1,6}(?:\.[0-9]{1,6}){1,4}"
_GRACE = 1.0
_NVML = "mlenv.machine.nvml"
_LONGEST = 200
_CODES = {
    NOT_THERE: NOT_ASKED,
    4: NO_PERMISSION,
    9: NO_DRIVER,
    15: LOST,
    16: LOST,
    18: MISMATCH,
}
"""``nvmlReturn_t`` in NVIDIA's nvml.h."""
_LIBRARY_NOT_FOUND = 12


def read_driver(
    variables: Mapping[str, str], root: Root, timeout: float
) -> tuple[Driver, tuple[GpuState, ...]]:
    """Return what the driver is and which GPUs it shows.

    It is asked only where files show that there may be one, and only once.

    Args:
        variables: Of the process; an empty ``CONDA_OVERRIDE_CUDA`` says that there is no GPU.
        root: The files of the machine.
        timeout: How long the driver may take, in seconds.
    """
    kernel, library = _kernel_version(root), _library_version(variables, root)
    override = variables.get("CONDA_OVERRIDE_CUDA")
    known = {key: text for key, text in variables.items() if key != "CONDA_OVERRIDE_CUDA"}
    is_denied = override is not None and not override.strip()
    if is_denied or not may_have_driver(known, root):
        return Driver(kernel_version=kernel, library_version=library), ()
    said = ask_driver(known, timeout, root)
    counted = _tables(said.get("gpus"))
    gpus = tuple(_gpu(one) for one in counted if "error" not in one)
    silent = [one for one in counted if "error" in one]
    problem, words = _problem(said, root, bool(library_folder(known, root)))
    if silent and not gpus and not problem:
        problem, words = _CODES.get(silent[0].get("code", 0), OTHER), _line(silent[0].get("error"))
    version = re.search(NUMBER, str(said.get("driver", "")))
    return (
        Driver(
            version[0] if version else kernel,
            _cuda(said.get("cuda")),
            kernel,
            library,
            problem,
            words,
            tuple(_line(one.get("error")) for one in silent),
        ),
        gpus,
    )


def ask_driver(environment: Mapping[str, str], timeout: float, root: Root = HERE) -> dict[str, Any]:
    """Return what a process of its own learns from the driver; ``error`` says why it does not.

    Args:
        environment: Of that process.
        timeout: After how many seconds it is given up.
        root: The files of the machine.
    """
    import json
    import subprocess

    import mlenv

    # ``-m`` looks into the working folder first, and whoever wrote the project may have put
    # modules there: the process works where mlenv lies
    home = os.path.dirname(os.path.dirname(os.path.abspath(mlenv.__file__)))
    try:
        process = subprocess.Popen(  # noqa: S603 - a module of this package
            [sys.executable or "", "-m", _NVML],
            cwd=home,
            env={**environment, **_search_path(environment, root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        return {"error": error.strerror or "no process can be started", "problem": NOT_ASKED}
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        # a process that waits inside the kernel does not die at once, and is not waited for
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE)
        return {"error": f"no answer in {timeout:g} seconds", "problem": HANGS}
    try:
        said = json.loads(output.decode("utf-8", "replace").strip().rpartition("\n")[2])
    except (ValueError, RecursionError):
        said = None
    ended = {"error": "the driver's library ended the process", "problem": CRASHED}
    return said if isinstance(said, dict) else ended


def _search_path(environment: Mapping[str, str], root: Root) -> dict[str, str]:
    """Return the variable by which the loader finds the driver's library in its folder too."""
    stated = environment.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    folders = map(root.place, (*stated, library_folder(environment, root)))
    known = os.pathsep.join(dict.fromkeys(filter(None, folders)))
    return {"LD_LIBRARY_PATH": known} if known else {}


def _problem(said: Mapping[str, Any], root: Root, has_library: bool) -> tuple[str, str]:
    """Return why there is no answer, and what is said then; nothing where there is one."""
    words = _line(said.get("error"))
    if not words:
        return "", ""
    code = said.get("code")
    if code == _LIBRARY_NOT_FOUND and has_library:
        return OTHER, f"{LIBRARY} is there and cannot be loaded"
    if code == _LIBRARY_NOT_FOUND and root.has(DEVICE):
        return OTHER, f"the kernel has the driver, but its library {LIBRARY} is not found"
    known = _CODES.get(code, OTHER) if isinstance(code, int) else OTHER
    return str(said.get("problem", known)), words


def _tables(value: object) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict)]


def _gpu(item: Mapping[str, Any]) -> GpuState:
    pair, memory = item.get("capability"), item.get("memory") or (0, 0)
    return GpuState(
        _line(item.get("name")),
        (int(pair[0]), int(pair[1])) if pair else None,
        int(memory[0]),
        int(memory[1]),
        item.get("mig"),
        int(item.get("instances") or 0),
        item.get("ecc"),
        bool(item.get("pending")),
        item.get("recent_ecc"),
        bool(item.get("failing")),
    )


def _line(text: object) -> str:
    """Return a text on one line and of a length that can be shown."""
    return " ".join(str(text or "")[:_LONGEST].split())


def _cuda(number: object) -> str:
    """Return ``12.2`` for 12020, the form of the driver's interface."""
    if type(number) is not int or number < 1000:
        return ""
    return f"{number // 1000}.{number % 1000 // 10}"


def _kernel_version(root: Root) -> str:
    """Return the version of the kernel's module: ``NVRM version: … Kernel Module  535.104.05``."""
    found = (re.search(NUMBER, root.read(path)) for path in KERNEL_FILES)
    return next((match[0] for match in found if match), "")


def _library_version(variables: Mapping[str, str], root: Root) -> str:
    """Return the version of the user's library: the name of its file ends with it."""
    folder = library_folder(variables, root)
    name = root.last_link(os.path.join(folder, LIBRARY)) if folder else ""
    match = re.fullmatch(rf"libnvidia-ml\.so\.({NUMBER})", name)
    return match[1] if match else ""
