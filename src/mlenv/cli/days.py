"""The day that ``--as-of`` names."""

from __future__ import annotations

from mlenv.errors import UsageError


def day(text: str) -> str:
    """Return a day as ``YYYY-MM-DD``; empty where none is named.

    Raises:
        UsageError: It is none.
    """
    if not text:
        return ""
    from time import strftime, strptime  # few audits name a day

    try:
        found = strftime("%Y-%m-%d", strptime(text, "%Y-%m-%d"))
    except ValueError:
        found = ""
    if found != text:
        raise UsageError(f"--as-of: {text!r} is no date such as 2027-01-31")
    return text
