"""Strings that a setup.py puts together, known as far as their parts are."""

from __future__ import annotations

import re

from mlenv.model.text import Fragment
from mlenv.project.manifests.setup_values import Text, Unknown, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Span

_SLOTS = re.compile(r"\{\{|\}\}|\{(\w*)\}|[{}]")
_PERCENTS = re.compile(r"%%|%s|%")
_MAX_TEXT = 10_000


def joined(parts: list[Value], span: Span) -> Text | Unknown:
    """Return strings put together, known as far as the first of them that is unknown.

    Args:
        parts: The strings.
        span: Where they are put together.
    """
    text = ""
    for part in parts:
        if not isinstance(part, Text):
            head = part.head if isinstance(part, Unknown) else ""
            return Unknown(span, text + head)
        text += part.value
        if len(text) > _MAX_TEXT:
            return Unknown(span)
    return Text(Fragment.decoded(text, span))


def formatted(base: Text, given: list[Value], named: dict[str, Value], span: Span) -> Value:
    """Return what ``str.format`` makes of plain slots; formats are left alone."""
    parts: list[Value] = []
    begin = count = 0
    for match in _SLOTS.finditer(base.value):
        parts.append(_piece(base.value[begin : match.start()], span))
        begin = match.end()
        slot = match[1]
        if slot is None:
            is_doubled = len(match.group()) > 1
            parts.append(_piece(match.group()[0], span) if is_doubled else Unknown(span))
        elif slot and not slot.isdecimal():
            parts.append(named.get(slot) or Unknown(span))
        else:
            at = int(slot[:3]) if slot else count
            count += 1
            parts.append(given[at] if at < len(given) else Unknown(span))
    return joined([*parts, _piece(base.value[begin:], span)], span)


def percent(base: Text, given: list[Value], span: Span) -> Value:
    """Return what ``%`` makes of ``%s``; other formats are left alone."""
    parts: list[Value] = []
    begin = count = 0
    for match in _PERCENTS.finditer(base.value):
        parts.append(_piece(base.value[begin : match.start()], span))
        begin = match.end()
        if match.group() == "%%":
            parts.append(_piece("%", span))
        elif match.group() == "%s" and count < len(given):
            parts.append(given[count])
            count += 1
        else:
            parts.append(Unknown(span))
    return joined([*parts, _piece(base.value[begin:], span)], span)


def _piece(text: str, span: Span) -> Text:
    return Text(Fragment.decoded(text, span))
