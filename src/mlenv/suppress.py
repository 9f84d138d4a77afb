"""Comments that silence a finding where it stands: ``# mlenv: ignore[PIN001] reason``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlenv.model.source import Source
from mlenv.model.text import Span
from mlenv.records import dataclass, field

_COMMENT = re.compile(r"#\s*mlenv:\s*ignore\[(?P<codes>[^\]\n#]*)\](?P<rest>[^\n\r#]*)")
_UNTIL = re.compile(r"\buntil=(\S+)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NO_COMMENTS = frozenset(("pipfile-lock",))


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
        span: The comment.
        reason: Why, in a few words.
    """

    span: Span
    reason: str


@dataclass(slots=True)
class Suppressions:
    """The comments of a project, and which of them did something.

    Attributes:
        today: The day of the audit, as ``YYYY-MM-DD``.
        known: Every rule's code.
        ran: The codes of the rules of this run; of the others nothing is known to be stale.
    """

    today: str
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
        """Yield the comments that did nothing in this run, or name a rule that does not exist."""
        for one in self._all:
            for code in one.codes:
                reason = self._why_stale(one, code)
                if reason:
                    yield Stale(one.span, reason)

    def _why_stale(self, one: Suppression, code: str) -> str:
        if code not in self.known:
            return f"there is no rule {code!r}"
        if one.until and not _DAY.fullmatch(one.until):
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
    for match in _COMMENT.finditer(text.text):
        line = text.position(match.start())[0]
        # behind another one on its line none is alone; lines may be long and hold many
        alone = line != before and not text.text[text.line_starts[line - 1] : match.start()].strip()
        before = line
        rest = match["rest"]
        until = _UNTIL.search(rest)
        yield Suppression(
            tuple(code.strip() for code in match["codes"].split(",") if code.strip()),
            _UNTIL.sub("", rest).strip(),
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
