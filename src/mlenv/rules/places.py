"""Where packages of a file come from, so far as the files that are installed with it tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from mlenv.model.project import Project
from mlenv.model.requirement import Requirement
from mlenv.model.source import Index, Source
from mlenv.paths import folders_above

TRUSTED_HOST = "trusted-host"
_EXPLICIT = "explicit"


def host_of(url: str) -> str:
    """Return the host of a URL, or of what is written for a trusted host, in lower case."""
    authority = re.split(r"[/?#\s]", url.partition("://")[2] or url, maxsplit=1)[0]
    host = authority.rpartition("@")[2].lower()
    return f"{host.partition(']')[0]}]" if host.startswith("[") else host.partition(":")[0]


def indexes_of(source: Source) -> Iterator[Index]:
    """Yield the places that a file names for packages, those of its commands among them, once."""
    seen: set[tuple[object, ...]] = set()
    commanded = (index for command in source.commands for index in command.indexes)
    for index in (*source.indexes, *commanded):
        key = (index.span, index.kind, index.url)
        if key not in seen:
            seen.add(key)
            yield index


def may_come_from_elsewhere(requirement: Requirement, project: Project) -> bool:
    """Whether a requirement may be served by something else than PyPI.

    A file says so itself, or one that is installed with it: another index, a folder of wheels, no
    index at all. PyTorch's indexes of builds hold what PyTorch publishes and do not count.
    """
    if requirement.is_direct:
        return True
    named, for_all = _places(requirement.span.path, project)
    return named.get(requirement.index, True) if requirement.index else for_all


@lru_cache(maxsize=1024)
def _places(path: str, project: Project) -> tuple[dict[str, bool], bool]:
    """Return of each index of a file whether it is another than PyPI, and whether any serves all.

    An index is under its name and its URL. Those of the files installed with it count.
    """
    together = {path: None, **dict.fromkeys(one.path for one in settings_over(path, project))}
    image_sets = (one for one in project.image_sets if path in one.sources)
    for install_set in (*project.sets_with(path), *image_sets):
        together.update(dict.fromkeys(install_set.sources))
    named: dict[str, bool] = {}
    for_all = False
    for one in together:
        for index in indexes_of(project.sources[one]) if one in project.sources else ():
            if index.kind != TRUSTED_HOST:
                is_other = _is_other(index.url)
                named[index.name] = named[index.url] = is_other
                for_all |= is_other and index.kind != _EXPLICIT
    return named, for_all


def _is_other(url: str) -> bool:
    from mlenv.knowledge.indexes import wheel_index

    labels = host_of(url).split(".")
    is_pypi = labels[0] == "pypi" and labels[-1] == "org" and len(labels) < 4
    return not is_pypi and wheel_index(url) is None


def settings_over(path: str, project: Project) -> Iterator[Source]:
    """Yield the files with uv's settings that hold for a file: beside it and above."""
    for folder in folders_above(path):
        for name in ("uv.toml", "pyproject.toml"):
            source = project.sources.get(f"{folder}/{name}".lstrip("/"))
            if source is not None:
                yield source


@lru_cache(maxsize=4)
def own_names(project: Project) -> frozenset[str]:
    """Return the distributions that are built from the project itself."""
    return frozenset(
        source.packaging.name
        for source in project.sources.values()
        if source.packaging is not None and source.packaging.name
    )
