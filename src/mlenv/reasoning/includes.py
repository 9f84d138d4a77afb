"""Where the includes of a project's files lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from mlenv.model.project import Project
from mlenv.model.source import Include


@lru_cache(maxsize=4)
def include_targets(project: Project) -> Mapping[tuple[str, int], Sequence[str]]:
    """Return where the includes of a project lead, by the file that names them and the place.

    What leads to nothing that was read has no entry. A place may name several files.
    """
    found: dict[tuple[str, int], list[str]] = {}
    for one in project.includes:
        found.setdefault((one.origin, one.include.span.start), []).append(one.target)
    return found


def targets_of(path: str, include: Include, project: Project) -> Sequence[str]:
    """Return the files that an include of a file leads to.

    Args:
        path: The file that names it.
        include: One of the file's own, or of its commands.
        project: What surrounds it.
    """
    return include_targets(project).get((path, include.span.start), ())
