"""Jinja in conda's recipes: constants filled in, and what depends on more told apart.

Source: conda-build's documentation, "Defining metadata (meta.yaml)", "Templating with Jinja";
rattler-build's, "Jinja" and "Selectors".
"""

from __future__ import annotations

import re
from bisect import bisect_right

from mlenv.model.text import Fragment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlenv.project.yaml_nodes import Scalar

_SET = re.compile(r"\{%-?\s*set\s+(\w+)\s*=\s*(?:[\"']([^\"'\n]*)[\"']|([\w.]+))\s*-?%\}")
_BLOCK = re.compile(r"\{%-?\s*(if|for|endif|endfor)\b")
_EXPRESSION = re.compile(r"\$?\{\{([^{}\n]*)\}\}")
_PLAIN = re.compile(r"\s*(\w+)\s*(?:\|\s*(lower|string|trim))?\s*")
_MAX_LENGTH = 2000
UNKNOWN = "\0"
"""Stands for what only a build tells; no recipe holds it, since YAML does not."""


def constants(text: str) -> dict[str, str]:
    """Return the values that ``{% set name = "value" %}`` gives once and for all."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for match in _SET.finditer(text):
        name = match[1]
        if name in found:
            twice.add(name)
        found[name] = match[2] if match[2] is not None else match[3]
    return {name: value for name, value in found.items() if name not in twice}


class Conditions:
    """The stretches of a recipe that a template keeps or leaves out."""

    def __init__(self, text: str) -> None:
        self.bounds: list[int] = []
        depth = 0
        for match in _BLOCK.finditer(text):
            before = depth
            depth = max(depth - 1, 0) if match[1].startswith("end") else depth + 1
            if (before == 0) != (depth == 0):
                self.bounds.append(match.start())

    def covers(self, offset: int) -> bool:
        """Whether what stands at an offset may be left out."""
        return bisect_right(self.bounds, offset) % 2 == 1


def filled(item: Scalar, known: Mapping[str, str]) -> Fragment:
    """Return an entry with its expressions filled in, :data:`UNKNOWN` where one cannot be.

    Args:
        item: The entry, parsed from a text in which templates were replaced.
        known: The constants.
    """
    span = item.span
    written = span.text
    if "{{" not in written:
        return item.fragment
    body = written.strip("\"'") if item.style in ("'", '"') else written

    def value(match: re.Match[str]) -> str:
        name = _PLAIN.fullmatch(match[1])
        found = known.get(name[1]) if name else None
        if found is None or name is None:
            return UNKNOWN
        return found.lower() if name[2] == "lower" else found

    text = _EXPRESSION.sub(value, body[:_MAX_LENGTH])
    return Fragment.decoded(text, span)


def pinned_name(written: str) -> str:
    """Return the package of ``{{ pin_compatible("numpy") }}``; empty for any other expression."""
    match = re.search(r"\{\{\s*pin_compatible\(\s*[\"']([\w.-]+)[\"']", written)
    return match[1] if match else ""


def is_of_the_build(written: str) -> bool:
    """Whether an expression names a compiler or a part of the recipe itself."""
    pattern = r"\{\{\s*(?:compiler|stdlib|cdt|pin_subpackage)\("
    return re.search(pattern, written) is not None
