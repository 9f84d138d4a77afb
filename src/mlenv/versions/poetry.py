"""Poetry's version constraints as version sets: carets, tildes, wildcards and alternatives.

Source: Poetry's documentation, "Dependency specification"; poetry-core's parser where the
documentation is silent (a bare version is exact, blanks join like commas).
"""

from __future__ import annotations

import re

from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import Clause, VersionSet, balanced, of_clauses, unknown

_OR = re.compile(r"\|\|?")
_TERM = re.compile(
    r"(?P<operator>\^|~=|~|==|=|!=|<=|>=|<|>)?\s*(?P<version>(?:v?[0-9]+!)?[^\s,|^~=!<>]+)"
    r"(?:[\s,]\s*,?\s*|$)"
)
_ANY = re.compile(r"v?[xX*](?:\.[xX*])*")
_WILDCARDS = re.compile(r"(?<!\.\*)(?:\.\*)+$")
_SAME = {"": "==", "=": "=="}
_CARET_PLACES = 3
"""The caret looks no further than at major, minor and patch."""


def poetry_versions(text: str) -> VersionSet:
    """Return the versions that a constraint of Poetry admits; not understood where it is none."""
    alternatives = poetry_clauses(text)
    sets = [of_clauses(clauses) for clauses in alternatives or ()]
    read = [versions for versions in sets if versions is not None]
    if not read or len(read) < len(sets):
        return unknown(text.strip())
    return balanced(VersionSet.__or__, read)


def poetry_clauses(text: str) -> tuple[tuple[Clause, ...], ...] | None:
    """Return a constraint's alternatives, each as PEP 440 clauses; None where it is no constraint.

    Poetry's own conversion: ``^2.1`` is ``>=2.1,<3.0``, ``^0.0.3`` is ``>=0.0.3,<0.0.4``, ``~1``
    is ``>=1,<2``.
    """
    found = []
    for alternative in _OR.split(text):
        clauses = _alternative(alternative.strip())
        if clauses is None:
            return None
        found.append(tuple(clauses))
    return tuple(found)


def _alternative(text: str) -> list[Clause] | None:
    found: list[Clause] = []
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None:
            return None
        clauses = _term(match["operator"] or "", match["version"])
        if clauses is None:
            return None
        found += clauses
        at = match.end()
    return found if text else None


def _term(operator: str, text: str) -> tuple[Clause, ...] | None:
    if not operator and _ANY.fullmatch(text):
        return ()
    operator = _SAME.get(operator, operator)
    bare = _WILDCARDS.sub("", text)
    version = parse_version(bare)
    if version is None or (bare != text and operator.startswith(("^", "~"))):
        return None
    if operator in ("==", "!="):
        return (Clause(operator, f"{version}.*" if bare != text else str(version)),)
    if operator == "^":
        return _up_to(version, _caret_place(version.release))
    if operator == "~" or (operator == "~=" and len(version.release) == 1):
        return _up_to(version, min(len(version.release) - 1, 1))
    return (Clause(operator, version.public),)


def _caret_place(release: tuple[int, ...]) -> int:
    """Return the place of the number whose increase is a breaking change."""
    last = min(len(release), _CARET_PLACES) - 1
    return next((place for place in range(last) if release[place]), last)


def _up_to(version: Version, place: int) -> tuple[Clause, ...]:
    """Return the clauses from a version to the next one that differs at a place."""
    numbers = list(version.release)
    numbers[place:] = [numbers[place] + 1, *[0] * (len(numbers) - place - 1)]
    epoch = f"{version.epoch}!" if version.epoch else ""
    return Clause(">=", version.public), Clause("<", epoch + ".".join(map(str, numbers)))
