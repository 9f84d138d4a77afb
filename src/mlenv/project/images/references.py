"""References to images outside of Dockerfiles: what variables in them stand for."""

from __future__ import annotations

import re

from mlenv.model.image import Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlenv.model.text import Span

_VARIABLE = re.compile(
    r"\$(?:(?P<escape>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>\w+)(?P<rest>[^{}$]*)\})"
)
_MAX_ROUNDS = 4
"""How deep defaults within defaults and variables within variables are followed."""
_MAX_LENGTH = 1000
"""No reference is longer; what is would grow with each variable."""


def is_complete(image: str) -> bool:
    """Whether nothing of a reference is left open to a variable or a template."""
    return "$" not in image and "{{" not in image


def stage(image: str, span: Span, variables: Mapping[str, str]) -> Stage:
    """Return the base image that a reference names.

    Args:
        image: The reference as written.
        span: Where.
        variables: What is known of the variables in it.
    """
    found = substituted(image, variables)
    return Stage(found, span, is_complete=is_complete(found))


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with its variables replaced, so far as they are known or have a default.

    Source: the Compose file reference, "Interpolation".
    """

    def value(match: re.Match[str]) -> str:
        if match["escape"]:
            return match.group()
        known = variables.get(match["bare"] or match["name"], "")
        if known and len(known) <= _MAX_LENGTH:
            return known
        rest = match["rest"] or ""
        default = rest.removeprefix(":")
        return default[1:] if default.startswith("-") else match.group()

    for _ in range(_MAX_ROUNDS):
        replaced = _VARIABLE.sub(value, text) if len(text) <= _MAX_LENGTH else text
        if replaced == text:
            break
        text = replaced
    return text
