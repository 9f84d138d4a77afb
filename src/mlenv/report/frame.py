"""Source lines with a gutter, and marks under the stretches that a finding is about."""

from __future__ import annotations

from functools import lru_cache

from mlenv.records import dataclass
from mlenv.report.columns import text_width, wrapped
from mlenv.report.escape import MASK, clean, command_brackets, escaped, secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mlenv.model.text import SourceText, Span
    from mlenv.report.ansi import Paint

_TAB = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """One stretch to underline.

    Attributes:
        span: Where; of several lines the first is shown.
        sign: What it is underlined with.
        style: The colour of the line under it.
        label: What stands there; may be empty.
    """

    span: Span
    sign: str
    style: str
    label: str = ""


def gutter_width(marks: Sequence[Mark]) -> int:
    """Return the columns that the largest line number takes."""
    return max(len(str(mark.span.line)) for mark in marks)


def frame(marks: Sequence[Mark], gutter: int, width: int, paint: Paint) -> Iterator[str]:
    """Show the lines of one file that marks stand on.

    Args:
        marks: At least one, all of one file; shown in the order of their lines.
        gutter: Columns for line numbers.
        width: Columns that a line may take.
        paint: Dresses text in colours.

    Yields:
        Lines: each source line once, under it a line per mark; ``...`` where lines are left out.
    """
    empty = paint(" " * gutter + " |", "gutter")
    room = width - gutter - 3
    yield empty
    shown = 0
    for mark in sorted(marks, key=lambda mark: (mark.span.line, mark.sign != "^")):
        line = mark.span.line
        if shown and line > shown + 1:
            yield paint("...", "gutter")
        excerpt = _excerpt(mark.span, room)
        # a second mark on a line needs the line again only where its own window differs
        if line != shown or excerpt.cut:
            yield f"{paint(f'{line:>{gutter}} |', 'gutter')} {excerpt.text}".rstrip()
        shown = line
        yield from _underline(mark, excerpt, f"{empty} ", room, paint)
    yield empty


@dataclass(frozen=True, slots=True)
class _Excerpt:
    """A source line as shown, and where the mark begins and ends in it, in columns."""

    text: str
    start: int
    end: int
    cut: bool


def _underline(
    mark: Mark, excerpt: _Excerpt, margin: str, room: int, paint: Paint
) -> Iterator[str]:
    signs = mark.sign * max(excerpt.end - excerpt.start, 1)
    under = " " * excerpt.start + paint(signs, mark.style)
    label = clean(mark.label)
    if not label:
        yield margin + under
    elif excerpt.start + len(signs) + 1 + text_width(label) <= room:
        yield f"{margin}{under} {paint(label, mark.style)}"
    else:
        yield margin + under
        for line in wrapped(label, room, "  ", "  "):
            yield margin + paint(line, mark.style)


def _excerpt(span: Span, room: int) -> _Excerpt:
    line, hidden, brackets = _line(span.source, span.line)
    start = min(span.column - 1, len(line))
    end = min(start + span.end - span.start, len(line))
    # no more characters than could be shown are looked at: lines can be megabytes long
    low = _outside(max(0, start - room), hidden)
    high = min(len(line), start + 2 * room)
    cells = _cells(line, low, high, hidden, brackets)
    left, right = _window(cells, start - low, end - low, room, low > 0, high < len(line))
    is_cut_left, is_cut_right = low + left > 0, low + right < len(line)
    text = "".join(cells[left:right])
    before = text_width("".join(cells[left : start - low])) + is_cut_left
    marked = text_width("".join(cells[start - low : min(end - low, right)]))
    shown = "…" * is_cut_left + text + "…" * is_cut_right
    # a mark just after a line that fills the room stands under its last character
    before = min(before, room - 1)
    return _Excerpt(shown, before, min(before + marked, room), is_cut_left or is_cut_right)


@lru_cache(maxsize=8)
def _line(source: SourceText, number: int) -> tuple[str, list[tuple[int, int]], frozenset[int]]:
    """Return a line, where credentials stand in it, and its brackets that a runner would heed.

    Kept, since a line can be megabytes long and thousands of findings may stand on it.
    """
    text = source.line_text(number)
    return text, secrets(text), command_brackets(text)


def _outside(at: int, hidden: list[tuple[int, int]]) -> int:
    return next((start for start, end in hidden if start < at < end), at)


def _cells(
    line: str,
    low: int,
    high: int,
    hidden: Sequence[tuple[int, int]],
    brackets: Collection[int],
) -> list[str]:
    """Return what is shown for each character; nothing for all but the first of a credential."""
    cells = []
    column = 0
    hidden = [(start, end) for start, end in hidden if start < high and end > low]
    for at in range(low, high):
        character = line[at]
        region = next((start for start, end in hidden if start <= at < end), None)
        if region is not None:
            cell = MASK if at == region else ""
        elif character == "\t":
            cell = " " * (_TAB - column % _TAB)
        elif at in brackets or not character.isprintable():
            cell = escaped(character)
        else:
            cell = character
        cells.append(cell)
        column += text_width(cell)
    return cells


def _window(
    cells: list[str], start: int, end: int, room: int, cut_left: bool, cut_right: bool
) -> tuple[int, int]:
    """Return the stretch of cells to show, so that the mark's start and most of it is in it."""
    widths = [text_width(cell) for cell in cells]
    if not cut_left and not cut_right and sum(widths) <= room:
        return 0, len(cells)
    left = 0
    if cut_left or sum(widths[:end]) > room - 1:
        left = start
        spare = min(room // 4, max(room - 2 - sum(widths[start:end]), 4))
        while left and widths[left - 1] <= spare:
            left -= 1
            spare -= widths[left]
    spare = room - (1 if cut_left or left else 0)
    right = left
    while right < len(cells) and widths[right] <= spare - 1:
        spare -= widths[right]
        right += 1
    if right == len(cells) - 1 and not cut_right and widths[right] <= spare:
        right += 1
    return left, right
