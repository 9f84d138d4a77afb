"""Which Python an installation runs on: the one stated, or the one that its pins were made for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from mlenv.knowledge import Knowledge
from mlenv.model.marker import Environment, environments
from mlenv.model.target import LINUX, Target
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Interpreter

_SYSTEMS = {"linux": "linux", "macos": "darwin", "windows": "win32"}
_SETTLED = 12
"""How many months a Python is out before people are taken to use it unasked."""


@dataclass(frozen=True, slots=True)
class PythonInUse:
    """The Python of an installation.

    Attributes:
        version: Its version, be it a minor only.
        stated: Whether something says so; else it is the newest that what is pinned allows.
    """

    version: Version
    stated: bool

    @property
    def minor(self) -> int:
        """The second number."""
        return self.version.release[1] if len(self.version.release) > 1 else 0

    @property
    def name(self) -> str:
        """Major and minor, such as ``3.10``."""
        return self.version.minor_line


def environment_of(target: Target | None, python: Version) -> Environment:
    """Return PEP 508's variables for a machine and an interpreter.

    Args:
        target: The machine; Linux on x86_64 where none is given.
        python: The interpreter's version; a minor stands for a late patch of it.
    """
    system = target.system if target else LINUX
    machine = target.machine if target else "x86_64"
    return _variables(".".join(map(str, python.release)), system, machine, "cpython")


def admitted_minors(bits: int) -> frozenset[str]:
    """Return the minors among a set's environments, whatever the platform."""
    return frozenset(minor for minor, mask in _minor_masks() if mask & bits)


@lru_cache(maxsize=1)
def _minor_masks() -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for bit, environment in enumerate(environments()):
        minor = environment["python_version"]
        found[minor] = found.get(minor, 0) | 1 << bit
    return tuple(found.items())


def usual_minors(knowledge: Knowledge, day: str, admitted: frozenset[str]) -> Iterator[Version]:
    """Yield the Pythons that people use on a day, newest first; all of them where none is usual.

    Args:
        knowledge: When each came out.
        day: The day, as ``YYYY-MM-DD``.
        admitted: The minors that the project's own statements leave.
    """
    settled = _months_before(day, _SETTLED)
    known = [one for one in knowledge.interpreters.known if one.version in admitted]
    usual = [one for one in known if one.released <= settled]
    for one in reversed(usual or known[:1]):
        version = parse_version(one.version)
        if version is not None and version.release[0] == 3:
            yield version


def newest_minor(knowledge: Knowledge, day: str) -> Version | None:
    """Return the newest Python that is out on a day, which tags such as ``python:3`` mean."""
    out = [one.version for one in knowledge.interpreters.known if _is_out(one.released, day)]
    return parse_version(out[-1]) if out else None


def _is_out(released: str, day: str) -> bool:
    """Whether a release is out; one of which only the month is known, once that is over."""
    return released < day[: len(released)] or released == day


def _months_before(day: str, months: int) -> str:
    year, month, date = (int(part) for part in day.split("-"))
    index = year * 12 + month - 1 - months
    return f"{index // 12:04}-{index % 12 + 1:02}-{date:02}"


def variables_of(interpreter: Interpreter) -> Environment:
    """Return PEP 508's variables for the interpreter of an environment.

    Args:
        interpreter: Its version is known; a minor stands for a late patch of it.
    """
    one = interpreter
    return _variables(one.version, one.system, one.machine, one.implementation)


def _variables(version: str, system: str, machine: str, implementation: str) -> Environment:
    platform, numbers = _SYSTEMS[system], version.split(".")
    full = version if len(numbers) > 2 else f"{version}.99"
    return {
        "sys_platform": platform,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[platform],
        "os_name": "nt" if platform == "win32" else "posix",
        "platform_machine": machine,
        "python_version": ".".join(numbers[:2]),
        "python_full_version": full,
        "implementation_version": full,
        "implementation_name": implementation,
        "platform_python_implementation": {"pypy": "PyPy"}.get(implementation, "CPython"),
        "extra": "",
    }
