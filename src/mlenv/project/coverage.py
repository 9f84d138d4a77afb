"""Which lock records which manifest."""

from __future__ import annotations

import fnmatch
import posixpath
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
    for include in includes:
        if include.origin in covered and not include.include.constraint:
            covered.setdefault(include.target, covered[include.origin])
    return covered


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
        if manifest is not None and manifest.packaging and manifest.packaging.manager == "pixi":
            yield pyproject
    elif lock.kind in _OF_CONDA:
        yield from (
            _named_inputs(lock)
            if lock.compiled_from
            else _in_folder(folder, ("conda-env",), sources)
        )
    else:
        yield from _named_inputs(lock)
        yield lock.path.removesuffix(".txt") + ".in"


def _named_inputs(lock: Source) -> Iterator[str]:
    """The inputs that a compiled file names, which are relative to wherever the tool was run."""
    for name in lock.compiled_from:
        path = name.replace("\\", "/")
        yield posixpath.normpath(posixpath.join(lock.directory, path))
        yield posixpath.normpath(path)
        yield posixpath.join(lock.directory, posixpath.basename(path))


def _members(pyproject: str, sources: dict[str, Source]) -> Iterator[str]:
    manifest = sources.get(pyproject)
    if manifest is None or manifest.packaging is None:
        return
    for pattern in manifest.packaging.workspace:
        whole = posixpath.normpath(posixpath.join(manifest.directory, pattern, "pyproject.toml"))
        yield from fnmatch.filter(sources, whole)


def _in_folder(folder: str, kinds: tuple[str, ...], sources: dict[str, Source]) -> Iterator[str]:
    for path, source in sources.items():
        if source.directory == folder and source.kind in kinds and source.role != LOCK:
            yield path
