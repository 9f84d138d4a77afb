"""What the location of a package file says: name, version, platform and channel."""

from __future__ import annotations

import re

from mlenv.records import dataclass

_SUBDIR = re.compile(r"noarch|[a-z]+-[a-z0-9_]+")
_WHEEL = re.compile(r"([^/-]+)-([^/-]+)(?:-[^/-]+){3,4}\.whl")
_ARCHIVE = re.compile(r"([^/]+)-([0-9][^/-]*)\.(?:tar\.gz|tar\.bz2|tgz|zip)")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A package file.

    Attributes:
        name: As the file's name has it.
        version: As the file's name has it.
        offset: Where the name begins in the location.
        channel: conda's channel, the location up to the platform.
        platform: conda's subdirectory.
    """

    name: str
    version: str
    offset: int
    channel: str = ""
    platform: str = ""


def conda_artifact(location: str) -> Artifact | None:
    """Return what the location of a conda package says, or None where it is none.

    Source: conda's documentation, "Package naming conventions".
    """
    path = location.partition("#")[0].partition("?")[0]
    for suffix in (".conda", ".tar.bz2"):
        if path.endswith(suffix):
            folder, _, file = path[: -len(suffix)].rpartition("/")
            parts = file.rsplit("-", 2)
            if len(parts) < 3 or not all(parts):
                return None
            offset = len(folder) + 1 if "/" in path else 0
            channel, _, subdir = folder.rpartition("/")
            if not _SUBDIR.fullmatch(subdir):
                channel, subdir = folder, ""
            return Artifact(parts[0], parts[1], offset, channel, subdir)
    return None


def python_artifact(location: str) -> Artifact | None:
    """Return what the location of a wheel or source archive says, or None where it says nothing.

    Source: the binary distribution format and the source distribution format of PyPA.
    """
    path = location.partition("#")[0].partition("?")[0]
    offset = path.rfind("/") + 1
    match = _WHEEL.fullmatch(path, offset) or _ARCHIVE.fullmatch(path, offset)
    return Artifact(match[1], match[2], offset) if match else None
