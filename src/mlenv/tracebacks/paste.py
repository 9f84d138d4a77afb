"""What was pasted, as lines: terminals' codes taken out, and of what was overwritten the last."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_BYTES = 1 << 20
_CODES = re.compile(
    r"\x1b\[[0-?]{0,32}[ -/]{0,4}[@-~]"  # colours and movements
    r"|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)"  # titles and links
    r"|\x1b[()*+][0-9A-Za-z]|\x1b[=>78cDEHMNOZ]"
)
"""Source: ECMA-48; xterm, "Control Sequences"."""
_SITE = re.compile(r"(?:site|dist)-packages[/\\]([A-Za-z0-9_]{1,60})")
_LONGEST = 4_000
_OVERLAP = 500
"""A line that is longer is looked at in pieces, each of which has the end of the one before."""


def decoded(content: bytes) -> str:
    """Return the text of what was pasted, whatever it is.

    Args:
        content: Its bytes; PowerShell writes UTF-16 with a byte order mark.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line as a terminal would have left it, long ones in pieces.

    Args:
        text: What was pasted.
    """
    for number, line in enumerate(_CODES.sub("", text).split("\n"), start=1):
        # a progress bar draws itself over and over: what follows the last return is left
        shown = line.rstrip("\r").rpartition("\r")[2].rstrip()
        if len(shown) <= _LONGEST:
            yield number, shown
            continue
        for start in range(0, len(shown), _LONGEST - _OVERLAP):
            yield number, shown[start : start + _LONGEST]


def modules_in(text: str) -> tuple[str, ...]:
    """Return the top-level modules whose files a traceback goes through, the last first.

    Args:
        text: All that was pasted.
    """
    return tuple(dict.fromkeys(reversed(_SITE.findall(text))))
