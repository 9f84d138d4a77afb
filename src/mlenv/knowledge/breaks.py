"""Versions that do not work together, and interfaces that are gone from a release on."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property

from mlenv.knowledge.blocks import Blocks, stated
from mlenv.knowledge.releases import versions_of
from mlenv.model.finding import Evidence, Severity
from mlenv.records import dataclass, field
from mlenv.versions.bounds import within
from mlenv.versions.version import Version
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Break:
    """Versions of distributions that fail together.

    Attributes:
        id: Stable, such as ``hub-cached-download``.
        topic: The topic of the rule that speaks of it.
        severity: How bad it is where it is certain, or what an installer would pick.
        when: What each distribution must be for it; all of them must be there.
        python: The Pythons that it needs; None for any.
        systems: The operating systems that it needs (``linux``, ``windows``, ``macos``); empty
            for any.
        without: Distributions whose presence averts it.
        unless: Versions that avert it, by distribution.
        since: The day from which on it fails, as ``YYYY-MM-DD``; empty where that does not matter.
            With a day it is about what is installed anew.
        builds: Whether it needs extensions to be compiled on the machine.
        channels: The channels of conda that it needs; empty where it is no matter of conda's.
        latest: The day from which on the newest release of a distribution is among ``when``, by
            name, an empty text for all days. For distributions whose releases are not on record.
        code: What the project's own code must use, as dotted names; empty where versions decide.
        used: Names of which the project's own code must use one for an error; empty where that
            does not matter.
        effect: What goes wrong, as the second half of a sentence: ``diffusers imports …``.
        error: The message that users see; may be empty.
        fix: The ways out, each a phrase.
        evidence: Who says so.
        conflict_only: Whether only the metadata contradict each other, and forced together they
            work.
    """

    id: str
    topic: str
    severity: Severity
    when: Mapping[str, VersionSet]
    python: VersionSet | None
    systems: tuple[str, ...]
    without: tuple[str, ...]
    code: tuple[str, ...]
    effect: str
    error: str
    fix: tuple[str, ...]
    evidence: Evidence
    conflict_only: bool = False
    unless: Mapping[str, VersionSet] = field(default_factory=dict)
    since: str = ""
    builds: bool = False
    channels: tuple[str, ...] = ()
    latest: Mapping[str, str] = field(default_factory=dict)
    used: tuple[str, ...] = ()


_PAIR = re.compile(r'([\w.-]+) = "([^"]*)"')


class Breaks:
    """The records of ``breaks.toml``.

    Args:
        load: Returns the text of a file of records by its name.
        extra: Records of a team, in the form of that file.
    """

    def __init__(self, load: Callable[[str], str], extra: Collection[dict[str, Any]] = ()) -> None:
        self._blocks = Blocks(lambda: load("breaks"), "breaks", extra)
        self._made: dict[str, Break] = {}

    def within(
        self,
        names: Collection[str],
        topics: Collection[str],
        settled: Callable[[str], Version | None] | None = None,
        *,
        in_code: bool | None = None,
    ) -> Iterator[Break]:
        """Yield the records of some topics whose distributions are all among some names.

        Args:
            names: The names.
            topics: The topics.
            settled: Returns the version of a distribution where there is but one: records that
                speak of others are left out, most of them unread.
            in_code: Whether it takes the project's own code to break (True), or versions alone do
                (False); None for both.
        """
        wanted = [f'"{topic}"' for topic in topics]

        def may_count(text: str) -> bool:
            if in_code is not None and in_code is not bool(stated(text, "code")):
                return False
            if stated(text, "topic") not in wanted:
                return False
            return settled is None or not _speaks_of_others(text, settled)

        for record in self._blocks.within(names, may_count):
            is_of_code = bool(record.get("code"))
            if record["topic"] in topics and in_code in (None, is_of_code):
                yield self._of(record)

    def about(self, name: str) -> Iterator[Break]:
        """Yield the records that a distribution is part of."""
        yield from map(self._of, self._blocks.about(name))

    @cached_property
    def code(self) -> frozenset[str]:
        """Every name that some record looks for in the project's own code."""
        return self._blocks.words("code") | self._blocks.words("used")

    @cached_property
    def all(self) -> tuple[Break, ...]:
        """Every record, in the file's order."""
        return tuple(map(self._of, self._blocks.all()))

    def _of(self, record: dict[str, Any]) -> Break:
        key = record["id"]
        if key not in self._made:
            self._made[key] = Break(
                key,
                record["topic"],
                Severity(record["severity"]),
                {name: versions_of(text) for name, text in record["when"].items()},
                versions_of(record["python"]) if "python" in record else None,
                tuple(record.get("systems", ())),
                tuple(record.get("without", ())),
                tuple(record.get("code", ())),
                record["effect"],
                record.get("error", ""),
                tuple(record["fix"]),
                Evidence(record["fact"], record["source"]),
                record.get("conflict_only", False),
                {name: versions_of(text) for name, text in record.get("unless", {}).items()},
                record.get("since", ""),
                record.get("builds", False),
                tuple(record.get("channels", ())),
                record.get("latest", {}),
                tuple(record.get("used", ())),
            )
        return self._made[key]


def _speaks_of_others(text: str, settled: Callable[[str], Version | None]) -> bool:
    """Whether a record's text asks for versions of which one is settled as another."""
    for name, specifier in _PAIR.findall(stated(text, "when")):
        version = settled(name)
        if version is not None and within(specifier, version) is False:
            return True
    return False
