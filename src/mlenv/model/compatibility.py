"""Whether some environment that exists satisfies several markers at once.

The table of :mod:`mlenv.model.marker` answers most questions. Where it does not, the markers are
looked at in a world made of the table and of what the markers themselves name: other systems,
machines, interpreters and patch releases. What no such environment satisfies is not claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from math import prod

from mlenv.model.marker import (
    MINORS,
    PATCHES,
    PLATFORMS,
    Comparison,
    Condition,
    Environment,
    Junction,
    Marker,
    compare,
    comparisons,
)
from mlenv.model.requirement import ALL_ENVIRONMENTS

_OTHER = "other"
"""Stands for every value that no marker names."""
_MACHINES = {
    "linux": frozenset(("i386", "i686", "armv6l", "armv7l", "ppc64", "s390x", "riscv64")),
    "darwin": frozenset(("i386",)),
    "win32": frozenset(("x86",)),
}
"""Machines beyond the table, where a marker names them."""
_KNOWN_MACHINES = frozenset(m for *_, machines in PLATFORMS for m in machines).union(
    *_MACHINES.values()
)
_INTERPRETER = frozenset(
    (
        *("python_version", "python_full_version", "implementation_version"),
        *("implementation_name", "platform_python_implementation"),
    )
)
_PLATFORM = frozenset(("sys_platform", "platform_system", "os_name", "platform_machine"))
_NEVER_SET = ("extra", "extras", "dependency_groups")
"""Variables that hold nothing where an installer reads a manifest."""
_RETIRED = "linux2"
"""What Python 2 called Linux."""
_MOST_COMBINATIONS = 500
"""More than that only hostile markers need; nothing is concluded of them."""
_MOST_LITERALS = 40
_RELEASE = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?")
_Named = dict[str, list[str]]


def compatible(*markers: Marker | None, pythons: int = ALL_ENVIRONMENTS) -> bool:
    """Return whether an environment is known that satisfies all markers.

    Args:
        markers: The markers; None holds everywhere.
        pythons: The environments of the table whose Python is admitted, as a bit set.
    """
    present = tuple(dict.fromkeys(marker for marker in markers if marker is not None))
    bits = pythons
    for marker in present:
        bits &= marker.applies
    if bits and all(marker.decided for marker in present):
        return True
    return bool(pythons) and (not present or _compatible(present, pythons))


@lru_cache(maxsize=4096)
def _compatible(markers: tuple[Marker, ...], pythons: int) -> bool:
    asked = [one for marker in markers for one in comparisons(marker.condition)]
    if len(asked) > _MOST_LITERALS:
        return False
    named: _Named = {}
    for one in asked:
        named.setdefault(one.variable, []).append(one.value)
    needed = [one for marker in markers for one in _needed(marker.condition)]
    worlds: list[list[dict[Comparison, bool]]] = []
    for candidates in (
        (dict.fromkeys(_NEVER_SET, ""),),
        _texts(asked, "platform_release"),
        _texts(asked, "platform_version"),
        _platforms(named),
        _interpreters(named, pythons),
    ):
        worlds.append(_distinct(asked, needed, candidates))
        if not worlds[-1]:
            return False
    if prod(map(len, worlds)) > _MOST_COMBINATIONS:
        return False
    for parts in product(*worlds):
        truth = {one: holds for part in parts for one, holds in part.items()}
        if all(_holds(marker.condition, truth) for marker in markers):
            return True
    return False


def _needed(condition: Condition) -> Iterator[Comparison]:
    """Yield the comparisons without which a condition cannot hold."""
    if isinstance(condition, Comparison):
        yield condition
    elif condition.word == "and":
        for part in condition.parts:
            yield from _needed(part)


def _distinct(
    asked: list[Comparison], needed: list[Comparison], candidates: Iterable[Environment]
) -> list[dict[Comparison, bool]]:
    """Return what the comparisons say of the candidates that may do, each answer once."""
    found: dict[tuple[bool, ...], dict[Comparison, bool]] = {}
    for candidate in candidates:
        if all(compare(n, candidate[n.variable]) for n in needed if n.variable in candidate):
            truth = {
                one: compare(one, candidate[one.variable])
                for one in asked
                if one.variable in candidate
            }
            found.setdefault(tuple(truth.values()), truth)
    return list(found.values())


def _holds(condition: Condition, truth: dict[Comparison, bool]) -> bool:
    if isinstance(condition, Junction):
        results = (_holds(part, truth) for part in condition.parts)
        return all(results) if condition.word == "and" else any(results)
    return truth[condition]


def _interpreters(named: _Named, pythons: int) -> Iterator[Environment]:
    implementations = {"cpython": "CPython", "pypy": "PyPy", _OTHER: _OTHER.title()}
    for name in _literals(named, "platform_python_implementation", "implementation_name"):
        implementations.setdefault(name.lower(), name)
    own = ("7.3.0", *_literals(named, "implementation_version"))
    releases = list(_releases(named, pythons))
    for minor, full in releases if not _INTERPRETER.isdisjoint(named) else releases[:1]:
        for name, platform_name in implementations.items():
            for version in (full,) if name == "cpython" else own:
                yield {
                    "python_version": minor,
                    "python_full_version": full,
                    "implementation_version": version,
                    "implementation_name": name,
                    "platform_python_implementation": platform_name,
                }


def _releases(named: _Named, pythons: int) -> Iterator[tuple[str, str]]:
    """Yield the admitted Pythons as minor and full version."""
    patches: dict[str, dict[str, None]] = {minor: {} for minor in MINORS}
    for literal in _literals(named, "python_version", "python_full_version"):
        for major, second, patch in _RELEASE.findall(literal):
            minor = f"{int(major)}.{int(second)}"
            if (int(major), int(second)) > _NEWEST:
                continue  # does not exist yet
            around = (int(patch) - 1, int(patch), int(patch) + 1) if patch else ()
            patches.setdefault(minor, {}).update((str(n), None) for n in around if n >= 0)
    for minor, extra in patches.items():
        admitted = [p for p in PATCHES if _admits(pythons, minor, p)]
        # of what lies between two rows nothing is known unless both are admitted
        between = extra if len(admitted) == len(PATCHES) else {}
        for patch in dict.fromkeys((*admitted, *between)):
            yield minor, f"{minor}.{patch}"


_NEWEST = tuple(map(int, MINORS[-1].split(".")))


def _admits(pythons: int, minor: str, patch: str) -> bool:
    if minor not in MINORS:
        return pythons == ALL_ENVIRONMENTS
    block = len(MINORS) * len(PATCHES)
    at = MINORS.index(minor) * len(PATCHES) + PATCHES.index(patch)
    blocks = sum(len(machines) for *_, machines in PLATFORMS)
    return any(pythons >> (at + number * block) & 1 for number in range(blocks))


def _platforms(named: _Named) -> Iterator[Environment]:
    if _PLATFORM.isdisjoint(named):
        yield {}
        return
    machines = _literals(named, "platform_machine")
    for sys_platform, system, os_name, usual in PLATFORMS:
        known = _MACHINES[sys_platform].intersection(machines)
        for machine in (*usual, *sorted(known), _OTHER):
            yield _platform(sys_platform, system, os_name, machine)
    foreign = [m for m in machines if m not in _KNOWN_MACHINES]
    for sys_platform, system, os_name in _foreign_systems(named):
        for machine in (*sorted(_KNOWN_MACHINES), *foreign, _OTHER):
            yield _platform(sys_platform, system, os_name, machine)


def _platform(sys_platform: str, system: str, os_name: str, machine: str) -> Environment:
    return {
        "sys_platform": sys_platform,
        "platform_system": system,
        "os_name": os_name,
        "platform_machine": machine,
    }


def _foreign_systems(named: _Named) -> Iterator[tuple[str, str, str]]:
    """Yield systems beyond the table: those that markers name, and one that none names."""
    systems = _literals(named, "platform_system")
    usual = {platform[0]: platform[1] for platform in PLATFORMS}
    names = [*_literals(named, "sys_platform"), *(system.lower() for system in systems)]
    for name in dict.fromkeys((*names, _OTHER)):
        known_here = name in usual or name.title() in usual.values() or name == _RETIRED
        if known_here or name != name.lower():
            continue  # sys.platform is in lower case, so nothing has another name
        known = [system for family, system in usual.items() if name.startswith(family)]
        alike = [system for system in systems if name.startswith(system.lower())]
        for system in known or alike or [name.title()]:
            yield name, system, "posix"
    for name in _literals(named, "os_name"):
        if name not in (platform[2] for platform in PLATFORMS):
            yield name, name.title(), name


def _literals(named: _Named, *variables: str) -> list[str]:
    """Return the values that markers name for some variables, and the words in them."""
    values = [value for variable in variables for value in named.get(variable, ())]
    words = [word for value in values for word in re.split(r"[\s,|;]+", value)]
    return list(dict.fromkeys(value for value in (*values, *words) if value))


def _texts(asked: list[Comparison], variable: str) -> Iterator[Environment]:
    """Yield values of a free text: those named, their neighbours, all at once, and none of them."""
    values = [one.value for one in asked if one.variable == variable and one.value]
    lower = [value[:-1] + chr(max(ord(value[-1]) - 1, 0)) for value in values]
    for value in dict.fromkeys((*values, *lower, *(f"{v}~" for v in values), " ".join(values))):
        yield {variable: value}
    yield {variable: _OTHER}
