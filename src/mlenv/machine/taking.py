"""A snapshot: what a machine is and what is installed there, as a document that names nobody.

Only keys of a target's file are written, each checked by its reader, and of packages only names and
versions: no path, no URL, no name of a user or a host.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlenv.errors import UsageError
from mlenv.machine.keys import MACHINE_KEYS, Path, machine_fields
from mlenv.machine.snapshot import ORIGIN
from mlenv.versions.version import parse_version

if TYPE_CHECKING:
    from mlenv.model.environment import Distribution, Environment
    from mlenv.model.machine import Machine

Document = dict[str, dict[str, Any]]

_NAME = r"[a-z0-9](?:[a-z0-9._-]{0,198}[a-z0-9])?"
_CONDA_NAME = r"[a-z0-9_](?:[a-z0-9._-]{0,198})"
_CONDA_VERSION = r"[0-9A-Za-z._+!-]{1,200}"
_COMMIT = 12
_GIB = 1 << 30


def taken(machine: Machine | None, environment: Environment | None) -> Document:
    """Return the snapshot of a machine and an environment.

    Args:
        machine: None where it is not to be told.
        environment: None where there is none, or it is not to be told.

    Returns:
        A document of a target's file; :func:`mlenv.machine.snapshot.parse_snapshot` reads it.
    """
    document: Document = {}
    said = _machine(machine) if machine is not None else {}
    if environment is not None and environment.interpreter is not None:
        said["python"] = environment.interpreter.version
    kept = {key: value for key in MACHINE_KEYS if (value := _kept(key, said.get(key)))}
    if kept:
        document["machine"] = kept
    if environment is not None:
        document["environment"] = _environment(environment)
    return document


def _kept(key: str, value: object) -> object:
    """Return a value where the readers of snapshots take it."""

    def refuse(_at: Path, why: str) -> UsageError:
        return UsageError(why)

    if not value:
        return None
    with suppress(UsageError):
        machine_fields({key: value}, (), refuse)
        return value
    return None


def _machine(machine: Machine) -> dict[str, Any]:
    kind, _, version = machine.libc.partition(" ")
    driver = machine.driver
    return {
        "os": machine.os,
        "arch": machine.arch,
        "glibc": version if kind == "glibc" else "",
        "driver": driver.version or driver.kernel_version,
        "driver_cuda": driver.cuda,
        "cuda_toolkit": machine.toolkit,
        "gpus": _gpus(machine),
    }


def _gpus(machine: Machine) -> list[dict[str, Any]]:
    """Return the GPUs by kind, in the order in which each is met first."""
    kinds: dict[tuple[str, str, int], int] = {}
    for one in machine.gpus:
        capability = ".".join(map(str, one.capability)) if one.capability else ""
        name = " ".join(one.name.split()) if one.name.isprintable() else ""
        kind = (name, capability, round(one.memory / _GIB))
        kinds[kind] = kinds.get(kind, 0) + 1
    said = (
        {"name": name, "compute_capability": capability, "count": count, "memory": memory}
        for (name, capability, memory), count in kinds.items()
        if name or capability
    )
    return [{key: value for key, value in one.items() if value} for one in said]


def _environment(environment: Environment) -> dict[str, Any]:
    packages = _packages(environment)
    conda = {
        one.name: one.version
        for one in environment.conda.values()
        if re.fullmatch(_CONDA_NAME, one.name) and re.fullmatch(_CONDA_VERSION, one.version)
    }
    is_whole = len(packages) == len(environment.distributions)
    said = {
        # what cannot be told is left out, and then nothing may be called missing
        "complete": is_whole and len(conda) == len(environment.conda),
        "manager": environment.manager,
        "blas": environment.blas if re.fullmatch(r"[\w .,+-]{1,80}", environment.blas) else "",
        "torch": _torch(environment),
        "origins": _origins(environment),
        "packages": packages,
        "conda_packages": conda,
    }
    return {key: value for key, value in said.items() if value or key in ("complete", "packages")}


def _packages(environment: Environment) -> dict[str, str]:
    """Return versions by name, with the label of the build where the package itself tells it."""
    found = {}
    for name, one in sorted(environment.distributions.items()):
        version = _labelled(one, environment)
        if re.fullmatch(_NAME, name) and len(version) <= 200 and parse_version(version):
            found[name] = version
    return found


def _labelled(distribution: Distribution, environment: Environment) -> str:
    truth = environment.torch.get(distribution.name)
    if truth is None or "+" in distribution.version:
        return distribution.version.strip()
    public, _, label = truth.version.partition("+")
    is_same = public == distribution.version and re.fullmatch(r"[a-z0-9.]{1,40}", label)
    return truth.version if is_same else distribution.version.strip()


def _torch(environment: Environment) -> dict[str, Any]:
    truth = environment.torch.get("torch")
    said: dict[str, Any] = {}
    if truth is not None and re.fullmatch(r"none|[0-9]{1,3}(?:\.[0-9]{1,3}){1,2}", truth.cuda):
        said["cuda"] = truth.cuda
    names = environment.binaries.architectures("torch") if environment.binaries else ()
    listed = [name for name in names if re.fullmatch(r"(?:sm|compute)_\d{2,3}[af]?", name)]
    return {**said, "arch_list": listed} if listed else said


def _origins(environment: Environment) -> dict[str, str]:
    said = {
        name: _origin(one)
        for name, one in sorted(environment.distributions.items())
        if one.origin is not None and re.fullmatch(_NAME, name)
    }
    return {name: origin for name, origin in said.items() if re.fullmatch(ORIGIN, origin)}


def _origin(distribution: Distribution) -> str:
    """Return how a distribution came, without saying from where."""
    origin = distribution.origin
    assert origin is not None
    if origin.editable:
        return "editable"
    if origin.commit:
        commit = re.fullmatch(r"[0-9a-f]{7,64}", origin.commit)
        return f"git {origin.commit[:_COMMIT]}" if commit else "git"
    return "local" if origin.is_local else "url"
