"""The packages of a TOML lock by a real parser, for layouts that the fast scan does not know."""

from __future__ import annotations

from mlenv.project.locks.common import file_problem
from mlenv.project.locks.toml_entries import FILES, HASHED, KEPT, Tables, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from mlenv.model.text import Span
    from mlenv.project.toml_spans import TomlDocument


def from_document(document: TomlDocument, array: str) -> Tables:
    """Return what a parsed document holds.

    Args:
        document: The parsed file.
        array: The array of tables that holds the packages.
    """
    found = Tables()
    rest: dict[str, Any] = {key: item for key, item in document.values.items() if key != array}
    elements = document.values.get(array, [])
    if not isinstance(elements, list) or not all(isinstance(item, dict) for item in elements):
        found.problems.append(file_problem(document.source, 1, f"{array} is no array of tables"))
        elements = []
    for number, element in enumerate(elements):
        values = {key: _value(value) for key, value in element.items() if key in KEPT}
        files = [value for key, value in element.items() if key in FILES]
        span = _name_span(document, array, number, "name" in element)
        found.add(values, span, any(map(_has_digest, files)))
    found.tables = {"": [{key: _value(value) for key, value in rest.items()}]}
    for header, table in _tables_below(rest):
        found.tables.setdefault(header, []).append({k: _value(v) for k, v in table.items()})
    return found


def _name_span(document: TomlDocument, array: str, number: int, named: bool) -> Span:
    if named:
        return document.fragment((array, number, "name")).whole
    start = document.entry_span((array, number)).start
    return document.source.line_span(document.source.position(start)[0])


def _tables_below(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in table.items():
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, dict):
                yield prefix + key, item
                if not prefix:
                    yield from _tables_below(item, key + ".")


def _value(value: object) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if isinstance(item, str)}
    if isinstance(value, list):
        if value and isinstance(value[0], dict | list):
            return HASHED if _has_digest(value) else ()
        return tuple(item for item in value if isinstance(item, str))
    return ()


def _has_digest(value: object) -> bool:
    # one level of lists and one of tables is all that a lock has; nesting is bounded besides
    if isinstance(value, list):
        return any(map(_has_digest, value))
    return isinstance(value, dict) and bool(value.get("hash") or value.get("hashes"))
