"""What a project is, since good advice differs: an application, a library or a research repo."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from mlenv.model.profile import APPLICATION, LIBRARY, PROFILES, RESEARCH
from mlenv.model.source import LOCK, Source

_LOCKS = ("uv-lock", "poetry-lock", "pdm-lock", "pylock", "pipfile-lock", "pixi-lock", "conda-lock")
_BESIDE = (
    r"(?:require?ments?|reqs?|constraints?|conda|envs?|environments?|docker|docs?|tests?)(?:/|$)"
)
"""Folders whose files belong to the project above them and are no project of their own."""


def profiles(
    sources: dict[str, Source],
    images: Iterable[str] = (),
    *,
    start: str = "",
    silent: Collection[str] = (),
) -> tuple[dict[str, str], str]:
    """Return the profile of each file and of the project as a whole.

    A folder with metadata for an index holds a library, one with a lock or an image recipe an
    application, anything else research. A file takes after the nearest such folder above it; but
    what lies deeper within a library than its own requirements (examples, demonstrations,
    services) is research.

    Args:
        sources: The files read.
        images: The paths of image recipes.
        start: The folder that the project as a whole is judged by.
        silent: The paths among the sources that are known and not asked for.
    """
    folders = _folders(sources, images)
    found = {path: _profile(path, folders) for path in sources if path not in silent}
    return found, folders.get(start) or _most(found)


def _folders(sources: dict[str, Source], images: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in sources.values():
        if source.packaging is not None and source.packaging.published:
            found[source.directory] = LIBRARY
        elif source.packaging is not None and source.packaging.name:
            found.setdefault(source.directory, "")  # a project of its own, of whatever kind
    for source in sources.values():
        if source.role == LOCK and source.kind in _LOCKS:
            found[source.directory] = found.get(source.directory) or APPLICATION
    for path in images:
        folder = path.rpartition("/")[0]
        found[folder] = found.get(folder) or APPLICATION
    return found


def _profile(path: str, folders: dict[str, str]) -> str:
    below = ""
    folder = path.rpartition("/")[0]
    while folder not in folders:
        if not folder:
            return RESEARCH
        folder, _, name = folder.rpartition("/")
        below = f"{name}/{below}"
    profile = folders[folder] or RESEARCH
    return RESEARCH if profile == LIBRARY and below and not re.match(_BESIDE, below) else profile


def _most(found: dict[str, str]) -> str:
    counts = {profile: list(found.values()).count(profile) for profile in PROFILES}
    return max((RESEARCH, LIBRARY, APPLICATION), key=lambda profile: counts[profile])
