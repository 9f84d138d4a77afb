"""The files of a project: each is read once, whoever asks for it."""

from __future__ import annotations

import os
from collections import deque

from mlenv.model.project import ResolvedInclude, Unread
from mlenv.model.source import CONTEXT, LOCK, MISSING_INCLUDE, OUTSIDE_ROOT, Include, Source
from mlenv.model.text import SourceText
from mlenv.paths import folders_above
from mlenv.project import classify
from mlenv.project.decode import decode
from mlenv.project.discover import ENVIRONMENT, IGNORED, Candidate, is_ignored
from mlenv.project.files import LONGEST_PATH, Tree, Unreadable, limit_of
from mlenv.project.readers import read_as
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.gitignore import IgnoreFile
    from mlenv.project.place import Place

_AROUND = {
    "uv.lock": "uv-lock",
    "poetry.lock": "poetry-lock",
    "pdm.lock": "pdm-lock",
    "pixi.lock": "pixi-lock",
    "pylock.toml": "pylock",
    "Pipfile.lock": "pipfile-lock",
}
"""Locks that cover files below or beside them by being there, whatever they say."""


def named(path: str) -> Candidate:
    """A file that the caller names is read as what it most likely is, whatever its name."""
    other = classify.not_yet(path)
    if other:
        return Candidate(path, "", f"{other}: not read by this version")
    kind = classify.by_name(path).rstrip("?")
    return Candidate(path, kind or classify.REQUIREMENTS)


class Loader:
    """Reads each file once, whoever asks for it.

    Attributes:
        place: Where the paths lie.
        tree: The door to the files below the root.
        sources: What was read, by path.
        silent: What was learned of the files around, which are not reported, by path from the top.
        images: The recipes of deployed images around, likewise.
        unread: What was not read.
        includes: The includes that lead to a file that was read.
        environments: The installed environments that lie in the tree.
        ignored: What .gitignore leaves out.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.tree = Tree(place.root)
        self.silent: dict[str, Source] = {}
        self.images: list[str] = []
        self.sources: dict[str, Source] = {}
        self.unread: dict[str, Unread] = {}
        self.includes: list[ResolvedInclude] = []
        self.pending: deque[tuple[Source, Include]] = deque()
        self.environments: list[str] = []
        self.ignored: list[str] = []
        self.found: set[str] = set()
        self._submodules: frozenset[str] | None = None

    @property
    def has_found(self) -> bool:
        """Whether there is anything that a project is made of."""
        return any((self.sources, self.silent, self.images, self.unread))

    def read(self, candidate: Candidate) -> None:
        """Read a file that was found, unless it is none of ours."""
        if candidate.path in self.found:  # what is handed in stands for what is on the disk
            return
        if candidate.reason:
            self.unread[candidate.path] = Unread(candidate.path, candidate.reason)
            if candidate.reason == ENVIRONMENT:
                self.environments.append(candidate.path)
            elif candidate.reason == IGNORED:
                self.ignored.append(candidate.path)
            return
        text = self.tree.read(candidate.path, limit=limit_of(candidate.kind.rstrip("?")))
        if isinstance(text, Unreadable):
            self.unread[candidate.path] = Unread(candidate.path, text.reason)
            return
        kind = classify.by_content(candidate.kind, text.text)
        if kind:
            self.found.add(candidate.path)
            self._keep(read_as(kind, text))
        elif reason := classify.rejection(candidate.kind, text.text):
            self.unread[candidate.path] = Unread(candidate.path, reason)

    def take(self, path: str, data: bytes) -> None:
        """Read what is handed in under a name."""
        candidate = named(path)
        self.found.add(path)
        if candidate.reason:
            self.unread[path] = Unread(path, candidate.reason)
            return
        text = decode(path, data)
        self._keep(read_as(classify.by_content(candidate.kind, text.text) or candidate.kind, text))

    def _keep(self, source: Source) -> None:
        source = self._judged(source)
        self.sources[source.path] = source
        self.pending.extend((source, include) for include in source.includes)
        for name in source.compiled_from:
            self._take_input(source, name)

    def _take_input(self, lock: Source, name: str) -> None:
        """Read what a compiled file was made from, whatever its name; see ``coverage``."""
        for origin in (lock.path, "_"):
            path = self.tree.resolve(origin, name)
            if path is None or path in self.sources or classify.by_name(path):
                continue
            text = self.tree.read(path)
            if isinstance(text, SourceText):
                self._keep(read_as(classify.REQUIREMENTS, text))
                return

    def _judged(self, source: Source) -> Source:
        if self.place.is_record(source.path):
            return replace(source, role=CONTEXT, includes=(), is_record=True)
        return source

    def look_around(self, excluded: tuple[IgnoreFile, ...]) -> None:
        """Learn of the locks and projects around what was named, which are not reported."""
        tree = Tree(self.place.top)
        beside = [f"{name[:-3]}.txt" for name in self.place.named if name.endswith(".in")]
        for folder in self.place.folders():
            within = [
                one
                for one in excluded
                if not one.folder or f"{folder}/".startswith(f"{one.folder}/")
            ]
            ignores = (*self.place.ignores(folder), *within)
            names = (*_AROUND, "setup.py", "setup.cfg", "pyproject.toml", "Dockerfile")
            paths = [f"{folder}/{name}" if folder else name for name in names]
            paths += [path for path in beside if path.rpartition("/")[0] == folder]
            for path in paths:
                there = os.path.isfile(os.path.join(tree.root, path))
                if there and not self._knows(path) and not is_ignored(path, False, ignores):
                    self._learn(path, tree)

    def _knows(self, path: str) -> bool:
        prefix = self.place.prefix
        return path.startswith(prefix) and path[len(prefix) :] in self.sources

    def _learn(self, path: str, tree: Tree) -> None:
        name = path.rpartition("/")[2]
        if name in _AROUND:
            # nothing asks what it holds, and reading a large one takes its time
            self.silent[path] = Source(SourceText(path, ""), _AROUND[name], LOCK)
            return
        if classify.is_deployed_image(path):
            self.images.append(path)
            return
        text = tree.read(path)
        if isinstance(text, Unreadable):
            return
        self.silent[path] = read_as(classify.by_name(path) or classify.REQUIREMENTS, text)

    def follow_includes(self) -> None:
        """Read what the files name, and what those name in turn."""
        while self.pending:
            source, include = self.pending.popleft()
            self._follow(source, include)
        self._settle_constraints()

    def _settle_constraints(self) -> None:
        """Tell constraint files from requirements by everything that includes them.

        One file may constrain here and be required there, and be found before or after either.
        """
        required = {i.target for i in self.includes if not i.include.constraint}
        constraining = {i.target for i in self.includes if i.include.constraint}
        for path, source in self.sources.items():
            if source.kind not in (classify.REQUIREMENTS, classify.CONSTRAINTS):
                continue
            named = classify.by_name(path) == classify.CONSTRAINTS
            bounds = named or (path in constraining and path not in self.found)
            kind = (
                classify.CONSTRAINTS if bounds and path not in required else classify.REQUIREMENTS
            )
            if kind != source.kind:
                self.sources[path] = self._judged(read_as(kind, source.text))

    def _follow(self, source: Source, include: Include) -> None:
        is_open = "://" in include.target or "$" in include.target or "{" in include.target
        if include.anywhere:
            if not is_open:
                self._search(source, include)
            return
        if is_open:
            self._miss(source, include, include.target, "it is not a file of the project", "")
            return
        path = self.tree.resolve(source.path, include.target)
        if path is None:
            reason = "it lies outside the audited folder"
            self._miss(source, include, include.target, reason, OUTSIDE_ROOT)
            return
        if path not in self.sources:
            text = self.tree.read(path)
            if isinstance(text, Unreadable):
                self._miss(source, include, path, *self._cause(path, text))
                return
            # whether it only constrains is settled when everything is read
            self._keep(read_as(_kind_of_include(path, text.text), text))
        self.includes.append(ResolvedInclude(source.path, include, path))

    def _search(self, source: Source, include: Include) -> None:
        """Look for a file in the folder of what names it and in each one above."""
        for folder in folders_above(source.path):
            path = self.tree.resolve(f"{folder}/_" if folder else "_", include.target)
            if path is not None and path not in self.sources:
                text = self.tree.read(path)
                if isinstance(text, SourceText):
                    self._keep(read_as(_kind_of_include(path, text.text), text))
            if path is not None and path in self.sources:
                self.includes.append(ResolvedInclude(source.path, include, path))
                return

    def _cause(self, path: str, text: Unreadable) -> tuple[str, str]:
        """Return why an include was not read, and the kind of problem that it is, if any."""
        if text.outside:
            return text.reason, OUTSIDE_ROOT
        if not text.missing:
            return text.reason, ""
        module = self._absent_submodule(path)
        if module:
            return f"it belongs to the git submodule {module}, which is not checked out", ""
        return text.reason, MISSING_INCLUDE

    def _absent_submodule(self, path: str) -> str:
        tree = Tree(self.place.top)
        if self._submodules is None:
            text = tree.read(".gitmodules")
            known = [] if isinstance(text, Unreadable) else classify.submodules(text.text)
            self._submodules = frozenset(known)
        if not self._submodules or len(path) > LONGEST_PATH:
            return ""
        folder = (self.place.prefix + path).rpartition("/")[0]
        while folder and not (folder in self._submodules and tree.is_empty(folder)):
            folder = folder.rpartition("/")[0]
        return folder

    def _miss(self, source: Source, include: Include, path: str, reason: str, kind: str) -> None:
        key = f"{path} ({source.path}:{include.span.start})" if kind else path
        self.unread.setdefault(key, Unread(path, reason, include.span, kind))


def _kind_of_include(path: str, text: str) -> str:
    """Return how to read a file that a command names, which may be a conda environment."""
    return classify.by_content(classify.by_name(path), text) or classify.REQUIREMENTS
