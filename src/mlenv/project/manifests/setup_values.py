"""What a setup.py's names stand for, so far as reading it without running it can tell."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left

from mlenv.model.text import Fragment, SourceText, Span
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from mlenv.model.marker import Marker

_LITERAL = re.compile(r"[rRuUbBfF]{0,2}('''|\"\"\"|'|\")")
MAX_ITEMS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A string, or a path relative to the file's folder.

    Attributes:
        fragment: What it says, and where it stands.
    """

    fragment: Fragment

    @property
    def value(self) -> str:
        """What it says."""
        return self.fragment.text


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """The content of a file, whole or line by line.

    Attributes:
        target: Its path as written, relative to the folder of the setup.py.
        span: Where it is named.
        anywhere: Whether the path, or that the file is there, is a guess.
    """

    target: str
    span: Span
    anywhere: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """What cannot be told without running the file.

    Attributes:
        span: Where it stands.
        head: The text that it begins with, where so much is known.
    """

    span: Span
    head: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A member of a list.

    Attributes:
        value: What it is.
        marker: The environments that it is for; None means all.
        is_unsure: Whether it depends on a condition that cannot be told.
    """

    value: Value
    marker: Marker | None = None
    is_unsure: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A list, tuple or set.

    Attributes:
        items: Its members.
    """

    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A dict whose keys are strings.

    Attributes:
        values: Its values.
        rest: Where members were added that cannot be told.
    """

    values: dict[str, Value]
    rest: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function that the file defines.

    Attributes:
        node: Its definition.
    """

    node: ast.FunctionDef


Value: TypeAlias = "Text | File | Unknown | Items | Table | Function"
NOTHING = Items()


class Places:
    """Where the nodes of a syntax tree stand in the text.

    Python counts columns in bytes of UTF-8; the text is counted in characters.
    """

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self._bytes: dict[int, list[int]] = {}

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> Span:
        """Return all of a node."""
        start = self._offset(node.lineno, node.col_offset)
        end = self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return self.source.span(start, max(start, end))

    def text(self, node: ast.Constant, value: str) -> Text:
        """Return a string literal, exact where it holds no escapes and is in one piece."""
        span = self.span(node)
        written = span.text
        opening = _LITERAL.match(written)
        if opening is not None:
            start, end = opening.end(), len(written) - len(opening[1])
            if written[start:end] == value:
                return Text(Fragment.of(self.source, span.start + start, span.start + end))
        return Text(Fragment.decoded(value, span))

    def _offset(self, line: int, column: int) -> int:
        starts = self.source.line_starts
        start = starts[min(line, len(starts)) - 1]
        text = self._line(line)
        if text is None:
            return min(start + column, len(self.source.text))
        return start + bisect_left(text, column)

    def _line(self, line: int) -> list[int] | None:
        """Return the byte at which each character of a line begins; None where they are one."""
        if line not in self._bytes:
            text = self.source.line_text(min(line, len(self.source.line_starts)))
            found = [0]
            if not text.isascii():
                for character in text:
                    found.append(found[-1] + len(character.encode("utf-8", "surrogatepass")))
            self._bytes[line] = found
        found = self._bytes[line]
        return found if len(found) > 1 else None


def members(value: Value) -> tuple[Item, ...]:
    """Return what a value adds to a list that it is appended to as a list."""
    return value.items if isinstance(value, Items) else (Item(value),)


def merged(one: Value, other: Value, markers: tuple[Marker | None, Marker | None]) -> Value:
    """Return what a name stands for after a condition.

    Args:
        one: What it is where the condition holds.
        other: What it is elsewhere.
        markers: The environments where it holds, and those where it does not; None where that
            cannot be told.
    """
    if one is other:
        return one
    if isinstance(one, Table) and isinstance(other, Table):
        keys = dict.fromkeys([*one.values, *other.values])
        values = {
            key: merged(one.values.get(key, NOTHING), other.values.get(key, NOTHING), markers)
            for key in keys
        }
        return Table(values, (*one.rest, *other.rest))
    if isinstance(one, File) and isinstance(other, File) and one.target == other.target:
        return one
    sides = [members(side) for side in (one, other) if isinstance(side, Items | File)]
    if len(sides) < 2:
        span = next((v.fragment.whole for v in (one, other) if isinstance(v, Text)), None)
        known = next((v for v in (one, other) if isinstance(v, Unknown)), None)
        return known or (Unknown(span) if span is not None else one)
    shared = set(map(_identity, sides[0])) & set(map(_identity, sides[1]))
    found = [i if _identity(i) in shared else _under(i, markers[0]) for i in sides[0]]
    found += [_under(i, markers[1]) for i in sides[1] if _identity(i) not in shared]
    return Items(tuple(found))


def _identity(item: Item) -> object:
    """Return what two members have in common where they say the same, wherever they stand."""
    is_plain = isinstance(item.value, Text) and item.marker is None and not item.is_unsure
    return item.value.value if is_plain and isinstance(item.value, Text) else id(item)


def _under(item: Item, marker: Marker | None) -> Item:
    from mlenv.model.marker import conjunction

    if marker is None:
        return Item(item.value, item.marker, is_unsure=True)
    return Item(item.value, conjunction(item.marker, marker), item.is_unsure)
