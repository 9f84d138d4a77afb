"""How many columns text takes on a terminal, and lines broken to fit."""

from __future__ import annotations

import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def character_width(character: str) -> int:
    """Return the columns that a printable character takes: 0, 1 or 2."""
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def text_width(text: str) -> int:
    """Return the columns that a printable text takes."""
    return len(text) if text.isascii() else sum(map(character_width, text))


def fitting(text: str, width: int) -> int:
    """Return how many leading characters of a text fit; at least one where there is one."""
    if text.isascii():
        return min(len(text), max(width, 1))
    taken = 0
    for at, character in enumerate(text):
        taken += character_width(character)
        if taken > width and at:
            return at
    return len(text)


def clipped(text: str, width: int) -> str:
    """Return a text cut to a width, with ``…`` where something is missing."""
    if text_width(text) <= width:
        return text
    return text[: fitting(text, width - 1)] + "…"


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> Iterator[str]:
    """Break a text at blanks, and inside words that are too long.

    Args:
        text: Printable text.
        width: What a line may take, its prefix included.
        first: What the first line begins with.
        rest: What the others begin with.

    Yields:
        The lines. None begins with ``::`` behind its prefix, which CI runners take for a command.
    """
    prefix = first
    line = ""
    for whole in text.split():
        word = whole
        while word:
            word = _harmless(word, at_start=not line and not prefix.strip())
            room = width - text_width(prefix) - (text_width(line) + 1 if line else 0)
            if text_width(word) <= room:
                line = f"{line} {word}" if line else word
                break
            if line:
                yield prefix + line
                line = ""
            else:
                cut = fitting(word, room)
                yield prefix + word[:cut]
                word = word[cut:]
            prefix = rest
    yield (prefix + line).rstrip()


def _harmless(word: str, *, at_start: bool) -> str:
    return "\\x3a" + word[1:] if at_start and word.startswith("::") else word


def harmless(line: str) -> str:
    """Return a printable line that does not begin with ``::``, which CI runners act on."""
    bare = line.lstrip()
    return line[: len(line) - len(bare)] + _harmless(bare, at_start=True)


def table(rows: Sequence[tuple[str, ...]], indent: str, width: int) -> Iterator[str]:
    """Align cells in columns; the last is cut to fit and the others to a share of the width.

    Args:
        rows: Printable cells, as many in each row.
        indent: What each line begins with.
        width: What a line may take.

    Yields:
        A line per row; none begins with ``::``.
    """
    if not rows:
        return
    most = max((width - len(indent)) // 3, 8)
    widths = [min(max(text_width(row[at]) for row in rows), most) for at in range(len(rows[0]) - 1)]
    for row in rows:
        line = indent
        for cell, column in zip(row, widths, strict=False):
            shown = clipped(cell, column)
            line += shown + " " * (column - text_width(shown) + 2)
        line = (line + row[-1]).rstrip()
        yield clipped(harmless(line), width)
