"""What silences findings: ``# mlenv: ignore[PIN001] reason``, and entries of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlenv.model.source import Source
from mlenv.model.text import SourceText, Span
from mlenv.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.config import IgnoreEntry

_COMMENT = r"#\s*mlenv:\s*ignore\[(?P<codes>[^\]\n#]*)\](?P<rest>[^\n\r#]*)"
_UNTIL = r"\buntil=(\S+)"
_DAY = r"\d{4}-\d{2}-\d{2}"
_NO_COMMENTS = frozenset(("pipfile-lock", "readme"))


@dataclass(frozen=True, slots=True, eq=False)
class Suppression:
    """One comment.

    Attributes:
        codes: The rules it names.
        reason: Why, as the comment says; may be empty.
        until: The last day that it holds, as ``YYYY-MM-DD``; empty for ever.
        span: The comment.
        line: The line whose findings it silences.
    """

    codes: tuple[str, ...]
    reason: str
    until: str
    span: Span
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Stale:
    """A suppression that does nothing.

    Attributes:
        span: The comment, or the entry.
        reason: Why, in a few words.
    """

    span: Span
    reason: str


@dataclass(slots=True)
class Entries:
    """The entries of one configuration file, and which of them did something.

    Attributes:
        all: The entries, in the order of the file.
        text: The configuration file.
        table: The keys that lead to their list.
        judged: The positions of those whose rules all ran, so that an unused one is known to be.
        used: The positions of those that silenced something.
    """

    all: tuple[IgnoreEntry, ...]
    text: SourceText
    table: tuple[str, ...]
    judged: frozenset[int] = frozenset()
    used: set[int] = field(default_factory=set)

    def stale(self, today: str) -> Iterator[Stale]:
        """Yield the entries that did nothing in this run."""
        reasons = {at: self._why_stale(at, today) for at in range(len(self.all))}
        spans = self._spans() if any(reasons.values()) else []
        # a file that is no TOML any more has been changed since it was read
        for at, span in enumerate(spans[: len(self.all)]):
            if reasons[at]:
                yield Stale(span, reasons[at])

    def without_reason(self) -> Iterator[Span]:
        """Yield the entries that do not say why."""
        if not all(entry.reason.strip() for entry in self.all):
            for entry, span in zip(self.all, self._spans(), strict=False):
                if not entry.reason.strip():
                    yield span

    def _why_stale(self, at: int, today: str) -> str:
        entry = self.all[at]
        if entry.until and entry.until < today:
            return f"it held until {entry.until}"
        if at in self.judged and at not in self.used:
            about = f" of {entry.package}" if entry.package else ""
            where = f" in {entry.file}" if entry.file else ""
            return f"{entry.rule} finds nothing{about}{where}"
        return ""

    def _spans(self) -> list[Span]:
        from mlenv.project.toml_spans import TomlError, read_toml  # few entries are stale

        document = read_toml(self.text)
        if isinstance(document, TomlError):
            return []
        items = document.get(self.table)
        return [
            document.entry_span((*self.table, at))
            for at, item in enumerate(items if isinstance(items, list) else ())
            if isinstance(item, dict)
        ]


@dataclass(slots=True)
class Suppressions:
    """The comments of a project, and which of them did something.

    Attributes:
        today: The day of the audit, as ``YYYY-MM-DD``.
        entries: Those of the configuration; None where they are not to be judged.
        known: Every rule's code.
        ran: The codes of the rules of this run; of the others nothing is known to be stale.
    """

    today: str
    entries: Entries | None = None
    known: frozenset[str] = frozenset()
    ran: frozenset[str] = frozenset()
    _all: list[Suppression] = field(default_factory=list)
    _at: dict[tuple[str, int, str], Suppression] = field(default_factory=dict)
    _used: set[tuple[str, int, str]] = field(default_factory=set)

    def add(self, sources: Iterable[Source]) -> None:
        """Take in the comments of files."""
        for source in sources:
            if "mlenv:" in source.text.text and source.kind not in _NO_COMMENTS:
                for one in read_comments(source):
                    self._all.append(one)
                    if not self._expired(one):
                        for code in one.codes:
                            self._at.setdefault((source.path, one.line, code), one)

    def covers(self, code: str, span: Span) -> bool:
        """Return whether a comment silences a rule at a place, and remember that it did."""
        if not self._at:
            return False
        last = span.stop[0]
        for line in range(span.line, min(last, span.line + _LONGEST) + 1):
            one = self._at.get((span.path, line, code))
            if one is not None:
                self._used.add((one.span.path, one.span.start, code))
                return True
        return False

    def stale(self) -> Iterable[Stale]:
        """Yield what did nothing in this run, or names a rule that does not exist."""
        for one in self._all:
            for code in one.codes:
                reason = self._why_stale(one, code)
                if reason:
                    yield Stale(one.span, reason)
        if self.entries is not None:
            yield from self.entries.stale(self.today)

    def without_reason(self) -> Iterator[Span]:
        """Yield the suppressions that do not say why."""
        yield from (one.span for one in self._all if not one.reason)
        if self.entries is not None:
            yield from self.entries.without_reason()

    def _why_stale(self, one: Suppression, code: str) -> str:
        if code not in self.known:
            return f"there is no rule {code!r}"
        if one.until and not re.fullmatch(_DAY, one.until):
            return f"until={one.until} is no date (YYYY-MM-DD)"
        if self._expired(one):
            return f"it held until {one.until}"
        if code in self.ran and (one.span.path, one.span.start, code) not in self._used:
            return f"{code} finds nothing here"
        return ""

    def _expired(self, one: Suppression) -> bool:
        return bool(one.until) and one.until < self.today


_LONGEST = 200
"""How many lines of one declaration are looked at for a comment."""


def read_comments(source: Source) -> Iterable[Suppression]:
    """Yield the suppressions in a file.

    One that stands alone speaks of the next line that is neither blank nor a comment.
    """
    text = source.text
    before = 0
    for match in re.finditer(_COMMENT, text.text) if "mlenv:" in text.text else ():
        line = text.position(match.start())[0]
        # behind another one on its line none is alone; lines may be long and hold many
        alone = line != before and not text.text[text.line_starts[line - 1] : match.start()].strip()
        before = line
        rest = match["rest"]
        until = re.search(_UNTIL, rest)
        yield Suppression(
            tuple(code.strip() for code in match["codes"].split(",") if code.strip()),
            re.sub(_UNTIL, "", rest).strip(),
            until[1] if until else "",
            text.span(match.start(), match.start() + len(match.group().rstrip())),
            _next_line(source, line) if alone else line,
        )


def _next_line(source: Source, line: int) -> int:
    last = len(source.text.line_starts)
    while line < last:
        line += 1
        content = source.text.line_text(line).strip()
        if content and not content.startswith("#"):
            break
    return line
