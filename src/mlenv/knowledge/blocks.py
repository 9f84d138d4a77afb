"""Files of many records, of which an audit parses only those that speak of what it met."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_QUOTED = re.compile(r'"([^"]+)"')


def stated(text: str, key: str) -> str:
    """Return what stands under a key in a record's text, as it is written, without parsing it.

    Args:
        text: The text.
        key: The key of a value that is written on one line.

    Returns:
        TOML; empty where the record has no such key.
    """
    return text.partition(f"\n{key} = ")[2].partition("\n")[0]


class Blocks:
    """The records of one table of a file: ``[[table]]`` again and again, names on the first line.

    The file is TOML. Parsed whole it would take longer than the audit that asks for three of its
    records, so it is cut at the headings, and only the blocks of known packages are parsed.

    Args:
        load: Returns the file's text.
        table: The name of the table that the records stand in.
        extra: Records from elsewhere, which come first.
        key: What the names stand under.
    """

    def __init__(
        self,
        load: Callable[[], str],
        table: str,
        extra: Collection[dict[str, Any]] = (),
        key: str = "packages",
    ) -> None:
        self._load = load
        self._heading = f"[[{table}]]\n"
        self._extra = tuple(extra)
        self._key = key
        self._cut: list[tuple[frozenset[str], str]] | None = None
        self._parsed: dict[int, dict[str, Any]] = {}

    def within(
        self, names: Collection[str], may_count: Callable[[str], bool] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the records whose packages are all among some names, in the file's order.

        Args:
            names: The names.
            may_count: Tells by a record's text whether it is worth parsing.
        """
        known = frozenset(names)
        yield from (one for one in self._extra if known.issuperset(one[self._key]))
        for at, (packages, text) in enumerate(self._blocks()):
            if packages <= known and (may_count is None or may_count(text)):
                yield self._record(at)

    def about(
        self, name: str, may_count: Callable[[str], bool] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the records that a package is named in, in the file's order.

        Args:
            name: The package.
            may_count: Tells by a record's text whether it is worth parsing.
        """
        yield from (one for one in self._extra if name in one[self._key])
        for at in self._places.get(name, ()):
            if may_count is None or may_count(self._blocks()[at][1]):
                yield self._record(at)

    def named(self, may_count: Callable[[str], bool]) -> frozenset[str]:
        """Return the packages of some records of the file, without parsing any.

        Args:
            may_count: Tells by a record's text whether it is one of them.
        """
        return frozenset(
            name for packages, text in self._blocks() if may_count(text) for name in packages
        )

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield every record, in the file's order."""
        yield from self._extra
        for at in range(len(self._blocks())):
            yield self._record(at)

    def words(self, key: str) -> frozenset[str]:
        """Return every text in the lists that some records have under a key, without parsing."""
        lists = re.compile(rf"^{re.escape(key)} = \[([^\]]*)\]", re.MULTILINE)
        found = {word for one in self._extra for word in one.get(key, ())}
        for _, text in self._blocks():
            for match in lists.finditer(text):
                found.update(_QUOTED.findall(match[1]))
        return frozenset(found)

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for at, (packages, _) in enumerate(self._blocks()):
            for name in packages:
                found.setdefault(name, []).append(at)
        return found

    def _blocks(self) -> list[tuple[frozenset[str], str]]:
        if self._cut is None:
            beginning = f"{self._key} = ["
            self._cut = [
                # other tables may follow the last of the records
                (frozenset(_QUOTED.findall(text.partition("]")[0])), text.partition("\n[[")[0])
                for text in self._load().split(self._heading)[1:]
                if text.startswith(beginning)
            ]
        return self._cut

    def _record(self, at: int) -> dict[str, Any]:
        if at not in self._parsed:
            import tomli

            self._parsed[at] = tomli.loads(self._blocks()[at][1])
        return self._parsed[at]
