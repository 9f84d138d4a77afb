"""Which of a project's code runs with which of its installations."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from mlenv.model.project import Project
from mlenv.model.source import CONTEXT
from mlenv.paths import folders_above
from mlenv.reasoning.setting import Setting
from mlenv.records import dataclass

_ASIDE = (
    r"(?i)(?:^|/)(?:(?:[^-_/]+[-_])*tests?|testing|test_?data|(?:[^-_/]+[-_])*docs?|documentation"
    r"|examples?|demos?|tutorials?|samples?|benchmarks?|cookbooks?|recipes|research_projects"
    r"|\.[^/]+)(?:[_-][^/]*)?/"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|setup|noxfile)\.(?:py|ipynb)$"
)
"""Folders and files that show, try or build what a project does, and are not it."""


@dataclass(frozen=True, slots=True, eq=False)
class Realm:
    """The code that an installation is for.

    Attributes:
        folder: The folder that it lies in; empty for the root, None where there is none.
        inner: Folders in it that have installations of their own.
    """

    folder: str | None
    inner: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a file runs with the installation."""
        if self.folder is None or not _is_below(path, self.folder):
            return False
        return not any(_is_below(path, folder) for folder in self.inner)

    def is_aside(self, path: str) -> bool:
        """Whether a file of it only tries, shows or documents."""
        return _is_aside(path, self.folder or "")


def realm_of(setting: Setting, project: Project) -> Realm:
    """Return the code that an installation is for: what lies around the file that states it.

    That is the nearest folder above the file that has code. Code below a folder with an
    installation of its own runs with that one.
    """
    if setting.source is None:
        return Realm("", ())
    homes = _homes(project)
    folder = homes.get(setting.source.path)
    if folder is None:
        return Realm(None)
    inner = {one for one in homes.values() if one is not None and one != folder}
    return Realm(folder, tuple(sorted(one for one in inner if _is_below(one, folder))))


@lru_cache(maxsize=4)
def _homes(project: Project) -> dict[str, str | None]:
    """Return the folder of code that each file that installs something is for."""
    return {
        path: _home(path, project.code.paths)
        for path, source in project.sources.items()
        if source.role != CONTEXT and (source.requirements or source.locked or source.commands)
    }


def _home(path: str, paths: Sequence[str]) -> str | None:
    for folder in folders_above(path):
        if _has_code(folder, paths):
            # what serves tests, examples or documentation alone says nothing of the rest
            return None if _is_aside(f"{path.rpartition('/')[0]}/", folder) else folder
    return None


def _has_code(folder: str, paths: Sequence[str]) -> bool:
    at = bisect_left(paths, f"{folder}/") if folder else 0
    while at < len(paths) and _is_below(paths[at], folder):
        if not _is_aside(paths[at], folder):
            return True
        at += 1
    return False


def _is_below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _is_aside(path: str, folder: str) -> bool:
    inner = path[len(folder) + 1 :] if folder else path
    return re.search(_ASIDE, inner) is not None
