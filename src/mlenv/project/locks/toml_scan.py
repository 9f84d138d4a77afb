"""The line scanner for the TOML that lock writers emit, many times faster than a full parser.

Locks are megabytes of ``[[package]]`` tables in one regular layout, of which a few keys matter.
One regular expression per statement steps over whole arrays at once and still checks their syntax;
what it does not know makes the scan irregular, and then a real parser has the word.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.records import dataclass, field

_BASIC = (
    r'"[^"\\\x00-\x08\x0a-\x1f\x7f]*'
    r'(?:\\(?:[btnfr"\\]|u[0-9A-Fa-f]{4})[^"\\\x00-\x08\x0a-\x1f\x7f]*)*"'
)
_STRING = rf"(?:{_BASIC}|'[^'\x00-\x08\x0a-\x1f\x7f]*')"
_KEY = r"[A-Za-z0-9_-]+"
_ANY_KEY = rf'(?:{_KEY}|"[^"\\\x00-\x1f\x7f]*")'
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?"
_SCALAR = rf"(?:{_STRING}|true|false|{_DATE}|(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)"
# Each part is named once only, separators included: the pattern has to compile in little time.
_FLAT_LIST = rf"\[(?:{_SCALAR}(?:, (?!\])|(?=\])))*\]"
_FLAT_TABLE = rf"\{{ ?(?:{_ANY_KEY} = {_SCALAR}(?:, (?! ?\}})|(?= ?\}})))* ?\}}"
_NESTED = rf"(?:{_SCALAR}|{_FLAT_LIST}|{_FLAT_TABLE})"
_TABLE = rf"\{{ ?(?:{_ANY_KEY} = {_NESTED}(?:, (?! ?\}})|(?= ?\}})))* ?\}}"
_TABLES = rf"\[(?:{_TABLE}(?:, (?!\])|(?=\])))+\]"
_EOL = r"[ \t]*\r?\n"
# Nine tenths of a lock are rows of this one form. A quote ends a string too early only where it is
# escaped, and no digest can follow there, so this finds what the strict form finds, but faster.
_FILE = (
    r'\{ ?(?:url|file) = "[^"]*", hash = "[a-z0-9]+:[0-9a-f]+"(?:, size = [1-9][0-9]*)?'
    r'(?:, upload-time = "[0-9TZ:.-]*")? ?\}'
)
_ROW = rf"[ \t]+(?:{_FILE}|{_STRING}|{_TABLE})(?:,|(?=[ \t]*\r?\n\])){_EOL}"
_ROWS = rf"\[(?P<lists>\[)?{_EOL}(?:{_ROW}|(?(lists)\], \[|(?!)){_EOL})*\](?(lists)\])"


@lru_cache(maxsize=1)
def _statement() -> re.Pattern[str]:
    """Compile on first use, since most commands meet no lock of this kind."""
    return re.compile(
        rf"(?:(?P<key>{_ANY_KEY}) = (?P<value>{_SCALAR}|{_ROWS}|{_FLAT_LIST}|{_TABLE}|{_TABLES})"
        rf"|\[(?P<list>\[)?(?P<header>{_KEY}(?:\.{_KEY})*)\](?(list)\])"
        rf"|(?:#[^\x00-\x08\x0a-\x1f\x7f]*)?){_EOL}"
    )


@lru_cache(maxsize=1)
def _pair() -> re.Pattern[str]:
    return re.compile(rf"({_ANY_KEY}) = (?:({_STRING})|{_NESTED})")


STRING = re.compile(_STRING)
"""A string on one line, with its quotes."""

_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|([btnfr"\\]))')
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(slots=True)
class Table:
    """One table of the file, its values as offsets into the text.

    Attributes:
        header: The dotted name between the brackets; empty for the root.
        start: Offset of the header.
        end: Offset after the header.
        values: For each key where its value begins and ends.
        children: The tables below an element of an array of tables.
    """

    header: str
    start: int
    end: int
    values: dict[str, tuple[int, int]] = field(default_factory=dict)
    children: list[Table] = field(default_factory=list)


@dataclass(slots=True)
class Scan:
    """What a scan found.

    Attributes:
        elements: The elements of the array of tables that was asked for.
        tables: The other tables by their header, the root under the empty one.
        regular: Whether each line had a known form, so that a parser would find the same.
    """

    elements: list[Table] = field(default_factory=list)
    tables: dict[str, list[Table]] = field(default_factory=dict)
    regular: bool = True


def scan(text: str, array: str) -> Scan:
    """Return the tables of a lock.

    Args:
        text: The whole file.
        array: The array of tables that holds the packages: ``package`` or ``packages``.

    Source: TOML 1.0, in the subset that uv, Poetry, PDM, pip and mousebender write.
    """
    if '"""' in text or "'''" in text:
        # a multi-line string may hold lines that look like headers
        return Scan(regular=False)
    return _Scanner(text, array).run()


def pairs(text: str, start: int, end: int) -> dict[str, str]:
    """Return the strings of the inline table between two offsets."""
    found = _pair().finditer(text, start, end)
    return {match[1].strip('"'): unquoted(match[2]) for match in found if match[2]}


def unquoted(raw: str) -> str:
    """Return the value of a string as :data:`STRING` matches it."""
    if "\\" not in raw or raw[0] == "'":
        return raw[1:-1]
    return _ESCAPE.sub(_unescaped, raw[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPES[match[2]]


class _Scanner:
    """Steps through a file statement by statement and sorts values into tables."""

    def __init__(self, text: str, array: str) -> None:
        self.text = text
        self.array = array
        self.found = Scan()
        self.table = Table("", 0, 0)
        self.found.tables[""] = [self.table]
        self.headers: set[str] = set()
        self.lists: set[str] = set()

    def run(self) -> Scan:
        text = self.text if self.text.endswith("\n") else self.text + "\n"
        statement, at = _statement(), 0
        while at < len(text):
            match = statement.match(text, at)
            if match is None:
                self.found.regular = False
                at = text.index("\n", at) + 1
                continue
            at = match.end()
            if match["key"] is not None:
                self._keep(match)
            elif match["header"] is not None:
                self._open(match)
        return self.found

    def _keep(self, match: re.Match[str]) -> None:
        key, values = match["key"], self.table.values
        if key[0] == '"':
            key = key[1:-1]
        if key in values or (key == self.array and not self.table.header):
            self.found.regular = False
            return
        values[key] = match.span("value")

    def _open(self, match: re.Match[str]) -> None:
        header = match["header"]
        table = self.table = Table(header, match.start(), match.end("header") + 1)
        elements = self.found.elements
        if match["list"]:
            table.end += 1
            self.lists.add(header)
        elif header in self.headers and not self._repeats(header):
            self.found.regular = False
        self.headers.add(header)
        if header == self.array:
            self.found.regular = self.found.regular and bool(match["list"])
            elements.append(table)
            self.headers.clear()
        elif header.startswith(self.array + "."):
            self.found.regular = self.found.regular and bool(elements)
            if elements:
                elements[-1].children.append(table)
        else:
            self.found.tables.setdefault(header, []).append(table)

    def _repeats(self, header: str) -> bool:
        """Return whether a table lies below an array, with one of its kind for each element."""
        parent = header.rpartition(".")[0]
        return parent in self.lists and parent != self.array
