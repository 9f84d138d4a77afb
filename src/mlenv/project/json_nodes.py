"""JSON with comments as a tree of nodes that know where they stand.

JSON is YAML once the comments are gone, so the nodes and limits are those of
:mod:`mlenv.project.yaml_nodes`.
"""

from __future__ import annotations

import json
import re

from mlenv.model.source import MERGE_CONFLICT
from mlenv.model.text import SourceText
from mlenv.project.yaml_nodes import Document, read_yaml

_STRING = r'"(?:[^"\\\r\n]|\\.)*"?'
_COMMENTS = rf"{_STRING}|//[^\r\n]*|(?s:/\*(?:.*?\*/|.*))"
_COMMAS = rf"{_STRING}|,(?=\s*[\]}}])|[&*]"
"""With them go the signs by which YAML would make one value of many."""


def read_json(source: SourceText) -> Document:
    """Read a JSON file that may hold comments and trailing commas; never fails.

    Source: the JSON with Comments mode of Visual Studio Code.
    """
    bare = without_comments(source.text)
    document = read_yaml(source, bare)
    if document.problems and _is_json(bare):  # YAML forbids some escapes and characters of JSON
        kept = tuple(problem for problem in document.problems if problem.kind == MERGE_CONFLICT)
        return Document(document.root, kept)
    return document


def without_comments(text: str) -> str:
    """Return a text with its comments and trailing commas blanked; all else stays in its place."""
    return re.sub(_COMMAS, _blanked, re.sub(_COMMENTS, _blanked, text))


def _blanked(match: re.Match[str]) -> str:
    found = match.group()
    return found if found.startswith('"') else re.sub(r"[^\r\n]", " ", found)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True
