"""The files of a machine beneath a folder that stands for ``/``, read in part and never run."""

from __future__ import annotations

import os

_MOST_BYTES = 1 << 16
_MOST_NAMES = 20_000


class Root:
    """A folder that stands for ``/``; what leads out of it counts as not there.

    Args:
        folder: The folder; ``/`` for this machine's own.
    """

    def __init__(self, folder: str = "/") -> None:
        self._folder = "" if folder == "/" else os.path.realpath(folder)

    def place(self, path: str) -> str:
        """Return where a path lies for this process; empty for one that is relative, or leads out.

        Args:
            path: As a program on that machine would write it.
        """
        if not path or "\0" in path or not os.path.isabs(path):
            return ""
        if not self._folder:
            return path
        inside = os.path.join(self._folder, path.lstrip("/"))
        top = self._folder.rstrip(os.sep) + os.sep
        return inside if (os.path.realpath(inside) + os.sep).startswith(top) else ""

    def has(self, path: str) -> bool:
        """Whether there is something at a path."""
        place = self.place(path)
        return bool(place) and os.path.exists(place)

    def is_file(self, path: str) -> bool:
        """Whether there is a file at a path."""
        place = self.place(path)
        return bool(place) and os.path.isfile(place)

    def read(self, path: str) -> str:
        """Return the beginning of a file; nothing where it cannot be read."""
        if not self.is_file(path):
            return ""
        try:
            with open(self.place(path), encoding="utf-8", errors="replace") as file:
                return file.read(_MOST_BYTES)
        except OSError:
            return ""

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, sorted; none where it cannot be listed."""
        place = self.place(path)
        try:
            return sorted(os.listdir(place))[:_MOST_NAMES] if place else []
        except OSError:
            return []

    def last_link(self, path: str) -> str:
        """Return the name of the file that a link leads to; its own where it is no link."""
        place = self.place(path)
        return os.path.basename(os.path.realpath(place)) if place else ""


HERE = Root()
"""This machine's own files."""
