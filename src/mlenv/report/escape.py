"""Makes text from a manifest fit to show: no control character and no credential gets through.

Credentials are masked first and characters escaped second, since an escaped URL is no URL any
more.
"""

from __future__ import annotations

import re

from mlenv.credentials import MASK, mask, secrets

__all__ = ["MASK", "clean", "command_brackets", "escaped", "mask", "secrets", "visible"]

_RUNNER_COMMAND = r"##\w{0,20}\["
"""What CI runners take for a command anywhere in a line (``##[group]``, ``##vso[…]``)."""


def command_brackets(text: str) -> frozenset[int]:
    """Return the offsets of brackets that would make a CI runner take a text for a command."""
    if "##" not in text:
        return frozenset()
    return frozenset(match.end() - 1 for match in re.finditer(_RUNNER_COMMAND, text))


def escaped(character: str) -> str:
    r"""Return one character as a visible escape such as ``\x1b`` or ``\u202e``."""
    if character == "[":
        return "\\x5b"
    return character.encode("unicode_escape").decode("ascii")


def visible(text: str) -> str:
    """Return a text in which every character can be seen, and none acts on a terminal.

    Controls, direction marks, invisible and unassigned characters, odd blanks, line separators
    and lone surrogates become visible escapes: all that ``str.isprintable`` denies.
    """
    brackets = command_brackets(text)
    if not brackets and text.isprintable():
        return text
    return "".join(
        escaped(character) if at in brackets or not character.isprintable() else character
        for at, character in enumerate(text)
    )


def clean(text: str) -> str:
    """Return a text without credentials and without anything that acts on a terminal."""
    return visible(mask(text))
