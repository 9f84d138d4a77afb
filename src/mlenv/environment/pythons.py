"""Which Pythons a prefix has: folders of one that is gone, and one that the system keeps."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mlenv.environment.disk import names_in
from mlenv.environment.layout import Layout
from mlenv.model.environment import SYSTEM

_METADATA = (".dist-info", ".egg-info")
_MARKER = "EXTERNALLY-MANAGED"


def other_pythons(layout: Layout) -> Iterator[tuple[str, int]]:
    """Yield folders with packages for Pythons that are not the environment's, and how many.

    Several Pythons side by side are usual under the system's prefixes, and told of none.

    Args:
        layout: How the environment is laid out.
    """
    for folder in layout.others if layout.manager != SYSTEM else ():
        count = sum(name.endswith(_METADATA) for name in names_in(folder))
        if count:
            yield folder, count


def managed_marker(layout: Layout) -> str:
    """Return the file by which a system keeps its Python for itself; empty where there is none.

    Args:
        layout: How the environment is laid out.

    Source: PyPA specifications, "Externally Managed Environments".
    """
    if layout.manager != SYSTEM or not layout.python:
        return ""
    for library in ("lib", "lib64"):
        path = os.path.join(layout.prefix, library, f"python{layout.python}", _MARKER)
        if os.path.isfile(path):
            return path
    return ""
