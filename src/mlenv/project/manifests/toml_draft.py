"""What the readers of a TOML manifest's tables share: typed access, and a source in the making."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mlenv.model.marker import Marker, MarkerError, parse_marker
from mlenv.model.requirement import MAIN, PYPI, REQUIREMENT, Requirement, canonical_name
from mlenv.model.source import (
    UNREADABLE_LINE,
    Channel,
    GroupRelation,
    Include,
    Index,
    Packaging,
    Problem,
    Source,
    Statement,
)
from mlenv.project.collect import Collector
from mlenv.project.pep508 import Refusal
from mlenv.versions.version_set import ANY, VersionSet, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Span
    from mlenv.project.toml_locator import Path
    from mlenv.project.toml_spans import TomlDocument

Table = dict[str, object]
ReadVersions = Callable[[str], VersionSet | None]
_KINDS = {str: "a string", list: "a list", dict: "a table", bool: "true or false", int: "a number"}


class TomlDraft:
    """The parts of a source in the making, and the document that they come from.

    A value of the wrong type becomes a problem and reads as if it were absent.

    Attributes:
        document: The values and their places.
        parts: Requirements, problems, includes, indexes and statements found so far.
        channels: conda's channels found so far.
        includes: For each group the groups that it brings along.
        standalone: Groups that are installed without ``main``.
        conflicts: Sets of groups that are never installed together.
    """

    def __init__(self, document: TomlDocument, problems: list[Problem]) -> None:
        self.document = document
        self.parts = Collector(problems=problems)
        self.channels: list[Channel] = []
        self.includes: dict[str, dict[str, None]] = {}
        self.standalone: set[str] = set()
        self.conflicts: list[frozenset[str]] = []

    def table(self, path: Path) -> Table:
        """Return the table at a path; an empty one where there is none."""
        value = self.document.get(path)
        if isinstance(value, dict):
            return value
        self._unless_absent(path, value, "a table")
        return {}

    def items(self, path: Path) -> Iterator[Path]:
        """Yield the paths of a list's items."""
        value = self.document.get(path)
        if isinstance(value, list):
            for position in range(len(value)):
                yield *path, position
        else:
            self._unless_absent(path, value, "a list")

    def tables(self, path: Path) -> Iterator[Path]:
        """Yield the paths of the tables in a list."""
        for item in self.items(path):
            if isinstance(self.document.get(item), dict):
                yield item
            else:
                self.wrong(item, "a table")

    def strings(self, path: Path, *, lone: bool = False) -> Iterator[Path]:
        """Yield the paths of the strings in a list.

        Args:
            path: Where the list is.
            lone: Whether one string may stand for a list of one.
        """
        if lone and isinstance(self.document.get(path), str):
            yield path
            return
        for item in self.items(path):
            if isinstance(self.document.get(item), str):
                yield item
            else:
                self.wrong(item, "a string")

    def text(self, path: Path) -> str:
        """Return the string at a path; an empty one where there is none."""
        value = self.document.get(path)
        if isinstance(value, str):
            return value
        self._unless_absent(path, value, "a string")
        return ""

    def texts(self, path: Path) -> list[str]:
        """Return the strings of the list at a path."""
        return [self.text(item) for item in self.strings(path)]

    def wrong(self, path: Path, expected: str) -> None:
        """Keep the problem that a value has the wrong type."""
        found = _KINDS.get(type(self.document.get(path)), "another kind of value")
        named = isinstance(path[-1], str)
        span = self.document.key_span(path) if named else self.document.span(path)
        subject = f"{path[-1]}: " if named else ""
        self.refuse(span, f"{subject}expected {expected}, found {found}")

    def _unless_absent(self, path: Path, value: object, expected: str) -> None:
        if value is not None:
            self.wrong(path, expected)

    def refuse(self, span: Span, detail: str, subject: str = "", advice: str = "") -> None:
        """Keep a problem with an entry that its tool would refuse."""
        self.parts.problems.append(Problem(UNREADABLE_LINE, span, detail, subject, advice))

    def requirement(
        self, path: Path, group: str = MAIN, kind: str = REQUIREMENT
    ) -> Requirement | None:
        """Read the PEP 508 requirement at a path; None where it is none."""
        self.parts.group, self.parts.kind = group, kind
        return self.parts.add_requirement(self.document.fragment(path))

    def keep(self, requirement: Requirement) -> None:
        """Keep a requirement that was read elsewhere."""
        self.parts.requirements.append(requirement)

    def named(
        self, key: Path, entry: Path, group: str, read: ReadVersions, dialect: str
    ) -> Requirement | None:
        """Return the requirement that a key names and its value states; it is not kept yet.

        Args:
            key: The path of the key's value.
            entry: That value, or one table of a list there: a constraint, or a table that may
                hold one as ``version``.
            group: The group that it belongs to.
            read: Reads a constraint; None where the text is none.
            dialect: Whose constraints these are.
        """
        value = self.document.get(entry)
        if not isinstance(value, str | dict):
            self.wrong(entry, "a string or a table")
            return None
        constraint = entry if isinstance(value, str) else (*entry, "version")
        name = self.document.key_fragment(key)
        fragment = self.document.fragment(constraint).stripped()
        text = self.text(constraint).strip()
        versions = read(text) if text else ANY
        if versions is None:
            reason = f"{text!r} is no version constraint of {dialect}"
            self.parts.refuse(fragment, Refusal(reason, name=canonical_name(name.text)))
        return Requirement(
            canonical_name(name.text),
            name.text,
            PYPI,
            self.document.entry_span(entry),
            name.whole if name.pieces else None,
            fragment.whole if text and fragment.pieces else None,
            unknown(text) if versions is None else versions,
            group=group,
        )

    def marker(self, path: Path, subject: str) -> Marker | None:
        """Return the marker that the string at a path states; None where there is none."""
        text = self.text(path)
        if not text:
            return None
        try:
            return parse_marker(text)
        except MarkerError as error:
            self.parts.refuse(self.document.fragment(path), Refusal(str(error), name=subject))
            return None

    def state(
        self, subject: str, path: Path, versions: VersionSet | None = None, group: str = MAIN
    ) -> None:
        """Keep what the string at a path says of the machine."""
        fragment = self.document.fragment(path)
        if fragment.text:
            self.parts.statements.append(
                Statement(subject, fragment.text, fragment.whole, versions, group=group)
            )

    def state_python(self, path: Path, read: ReadVersions, dialect: str) -> None:
        """Keep the Pythons that a file admits, or the problem with what it says of them."""
        text = self.text(path)
        versions = read(text)
        if versions is None and text:
            reason = f"{text!r} is no version constraint of {dialect}"
            self.parts.refuse(self.document.fragment(path), Refusal(reason, name="python"))
        self.state("python", path, unknown(text) if versions is None else versions)

    def include(self, path: Path, group: str = MAIN) -> None:
        """Keep the file that the string at a path names."""
        fragment = self.document.fragment(path)
        self.parts.includes.append(Include(fragment.text, fragment.whole, group=group))

    def index(self, kind: str, path: Path, name: str = "") -> None:
        """Keep the index whose URL stands at a path."""
        fragment = self.document.fragment(path)
        self.parts.indexes.append(Index(kind, fragment.text, fragment.whole, name))

    def bring(self, group: str, others: Iterable[str]) -> None:
        """Note that a group brings others along."""
        brought = self.includes.setdefault(group, {})
        brought.update((other, None) for other in others if other != group)

    def finish(self, kind: str, packaging: Packaging) -> Source:
        """Return the source that came together."""
        parts = self.parts
        return Source(
            self.document.source,
            kind,
            requirements=tuple(sorted(parts.requirements, key=lambda r: r.span.start)),
            # a value that several readers look at is reported once
            problems=tuple({(p.span, p.detail): p for p in parts.problems}.values()),
            includes=tuple(parts.includes),
            indexes=tuple(parts.indexes),
            channels=tuple(self.channels),
            statements=tuple(parts.statements),
            groups=GroupRelation(
                {group: tuple(brought) for group, brought in self.includes.items() if brought},
                frozenset(self.standalone),
                tuple(self.conflicts),
            ),
            packaging=packaging,
        )
