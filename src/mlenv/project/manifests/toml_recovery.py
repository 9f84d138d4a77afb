"""A TOML manifest opened even where a merge conflict or a template spoils it."""

from __future__ import annotations

import re

from mlenv.model.source import MERGE_CONFLICT, TEMPLATE, UNREADABLE_FILE, Problem
from mlenv.project.conflicts import without_conflicts
from mlenv.project.toml_spans import TomlDocument, TomlError, read_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.text import SourceText

# Texts, not compiled patterns: hardly a file needs them
_MARKER = r"(?m)^[<|=>]{7}(?:[ \r][^\n]*)?$"
_NOT_OURS = r"(?m)^(?:\|{7}|={7})(?:[ \r][^\n]*)?\n(?:(?![<|=>]{7})[^\n]*\n)*"
_TEMPLATE_LINE = r"(?m)^[ \t]*\{[%{#][^\n]*[%}#]\}[ \t\r]*$"


def open_toml(text: SourceText) -> tuple[TomlDocument | None, list[Problem]]:
    """Return a file's TOML, where any can be had, and the problems with it.

    A file with conflict markers or lines of a template is read without them: first with both
    sides of a conflict, then, where these contradict each other, with the first side alone.
    """
    found = read_toml(text)
    if isinstance(found, TomlDocument):
        return found, []
    problems = without_conflicts(text)[1] or [_problem(text, found)]
    for attempt in _attempts(text.text, problems[0].kind):
        document = read_toml(text, attempt)
        if isinstance(document, TomlDocument):
            return document, problems
    return None, problems


def _problem(text: SourceText, error: TomlError) -> Problem:
    # at the end of the file there is nothing to see: the last line with text is where it broke off
    offset = min(error.offset, len(text.text.rstrip()))
    span = text.line_span(text.position(offset)[0])
    if re.fullmatch(_MARKER, span.text):
        advice = "remove the marker that was left"
        return Problem(MERGE_CONFLICT, span, "a merge conflict was half resolved", help=advice)
    if "{{" in span.text or "{%" in span.text:
        return Problem(TEMPLATE, span, "filled in by a template", fatal=False)
    return Problem(UNREADABLE_FILE, span, error.message)


def _attempts(text: str, kind: str) -> Iterator[str]:
    if kind == MERGE_CONFLICT:
        yield re.sub(_MARKER, _blank, text)
        yield re.sub(_MARKER, _blank, re.sub(_NOT_OURS, _blank, text))
    elif kind == TEMPLATE:
        yield re.sub(_TEMPLATE_LINE, _blank, text)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\r\n]", " ", match.group())
