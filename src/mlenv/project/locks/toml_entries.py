"""What a TOML lock says, as plain values: its packages and its other tables."""

from __future__ import annotations

from mlenv.project.locks.common import entry_problem
from mlenv.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Problem
    from mlenv.model.text import Span

Value = str | tuple[str, ...] | dict[str, str]
"""A string, the strings of a list, or the strings of a table. A list of tables counts only by
whether one of them records a digest: :data:`HASHED`, or nothing."""

HASHED = ("hash",)
KEPT = frozenset(
    ("name", "version", "source", "marker", "markers", "resolution-markers")
) | frozenset(("index", "git", "url", "path", "vcs", "directory", "archive"))
"""Keys of a package that some lock needs."""
FILES = frozenset(("sdist", "wheels", "files", "archive"))
"""Keys that hold a package's files."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of the array that holds the packages.

    Attributes:
        written: The package's name.
        span: Where the name stands; the header where it stands nowhere as such.
        values: The other values, tables below it under their last name.
        hashed: Whether a digest of one of its files is recorded with it.
    """

    written: str
    span: Span
    values: dict[str, Value]
    hashed: bool

    def string(self, key: str) -> str:
        """Return a string, or an empty one where the key holds none."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) else ""

    def table(self, key: str) -> dict[str, str]:
        """Return the strings of a table, or an empty one where the key holds none."""
        value = self.values.get(key)
        return value if isinstance(value, dict) else {}

    def strings(self, key: str) -> tuple[str, ...]:
        """Return the strings under a key, whether it holds one, a list or a table of them."""
        value = self.values.get(key, ())
        if isinstance(value, str):
            return (value,)
        return tuple(value.values()) if isinstance(value, dict) else value


@dataclass(slots=True)
class Tables:
    """What a TOML lock holds.

    Attributes:
        entries: The packages in the order of the file.
        tables: Other tables by their dotted name, the root under the empty one.
        problems: What could not be read.
    """

    entries: list[Entry] = field(default_factory=list)
    tables: dict[str, list[dict[str, Value]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, values: dict[str, Value], span: Span, hashed: bool) -> None:
        """Add a package, or the problem that it has no name.

        Args:
            values: Those of its keys that are kept.
            span: Where its name stands, or else its header.
            hashed: Whether a digest of one of its files is recorded with it.
        """
        written = values.pop("name", "")
        if isinstance(written, str) and written:
            self.entries.append(Entry(written, span, values, hashed))
        else:
            self.problems.append(entry_problem(span, "a package without a name"))

    def string(self, table: str, key: str) -> str:
        """Return a string of a table, or an empty one where its tables do not agree on one."""
        values = {_text(values.get(key)) for values in self.tables.get(table, ())}
        return values.pop() if len(values) == 1 else ""


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""
