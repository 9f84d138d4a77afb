"""This machine as a target: its GPUs and driver, its system, its C library and its CUDA toolkit."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from mlenv.machine.build import described
from mlenv.machine.driver import NUMBER, TIMEOUT
from mlenv.machine.root import HERE
from mlenv.machine.survey import survey
from mlenv.machine.toolkit import conda_version
from mlenv.model.machine import GpuState, Machine
from mlenv.model.target import LOCAL, Gpu, Target
from mlenv.records import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_GIB = 1 << 30


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
    environment: Mapping[str, str],
    *,
    machine: Machine | None = None,
    with_python: bool = True,
    timeout: float = TIMEOUT,
) -> Local:
    """Return what this machine is.

    ``CONDA_OVERRIDE_CUDA`` and ``CONDA_OVERRIDE_GLIBC`` go before what is found, as in conda.

    Args:
        environment: Of the process.
        machine: What a survey found, where there was one: then the driver is not asked again.
        with_python: Whether the Python of the active environment counts.
        timeout: How long the driver may take, in seconds.

    Source: conda, "Managing virtual packages".
    """
    machine = machine or survey(environment, timeout=timeout)
    fields: dict[str, Any] = {
        "os": machine.os,
        "arch": machine.arch,
        "glibc": _glibc(environment, machine),
        "python": _python(environment) if with_python else "",
        "cuda_toolkit": machine.toolkit,
    }
    override = environment.get("CONDA_OVERRIDE_CUDA")
    if override is not None and not override.strip():
        return Local(described(LOCAL, fields), has_answer=False)
    driver = machine.driver
    fields["gpus"] = _kinds(machine.gpus)
    if override is not None:
        stated = re.fullmatch(r"\s*([0-9]{1,3}(?:\.[0-9]{1,3}){0,2})\s*", override)
        fields["driver_cuda"] = stated[1] if stated else ""
        problem = driver.said if stated else "CONDA_OVERRIDE_CUDA is no version"
        return Local(described(LOCAL, fields), stated is not None, problem)
    fields["driver"] = driver.version
    fields["driver_cuda"] = driver.cuda
    return Local(described(LOCAL, fields), not driver.problem, driver.said)


def _kinds(gpus: Iterable[GpuState]) -> tuple[Gpu, ...]:
    """Return the GPUs by kind, in the order in which each is met first."""
    found: dict[Gpu, int] = {}
    for one in gpus:
        if one.name or one.capability:
            kind = Gpu(one.name, one.capability, 1, round(one.memory / _GIB))
            found[kind] = found.get(kind, 0) + 1
    return tuple(replace(kind, count=count) for kind, count in found.items())


def _glibc(environment: Mapping[str, str], machine: Machine) -> str:
    stated = environment.get("CONDA_OVERRIDE_GLIBC")
    match = re.search(NUMBER, machine.libc if stated is None else stated)
    return match[0] if match else ""


def _python(environment: Mapping[str, str]) -> str:
    """Return the Python of the active environment, which need not be the one that runs mlenv."""
    folder = environment.get("VIRTUAL_ENV", "")
    if folder:
        text = HERE.read(os.path.join(folder, "pyvenv.cfg"))
        match = re.search(rf"(?m)^version(?:_info)?\s*=\s*({NUMBER})", text)
        return match[1] if match else ""
    folder = environment.get("CONDA_PREFIX", "")
    return conda_version(folder, "python", HERE) if folder else ""
