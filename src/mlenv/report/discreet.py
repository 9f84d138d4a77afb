"""Takes out of a text what tells who and where somebody is: people paste these reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_HOMES = (
    r"(?:/home|/Users|[A-Za-z]:[\\/](?i:Users))[\\/]+[^\s\\/:;,'\"()]+"
    r"|(?<![\w.])/root(?=[/\s:;,'\")]|$)"
)
"""Folders of users, whoever they are; Windows does not tell cases apart."""


def discretion(folders: Mapping[str, str]) -> Callable[[str], str]:
    """Return a function that takes folders out of a text.

    Args:
        folders: Whole paths with what stands for them: the environment, the user's home, the
            working folder. The homes of all users are taken out in any case.
    """
    known = {
        path.rstrip("/\\"): word for path, word in folders.items() if len(path.rstrip("/\\")) > 1
    }
    first = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))

    def discreet(text: str) -> str:
        if first:
            text = re.sub(rf"(?:{first})(?=[\\/\s:;,'\")]|$)", lambda one: known[one[0]], text)
        return re.sub(_HOMES, "~", text)

    return discreet


def everywhere(value: object, change: Callable[[str], str]) -> object:
    """Return a document with each text in it changed; its keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: everywhere(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [everywhere(item, change) for item in value]
    return value
