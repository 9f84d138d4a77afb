"""What a project is, since good advice differs: an application, a library or a research repo."""

from __future__ import annotations

import re

from mlenv.model.source import LOCK, Source

APPLICATION = "application"
LIBRARY = "library"
RESEARCH = "research"
PROFILES = (APPLICATION, LIBRARY, RESEARCH)

_SETUP = ("setup.py", "setup.cfg")
_LOCKS = ("uv-lock", "poetry-lock", "pdm-lock", "pylock", "pipfile-lock", "pixi-lock", "conda-lock")
_ASIDE = re.compile(
    r"(?:^|/)(?:examples?|demos?|notebooks?|tutorials?|projects?|research_projects|recipes|"
    r"playground|samples?|cookbooks?|scripts)(?:/|$)",
    re.IGNORECASE,
)


def profiles(
    sources: dict[str, Source], others: tuple[str, ...] = ()
) -> tuple[dict[str, str], str]:
    """Return the profile of each file and of the project as a whole.

    A folder with metadata for an index holds a library, one with a lock or an image recipe an
    application, anything else research. A file takes after the nearest such folder above it;
    examples within a library are research.

    Args:
        sources: The files read.
        others: The paths of files that were found and not read.
    """
    folders = _folders(sources, others)
    found = {path: _profile(path, folders) for path in sources}
    return found, folders.get("", _most(found))


def _folders(sources: dict[str, Source], others: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in others:
        folder, _, name = path.rpartition("/")
        if name in _SETUP:
            found[folder] = LIBRARY
    for source in sources.values():
        if source.packaging is not None and source.packaging.published:
            found[source.directory] = LIBRARY
    for source in sources.values():
        if source.role == LOCK and source.kind in _LOCKS:
            found.setdefault(source.directory, APPLICATION)
    for path in others:
        folder, _, name = path.rpartition("/")
        if "dockerfile" in name.lower() or "containerfile" in name.lower():
            found.setdefault(folder, APPLICATION)
    return found


def _profile(path: str, folders: dict[str, str]) -> str:
    below = ""
    folder = path.rpartition("/")[0]
    while True:
        if folder in folders:
            profile = folders[folder]
            return RESEARCH if profile == LIBRARY and _ASIDE.search(below) else profile
        if not folder:
            return RESEARCH
        folder, _, name = folder.rpartition("/")
        below = f"{name}/{below}"


def _most(found: dict[str, str]) -> str:
    counts = {profile: list(found.values()).count(profile) for profile in PROFILES}
    return max(PROFILES, key=lambda profile: counts[profile]) if found else RESEARCH
