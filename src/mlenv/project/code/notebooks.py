"""Jupyter notebooks: the code of their cells as one script, and the way back into the JSON.

Source: the notebook format of nbformat 3 and 4; the magics of IPython.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

from mlenv.model.text import SourceText, Span
from mlenv.project.code.parsing import Place, characters, parse
from mlenv.project.decode import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_MOST_LOOKUPS = 40
"""Of lines that are looked for in the file, each of which may mean to read all of it."""
_OF_SHELL = re.compile(r"^([ \t]*)(?:[%!?].*|[\w., \t]+=[ \t]*[%!].*|[\w.%]+\?{1,2}[ \t]*)$")
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")
"""Magics of a whole cell that leave it Python."""


class Notebook:
    """The Python cells of a notebook; see :class:`mlenv.project.code.parsing.Script`.

    Args:
        text: The file.
        cells: The lines of each cell, as they are in the notebook.
        body: The statements of all cells that are Python, their lines counted through.
        size: How many characters were parsed.
    """

    def __init__(
        self, text: SourceText, cells: list[list[str]], body: list[ast.stmt], size: int
    ) -> None:
        self.body = body
        self.size = size
        self._text = text
        self._lines = [(line, cell) for cell in cells for line in cell]
        self._lookups = 0
        self._at = 0
        self._found: dict[int, Span] = {}

    def span(self, place: Place) -> Span:
        """Return where a node stands; its line where that is written with escapes."""
        line, column, last, end = place
        written, cell = self._lines[line - 1]
        whole = self._line(line, cell)
        if whole.text != written or last != line:
            return whole
        start = whole.start + characters(written, column)
        return Span(self._text, start, whole.start + characters(written, end))

    def _line(self, line: int, cell: list[str]) -> Span:
        """Return where a line stands, else its cell's first one, else the file's."""
        if line not in self._found:
            span = None
            if self._lookups < _MOST_LOOKUPS:
                written = self._lines[line - 1][0]
                first = next((one for one in cell if one.strip()), written)
                span = self._locate(written) or self._locate(first)
            self._found[line] = span or self._text.line_span(1)
        return self._found[line]

    def _locate(self, written: str) -> Span | None:
        self._lookups += 1
        for encoded in (json.dumps(written, ensure_ascii=False)[1:-1], json.dumps(written)[1:-1]):
            at = self._text.text.find(encoded, self._at)
            at = at if at >= 0 else self._text.text.find(encoded)
            if at >= 0:
                self._at = at
                return Span(self._text, at, at + len(encoded))
        return None


def read_notebook(path: str, data: bytes, most: int) -> Notebook | None:
    """Return the Python of a notebook; None where it is no notebook, or none of Python 3.

    A cell that cannot be parsed is left out.

    Args:
        path: The file, relative to the root.
        data: What it holds.
        most: How many bytes of code may be parsed.
    """
    text = decode(path, data)
    try:
        document = json.loads(text.text)
    except (ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(document, dict) or not _is_python(document):
        return None
    cells: list[list[str]] = []
    body: list[ast.stmt] = []
    lines = size = 0
    for source in _sources(document):
        size += len(source)
        if size > most:
            return None
        cell = source.split("\n")
        statements = parse(_python(cell)) or ()
        body += (ast.increment_lineno(statement, lines) for statement in statements)
        cells.append(cell)
        lines += len(cell)
    return Notebook(text, cells, body, size)


def _is_python(document: dict[str, Any]) -> bool:
    """Whether a notebook's kernel is one of Python 3, so far as it says."""
    metadata = document.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    if not isinstance(kernel, dict):
        return True
    return kernel.get("language", "python") == "python" and kernel.get("name") != "python2"


def _sources(document: dict[str, Any]) -> Iterator[str]:
    sheets = document.get("worksheets")  # of nbformat 3
    for holder in [document, *(sheets if isinstance(sheets, list) else [])]:
        cells = holder.get("cells") if isinstance(holder, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            if not isinstance(cell, dict) or cell.get("cell_type") != "code":
                continue
            source = cell.get("source", cell.get("input"))
            if isinstance(source, list) and all(isinstance(line, str) for line in source):
                source = "".join(source)
            if isinstance(source, str):
                yield source.replace("\r\n", "\n").replace("\r", "\n")


def _python(cell: list[str]) -> str:
    """Return a cell without its magics, line for line; nothing where all of it is of another kind.

    A line for the shell may end in a backslash and go on in the next.
    """
    kept = []
    in_shell = False
    for line in cell:
        if line.startswith("%%"):
            if not line.startswith(_PYTHON_CELLS):
                return ""
            kept.append("")
            continue
        match = _OF_SHELL.match(line)
        if in_shell or match:
            kept.append("" if in_shell else f"{match[1] if match else ''}pass")
            in_shell = line.endswith("\\")
            continue
        kept.append(line)
    return "\n".join(kept)
