"""The keys that describe a machine: what each may hold, whoever wrote it, and what is meant by it.

Files, the configuration and the command line say the same keys; each hands in how it refuses one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from mlenv.config import suggestion
from mlenv.errors import UsageError
from mlenv.model.target import LINUX, MACOS, WINDOWS, Capability, Gpu

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


Path = tuple[str | int, ...]
Refuse = Callable[[Path, str], UsageError]
"""Makes the error for the value at a path, from what it must be."""

_VERSION = r"(?:[A-Za-z][A-Za-z ]{0,20})?([0-9]{1,6}(?:\.[0-9]{1,6}){0,4})(?:(?:\.[xX]{1,3})|\+)?"
_PYTHON = (
    r"(?:[A-Za-z][A-Za-z ]{0,20})?([0-9]{1,6}(?:\.[0-9]{1,6}){0,2}(?:(?:a|b|rc)[0-9]{1,4})?)\+?"
)
"""What people write before and after a version says nothing of it: ``CUDA 12.2``, ``12.x``."""
_ARCH = r"[A-Za-z0-9_-]{1,40}"
_SYSTEMS = (
    (MACOS, ("macos", "mac os", "darwin", "os x", "osx")),
    (
        LINUX,
        (
            *("linux", "wsl", "ubuntu", "debian", "centos", "red hat", "redhat", "rhel", "fedora"),
            *("rocky", "alma", "suse", "arch", "mint", "alpine", "gentoo", "nixos", "kali"),
            *("manjaro", "pop!_os", "amazon", "jetpack", "l4t", "raspb"),
        ),
    ),
    (WINDOWS, ("windows", "win")),
)
"""Words by which systems are known; the first that fits counts (``darwin`` holds ``win``)."""
_ARCHES = {"amd64": "x86_64", "x64": "x86_64", "x86-64": "x86_64"}
_ARM = ("aarch64", "arm64", "armv8")
_LONGEST = 200
_MOST_GPUS = 1_000
_MOST_OF_ONE = 1_000_000
_MOST_MEMORY = 100_000
_GPU_KEYS = ("name", "compute_capability", "count", "memory")

MACHINE_KEYS = (
    *("os", "arch", "glibc", "python", "driver", "driver_cuda", "cuda_toolkit", "cudnn"),
    *("image_cuda", "wants_gpu", "builds_extensions", "missing_libraries", "gpus"),
)
"""What a description of a machine may say."""


def known(key: object, keys: Collection[str], where: str) -> str:
    """Return a key that is one of some.

    Raises:
        UsageError: It is none of them.
    """
    if not isinstance(key, str) or key not in keys:
        shown = str(key)[:_LONGEST]
        raise UsageError(f"{where}: unknown key {shown!r}{suggestion(shown, keys)}")
    return key


def machine_fields(table: Mapping[str, Any], at: Path, refuse: Refuse) -> dict[str, Any]:
    """Return what a description says, by the names of a target's attributes.

    Args:
        table: Values of TOML or JSON under some of :data:`MACHINE_KEYS`.
        at: The path of the table.
        refuse: Makes the error for a value.

    Raises:
        UsageError: A value is none that its key may have.
    """
    found = {key: _READERS[key](value, (*at, key), refuse) for key, value in table.items()}
    if "arch" in found:
        found["arch"] = _arch_on(found.get("os", ""), found["arch"])
    return found


def _text(value: object, at: Path, refuse: Refuse, what: str = "a string") -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        raise refuse(at, f"must be {what}")
    return value.strip()


def _matching(pattern: str, what: str) -> Callable[[object, Path, Refuse], str]:
    def read(value: object, at: Path, refuse: Refuse) -> str:
        match = re.fullmatch(pattern, _text(value, at, refuse, what))
        if match is None:
            raise refuse(at, f"must be {what}")
        return match[match.lastindex or 0]

    return read


def _version(example: str) -> Callable[[object, Path, Refuse], str]:
    return _matching(_VERSION, f'a version in quotes such as "{example}"')


def _truth(value: object, at: Path, refuse: Refuse) -> bool:
    if not isinstance(value, bool):
        raise refuse(at, "must be true or false")
    return value


def _system(value: object, at: Path, refuse: Refuse) -> str:
    what = "linux, windows or macos"
    text = _text(value, at, refuse, what).lower()
    for system, words in _SYSTEMS:
        if any(word in text for word in words):
            return system
    raise refuse(at, f"must be {what}")


def _arch_on(system: str, arch: str) -> str:
    """Return an architecture as the system calls it."""
    lower = arch.lower()
    if lower in _ARM:
        return "arm64" if system == MACOS else "aarch64"
    return _ARCHES.get(lower, lower)


def strings(value: object, at: Path, refuse: Refuse) -> tuple[str, ...]:
    """Return the items of a list of strings."""
    if not isinstance(value, list):
        raise refuse(at, "must be a list of strings")
    return tuple(_text(item, at, refuse, "a list of strings") for item in value)


def _gpus(value: object, at: Path, refuse: Refuse) -> tuple[Gpu, ...]:
    items = value if isinstance(value, list) else [value]
    if len(items) > _MOST_GPUS:
        raise refuse(at, f"must be at most {_MOST_GPUS} kinds of GPU")
    found: list[Gpu] = []
    for number, item in enumerate(items):
        place = (*at, number) if isinstance(value, list) else at
        if isinstance(item, dict):
            found.append(_gpu(item, place, refuse))
        else:
            text = _text(item, place, refuse, "the name of a GPU or a table with its name")
            found.extend(gpus_of(text, place, refuse))
    return tuple(found)


def _gpu(table: Mapping[str, Any], at: Path, refuse: Refuse) -> Gpu:
    for key in table:
        if key not in _GPU_KEYS:
            raise refuse((*at, key), f"is no key of a GPU: those are {', '.join(_GPU_KEYS)}")
    name, stated = "", None
    if "name" in table:
        name = _text(table["name"], (*at, "name"), refuse, "the name of a GPU")
    if "compute_capability" in table:
        place = (*at, "compute_capability")
        stated = capability(table["compute_capability"], place, refuse)
    if not name and stated is None:
        raise refuse(at, "must have a name or a compute_capability")
    count = _count(table.get("count", 1), (*at, "count"), refuse)
    return Gpu(name, stated, count, _memory(table.get("memory", 0), (*at, "memory"), refuse))


def _memory(value: object, at: Path, refuse: Refuse) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_MEMORY:
        raise refuse(at, f"must be a number of GiB, from 0 to {_MOST_MEMORY}")
    return value


def _count(value: object, at: Path, refuse: Refuse) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        value = int(value)
    if type(value) is not int or not 0 < value <= _MOST_OF_ONE:
        raise refuse(at, f"must be a whole number from 1 to {_MOST_OF_ONE}")
    return value


def capability(value: object, at: Path, refuse: Refuse) -> Capability:
    """Return a compute capability that is written as ``8.6``, ``"8.6"``, ``"sm_86"`` or ``12``.

    Raises:
        UsageError: It is none.
    """
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -1 < value < 10_000:
        text = str(value)
    match = re.fullmatch(r"(?:sm_|compute_)?([0-9]{1,3})(?:\.([0-9]))?[af]?", text)
    if match is None:
        raise refuse(at, 'must be a compute capability such as "8.6"')
    major = int(match[1])
    if match[2] is not None:
        return major, int(match[2])
    # compilers write both numbers without a dot: sm_86, sm_120
    return (major, 0) if major < 20 else divmod(major, 10)


def gpus_of(text: str, at: Path, refuse: Refuse) -> tuple[Gpu, ...]:
    """Return the GPUs that a text names: ``8xA100``, ``A100+T4``.

    Raises:
        UsageError: A name is missing.
    """
    found = []
    for part in text.split("+"):
        count, name = _counted(part.strip())
        if not name:
            raise refuse(at, "must be the name of a GPU such as A100 or 8xA100")
        found.append(Gpu(name, None, _count(count, at, refuse)))
    return tuple(found)


def _counted(text: str) -> tuple[str, str]:
    behind = re.fullmatch(r"(\S.*)\s[x\u00d7*]\s?([0-9]{1,12})", text)
    if behind and not (behind[1].strip().isdigit() and int(behind[1]) < int(behind[2])):
        return behind[2], behind[1].strip()
    before = re.fullmatch(r"([0-9]{1,12})\s?[x\u00d7*]\s?(\S.*)", text)
    return (before[1], before[2]) if before else ("1", text)


_READERS: Mapping[str, Callable[[object, Path, Refuse], Any]] = {
    "os": _system,
    "arch": _matching(_ARCH, "an architecture such as x86_64"),
    "glibc": _version("2.35"),
    "python": _matching(_PYTHON, 'a version in quotes such as "3.10"'),
    "driver": _version("535.104.05"),
    "driver_cuda": _version("12.2"),
    "cuda_toolkit": _version("12.2"),
    "cudnn": _version("8.9.2"),
    "image_cuda": _version("12.1"),
    "wants_gpu": _truth,
    "builds_extensions": _truth,
    "missing_libraries": strings,
    "gpus": _gpus,
}
