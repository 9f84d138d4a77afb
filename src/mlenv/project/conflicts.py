"""Merge conflicts that were committed: one problem each, and the text without their markers."""

from __future__ import annotations

import re

from mlenv.model.source import MERGE_CONFLICT, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlenv.model.text import SourceText, Span

_OPENS = "<<<<<<<"
_SEEN = re.compile(r"^(?:<{7}|>{7})", re.MULTILINE)
_MARKER = re.compile(
    r"^(?:<{7}(?: [^\r\n]*)?|\|{7}(?: [^\r\n]*)?|={7}|>{7}(?: [^\r\n]*)?)(?=\r?$)", re.MULTILINE
)


def is_marker(line: str) -> bool:
    """Whether a line is one of the markers that git writes into a conflict."""
    return _MARKER.fullmatch(line) is not None


def conflict_problems(markers: Iterable[Span]) -> list[Problem]:
    """Return one problem for each conflict, however many markers it has.

    Args:
        markers: Where the markers of a file stand, in their order.
    """
    groups: list[list[Span]] = []
    for span in markers:
        if not groups or (span.text.startswith(_OPENS) and len(groups[-1]) > 1):
            groups.append([])
        groups[-1].append(span)
    return [
        Problem(
            MERGE_CONFLICT,
            spans[0],
            "a merge conflict was committed",
            help="resolve the conflict and remove its markers",
            related=tuple((span, "marker") for span in spans[1:]),
        )
        for spans in groups
    ]


def without_conflicts(source: SourceText, text: str | None = None) -> tuple[str, list[Problem]]:
    """Return a text with the markers of conflicts blanked, and a problem for each conflict.

    Both sides stay; every other character stays where it is.

    Args:
        source: The file.
        text: What to take in its place, of the same length.
    """
    text = source.text if text is None else text
    if (_OPENS not in text and ">>>>>>>" not in text) or _SEEN.search(text) is None:
        return text, []
    problems = conflict_problems(source.span(*match.span()) for match in _MARKER.finditer(text))
    return _MARKER.sub(lambda match: " " * len(match.group()), text), problems
