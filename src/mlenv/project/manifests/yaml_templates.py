"""Jinja in YAML files: reported, and replaced so that the rest of the file can be parsed."""

from __future__ import annotations

import re

from mlenv.model.source import TEMPLATE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText

_OPENINGS = re.compile(r"\{[{%]")
_CLOSINGS = {"{{": "}}", "{%": "%}"}
_YAML_COMMENT = re.compile(r"(?:^|\s)#")


def without_templates(source: SourceText) -> tuple[str | None, list[Problem]]:
    """Return a text of the same length without Jinja, and a problem for each line that has some.

    Statements become blanks; expressions become letters, so that an entry stays an entry.

    Args:
        source: The file.

    Returns:
        The text, or None where there is nothing to replace.
    """
    text = source.text
    problems: list[Problem] = []
    if "{{" not in text and "{%" not in text:
        return None, problems
    lines = text.splitlines(keepends=True)
    at = 0
    for number, line in enumerate(lines):
        filled = _filled_in(line) if "{{" in line or "{%" in line else line
        if filled != line:
            lines[number] = filled
            start = at + len(line) - len(line.lstrip())
            span = source.span(start, at + len(line.rstrip()))
            detail = "filled in by a template engine, which conda does not run"
            problems.append(Problem(TEMPLATE, span, detail, fatal=False))
        at += len(line)
    return "".join(lines), problems


def _filled_in(line: str) -> str:
    """Return a line with statements of a template blanked and its expressions made letters."""
    comment = _YAML_COMMENT.search(line)
    limit = comment.start() if comment else len(line)
    ends = {"}}": -1, "%}": -1}
    at = 0
    parts = []
    for match in _OPENINGS.finditer(line, 0, limit):
        if match.start() < at:
            continue
        closing = _CLOSINGS[match.group()]
        if ends[closing] < match.end():
            found = line.find(closing, match.end())
            ends[closing] = found if found >= 0 else len(line)
        if ends[closing] == len(line):
            continue
        end = ends[closing] + 2
        filler = "x" if closing == "}}" else " "
        parts += [line[at : match.start()], filler * (end - match.start())]
        at = end
    return "".join(parts) + line[at:]
