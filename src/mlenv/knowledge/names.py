"""Questions on names: which overwrite each other, mean something else, are gone, or are a slip."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from mlenv.knowledge.blocks import Blocks
from mlenv.model.finding import Evidence, Severity
from mlenv.records import dataclass
from mlenv.versions.version_set import VersionSet, pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


REFUSES = "refuses"
MISSING = "missing"
OTHER = "other"
"""States of a wrong name; see :class:`WrongName`."""

_SHORTEST = 5
"""Shorter names are too close to each other for a slip to be told."""
_LONGEST = 100
"""No well-known name is longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Distributions that write files at the same paths.

    Attributes:
        module: What all of them are imported as.
        names: Their canonical names.
        only: For some of them the versions that are meant.
        severity: How sure it is that the common files differ.
        effect: What then goes wrong.
        advice: Which to keep.
        evidence: What was compared.
    """

    module: str
    names: tuple[str, ...]
    only: dict[str, VersionSet]
    severity: Severity
    effect: str
    advice: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class WrongName:
    """A name under which PyPI does not have what people mean by it.

    Attributes:
        use: What to write.
        state: ``missing`` (nothing to install), ``refuses`` (fails and says why) or ``other``
            (another project).
        meant: What people mean, where it is another project.
        works: The versions that install all the same; None where there are none.
        by_hand: Whether people install it by hand from elsewhere, so that pip finds it there.
        evidence: What was found.
    """

    use: str
    state: str
    meant: str
    works: VersionSet | None
    by_hand: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Renamed:
    """A name under which no release comes any more.

    Attributes:
        use: Its successor; empty where there is none.
        evidence: Since when.
    """

    use: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Backport:
    """A module of the standard library as a distribution for older Pythons.

    Attributes:
        since: The Pythons that have the module themselves.
        fails: The versions that do not install there; None where all do.
        evidence: What was tried.
    """

    since: VersionSet
    fails: VersionSet | None
    evidence: Evidence


class Names:
    """The records on names.

    Args:
        load: Reads a file of records by its name.
        text: Returns the text of one.
    """

    def __init__(self, load: Callable[[str], dict[str, Any]], text: Callable[[str], str]) -> None:
        self._load = load
        self._overlaps = Blocks(lambda: text("distributions"), "overlap", key="names")
        self._wrong: dict[str, WrongName] = {}

    def overlaps_of(self, name: str) -> tuple[str, ...]:
        """Return the distributions that write over the files of one, this one included."""
        record = next(self._overlaps.about(name), None)
        return tuple(record["names"]) if record else ()

    def overlap(self, name: str) -> Overlap:
        """Return what is known of the distributions that write over the files of one.

        Raises:
            KeyError: Nothing is.
        """
        record = next(self._overlaps.about(name), None)
        if record is None:
            raise KeyError(name)
        return Overlap(
            record["import"],
            tuple(record["names"]),
            {one: _versions(text) for one, text in record.get("only", {}).items()},
            Severity(record["severity"]),
            record["effect"],
            record["advice"],
            _evidence(record),
        )

    def wrong_name(self, name: str) -> WrongName | None:
        """Return what a name means on PyPI, where that is not what people mean by it."""
        record = self._by_name["wrong"].get(name)
        if record is not None and name not in self._wrong:
            self._wrong[name] = _wrong_name(record)
        return self._wrong.get(name)

    def renamed(self, name: str) -> Renamed | None:
        """Return what became of a distribution that gets no more releases under its name."""
        record = self._by_name["renamed"].get(name)
        return Renamed(record["use"], _evidence(record)) if record else None

    def backport(self, name: str) -> Backport | None:
        """Return what is known of a distribution that the standard library has replaced."""
        record = self._by_name["backport"].get(name)
        if record is None:
            return None
        fails = _versions(record["fails"]) if "fails" in record else None
        return Backport(_versions(f">={record['since']}"), fails, _evidence(record))

    def meant_by(self, name: str) -> str:
        """Return the well-known name that a name is one slip away from; empty where it is none.

        A name that is well known itself, that a project on PyPI bears or that means something
        elsewhere is no slip.

        Args:
            name: A canonical name.
        """
        if not _SHORTEST <= len(name) <= _LONGEST or name in self._popular:
            return ""
        near = [one for one in self._alike(name) if _is_one_slip(name, one)]
        if not near or name in self._neighbours or name in self._by_name["wrong"]:
            return ""
        return min(near)

    def _alike(self, name: str) -> list[str]:
        """Return the well-known names of about one length that begin or end as a name does.

        One slip in five letters or more leaves the first two or the last two as they are.
        """
        begun, ended = self._beginnings.get(name[:2], ()), self._endings.get(name[-2:], ())
        return [one for one in (*begun, *ended) if abs(len(one) - len(name)) < 2]

    @cached_property
    def slip_evidence(self) -> Evidence:
        """Where the names of projects on PyPI were looked up."""
        record = self._load("neighbours")["neighbours"]
        return Evidence("no project on PyPI had this name", record["source"])

    @cached_property
    def _records(self) -> dict[str, Any]:
        return self._load("distributions")

    @cached_property
    def _by_name(self) -> dict[str, dict[str, dict[str, Any]]]:
        return {
            table: {record["name"]: record for record in self._records[table]}
            for table in ("wrong", "renamed", "backport")
        }

    @cached_property
    def _popular(self) -> frozenset[str]:
        return frozenset(self._load("popular")["popular"]["names"].split())

    @cached_property
    def _beginnings(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._popular:
            found.setdefault(name[:2], []).append(name)
        return found

    @cached_property
    def _endings(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self._popular:
            found.setdefault(name[-2:], []).append(name)
        return found

    @cached_property
    def _neighbours(self) -> frozenset[str]:
        records = self._load("neighbours")
        return frozenset((records["neighbours"]["names"] + records["elsewhere"]["names"]).split())


def _is_one_slip(name: str, other: str) -> bool:
    """Whether one slip of the hand makes one name of the other (Damerau and Levenshtein).

    Digits do not count as slips: they tell versions and products apart.
    """
    start = 0
    shorter = min(len(name), len(other))
    while start < shorter and name[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and name[-1 - end] == other[-1 - end]:
        end += 1
    one, two = name[start : len(name) - end], other[start : len(other) - end]
    if any(character.isdigit() for character in one + two):
        return False
    return max(len(one), len(two)) == 1 or (len(one) == 2 and one == two[::-1])


def _wrong_name(record: dict[str, Any]) -> WrongName:
    return WrongName(
        record["use"],
        record["state"],
        record.get("meant", ""),
        _versions(record["works"]) if "works" in record else None,
        record.get("by_hand", False),
        _evidence(record),
    )


def _evidence(record: dict[str, Any]) -> Evidence:
    return Evidence(record["fact"], record["source"])


def _versions(text: str) -> VersionSet:
    versions = pep440(text)
    assert versions is not None, text
    return versions
