"""Where the files of an image come from: paths in the container mapped back to the repository.

Source: Dockerfile reference, ``COPY``, ``ADD`` and ``RUN --mount``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from mlenv.records import dataclass

_NOT_LOCAL = re.compile(r"[a-z][a-z0-9+.-]*://|git@", re.IGNORECASE)
_FILE = re.compile(r".*[^./]\.[A-Za-z][\w-]{0,9}")
_FILES = frozenset(("Pipfile", "Makefile", "LICENSE", "Dockerfile", "MLproject", "README"))
_PATTERN = re.compile(r"[*?\[]")
_MAX_COPIES = 100
_MAX_SOURCES = 50
_MAX_STAGES = 100


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """One instruction that puts files into the container.

    Attributes:
        sources: The paths as written, relative to the build context or in the other image.
        target: Where they go, as an absolute path.
        is_folder: Whether the target is a folder for certain.
        origin: The files of another stage, where they come from one; None for the build
            context, and `ELSEWHERE` for an image that is none of the stages.
        keeps_folders: Whether the sources' own folders are kept (``--parents``).
    """

    sources: tuple[str, ...]
    target: str
    is_folder: bool = False
    origin: Files | None = None
    keeps_folders: bool = False


class Files:
    """The files that a stage was given so far."""

    def __init__(self, copies: Iterable[Copy] = ()) -> None:
        self._copies = list(copies)

    def fork(self) -> Files:
        """Return files that begin as these are."""
        return Files(self._copies)

    def add(self, copy: Copy) -> None:
        """Note one more copy."""
        if len(self._copies) < _MAX_COPIES:
            self._copies.append(copy)

    def with_mounts(self, mounts: list[Copy]) -> Files:
        """Return the files as one command sees them, with what is mounted for it alone."""
        found = self.fork()
        for mount in mounts:
            found.add(mount)
        return found

    def locate(self, path: str) -> str:
        """Return where a path of the container comes from in the repository.

        Returns:
            The path relative to the build context; empty where it does not come from there, or
            nothing tells.
        """
        files: Files | None = self
        for _ in range(_MAX_STAGES):
            if files is None:
                return path
            files, path = files.came_from(path)
        return ""

    def came_from(self, path: str) -> tuple[Files | None, str]:
        """Return where a path was copied from: the files of a stage or None, and its path there."""
        for copy in reversed(self._copies):
            for source in copy.sources[:_MAX_SOURCES]:
                found = _origin(copy, source, path)
                if found:
                    return copy.origin, found
        return None, ""


ELSEWHERE = Files()
"""The files of an image from elsewhere: none of them comes from the repository."""


def _origin(copy: Copy, source: str, path: str) -> str:
    """Return the path of a copy's source that a path in the container is; empty for none."""
    if _NOT_LOCAL.match(source):
        return ""
    source = _clean(source, copy.origin is not None)
    target = copy.target.rstrip("/") or "/"
    base = posixpath.basename(source)
    if _PATTERN.search(base):
        name = posixpath.basename(path)
        fits = posixpath.dirname(path) == target and fnmatchcase(name, base)
        return posixpath.join(posixpath.dirname(source), name) if fits else ""
    if copy.keeps_folders:
        inside = _inside(path, posixpath.join(target, source))
        return posixpath.normpath(posixpath.join(source, inside)) if inside is not None else ""
    if path == target:
        return source if not copy.is_folder or not _is_file(base) else ""
    if _is_file(base):
        return source if path == posixpath.join(target, base) else ""
    inside = _inside(path, target)
    if inside is None:
        return ""
    if inside == base and len(copy.sources) > 1:
        return source
    return posixpath.normpath(posixpath.join(source, inside))


def _clean(source: str, is_absolute: bool) -> str:
    """Return a source relative to the build context, whose root ``/`` and ``..`` cannot leave."""
    cleaned = posixpath.normpath("/" + source.lstrip("/"))
    return cleaned if is_absolute else cleaned.lstrip("/") or "."


def _inside(path: str, folder: str) -> str | None:
    if folder == "/":
        return path.lstrip("/")
    if path == folder:
        return "."
    return path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None


def _is_file(name: str) -> bool:
    return name in _FILES or _FILE.fullmatch(name) is not None
