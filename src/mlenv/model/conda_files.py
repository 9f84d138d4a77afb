"""Which distributions the files of a conda package hold, as their metadata's folders tell."""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.model.environment import CondaPackage
from mlenv.model.requirement import canonical_name
from mlenv.records import dataclass

_METADATA = (
    r"(?P<location>(?:[^/]+/)*(?P<name>[^/]+?)-(?P<version>[^/-]+)(?:-py\d[\d.]*)?"
    r"\.(?:dist-info|egg-info))(?:/(?:METADATA|PKG-INFO))?"
)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A distribution that a conda package brought.

    Attributes:
        name: Its canonical name.
        version: By the name of its metadata's folder.
        location: That folder, relative to the prefix, with ``/``.
    """

    name: str
    version: str
    location: str


@lru_cache(maxsize=4096)
def held_by(package: CondaPackage) -> tuple[Held, ...]:
    """Return the distributions whose metadata are among a package's files."""
    found = []
    for file in package.files:
        if "-info" in file and file.endswith(("METADATA", "PKG-INFO", ".egg-info")):
            match = re.fullmatch(_METADATA, file)
            if match is not None:
                name = canonical_name(match["name"])
                found.append(Held(name, match["version"], match["location"]))
    return tuple(found)
