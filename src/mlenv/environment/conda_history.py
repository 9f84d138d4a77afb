"""What conda did to an environment, and in which order: ``conda-meta/history``.

Source: conda, ``conda/history.py``; conda enhancement proposals, "Management and structure of conda
environments". The first change lists all packages, in old files without a sign; the others have
``+`` and ``-``. Times are those of the clock on the wall, without a zone.
"""

from __future__ import annotations

import os
import re

from mlenv.environment.disk import read_text
from mlenv.model.environment import CondaChange

_MOST_BYTES = 8 << 20
_MOST = 10_000
_HEAD = r"==>\s*(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*<=="
_LAST = "==> 0000-00-00 00:00:00 <=="
"""Ends the change before it."""
_PACKAGE = r"([+-]?)(?:\S*::)?([A-Za-z0-9_.-]{1,200})-[^\s-]{1,100}-[^\s-]{1,100}"


def read_history(prefix: str) -> tuple[CondaChange, ...]:
    """Return conda's changes in their order; none where there is no history."""
    text = read_text(os.path.join(prefix, "conda-meta", "history"), _MOST_BYTES)
    found: list[CondaChange] = []
    at, added, removed = "", list[str](), list[str]()
    for line in (*text.splitlines(), _LAST):
        said = line.strip()
        head = re.fullmatch(_HEAD, said)
        if head is not None:
            if at and len(found) < _MOST:
                found.append(CondaChange(at, tuple(added), tuple(removed)))
            at, added, removed = head[1], [], []
        elif (package := re.fullmatch(_PACKAGE, said)) is not None:
            (removed if package[1] == "-" else added).append(package[2].lower())
    return tuple(found)
