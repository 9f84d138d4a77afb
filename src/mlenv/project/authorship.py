"""Whether a file says in its first comments that a program writes it."""

from __future__ import annotations

import re

_HEAD = 2000
_GENERATED = (
    r"^[ \t]*#.*(?:auto-?generated|generated) (?:by|with|using|from|via)[ \t]+(?:the )?[`'\"]?"
    r"(?P<author>[\w@./-]+)"
)
_DO_NOT_EDIT = r"^[ \t]*#.*\bdo not (?:edit|modify)\b"


def stated_author(text: str) -> str:
    """Return the program that a file names as its author; empty where it names none.

    Args:
        text: The file; only the comments in its beginning are looked at.
    """
    head = text[:_HEAD]
    if "#" not in head:
        return ""
    match = re.search(_GENERATED, head, re.IGNORECASE | re.MULTILINE)
    if match:
        return match["author"].rstrip(".")
    return "a program" if re.search(_DO_NOT_EDIT, head, re.IGNORECASE | re.MULTILINE) else ""
