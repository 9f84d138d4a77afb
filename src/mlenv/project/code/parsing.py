"""A Python file as a syntax tree, and the way from its nodes back to the file."""

from __future__ import annotations

import ast
import warnings

from mlenv.model.text import SourceText, Span
from mlenv.project.decode import decode
from mlenv.project.manifests.setup_depth import is_too_deep
from mlenv.protocols import Protocol

Place = tuple[int, int, int, int]
"""As the syntax tree has it: line, column in UTF-8 bytes, and both of the end."""


class Script(Protocol):
    """Code that was parsed.

    Attributes:
        body: Its statements.
        size: How many characters were parsed.
    """

    body: list[ast.stmt]
    size: int

    def span(self, place: Place) -> Span:
        """Return where a node stands in the file."""


class Module:
    """A Python file; see :class:`Script`."""

    def __init__(self, text: SourceText, body: list[ast.stmt]) -> None:
        self.body = body
        self.size = len(text.text)
        self._text = text

    def span(self, place: Place) -> Span:
        """Return where a node stands."""
        line, column, last, end = place
        return self._text.span(self._offset(line, column), self._offset(last, end))

    def _offset(self, line: int, column: int) -> int:
        return self._text.line_starts[line - 1] + characters(self._text.line_text(line), column)


def read_module(path: str, data: bytes, most: int) -> Module | None:
    """Return a Python file parsed; None where it is no Python 3, too large or nests too deeply.

    Args:
        path: The file, relative to the root.
        data: What it holds.
        most: How many bytes may be parsed.
    """
    if len(data) > most:
        return None
    text = decode(path, data)
    body = parse(text.text)
    return None if body is None else Module(text, body)


def parse(text: str) -> list[ast.stmt] | None:
    """Return the statements of a Python 3 text; None where it is none, or nests too deeply."""
    try:
        if is_too_deep(text):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes that Python will refuse one day
            return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def characters(line: str, column: int) -> int:
    """Return how many characters the first bytes of a line are, as UTF-8 has them."""
    if line.isascii():
        return min(column, len(line))
    return len(line.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))
