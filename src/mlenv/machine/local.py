"""This machine as a target: its GPUs and driver, its system, its C library and its CUDA toolkit."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mlenv.machine.build import described
from mlenv.machine.presence import library_folder, may_have_driver
from mlenv.model.target import LINUX, MACOS, WINDOWS, Gpu, Target
from mlenv.records import dataclass

TIMEOUT = 5.0
"""Seconds; a driver that is well answers in a few hundredths."""
_GRACE = 1.0
_NVML = "mlenv.machine.nvml"
KERNEL_FILES = ("/sys/module/nvidia/version", "/proc/driver/nvidia/version")
_SYSTEMS = {"linux": LINUX, "win32": WINDOWS, "cygwin": WINDOWS, "darwin": MACOS}
_NUMBER = r"[0-9]{1,6}(?:\.[0-9]{1,6}){1,4}"
_MOST_BYTES = 1 << 16
_LONGEST = 200


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """What this machine is.

    Attributes:
        target: It as a target.
        has_answer: Whether the driver said what there is, or the environment did in its place.
        problem: Why the driver did not answer; empty where it did, and where there is none.
    """

    target: Target
    has_answer: bool
    problem: str = ""


def look(
    environment: Mapping[str, str], *, with_python: bool = True, timeout: float = TIMEOUT
) -> Local:
    """Return what this machine is.

    ``CONDA_OVERRIDE_CUDA`` and ``CONDA_OVERRIDE_GLIBC`` go before what is found, as in conda.

    Args:
        environment: Of the process.
        with_python: Whether the Python of the active environment counts.
        timeout: How long the driver may take, in seconds.

    Source: conda, "Managing virtual packages".
    """
    fields: dict[str, Any] = {
        "os": _SYSTEMS.get(sys.platform, ""),
        "arch": _arch(environment),
        "glibc": _glibc(environment),
        "python": _python(environment) if with_python else "",
        "cuda_toolkit": _toolkit(environment),
    }
    override = environment.get("CONDA_OVERRIDE_CUDA")
    if override is not None and not override.strip():
        return Local(described("local", fields), has_answer=False)
    known = {key: value for key, value in environment.items() if key != "CONDA_OVERRIDE_CUDA"}
    said = ask_driver(known, timeout) if may_have_driver(known) else {}
    problem = str(said.get("error", ""))
    fields["gpus"] = _gpus(said.get("gpus"))
    if override is not None:
        stated = re.fullmatch(r"\s*([0-9]{1,3}(?:\.[0-9]{1,3}){0,2})\s*", override)
        if stated is None:
            problem = "CONDA_OVERRIDE_CUDA is no version"
        fields["driver_cuda"] = stated[1] if stated else ""
        return Local(described("local", fields), stated is not None, problem)
    fields["driver"] = _driver(said)
    fields["driver_cuda"] = _cuda(said.get("cuda"))
    has_answer = bool(said) and not problem
    return Local(described("local", fields), has_answer, problem)


def ask_driver(environment: Mapping[str, str], timeout: float) -> dict[str, Any]:
    """Return what a process of its own learns from the driver; ``error`` says why it does not.

    Args:
        environment: Of that process.
        timeout: After how many seconds it is given up.
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
            env={**environment, **_search_path(environment)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        return {"error": error.strerror or "no process can be started"}
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        # a process that waits inside the kernel does not die at once, and is not waited for
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE)
        return {"error": f"no answer in {timeout:g} seconds"}
    try:
        said = json.loads(output.decode("utf-8", "replace").strip().rpartition("\n")[2])
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {"error": "the driver's library ended the process"}


def _search_path(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable by which the loader finds the driver's library in its folder too."""
    paths = [environment.get("LD_LIBRARY_PATH", ""), library_folder(environment)]
    known = os.pathsep.join(dict.fromkeys(filter(None, paths)))
    return {"LD_LIBRARY_PATH": known} if known else {}


def _gpus(items: object) -> tuple[Gpu, ...]:
    """Return the GPUs by kind, in the order in which each is met first."""
    found: dict[tuple[str, tuple[int, int] | None], int] = {}
    for item in items if isinstance(items, list) else ():
        name = " ".join(str(item.get("name", ""))[:_LONGEST].split())
        pair = item.get("capability")
        capability = (int(pair[0]), int(pair[1])) if pair else None
        if name or capability:
            found[name, capability] = found.get((name, capability), 0) + 1
    return tuple(Gpu(name, capability, count) for (name, capability), count in found.items())


def _driver(said: Mapping[str, Any]) -> str:
    """Return the driver's version: what it says itself, else what the kernel's module says."""
    match = re.search(_NUMBER, str(said.get("driver", "")))
    for path in () if match or not said else KERNEL_FILES:
        # "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  …" or the number alone
        match = match or re.search(_NUMBER, _read(path))
    return match[0] if match else ""


def _cuda(number: object) -> str:
    """Return ``12.2`` for 12020, the form of the driver's interface."""
    if type(number) is not int or number < 1000:
        return ""
    return f"{number // 1000}.{number % 1000 // 10}"


def _arch(environment: Mapping[str, str]) -> str:
    if sys.platform == "win32":
        names = ("PROCESSOR_ARCHITEW6432", "PROCESSOR_ARCHITECTURE")
        found = next((environment[name] for name in names if environment.get(name)), "")
        return {"AMD64": "x86_64", "ARM64": "aarch64"}.get(found.upper(), found.lower())
    return os.uname().machine


def _glibc(environment: Mapping[str, str]) -> str:
    stated = environment.get("CONDA_OVERRIDE_GLIBC")
    if stated is None and hasattr(os, "confstr"):
        try:
            stated = os.confstr("CS_GNU_LIBC_VERSION")
        except (OSError, ValueError):  # another C library
            stated = ""
    match = re.search(_NUMBER, stated or "")
    return match[0] if match else ""


def _python(environment: Mapping[str, str]) -> str:
    """Return the Python of the active environment, which need not be the one that runs mlenv."""
    folder = environment.get("VIRTUAL_ENV", "")
    if folder:
        text = _read(os.path.join(folder, "pyvenv.cfg"))
        match = re.search(rf"(?m)^version(?:_info)?\s*=\s*({_NUMBER})", text)
        return match[1] if match else ""
    folder = environment.get("CONDA_PREFIX", "")
    return _conda_version(folder, "python") if folder else ""


def _toolkit(environment: Mapping[str, str]) -> str:
    """Return the version of the CUDA toolkit that has nvcc, the one that is asked for first."""
    folders = [environment.get("CUDA_HOME", ""), environment.get("CUDA_PATH", "")]
    paths = environment.get("PATH", "").split(os.pathsep)
    folders += [os.path.dirname(path) for path in paths if os.path.basename(path) == "bin"]
    for folder in (*folders, "/usr/local/cuda"):
        names = ("nvcc", "nvcc.exe") if os.path.isabs(folder) else ()
        if any(os.path.isfile(os.path.join(folder, "bin", name)) for name in names):
            return _toolkit_version(folder)
    return ""


def _toolkit_version(folder: str) -> str:
    """Return the version of a toolkit by the files that come with it: nothing is run.

    Source: ``version.json`` from CUDA 11.1 on, ``version.txt`` before; conda's records.
    """
    text = _read(os.path.join(folder, "version.json"))
    found = re.search(rf'"cuda"\s*:\s*\{{[^}}]*"version"\s*:\s*"({_NUMBER})', text)
    text = _read(os.path.join(folder, "version.txt"))
    found = found or re.search(rf"CUDA Version ({_NUMBER})", text)
    if found:
        return found[1]
    return _conda_version(folder, "cuda-nvcc") or _conda_version(folder, "cudatoolkit-dev")


def _conda_version(folder: str, package: str) -> str:
    """Return the version of a package in conda's environment, by the name of its record."""
    try:
        names = os.listdir(os.path.join(folder, "conda-meta"))
    except OSError:
        return ""
    pattern = rf"{re.escape(package)}-({_NUMBER})-[^-]+\.json"
    found = (re.fullmatch(pattern, name) for name in sorted(names))
    return next((match[1] for match in found if match), "")


def _read(path: str) -> str:
    """Return the beginning of a file; nothing where it cannot be read."""
    if not os.path.isfile(path):
        return ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return ""
