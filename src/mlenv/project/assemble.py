"""From the files that were read to the project: what installs, includes and covers what."""

from __future__ import annotations

import posixpath

from mlenv.model.project import Project, Unread
from mlenv.model.source import IMAGE, Source
from mlenv.model.text import SourceText
from mlenv.project import classify
from mlenv.project.coverage import coverage, inputs
from mlenv.project.cycles import cycles
from mlenv.project.install_sets import install_sets, membership
from mlenv.project.notes import find_index_note
from mlenv.project.profiles import profiles
from mlenv.project.repository import find_repository
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.loader import Loader


def assemble(read: Loader) -> Project:
    """Return the project that was read, but for its code.

    Args:
        read: What was read, all of it.
    """
    sources = dict(sorted(read.sources.items()))
    includes = tuple(read.includes)
    covered, found, overall = _context(read, sources)
    too_large: list[str] = []
    every_set = install_sets(sources, includes, covered, too_large)
    unread = [
        *read.unread.values(),
        *cycles(sources, includes),
        *(Unread(name, "more is installed with it than is compared") for name in too_large),
    ]
    sets = tuple(one for one in every_set if one.home.role != IMAGE)
    return Project(
        read.place.shown_root,
        sources,
        includes,
        tuple(sorted(unread, key=lambda one: (one.path, one.span.start if one.span else 0))),
        sets,
        found,
        overall,
        covered,
        membership(sets),
        tuple(one for one in every_set if one.home.role == IMAGE),
        find_repository(read.place, read.environments, read.ignored),
        find_index_note(read.tree, sources.values()),
        inputs(sources),
    )


def _context(
    read: Loader, sources: dict[str, Source]
) -> tuple[dict[str, str], dict[str, str], str]:
    """Return what covers each source, their profiles and that of the whole.

    They follow from what lies around as well, so all paths are taken from the top here.
    """
    prefix = read.place.prefix
    whole = {prefix + path: _moved(one, prefix) if prefix else one for path, one in sources.items()}
    includes = [
        replace(i, origin=prefix + i.origin, target=prefix + i.target) if prefix else i
        for i in read.includes
    ]
    known = {**read.silent, **whole}
    covered = coverage(known, includes)
    images = [
        *(prefix + path for path in read.sources if classify.is_deployed_image(path)),
        *read.images,
    ]
    found, overall = profiles(known, images, start=prefix.rstrip("/"), silent=read.silent)
    return (
        {
            p.removeprefix(prefix): posixpath.relpath(by, prefix) if prefix else by
            for p, by in covered.items()
            if p in whole
        },
        {path.removeprefix(prefix): profile for path, profile in found.items()},
        overall,
    )


def _moved(source: Source, prefix: str) -> Source:
    return replace(source, text=SourceText(prefix + source.path, source.text.text))
