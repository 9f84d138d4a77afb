"""Colours, which only decorate: every report reads the same without them."""

from __future__ import annotations

from collections.abc import Callable

Paint = Callable[[str, str], str]
"""Takes a text and the name of a style."""

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "good": "1;32",
    "strong": "1",
    "gutter": "34",
    "dim": "2",
}


def painter(*, color: bool) -> Paint:
    """Return the function that dresses text in a style, or leaves it as it is."""
    return _ansi if color else _plain


def _plain(text: str, _style: str) -> str:
    return text


def _ansi(text: str, style: str) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text
