"""The code and the models of a project, noted on the way and opened when somebody asks."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from mlenv.project.discover import CODE, Noted, is_ignored, walk
from mlenv.project.files import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.usage import Saved, Use
    from mlenv.project.gitignore import IgnoreFile
    from mlenv.project.place import Place

_FOREIGN = frozenset(
    ("build", "extern", "external", "externals", "submodules", "vendored", "vendors", "_vendored")
)
"""Folders of code that others wrote, or that a tool copied."""


class ProjectCode:
    """The code of a project; see :class:`mlenv.model.usage.Code`.

    Attributes:
        noted: What the walk over the audited folders met, which fills it.

    Args:
        tree: Reads the files.
        place: Where the project lies.
        excluded: What the configuration leaves out.
    """

    def __init__(self, tree: Tree, place: Place, excluded: tuple[IgnoreFile, ...] = ()) -> None:
        self.noted: list[Noted] = []
        self._tree = tree
        self._place = place
        self._excluded = excluded
        self._answers: dict[str, tuple[Use, ...]] = {}

    @cached_property
    def paths(self) -> Sequence[str]:
        """The files, relative to the root, in order of path, with those that git ignores."""
        return sorted(path for path in self._patterns if path.endswith(CODE))

    @cached_property
    def _patterns(self) -> dict[str, tuple[IgnoreFile, ...]]:
        """What decides whether each file is left out."""
        if not self.noted and self._is_of_files():
            for _ in walk(self._place.top, excluded=self._excluded, code=self.noted):
                pass  # only what is noted on the way is wanted
        prefix = self._place.prefix
        return {
            path.removeprefix(prefix): patterns
            for path, patterns in self.noted
            if _FOREIGN.isdisjoint(path.split("/"))
        }

    def uses(self, names: Collection[str]) -> Mapping[str, Sequence[Use]]:
        """Return where the code uses some names; see :meth:`mlenv.model.usage.Code.uses`."""
        new = [name for name in names if name not in self._answers]
        if new and self.paths:
            from mlenv.project.code.search import Search

            self._answers.update(Search(self._tree, self.paths, self._is_left_out).run(new))
        return {name: found for name in names if (found := self._answers.get(name))}

    @cached_property
    def saved(self) -> Sequence[Saved]:
        """What the configurations of models say; see :class:`mlenv.model.usage.Code`."""
        others = sorted(path for path in self._patterns if not path.endswith(CODE))
        if not others:
            return ()
        from mlenv.project.code.models import read_models

        return tuple(read_models(self._tree, others, self._is_left_out))

    def _is_left_out(self, path: str) -> bool:
        """Whether git ignores a file; asked of few, since it takes longer than reading one."""
        return is_ignored(self._place.prefix + path, False, self._patterns[path])

    def _is_of_files(self) -> bool:
        """Whether single files of a git repository are audited, around which nothing is walked."""
        top = self._place.top
        return not any(os.path.isdir(os.path.join(top, name)) for name in self._place.named) and (
            os.path.exists(os.path.join(top, ".git"))
        )
