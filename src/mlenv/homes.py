"""The user's home in paths that are shown: its name is the user's, and reports are handed on."""

from __future__ import annotations

import os
from collections.abc import Mapping


def home_of(variables: Mapping[str, str]) -> str:
    """Return the user's home with a separator at its end; empty where that is not known.

    Args:
        variables: Of the process.
    """
    home = variables.get("HOME") or variables.get("USERPROFILE", "")
    # accounts without a home of their own have that of the whole machine
    is_own = os.path.isabs(home) and os.path.dirname(home) != home
    return home.rstrip(os.sep) + os.sep if is_own else ""


def without_home(path: str, home: str) -> str:
    """Return a path in which ``~`` stands for the home that it begins with.

    Args:
        path: A whole path, or any other text.
        home: As :func:`home_of` has it.
    """
    if not home or not f"{path}{os.sep}".startswith(home):
        return path
    return f"~/{path[len(home) :]}".rstrip("/")
