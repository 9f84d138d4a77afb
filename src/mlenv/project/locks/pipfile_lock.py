"""Pipfile.lock to the model."""

from __future__ import annotations

import re

from mlenv.model.requirement import LockedPackage, canonical_name
from mlenv.model.text import SourceText, Span
from mlenv.project.locks.common import file_problem, lock_source, python_statement
from mlenv.versions.version_set import pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    from mlenv.model.source import Problem, Source, Statement

# a string that is never closed goes on to the end, or every quote in it would be tried anew
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_VALUE = re.compile(r"\s*:\s*")
_MAX_BROKEN = 100
_META = "_meta"
_DIRECT = ("git", "hg", "svn", "bzr", "file", "path", "url")

Sections: TypeAlias = "dict[str, dict[str, Any]]"


def read(text: SourceText) -> Source:
    """Return what a Pipfile.lock records, in ``default``, ``develop`` and its other categories.

    The origin is the index that an entry names, as the lock's sources resolve it, or its direct
    reference; an entry with such a reference has no version.

    Source: pipenv's documentation, "Pipfile & Pipfile.lock"; pipfile-spec 6.
    """
    places = list(_places(text.text))
    sections, problems = _sections(text, places)
    indexes = _indexes(sections.get(_META, {}))
    locked = [
        _package(text, start, end, sections[section][name], indexes)
        for section, name, start, end in places
        if section != _META and name and isinstance(sections.get(section, {}).get(name), dict)
    ]
    return lock_source(
        text,
        "pipfile-lock",
        locked,
        problems,
        statements=_python(text, sections.get(_META, {})),
        generated_by="pipenv",
    )


def _places(text: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield section, key, and offsets of each key of the second level, of a broken file too."""
    depth, section = 0, ""
    for match in _TOKEN.finditer(text):
        first = text[match.start()]
        if first in "[{":
            depth += 1
        elif first in "]}":
            depth -= 1
        elif depth in (1, 2) and _VALUE.match(text, match.end()):
            name = _decoded(match[0])
            if depth == 1:
                section = name
            else:
                yield section, name, match.start() + 1, match.end() - 1


def _decoded(quoted: str) -> str:
    import json

    if "\\" not in quoted:
        return quoted[1:-1]
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]


def _sections(
    text: SourceText, places: list[tuple[str, str, int, int]]
) -> tuple[Sections, list[Problem]]:
    import json

    try:
        document = json.loads(text.text)
    except json.JSONDecodeError as error:
        return _salvaged(text.text, places), [file_problem(text, error.lineno, error.msg)]
    except (ValueError, RecursionError) as error:
        return {}, [file_problem(text, 1, str(error))]
    if not isinstance(document, dict):
        return {}, [file_problem(text, 1, "not an object")]
    return {key: value for key, value in document.items() if isinstance(value, dict)}, []


def _salvaged(text: str, places: list[tuple[str, str, int, int]]) -> Sections:
    """Return those entries of a broken file that are whole in themselves."""
    import json

    decoder = json.JSONDecoder()
    sections: Sections = {}
    broken = 0
    for section, name, _, end in places:
        colon = _VALUE.match(text, end + 1)
        try:
            value, _ = decoder.raw_decode(text, colon.end() if colon else end)
        except (ValueError, RecursionError):
            broken += 1
            if broken > _MAX_BROKEN:  # each error counts the lines before it
                break
            continue
        sections.setdefault(section, {})[name] = value
    return sections


def _indexes(meta: dict[str, Any]) -> dict[str, str]:
    sources = meta.get("sources")
    return {
        str(source.get("name")): str(source.get("url", ""))
        for source in (sources if isinstance(sources, list) else ())
        if isinstance(source, dict)
    }


def _python(text: SourceText, meta: dict[str, Any]) -> tuple[Statement, ...]:
    requires = meta.get("requires")
    if isinstance(requires, dict):
        for key, form in (("python_full_version", "=={}"), ("python_version", "=={}.*")):
            value = requires.get(key)
            if isinstance(value, str) and value:
                constraint = form.format(value) if value[0].isdigit() else value
                return python_statement(text, key, value, pep440(constraint))
    return ()


def _package(
    text: SourceText, start: int, end: int, entry: dict[str, Any], indexes: dict[str, str]
) -> LockedPackage:
    written = _decoded(text.text[start - 1 : end + 1])
    index = _string(entry, "index")
    direct = next((found for key in _DIRECT if (found := _string(entry, key))), "")
    return LockedPackage(
        canonical_name(written),
        written,
        _string(entry, "version").lstrip("=").strip(" *"),
        Span(text, start, end),
        origin=direct or indexes.get(index, index),
        marker=_string(entry, "markers"),
        hashed=bool(entry.get("hashes")),
    )


def _string(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
