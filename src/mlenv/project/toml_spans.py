"""TOML with positions: tomli's values, and where in the text each key and value stands.

tomli is the truth for values and errors; a locator walks the same text beside it.
"""

from __future__ import annotations

from mlenv.model.text import Fragment, SourceText, Span
from mlenv.project.toml_locator import Locator, Path, TooDeepError
from mlenv.records import dataclass

_QUOTES = ('"', "'")


@dataclass(frozen=True, slots=True)
class TomlError:
    """Why a text is no TOML.

    Attributes:
        message: In a few words.
        offset: Where in the text.
    """

    message: str
    offset: int


class TomlDocument:
    """The values of a TOML text and their places.

    Attributes:
        values: What tomli read.
        source: The file.
    """

    __slots__ = ("_locator", "source", "values")

    def __init__(self, source: SourceText, values: dict[str, object], locator: Locator) -> None:
        self.source = source
        self.values = values
        self._locator = locator

    def get(self, path: Path) -> object:
        """Return the value at a path, or None where there is none."""
        value: object = self.values
        for key in path:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and -1 < key < len(value):
                value = value[key]
            else:
                return None
        return value

    def fragment(self, path: Path) -> Fragment:
        """Return the string at a path with its place, which is without the quotes.

        The pieces are exact where the string holds no escapes; a value that is no string, or
        absent, gives an empty text.
        """
        value = self.get(path)
        text = value if isinstance(value, str) else ""
        start, end = self._locator.content(path)
        if self._locator.text[start:end] == text:
            return Fragment.of(self.source, start, end)
        return Fragment.decoded(text, Span(self.source, start, end))

    def span(self, path: Path) -> Span:
        """Return where a value stands, quotes and brackets included."""
        node = self._locator.find(path)
        return Span(self.source, node.start, node.end)

    def key_span(self, path: Path) -> Span:
        """Return where the key of a value stands, without quotes; the value where it has none."""
        node = self._locator.find(path)
        if node.key_start < 0:
            return Span(self.source, node.start, node.end)
        return Span(self.source, node.key_start, node.key_end)

    def key_fragment(self, path: Path) -> Fragment:
        """Return the key of a value with its place."""
        key, span = str(path[-1]), self.key_span(path)
        if span.text == key:
            return Fragment.of(self.source, span.start, span.end)
        return Fragment.decoded(key, span)

    def entry_span(self, path: Path) -> Span:
        """Return the span from a key to the end of its value; a table's begins at its header."""
        node = self._locator.find(path)
        start = node.start
        if -1 < node.key_start < start:
            start = node.key_start
            if start and self.source.text[start - 1] in _QUOTES:
                start -= 1
        return Span(self.source, start, node.end)


def read_toml(source: SourceText, text: str | None = None) -> TomlDocument | TomlError:
    """Read TOML; never raises.

    Args:
        source: The file.
        text: What to read in place of the file's text: as long as it, character for character,
            with something blanked out.
    """
    import tomli

    text = source.text if text is None else text
    locator = Locator(text)
    try:
        locator.run()
        values = tomli.loads(text)
    except TooDeepError as error:
        return TomlError("tables or lists nest too deeply", error.offset)
    except tomli.TOMLDecodeError as error:
        return TomlError(error.msg, _offset(text, error.lineno, error.colno))
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits
        return TomlError(str(error), 0)
    return TomlDocument(source, values, locator)


def _offset(text: str, line: int, column: int) -> int:
    """Return the offset of a place that tomli names, which takes CR LF for one character."""
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return min(start + column - 1, len(text))
