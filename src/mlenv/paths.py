"""Paths of a project as text, with ``/`` whatever the system."""

from __future__ import annotations

from collections.abc import Iterator


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders that hold a path, the nearest first and the root, as ``""``, last.

    Args:
        path: A file or folder relative to the root; the root itself is in nothing.
    """
    while path:
        path = path.rpartition("/")[0]
        yield path
