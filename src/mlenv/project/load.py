"""From paths to a project: walk, read, follow includes, and put the parts together."""

from __future__ import annotations

import os

from mlenv.errors import UsageError
from mlenv.model.project import Project
from mlenv.project.code.listing import ProjectCode
from mlenv.project.discover import Candidate, read_patterns, walk
from mlenv.project.loader import Loader, named
from mlenv.project.place import STDIN, Place, find_place
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.gitignore import IgnoreFile


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
    loader = Loader(place)
    if stdin is not None:
        loader.take(_relative(stdin[0], place), stdin[1])
    code = ProjectCode(loader.tree, place, excluded)
    for candidate in _candidates(paths, place, excluded, code):
        loader.read(candidate)
    loader.follow_includes()
    loader.look_around(excluded)
    if not loader.has_found:
        return Project(place.shown_root, {}, code=code)
    from mlenv.project.assemble import assemble  # an environment may be all there is to audit

    return replace(assemble(loader), code=code)


def _relative(path: str, place: Place) -> str:
    """Return a path as given relative to the root, which it lies below."""
    whole = os.path.abspath(path)
    root = os.path.abspath(place.root)
    return os.path.relpath(whole, root).replace(os.sep, "/")


def _candidates(
    paths: tuple[str, ...], place: Place, excluded: tuple[IgnoreFile, ...], code: ProjectCode
) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for path in paths:
        if path == STDIN:
            continue
        relative = _relative(path, place)
        if not os.path.isdir(path):
            found[relative] = named(relative)
            continue
        start = (place.prefix + ("" if relative == "." else relative)).rstrip("/")
        above = place.ignores(start.rpartition("/")[0]) if start else ()
        for entry in walk(place.top, (), start, above=above, excluded=excluded, code=code.noted):
            inner = entry.path.removeprefix(place.prefix)
            if f"{inner}/" == place.prefix:  # the root itself
                inner = "."
            # what is named itself is read whatever the walk over its folder makes of it
            found.setdefault(inner, replace(entry, path=inner))
    return [found[path] for path in sorted(found)]
