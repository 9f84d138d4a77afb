"""What the releases of a distribution require, from as few wheels as tell it."""

from __future__ import annotations

import email.parser
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from mlenv.records import dataclass, field

Requirements = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """Which distributions are on record, and which of their extras.

    Attributes:
        names: Canonical names.
        extras: Patterns of extras that bring what is used with a distribution.
        dropped: Extras of one distribution that are left out all the same.
    """

    names: Collection[str]
    extras: Sequence[str]
    dropped: Mapping[str, Collection[str]] = field(default_factory=dict)

    def keeps(self, owner: str, extra: str) -> bool:
        """Return whether an extra's requirements are put on record."""
        extra = canonicalize_name(extra)
        if extra in self.dropped.get(owner, ()):
            return False
        return any(fnmatchcase(extra, pattern) for pattern in self.extras)


def requirements(owner: str, metadata: str, covered: Covered) -> Requirements:
    """Return the requirements in a METADATA file on what is on record, sorted.

    Source: PyPA, "Core metadata specifications", Requires-Dist.
    """
    message = email.parser.Parser().parsestr(metadata, headersonly=True)
    found = (_line(owner, text, covered) for text in message.get_all("Requires-Dist") or ())
    return tuple(sorted({one for one in found if one}))


def _line(owner: str, text: str, covered: Covered) -> str:
    try:
        requirement = Requirement(str(text))
    except InvalidRequirement:
        return ""
    name = canonicalize_name(requirement.name)
    if name not in covered.names or requirement.url:
        return ""
    marker = str(requirement.marker or "")
    extras = re.findall(r"extra == ['\"]([^'\"]+)", marker)
    if extras and not any(covered.keeps(owner, extra) for extra in extras):
        return ""
    asked = ",".join(sorted(canonicalize_name(extra) for extra in requirement.extras))
    start = f"{name}[{asked}]" if asked else name
    return f"{start}{requirement.specifier}" + (f" ; {marker}" if marker else "")


def changes(
    versions: Sequence[Version], read: Callable[[Version], Requirements | None]
) -> Iterator[tuple[Version, Requirements | None]]:
    """Yield the versions from which on something else is required, with what it is.

    Of each release line the first and the last are read, and where these differ the releases
    between them, by halves, until each change has its place. A change that was taken back between
    two releases that agree is not seen.

    Args:
        versions: In ascending order.
        read: Returns what a version requires; None where it cannot be told.
    """
    known: dict[Version, Requirements | None] = {}
    for line in _lines(versions):
        _fill(line, 0, len(line) - 1, read, known)
    started = False
    last: Requirements | None = None
    for version in versions:
        if not started or known[version] != last:
            started, last = True, known[version]
            yield version, last


def _fill(
    line: Sequence[Version],
    first: int,
    last: int,
    read: Callable[[Version], Requirements | None],
    known: dict[Version, Requirements | None],
) -> None:
    for at in (first, last):
        if line[at] not in known:
            known[line[at]] = read(line[at])
    if known[line[first]] == known[line[last]]:
        known.update(dict.fromkeys(line[first:last], known[line[first]]))
    elif last - first > 1:
        middle = (first + last) // 2
        _fill(line, first, middle, read, known)
        _fill(line, middle, last, read, known)


def _lines(versions: Sequence[Version]) -> Iterator[list[Version]]:
    """Yield the releases of each line: of one X.Y, and of ten where only the last number moves."""
    line: list[Version] = []
    for version in versions:
        if line and _key(line[0]) != _key(version):
            yield line
            line = []
        line.append(version)
    if line:
        yield line


def _key(version: Version) -> tuple[int, ...]:
    key = (version.epoch, version.major, version.minor)
    return key if version.major or version.minor else (*key, version.micro // 10)
