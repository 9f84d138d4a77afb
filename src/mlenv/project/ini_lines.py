"""INI files as Python's configparser reads them, with the place of every line of every value.

Source: Python's documentation, "configparser", with the defaults of ``ConfigParser``: comments
stand on lines of their own, deeper lines continue a value, ``%(name)s`` stands for another value.
"""

from __future__ import annotations

import re

from mlenv.model.text import Fragment
from mlenv.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.text import SourceText, Span

_HEADER = re.compile(r"\[(.+)\]")
_REFERENCE = re.compile(r"%\(([^)]+)\)s")
_DEFAULTS = "DEFAULT"
_MAX_DEPTH = 10
"""How deep values may refer to each other, as configparser has it."""
_MAX_LENGTH = 1_000_000
"""How much text the references of one file may stand for."""


@dataclass(frozen=True, slots=True, eq=False)
class IniValue:
    """One value.

    Attributes:
        key: Its key as written.
        at: Where the key stands.
        lines: Its lines without blanks at either side; the first may be empty, comments are out.
    """

    key: str
    at: Span
    lines: list[Fragment]

    @property
    def text(self) -> str:
        """The value as configparser joins it, with its references as written."""
        return "\n".join(line.text for line in self.lines).strip()


@dataclass(frozen=True, slots=True, eq=False)
class IniSection:
    """One section.

    Attributes:
        name: As written.
        at: Where its header stands.
        values: The values by their keys as written; the first of those that share a key.
    """

    name: str
    at: Span
    values: dict[str, IniValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class IniError:
    """What configparser stops at.

    Attributes:
        reason: In a few words.
        at: Where.
        section: The section that it stands in; empty before the first.
    """

    reason: str
    at: Span
    section: str


class InterpolationError(ValueError):
    """A reference that cannot be resolved; the message says why."""


class IniDocument:
    """The sections of a file.

    Attributes:
        sections: The sections by name; those that share a name are joined.
        errors: What configparser would stop at, in the order of the file.
    """

    __slots__ = ("_room", "errors", "sections")

    def __init__(self) -> None:
        self.sections: dict[str, IniSection] = {}
        self.errors: list[IniError] = []
        self._room = _MAX_LENGTH

    def resolved(self, section: IniSection, value: IniValue) -> list[Fragment]:
        """Return the lines of a value with its references replaced by what they stand for.

        A line that holds references keeps its place, as text that stands there in another form.

        Raises:
            InterpolationError: A reference leads nowhere, in a circle, or to too much text.
        """
        found: list[Fragment] = []
        for line in value.lines:
            if "%" not in line.text:
                found.append(line)
                continue
            text = self._filled(section, line.text, 1)
            lines = [one.strip() for one in text.split("\n")]
            found.extend(Fragment.decoded(one, line.whole) for one in lines)
        return found

    def _filled(self, section: IniSection, text: str, depth: int) -> str:
        if depth > _MAX_DEPTH:
            raise InterpolationError("its references nest too deeply")
        parts: list[str] = []
        at = 0
        while (percent := text.find("%", at)) >= 0:
            parts.append(text[at:percent])
            if text.startswith("%%", percent):
                parts.append("%")
                at = percent + 2
                continue
            match = _REFERENCE.match(text, percent)
            if match is None:
                raise InterpolationError("a % stands for itself only where it is doubled")
            target = self._value(section, match[1])
            parts.append(self._filled(section, target.text, depth + 1))
            at = match.end()
        parts.append(text[at:])
        filled = "".join(parts)
        self._room -= len(filled) + 1
        if self._room < 0:
            raise InterpolationError("its references stand for too much text")
        return filled

    def _value(self, section: IniSection, key: str) -> IniValue:
        for name in (section.name, _DEFAULTS):
            values = self.sections[name].values if name in self.sections else {}
            if key in values:
                return values[key]
        raise InterpolationError(f"%({key})s names no value of [{section.name}]")


def read_ini(source: SourceText, text: str | None = None) -> IniDocument:
    """Read an INI file; never fails.

    Args:
        source: The file.
        text: What to read in its place, of the same length: its text with parts blanked.
    """
    reader = _Reader(source, source.text if text is None else text)
    for start, end in _lines(source):
        reader.line(start, end)
    return reader.document


def _lines(source: SourceText) -> Iterator[tuple[int, int]]:
    starts = source.line_starts
    yield from zip(starts, [*starts[1:], len(source.text)], strict=True)


class _Reader:
    """Goes through the lines once, as configparser does."""

    def __init__(self, source: SourceText, text: str) -> None:
        self.source = source
        self.text = text
        self.document = IniDocument()
        self.section: IniSection | None = None
        self.value: IniValue | None = None
        self.indent = 0

    def line(self, start: int, end: int) -> None:
        """Take the line between two offsets."""
        raw = self.text[start:end]
        bare = raw.strip()
        if not bare or bare.startswith(("#", ";")):
            return
        blanks = len(raw) - len(raw.lstrip())
        start += blanks
        fragment = Fragment.of(self.source, start, start + len(bare))
        if self.value is not None and blanks > self.indent:
            self.value.lines.append(fragment)
            return
        self.indent = blanks
        header = _HEADER.match(bare)
        if header is not None:
            self._header(header[1], fragment)
        elif self.section is None:
            self._error("text stands before the first section", fragment.whole)
        else:
            self._option(self.section, fragment)

    def _header(self, name: str, fragment: Fragment) -> None:
        known = self.document.sections.get(name)
        if known is None:
            known = self.document.sections[name] = IniSection(name, fragment.whole)
        elif name != _DEFAULTS:
            self.document.errors.append(
                IniError(f"the section [{name}] stands here twice", fragment.whole, name)
            )
        self.section = known
        self.value = None

    def _option(self, section: IniSection, fragment: Fragment) -> None:
        text = fragment.text
        ends = [at for at in (text.find("="), text.find(":")) if at >= 0]
        key = text[: min(ends)].rstrip() if ends else ""
        if not key:
            self._error("a line that is neither a key with a value nor deeper than the last key",
                        fragment.whole)  # fmt: skip
            return
        at = fragment.part(0, len(key)).whole
        first = fragment.part(min(ends) + 1, len(text)).stripped()
        self.value = IniValue(key, at, [first])
        if section.values.setdefault(key, self.value) is not self.value:
            self._error(f"the key {key} stands here twice in [{section.name}]", at)

    def _error(self, reason: str, at: Span) -> None:
        name = self.section.name if self.section is not None else ""
        self.document.errors.append(IniError(reason, at, name))
