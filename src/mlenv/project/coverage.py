"""Which lock records which manifest."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterable, Iterator

from mlenv.model.project import ResolvedInclude
from mlenv.model.source import LOCK, Source

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
    # the lock of a manifest's own manager goes first where several stand in one folder
    for lock in sorted(locks, key=lambda lock: not _is_own(lock, sources)):
        for path in _covered_by(lock, sources):
            if path in sources and path != lock.path:
                covered.setdefault(path, lock.path)
    _add_included(covered, includes)
    return covered


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


def _covered_by(lock: Source, sources: dict[str, Source]) -> Iterator[str]:
    folder = lock.directory
    pyproject = posixpath.join(folder, "pyproject.toml")
    if lock.kind in _OF_PYPROJECT:
        yield pyproject
        if lock.kind == "uv-lock":
            yield from _members(pyproject, sources)
        if lock.kind == "pylock":
            yield from _in_folder(folder, ("requirements",), sources)
    elif lock.kind == "pixi-lock":
        yield posixpath.join(folder, "pixi.toml")
        manifest = sources.get(pyproject)
        if manifest is not None and manifest.packaging and "pixi" in manifest.packaging.tools:
            yield pyproject
    elif lock.kind in _OF_CONDA:
        yield from (
            _named_inputs(lock, sources)
            if lock.compiled_from
            else _in_folder(folder, ("conda-env",), sources)
        )
    else:
        named = list(_named_inputs(lock, sources))
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
    members, outside = manifest.packaging.workspace, manifest.packaging.outside
    if not members:
        return
    above = f"{manifest.directory}/" if manifest.directory else ""
    for path, source in sources.items():
        folder = source.directory.removeprefix(above)
        is_below = source.kind == "pyproject" and folder and path.startswith(above)
        if is_below and _covers(members, folder) and not _covers(outside, folder):
            yield path


def _covers(globs: tuple[str, ...], folder: str) -> bool:
    """Whether one of some globs matches a folder; a star stays within one name."""
    from mlenv.project.gitignore import compile_pattern  # few projects are workspaces

    patterns = (compile_pattern("/" + posixpath.normpath(glob).lstrip("/")) for glob in globs)
    return any(pattern is not None and pattern.matches(folder) for pattern in patterns)


def _in_folder(folder: str, kinds: tuple[str, ...], sources: dict[str, Source]) -> Iterator[str]:
    for path, source in sources.items():
        if source.directory == folder and source.kind in kinds and source.role != LOCK:
            yield path
