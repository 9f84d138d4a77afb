"""From a target to the document that describes it: a snapshot, which names nobody.

It holds the keys of a target's file and what their reader takes, so that
:func:`mlenv.machine.snapshot.parse_snapshot` gives the target back. Of packages it has names and
versions: no path, no URL, no name of a user or a host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress

from mlenv.errors import UsageError
from mlenv.machine.keys import MACHINE_KEYS, Path, machine_fields
from mlenv.machine.snapshot import ORIGIN
from mlenv.versions.version import parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    from mlenv.model.target import Gpu, Installed, Target

Document: TypeAlias = "dict[str, dict[str, Any]]"

_NAME = r"[a-z0-9](?:[a-z0-9._-]{0,198}[a-z0-9])?"
_CONDA_NAME = r"[a-z0-9_][a-z0-9._-]{0,198}"
_CONDA_VERSION = r"[0-9A-Za-z._+!-]{1,200}"
_SONAME = r"[A-Za-z0-9._+-]{1,100}"
_BLAS = r"[A-Za-z0-9 ._+-]{1,80}"
_ARCHITECTURE = r"(?:sm|compute)_[0-9]{2,3}[af]?"
_CUDA = r"none|[0-9]{1,3}(?:\.[0-9]{1,3}){1,2}"
_BARE_KEY = r"[A-Za-z0-9_-]+"


def document_of(target: Target, *, without_gpu: bool = False) -> Document:
    """Return the document of a target; what its reader would refuse is left out.

    Args:
        target: The machine, and what is installed there.
        without_gpu: Whether it is known to have no GPU, which an empty list says.
    """
    said = {key: getattr(target, key) for key in MACHINE_KEYS if key != "gpus"}
    said["missing_libraries"] = [
        one for one in target.missing_libraries if re.fullmatch(_SONAME, one)
    ]
    said["gpus"] = [_gpu(one) for one in target.gpus]
    machine = {key: value for key, value in said.items() if _is_taken(key, value)}
    if without_gpu and not target.gpus:
        machine["gpus"] = []
    document: Document = {"machine": machine} if machine else {}
    if target.installed is not None:
        document["environment"] = _environment(target.installed)
    return document


def _is_taken(key: str, value: object) -> bool:
    """Whether a value says something, and the reader of snapshots takes it."""

    def refuse(_at: Path, why: str) -> UsageError:
        return UsageError(why)

    is_said = bool(value) or (key == "wants_gpu" and value is not None)
    with suppress(UsageError):
        return is_said and bool(machine_fields({key: value}, (), refuse))
    return False


def _gpu(gpu: Gpu) -> dict[str, Any]:
    capability = ".".join(map(str, gpu.capability)) if gpu.capability else ""
    name = gpu.name if gpu.name.isprintable() else ""
    said = {
        "name": name,
        "compute_capability": capability,
        "count": gpu.count,
        "memory": gpu.memory,
    }
    return {key: value for key, value in said.items() if value}


def _environment(installed: Installed) -> dict[str, Any]:
    packages = {
        name: version
        for name, version in sorted(installed.packages.items())
        if re.fullmatch(_NAME, name) and len(version) <= 200 and parse_version(version)
    }
    conda = {
        name: version
        for name, version in sorted(installed.conda_packages.items())
        if re.fullmatch(_CONDA_NAME, name) and re.fullmatch(_CONDA_VERSION, version)
    }
    is_whole = len(packages) == len(installed.packages)
    is_whole = is_whole and len(conda) == len(installed.conda_packages)
    said = {
        # where something had to be left out, nothing may be called missing
        "complete": installed.complete and is_whole,
        "manager": installed.manager,
        "blas": installed.blas if re.fullmatch(_BLAS, installed.blas) else "",
        "torch": _torch(installed),
        "origins": {
            name: origin
            for name, origin in sorted(installed.origins.items())
            if name in packages and re.fullmatch(ORIGIN, origin)
        },
        "packages": packages,
        "conda_packages": conda,
    }
    return {key: value for key, value in said.items() if value or key in ("complete", "packages")}


def _torch(installed: Installed) -> dict[str, Any]:
    cuda = installed.torch_cuda if re.fullmatch(_CUDA, installed.torch_cuda) else ""
    listed = [one for one in installed.torch_architectures if re.fullmatch(_ARCHITECTURE, one)]
    said = {"cuda": cuda, "arch_list": listed}
    return {key: value for key, value in said.items() if value}


def as_toml(document: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a document as TOML, a line for each package so that two can be compared."""
    return "\n".join(_toml(document)) + "\n"


def _toml(document: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for number, (name, table) in enumerate(document.items()):
        yield from ("",) if number else ()
        yield f"[{name}]"
        lists = {"packages", "conda_packages", "origins"} & table.keys()
        yield from (f"{key} = {_value(table[key])}" for key in table if key not in lists)
        for inner in (key for key in table if key in lists):
            yield f"\n[{name}.{inner}]"
            yield from (f"{_key(key)} = {_value(value)}" for key, value in table[inner].items())


def _key(name: str) -> str:
    return name if re.fullmatch(_BARE_KEY, name) else _value(name)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_value(one)}' for key, one in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    # strings, numbers and truths are written alike in both, but for escapes of two halves
    return json.dumps(value, ensure_ascii=False)
