"""How far a long task is, on stderr and for whoever watches: never to a file or a pipe."""

from __future__ import annotations

import sys
import time

_PATIENCE = 0.4
"""Seconds; what takes less needs no word."""
_INTERVAL = 0.1
_ERASE = "\r\x1b[K"


class Progress:
    """A line that counts, and is gone at the end.

    Args:
        what: What is counted, in a few words.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = self._last = time.monotonic()
        self._is_shown = False
        stream = sys.stderr
        self._stream = stream if stream is not None and stream.isatty() else None

    def close(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._write("")

    def __call__(self, done: int, total: int) -> None:
        """Show how far it is.

        Args:
            done: How many are done.
            total: How many there are.
        """
        if self._stream is None:
            return
        now = time.monotonic()
        if now - self._start < _PATIENCE or now - self._last < _INTERVAL:
            return
        self._last, self._is_shown = now, True
        self._write(f"mlenv: {self._what}: {done} of {total}")

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(f"{_ERASE}{text}")
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None
