"""From paths to a project: walk, read, follow includes, and put the parts together."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator

from mlenv.errors import UsageError
from mlenv.model.project import Project, ResolvedInclude, Unread
from mlenv.model.source import (
    CONTEXT,
    INCLUDE_CYCLE,
    MISSING_INCLUDE,
    OUTSIDE_ROOT,
    Include,
    Source,
)
from mlenv.model.text import SourceText
from mlenv.project import classify
from mlenv.project.coverage import coverage
from mlenv.project.decode import decode
from mlenv.project.discover import Candidate, walk
from mlenv.project.files import LIMITS, Tree, Unreadable
from mlenv.project.install_sets import install_sets, membership
from mlenv.project.profiles import SETUP_FILES, describes_a_distribution, profiles
from mlenv.project.readers import read_as
from mlenv.records import replace

STDIN = "-"


def load_project(
    paths: tuple[str, ...], *, exclude: tuple[str, ...] = (), stdin: tuple[str, bytes] | None = None
) -> Project:
    """Read a project.

    Args:
        paths: Folders and files; ``-`` stands for ``stdin``.
        exclude: Patterns of what to leave out, in the form of .gitignore.
        stdin: The name and the bytes of a file that is handed in.

    Returns:
        The project. Its root is the folder given; for files it is the git repository that they
        lie in, else their own folder, so that the result does not depend on the working folder.

    Raises:
        UsageError: A path does not exist.
    """
    root, candidates = _candidates(paths, exclude)
    loader = _Loader(Tree(root))
    if stdin is not None:
        loader.take(stdin[0], decode(stdin[0], stdin[1]))
    for candidate in candidates:
        loader.read(candidate)
    loader.follow_includes()
    return loader.project(root)


def _candidates(paths: tuple[str, ...], exclude: tuple[str, ...]) -> tuple[str, list[Candidate]]:
    paths = tuple(path for path in paths if path != STDIN)
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"there is no such file or folder: {path}")
    if not paths:
        return os.curdir, []
    if len(paths) == 1 and os.path.isdir(paths[0]):
        return paths[0], list(walk(paths[0], exclude))
    root = _common_root(paths)
    found: dict[str, Candidate] = {}
    for path in paths:
        relative = os.path.relpath(os.path.abspath(path), root).replace(os.sep, "/")
        if os.path.isdir(path):
            start = "" if relative == "." else relative
            for candidate in walk(root, exclude, start):
                # what is named itself is read whatever the walk over its folder makes of it
                found.setdefault(candidate.path, candidate)
        else:
            found[relative] = _named(relative)
    return root, [found[path] for path in sorted(found)]


def _named(path: str) -> Candidate:
    """A file that the caller names is read as what it most likely is, whatever its name."""
    other = classify.not_yet(path)
    if other:
        return Candidate(path, "", f"{other}: not read by this version")
    kind = classify.by_name(path).rstrip("?")
    return Candidate(path, kind or classify.REQUIREMENTS)


def _common_root(paths: Iterable[str]) -> str:
    folders = [
        os.path.abspath(path) if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
        for path in paths
    ]
    try:
        common = os.path.commonpath(folders)
    except ValueError:
        raise UsageError("paths on several drives have no folder in common") from None
    above = common
    while not os.path.exists(os.path.join(above, ".git")):
        parent = os.path.dirname(above)
        if parent == above:
            return common
        above = parent
    return above


class _Loader:
    """Reads each file once, whoever asks for it."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.sources: dict[str, Source] = {}
        self.unread: dict[str, Unread] = {}
        self.includes: list[ResolvedInclude] = []
        self.pending: deque[tuple[Source, Include]] = deque()
        self.setups: list[str] = []

    def read(self, candidate: Candidate) -> None:
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
            self._keep(read_as(kind, text))
        elif reason := classify.rejection(candidate.kind, text.text):
            self.unread[candidate.path] = Unread(candidate.path, reason)

    def take(self, name: str, text: SourceText) -> None:
        kind = classify.by_name(name).rstrip("?") or classify.REQUIREMENTS
        self._keep(read_as(classify.by_content(kind, text.text) or kind, text))

    def _keep(self, source: Source) -> None:
        if classify.is_record(source.path):
            source = replace(source, role=CONTEXT, includes=())
        self.sources[source.path] = source
        self.pending.extend((source, include) for include in source.includes)

    def follow_includes(self) -> None:
        while self.pending:
            source, include = self.pending.popleft()
            self._follow(source, include)

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
                kind = OUTSIDE_ROOT if text.outside else MISSING_INCLUDE
                self._miss(source, include, path, text.reason, kind)
                return
            kind = classify.by_name(path).rstrip("?")
            is_text = kind in (classify.REQUIREMENTS, classify.CONSTRAINTS)
            self._keep(
                read_as(
                    kind if is_text else classify.REQUIREMENTS, text, constraint=include.constraint
                )
            )
        self.includes.append(ResolvedInclude(source.path, include, path))

    def _miss(self, source: Source, include: Include, path: str, reason: str, kind: str) -> None:
        key = f"{path} ({source.path}:{include.span.start})" if kind else path
        self.unread.setdefault(key, Unread(path, reason, include.span, kind))

    def project(self, root: str) -> Project:
        sources = dict(sorted(self.sources.items()))
        includes = tuple(self.includes)
        covered = coverage(sources, includes)
        unread = [*self.unread.values(), *_cycles(sources, includes)]
        images = [path for path in self.unread if classify.is_deployed_image(path)]
        found, overall = profiles(sources, images, self.setups)
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
