"""Comparisons with one version, without making a set of what they admit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import eq, gt, le, ne

from mlenv.versions.version import Key, Version, parse_version
from mlenv.versions.version_set import pep440

_COMPARED: Mapping[str, Callable[[Key, Key], bool]] = {"==": eq, "!=": ne, "<=": le, ">": gt}


@lru_cache(maxsize=8192)
def admits(specifier: str, version: str) -> bool | None:
    """Return whether a specifier admits a version, pre-releases among them, from memory.

    Returns:
        None where PEP 440 knows one of both not.
    """
    there = parse_version(version)
    if there is None:
        return None
    quick = within(specifier, there)
    if quick is not None:
        return quick
    stated = pep440(specifier)
    return None if stated is None else stated.admits(there, prereleases=True)


def within(specifier: str, version: Version) -> bool | None:
    """Return whether a specifier admits a version, pre-releases among them.

    Nearly all that people write is told by comparing numbers; making a set takes ten times as long.

    Args:
        specifier: PEP 440 text without blanks.
        version: The version.

    Returns:
        None where that takes the finer rules of PEP 440, or the text is none of it.
    """
    is_admitted = True
    for clause in specifier.split(","):
        answer = _meets(clause, version)
        if answer is None:
            return None
        is_admitted = is_admitted and answer
    return is_admitted


def _meets(clause: str, version: Version) -> bool | None:
    width = 2 if clause[1:2] == "=" else 1
    operator, text = clause[:width], clause[width:]
    if text[-2:] == ".*":
        return _begins(operator, text[:-2], version)
    stated = parse_version(text)
    if stated is None or stated.local:
        return None
    if operator == ">=":
        return stated.key <= version.key
    if operator == "~=" and len(stated.release) > 1:
        return stated.key <= version.key and _has_prefix(version, stated, len(stated.release) - 1)
    if operator == "<" and not version.is_prerelease:
        return version.key < stated.key
    compared = _COMPARED.get(operator)
    # of the builds of a version PEP 440 has rules of its own, and of what follows it
    if compared is None or version.local or (operator == ">" and version.post is not None):
        return None
    return compared(version.key, stated.key)


def _begins(operator: str, prefix: str, version: Version) -> bool | None:
    """Return what ``==`` or ``!=`` with a prefix says, where that is only numbers and dots."""
    stated = parse_version(prefix) if prefix.replace(".", "").isdigit() else None
    if stated is None or operator not in ("==", "!="):
        return None
    return _has_prefix(version, stated, len(stated.release)) is (operator == "==")


def _has_prefix(version: Version, stated: Version, places: int) -> bool:
    """Whether two versions have their first numbers in common; what is not written is zero."""
    release = (*version.release, *(0,) * places)[:places]
    return version.epoch == stated.epoch and release == stated.release[:places]
