"""The text of an environment: a line for each thing that findings can show."""

from __future__ import annotations

from mlenv.model.text import SourceText, Span

_LONGEST = 300


class Page:
    """Collects lines and hands out their places.

    Args:
        name: How messages call the environment.
    """

    def __init__(self, name: str) -> None:
        self._lines: list[str] = []
        self._length = 0
        self.text = SourceText(f"environment {name}", "", target=name)

    def add(self, line: str) -> Span:
        """Add a line and return its place."""
        said = " ".join(line[:_LONGEST].split())
        start = self._length
        self._lines.append(said)
        self._length += len(said) + 1
        return Span(self.text, start, start + len(said))

    def close(self) -> SourceText:
        """Return the text; nothing may be added any more."""
        self.text.text = "\n".join(self._lines)
        return self.text
