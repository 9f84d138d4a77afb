"""Draws what a terminal shows as an SVG, from the text with its colours and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

WIDTH, HEIGHT = 8.4, 19
"""Of a character's cell, in pixels."""
_MARGIN = 16
_COLORS = {"31": "#ff7b72", "32": "#56d364", "33": "#e3b341", "34": "#79c0ff", "36": "#76e3ea"}
_PLAIN, _STRONG, _DIM, _GROUND = "#c9d1d9", "#f0f6fc", "#8b949e", "#0d1117"
_CODE = re.compile(r"\x1b\[([0-9;]*)m")


def picture(text: str, command: str, columns: int = 80) -> str:
    """Return a terminal's text as an SVG.

    Args:
        text: What a program printed, with ANSI colours.
        command: What was typed.
        columns: How wide the terminal is.
    """
    lines = [f"\x1b[2m$\x1b[0m {command}", *text.rstrip("\n").split("\n")]
    wide = columns * WIDTH + 2 * _MARGIN
    tall = len(lines) * HEIGHT + 2 * _MARGIN
    body = "\n".join(
        _run(style, part, start, number)
        for number, line in enumerate(lines)
        for style, part, start in _runs(line)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {tall:g}" '
        f'width="{wide:g}" height="{tall:g}" role="img" aria-label="{escape(command)}">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{_GROUND}"/>\n'
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, '
        f'monospace" font-size="14" xml:space="preserve">\n{body}\n</g>\n</svg>\n'
    )


def _runs(line: str) -> Iterator[tuple[str, str, int]]:
    """Yield the parts of a line that share a style, each with its column."""
    style, column = "", 0
    for number, part in enumerate(_CODE.split(line)):
        if number % 2:
            style = "" if part in ("", "0") else part
        elif part:
            yield style, part, column
            column += len(part)


def _run(style: str, part: str, start: int, line: int) -> str:
    codes = style.split(";")
    bare = part.lstrip(" ")
    start += len(part) - len(bare)
    color = next((_COLORS[code] for code in codes if code in _COLORS), "")
    color = color or (_STRONG if "1" in codes else _DIM if "2" in codes else _PLAIN)
    weight = ' font-weight="bold"' if "1" in codes else ""
    left = _MARGIN + start * WIDTH
    top = _MARGIN + line * HEIGHT + 14
    # a stated length keeps columns apart whatever font there is
    length = len(bare.rstrip(" ")) * WIDTH
    shown = escape(bare.rstrip(" "), quote=False)
    if not shown:
        return ""
    return (
        f'<text x="{left:g}" y="{top:g}" textLength="{length:g}" fill="{color}"{weight}>'
        f"{shown}</text>"
    )
