"""Which lock records which manifest."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterable, Iterator

from mlenv.model.project import ResolvedInclude
from mlenv.model.source import LOCK, Source
from mlenv.paths import folders_above

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.gitignore import Pattern

_OF_PYPROJECT = ("uv-lock", "poetry-lock", "pdm-lock", "pylock")
_MANAGERS = {"uv-lock": "uv", "poetry-lock": "poetry", "pdm-lock": "pdm", "pixi-lock": "pixi"}
_OF_CONDA = ("conda-lock", "conda-explicit")


def coverage(sources: dict[str, Source], includes: Iterable[ResolvedInclude]) -> dict[str, str]:
    """Return for each manifest that a lock records the path of that lock.

    Args:
        sources: The files read.
        includes: The includes among them: what a recorded file includes is recorded with it.
    """
    covered: dict[str, str] = {}
    locks = [source for source in sources.values() if source.role == LOCK]
    beside: dict[tuple[str, str], list[str]] = {}
    for path, source in sources.items() if locks else ():
        if source.role != LOCK:
            beside.setdefault((source.directory, source.kind), []).append(path)

    # the lock of a manifest's own manager goes first where several stand in one folder, and what
    # was exported from a lock comes after it
    def order(lock: Source) -> tuple[bool, bool]:
        return not _is_own(lock, sources), lock.generated_by == "uv export"

    for lock in sorted(locks, key=order):
        for path in _covered_by(lock, sources, beside):
            if path in sources and path != lock.path:
                covered.setdefault(path, lock.path)
    _add_included(covered, includes)
    return covered


def inputs(sources: dict[str, Source]) -> dict[str, tuple[str, ...]]:
    """Return for each compiled requirements file the files that it names as its inputs."""
    return {
        path: tuple(dict.fromkeys(_named_inputs(source, sources)))
        for path, source in sources.items()
        if source.kind == "requirements" and source.compiled_from
    }


def _add_included(covered: dict[str, str], includes: Iterable[ResolvedInclude]) -> None:
    targets: dict[str, list[str]] = {}
    for include in includes:
        if not include.include.constraint:
            targets.setdefault(include.origin, []).append(include.target)
    pending = deque(covered)
    while pending:
        path = pending.popleft()
        for target in targets.get(path, ()):
            if target not in covered:
                covered[target] = covered[path]
                pending.append(target)


def _is_own(lock: Source, sources: dict[str, Source]) -> bool:
    manifest = sources.get(posixpath.join(lock.directory, "pyproject.toml"))
    manager = manifest.packaging.manager if manifest and manifest.packaging else ""
    return bool(manager) and _MANAGERS.get(lock.kind) == manager


def _covered_by(
    lock: Source, sources: dict[str, Source], beside: dict[tuple[str, str], list[str]]
) -> Iterator[str]:
    """Yield what a lock records.

    ``beside`` has the files that are nobody's yet by folder and kind: a lock that records all of
    them takes them out, since the first one counts.
    """
    folder = lock.directory
    pyproject = posixpath.join(folder, "pyproject.toml")
    if lock.kind in _OF_PYPROJECT:
        yield pyproject
        # what a pyproject.toml leaves to setuptools is recorded with it
        yield from (posixpath.join(folder, name) for name in ("setup.py", "setup.cfg"))
        if lock.kind == "uv-lock":
            yield from _members(pyproject, sources)
        if lock.kind == "pylock":
            yield from beside.pop((folder, "requirements"), ())
    elif lock.kind == "pipfile-lock":
        yield posixpath.join(folder, "Pipfile")
    elif lock.kind == "pixi-lock":
        yield posixpath.join(folder, "pixi.toml")
        manifest = sources.get(pyproject)
        if manifest is not None and manifest.packaging and "pixi" in manifest.packaging.tools:
            yield pyproject
    elif lock.kind in _OF_CONDA:
        yield from (
            _named_inputs(lock, sources)
            if lock.compiled_from
            else beside.pop((folder, "conda-env"), ())
        )
    else:
        named = list(_named_inputs(lock, sources))
        if lock.generated_by == "uv export":
            paths = (posixpath.join(above, "pyproject.toml") for above in folders_above(lock.path))
            yield from [path for path in paths if path in sources][:1]
        else:
            yield from named or [lock.path.removesuffix(".txt") + ".in"]


def _named_inputs(lock: Source, sources: dict[str, Source]) -> Iterator[str]:
    """The inputs that a compiled file names, which are relative to wherever the tool was run."""
    for name in lock.compiled_from:
        path = name.replace("\\", "/")
        places = (
            posixpath.normpath(posixpath.join(lock.directory, path)),
            posixpath.normpath(path),
            posixpath.join(lock.directory, posixpath.basename(path)),
        )
        yield from [place for place in places if place in sources][:1]


def _members(pyproject: str, sources: dict[str, Source]) -> Iterator[str]:
    manifest = sources.get(pyproject)
    if manifest is None or manifest.packaging is None:
        return
    if not manifest.packaging.workspace:
        return
    members = _Globs(manifest.packaging.workspace)
    outside = _Globs(manifest.packaging.outside)
    above = f"{manifest.directory}/" if manifest.directory else ""
    for path, source in sources.items():
        folder = source.directory.removeprefix(above)
        is_below = source.kind == "pyproject" and folder and path.startswith(above)
        if is_below and members.cover(folder) and not outside.cover(folder):
            yield path


class _Globs:
    """Globs of folders; a star stays within one name."""

    def __init__(self, globs: Iterable[str]) -> None:
        from mlenv.project.gitignore import compile_pattern  # few projects are workspaces

        # by the first name where that is plain, so that few are tried for each folder
        self._by_first: dict[str, list[Pattern]] = {}
        for glob in dict.fromkeys(posixpath.normpath(glob).lstrip("/") for glob in globs):
            first = glob.partition("/")[0]
            pattern = compile_pattern(f"/{glob}")
            if pattern is not None:
                key = "" if any(character in first for character in "*?[\\! ") else first
                self._by_first.setdefault(key, []).append(pattern)

    def cover(self, folder: str) -> bool:
        """Whether one of them matches a folder."""
        first = folder.partition("/")[0]
        patterns = (*self._by_first.get(first, ()), *self._by_first.get("", ()))
        return any(pattern.matches(folder) for pattern in patterns)
