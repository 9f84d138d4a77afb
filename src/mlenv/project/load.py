"""From paths to a project: walk, read, follow includes, and put the parts together."""

from __future__ import annotations

import os
import posixpath
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlenv.errors import UsageError
from mlenv.model.project import Project, ResolvedInclude, Unread
from mlenv.model.source import (
    CONTEXT,
    INCLUDE_CYCLE,
    LOCK,
    MISSING_INCLUDE,
    OUTSIDE_ROOT,
    Include,
    Source,
)
from mlenv.model.text import SourceText
from mlenv.project import classify
from mlenv.project.coverage import coverage
from mlenv.project.decode import decode
from mlenv.project.discover import Candidate, is_ignored, read_patterns, walk
from mlenv.project.files import LIMITS, Tree, Unreadable
from mlenv.project.install_sets import install_sets, membership
from mlenv.project.place import STDIN, Place, find_place
from mlenv.project.profiles import SETUP_FILES, describes_a_distribution, profiles
from mlenv.project.readers import read_as
from mlenv.records import replace

if TYPE_CHECKING:
    from mlenv.project.gitignore import IgnoreFile

_AROUND = {
    "uv.lock": "uv-lock",
    "poetry.lock": "poetry-lock",
    "pdm.lock": "pdm-lock",
    "pixi.lock": "pixi-lock",
    "pylock.toml": "pylock",
    "Pipfile.lock": "pipfile-lock",
}
"""Locks that cover files below or beside them by being there, whatever they say."""


def load_project(
    paths: tuple[str, ...],
    *,
    exclude: tuple[str, ...] = (),
    stdin: tuple[str, bytes] | None = None,
    place: Place | None = None,
    patterns: tuple[str, ...] = (),
) -> Project:
    """Read a project.

    Args:
        paths: Folders and files; ``-`` stands for ``stdin``.
        exclude: Patterns of what to leave out, in the form of .gitignore, relative to the root.
        stdin: The name and the bytes of a file that is handed in.
        place: Where the paths lie; found out where it is not given.
        patterns: More of what to leave out, relative to the configuration's folder.

    Returns:
        The project. Its root is the folder given; for files it is the git repository that they
        lie in, else their own folder, so that the result does not depend on the working folder.

    Raises:
        UsageError: A path does not exist.
    """
    for path in paths:
        if path != STDIN and not os.path.lexists(path):
            raise UsageError(f"there is no such file or folder: {path}")
    place = place or find_place(paths, stdin[0] if stdin else "")
    excluded = (
        *read_patterns(place.home.rstrip("/"), patterns),
        *read_patterns(place.prefix.rstrip("/"), exclude),
    )
    loader = _Loader(place)
    if stdin is not None:
        loader.take(_relative(stdin[0], place), stdin[1])
    for candidate in _candidates(paths, place, excluded):
        loader.read(candidate)
    loader.follow_includes()
    loader.look_around(excluded)
    return loader.project()


def _relative(path: str, place: Place) -> str:
    """Return a path as given relative to the root, which it lies below."""
    whole = os.path.abspath(path)
    root = os.path.abspath(place.root)
    return os.path.relpath(whole, root).replace(os.sep, "/")


def _candidates(
    paths: tuple[str, ...], place: Place, excluded: tuple[IgnoreFile, ...]
) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for path in paths:
        if path == STDIN:
            continue
        relative = _relative(path, place)
        if not os.path.isdir(path):
            found[relative] = _named(relative)
            continue
        start = (place.prefix + ("" if relative == "." else relative)).rstrip("/")
        above = place.ignores(start.rpartition("/")[0]) if start else ()
        for candidate in walk(place.top, (), start, above=above, excluded=excluded):
            inner = candidate.path.removeprefix(place.prefix)
            if f"{inner}/" == place.prefix:  # the root itself
                inner = "."
            # what is named itself is read whatever the walk over its folder makes of it
            found.setdefault(inner, replace(candidate, path=inner))
    return [found[path] for path in sorted(found)]


def _named(path: str) -> Candidate:
    """A file that the caller names is read as what it most likely is, whatever its name."""
    other = classify.not_yet(path)
    if other:
        return Candidate(path, "", f"{other}: not read by this version")
    kind = classify.by_name(path).rstrip("?")
    return Candidate(path, kind or classify.REQUIREMENTS)


class _Loader:
    """Reads each file once, whoever asks for it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.tree = Tree(place.root)
        self.silent: dict[str, Source] = {}
        self.images: list[str] = []
        self.around: list[str] = []
        self.sources: dict[str, Source] = {}
        self.unread: dict[str, Unread] = {}
        self.includes: list[ResolvedInclude] = []
        self.pending: deque[tuple[Source, Include]] = deque()
        self.setups: list[str] = []
        self.found: set[str] = set()

    def read(self, candidate: Candidate) -> None:
        if candidate.path in self.found:  # what is handed in stands for what is on the disk
            return
        if candidate.reason:
            self.unread[candidate.path] = Unread(candidate.path, candidate.reason)
            if candidate.path.rpartition("/")[2] in SETUP_FILES:
                text = self.tree.read(candidate.path)
                if isinstance(text, SourceText) and describes_a_distribution(text.text):
                    self.setups.append(candidate.path)
            return
        text = self.tree.read(candidate.path, limit=_limit(candidate.kind.rstrip("?")))
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
        candidate = _named(path)
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

    def _judged(self, source: Source) -> Source:
        if self.place.is_record(source.path):
            return replace(source, role=CONTEXT, includes=())
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
            names = (*_AROUND, *SETUP_FILES, "pyproject.toml", "Dockerfile")
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
        if name not in SETUP_FILES:
            self.silent[path] = read_as(classify.by_name(path) or classify.REQUIREMENTS, text)
        elif describes_a_distribution(text.text):
            self.around.append(path)

    def follow_includes(self) -> None:
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
        if "://" in include.target or "$" in include.target or "{" in include.target:
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
            self._keep(read_as(classify.REQUIREMENTS, text))
        self.includes.append(ResolvedInclude(source.path, include, path))

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
        modules = tree.read(".gitmodules")
        if isinstance(modules, Unreadable):
            return ""
        for name in classify.submodules(modules.text):
            if (self.place.prefix + path).startswith(f"{name}/") and tree.is_empty(name):
                return name
        return ""

    def _miss(self, source: Source, include: Include, path: str, reason: str, kind: str) -> None:
        key = f"{path} ({source.path}:{include.span.start})" if kind else path
        self.unread.setdefault(key, Unread(path, reason, include.span, kind))

    def _context(self, sources: dict[str, Source]) -> tuple[dict[str, str], dict[str, str], str]:
        """Return what covers each source, their profiles and that of the whole.

        They follow from what lies around as well, so all paths are taken from the top here.
        """
        prefix = self.place.prefix
        whole = {
            prefix + path: _moved(one, prefix) if prefix else one for path, one in sources.items()
        }
        includes = [
            replace(i, origin=prefix + i.origin, target=prefix + i.target) if prefix else i
            for i in self.includes
        ]
        known = {**self.silent, **whole}
        covered = coverage(known, includes)
        images = [
            *(prefix + path for path in self.unread if classify.is_deployed_image(path)),
            *self.images,
        ]
        setups = [*(prefix + path for path in self.setups), *self.around]
        found, overall = profiles(
            known, images, setups, start=prefix.rstrip("/"), silent=self.silent
        )
        return (
            {
                p.removeprefix(prefix): posixpath.relpath(by, prefix) if prefix else by
                for p, by in covered.items()
                if p in whole
            },
            {path.removeprefix(prefix): profile for path, profile in found.items()},
            overall,
        )

    def project(self) -> Project:
        root = self.place.root
        sources = dict(sorted(self.sources.items()))
        includes = tuple(self.includes)
        covered, found, overall = self._context(sources)
        unread = [*self.unread.values(), *_cycles(sources, includes)]
        sets = install_sets(sources, includes, covered)
        return Project(
            root.replace(os.sep, "/").rstrip("/") or "/",
            sources,
            includes,
            tuple(sorted(unread, key=lambda one: (one.path, one.span.start if one.span else 0))),
            sets,
            found,
            overall,
            covered,
            membership(sets),
        )


def _moved(source: Source, prefix: str) -> Source:
    return replace(source, text=SourceText(prefix + source.path, source.text.text))


def _limit(kind: str) -> int:
    return LIMITS["lock" if kind.endswith(("lock", "explicit")) else "manifest"]


def _cycles(sources: dict[str, Source], includes: tuple[ResolvedInclude, ...]) -> list[Unread]:
    """Return the includes that lead back to a file that is being read."""
    targets: dict[str, list[ResolvedInclude]] = {}
    for include in includes:
        targets.setdefault(include.origin, []).append(include)
    done: set[str] = set()
    found: list[Unread] = []
    for start in sources:
        found.extend(_cycles_from(start, targets, done))
    return found


def _cycles_from(
    start: str, targets: dict[str, list[ResolvedInclude]], done: set[str]
) -> Iterator[Unread]:
    # by hand rather than by recursion: a chain of includes may be longer than Python's stack
    open_files: set[str] = set()
    stack: list[tuple[str, int]] = [(start, 0)]
    while stack:
        path, at = stack.pop()
        if at == 0 and path in done:
            continue
        open_files.add(path)
        following = targets.get(path, [])
        if at == len(following):
            done.add(path)
            open_files.discard(path)
            continue
        stack.append((path, at + 1))
        include = following[at]
        if include.target in open_files:
            reason = "it includes itself in the end"
            yield Unread(include.target, reason, include.include.span, INCLUDE_CYCLE)
        else:
            stack.append((include.target, 0))
