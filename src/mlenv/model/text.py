"""A file's text and the spans in it: where things stand, down to the column."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from mlenv.records import dataclass

_LINE_END = re.compile(r"\r\n|\r|\n")
_NEWLINE = re.compile(r"\n")


class SourceText:
    """The decoded text of one file.

    Attributes:
        path: The file, relative to the project's root, with ``/``.
        text: The whole text without its byte order mark; line endings as they are in the file.
        encoding: The codec that decoded it.
        target: The name of the machine or the environment that it describes; empty for a file of
            the project.
    """

    __slots__ = ("_starts", "encoding", "path", "target", "text")

    def __init__(self, path: str, text: str, encoding: str = "utf-8", *, target: str = "") -> None:
        self.path = path
        self.text = text
        self.encoding = encoding
        self.target = target
        self._starts: list[int] | None = None

    def __repr__(self) -> str:
        return f"SourceText({self.path!r}, {len(self.text)} characters)"

    @property
    def line_starts(self) -> list[int]:
        """Offsets at which lines begin; a line ends with LF, CR LF or a lone CR."""
        if self._starts is None:
            self._starts = _line_starts(self.text)
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both counted from 1, columns in characters."""
        starts = self.line_starts
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """Return one line, counted from 1, without its line ending."""
        starts = self.line_starts
        start = starts[line - 1]
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        """Return the span from ``start`` up to, and without, ``end``."""
        return Span(self, start, end)

    def line_span(self, line: int) -> Span:
        """Return the span of one line, counted from 1, without blanks at either side."""
        text = self.line_text(line)
        start = self.line_starts[line - 1] + len(text) - len(text.lstrip())
        return Span(self, start, start + len(text.strip()))


def _line_starts(text: str) -> list[int]:
    ends = _LINE_END if "\r" in text else _NEWLINE
    return [0, *(match.end() for match in ends.finditer(text))]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Span:
    """A stretch of one file's text.

    Attributes:
        source: The text that it lies in.
        start: Offset of its first character.
        end: Offset after its last character; never before ``start``.
    """

    source: SourceText
    start: int
    end: int

    @property
    def path(self) -> str:
        """The file that it lies in."""
        return self.source.path

    @property
    def target(self) -> str:
        """The name of the machine whose description it lies in; empty for the project's files."""
        return self.source.target

    @property
    def described(self) -> str:
        """What it describes, as ``target cluster`` or ``environment .venv``; empty for files."""
        return f"{self.path.partition(' ')[0]} {self.target}" if self.target else ""

    @property
    def text(self) -> str:
        """What stands there."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line of its first character, counted from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column of its first character, counted from 1."""
        return self.source.position(self.start)[1]

    @property
    def stop(self) -> tuple[int, int]:
        """Line and column just after its last character."""
        return self.source.position(self.end)

    @property
    def order(self) -> tuple[str, int, int]:
        """A key that sorts spans as a reader meets them."""
        return self.source.path, self.start, self.end

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and self.order == other.order

    def __hash__(self) -> int:
        return hash(self.order)

    def __repr__(self) -> str:
        return f"Span({self.path}:{self.line}:{self.column} {self.text[:40]!r})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fragment:
    """Text cut out of a file, as a parser sees it, and the way back to where it stood.

    A joined line or a decoded string differs from the file's own characters; the pieces say which
    stretches of it stand in the file as they are.

    Attributes:
        text: What the parser reads.
        whole: Where all of it stands.
        pieces: Pairs of an offset in ``text`` and the file's offset of the same character, in
            ascending order; empty where the text is not in the file as such (escapes).
    """

    text: str
    whole: Span
    pieces: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, source: SourceText, start: int, end: int) -> Fragment:
        """Return the fragment for a stretch of a file, taken as it is."""
        return cls(source.text[start:end], Span(source, start, end), ((0, start),))

    @classmethod
    def decoded(cls, text: str, whole: Span) -> Fragment:
        """Return the fragment for text that stands in the file in another form."""
        return cls(text, whole, ())

    def span(self, start: int, end: int) -> Span:
        """Return where ``text[start:end]`` stands; the whole where that cannot be told."""
        if not self.pieces or end <= start:
            return self.whole
        return Span(self.whole.source, self._offset(start), self._offset(end - 1) + 1)

    def part(self, start: int, end: int) -> Fragment:
        """Return the fragment for ``text[start:end]``."""
        text = self.text[start:end]
        if len(self.pieces) == 1 and end > start:
            offset = self.pieces[0][1] + start - self.pieces[0][0]
            whole = Span(self.whole.source, offset, offset + len(text))
            return Fragment(text, whole, ((0, offset),))
        if not self.pieces or end <= start:
            return Fragment(text, self.whole, ())
        first = bisect_right(self.pieces, (start, _FAR))
        inner = self.pieces[first : bisect_left(self.pieces, (end, 0))]
        pieces = tuple((at - start, place) for at, place in inner)
        return Fragment(text, self.span(start, end), ((0, self._offset(start)), *pieces))

    def stripped(self) -> Fragment:
        """Return the fragment without blanks at either side."""
        text = self.text.strip()
        if len(text) == len(self.text):
            return self
        start = len(self.text) - len(self.text.lstrip())
        return self.part(start, start + len(text))

    def _offset(self, at: int) -> int:
        start, place = self.pieces[0] if len(self.pieces) == 1 else self._piece(at)
        return place + at - start

    def _piece(self, at: int) -> tuple[int, int]:
        return self.pieces[bisect_right(self.pieces, (at, _FAR)) - 1]


_FAR = 1 << 62
