"""The packages of a TOML lock as plain values, by the fast scan or else by a real parser."""

from __future__ import annotations

import re

from mlenv.project.locks import toml_scan
from mlenv.project.locks.common import file_problem
from mlenv.project.locks.toml_document import from_document
from mlenv.project.locks.toml_entries import FILES, HASHED, KEPT, Tables, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText, Span

_DIGEST = re.compile(r"""[{ ]hash(?:es)? = (?:"[^"]|'[^']|\{ ?[A-Za-z0-9"_-])""")


def read_tables(text: SourceText, array: str) -> Tables:
    """Return the packages and the other tables of a lock.

    Args:
        text: The file.
        array: The array of tables that holds the packages.
    """
    scanned = toml_scan.scan(text.text, array)
    if scanned.regular:
        return from_scan(text, scanned)
    return _parsed(text, array, scanned)


def _parsed(text: SourceText, array: str, scanned: toml_scan.Scan) -> Tables:
    from mlenv.project.toml_spans import TomlError, read_toml

    document = read_toml(text)
    if not isinstance(document, TomlError):
        return from_document(document, array)
    found = from_scan(text, scanned)
    line = text.position(document.offset)[0]
    # a nameless package is no news in a file that breaks off
    found.problems = [file_problem(text, line, document.message)]
    return found


def from_scan(text: SourceText, scanned: toml_scan.Scan) -> Tables:
    """Return what a scan found, with values in place of offsets."""
    found = Tables()
    for element in scanned.elements:
        values: dict[str, Value] = {
            key: _raw_value(text.text, *place)
            for key, place in element.values.items()
            if key in KEPT
        }
        for child in element.children:
            name = child.header.partition(".")[2]
            if name in KEPT and name not in values:
                values[name] = _strings(_raw_values(text.text, child))
        place = element.values.get("name")
        span = _inside(text, *place) if place else text.span(element.start, element.end)
        found.add(values, span, _scanned_digest(text.text, element))
    for header, tables in scanned.tables.items():
        found.tables[header] = [_raw_values(text.text, table) for table in tables]
    return found


def _inside(text: SourceText, start: int, end: int) -> Span:
    quoted = end - start > 2 and text.text[start] in "\"'"
    return text.span(start + 1, end - 1) if quoted else text.span(start, end)


def _scanned_digest(text: str, element: toml_scan.Table) -> bool:
    for key in FILES & element.values.keys():
        if _DIGEST.search(text, *element.values[key]):
            return True
    for child in element.children:
        parts = child.header.split(".")
        if parts[1] in FILES:
            if parts[-1] == "hashes" and child.values:
                return True
            places = (child.values.get("hash"), child.values.get("hashes"))
            if any(place and text[place[0] : place[1]] not in _EMPTY for place in places):
                return True
    return False


_EMPTY = frozenset(('""', "''", "{}", "{ }", "[]"))


def _raw_values(text: str, table: toml_scan.Table) -> dict[str, Value]:
    return {key: _raw_value(text, *place) for key, place in table.values.items()}


def _strings(values: dict[str, Value]) -> dict[str, str]:
    return {key: value for key, value in values.items() if isinstance(value, str)}


def _raw_value(text: str, start: int, end: int) -> Value:
    first = text[start]
    if first in "\"'":
        return toml_scan.unquoted(text[start:end])
    if first == "{":
        return toml_scan.pairs(text, start, end)
    if first != "[":
        return ()
    row = start + 1
    while text[row] in " \t\r\n":
        row += 1
    if text[row] in "{[":
        return HASHED if _DIGEST.search(text, start, end) else ()
    return tuple(toml_scan.unquoted(m[0]) for m in toml_scan.STRING.finditer(text, start, end))
