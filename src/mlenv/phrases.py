"""Lists and numbers as people say them."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str], most: int) -> str:
    """Return names as a phrase: ``a, b``, or ``a, b, c and 4 more``.

    Args:
        names: In the order in which they are to be named.
        most: How many are named where some are only counted.
    """
    # one more name is no longer than a count of one
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
