"""What has to be built from source, what that takes, and where it is known to fail."""

from __future__ import annotations

from collections.abc import Callable

from mlenv.knowledge.blocks import Blocks
from mlenv.knowledge.releases import versions_of
from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version import Version
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


IMPORTS = "imports"
SKIPS = "skips"
REQUIRES = "requires"
LATE = "late"
"""What a build does about torch: see :class:`Build`."""


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """What a build of a distribution takes.

    Attributes:
        name: The distribution.
        versions: The versions that it holds for.
        torch: ``imports`` where the build fails without torch beside it, ``skips`` where it leaves
            parts out then, ``requires`` where an isolated build fetches one of its own, ``late``
            where it compiles with torch's help when it is used; empty where it has nothing to do
            with torch.
        nvcc: Whether the CUDA toolkit's compiler is needed.
        only_source: Whether PyPI holds no wheel for Linux.
        from_source: Whether it speaks only of what is built from a repository or a folder.
        programs: What must be on PATH.
        headers: Debian's packages that hold the headers.
        wheel: Where wheels are, besides PyPI; empty where there are none.
        switch: What the options have in common that turn its CUDA code on; empty where that is
            always compiled.
        compares_minor: Whether its setup.py stops where the minor version of CUDA differs.
        other: A distribution with wheels that serves instead; empty where there is none.
        error: The message that users see; may be empty.
        evidence: Who says so.
    """

    name: str
    versions: VersionSet
    torch: str
    nvcc: bool
    only_source: bool
    from_source: bool
    programs: tuple[str, ...]
    headers: tuple[str, ...]
    wheel: str
    switch: str
    compares_minor: bool
    other: str
    error: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Failing:
    """Versions whose source cannot be built on some Pythons.

    Attributes:
        effect: Why, as a clause.
        evidence: Who says so.
    """

    effect: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Elsewhere:
    """A release that PyPI never held.

    Attributes:
        minors: The CPython minors that it is for.
        evidence: Who says so.
    """

    minors: tuple[int, ...]
    evidence: Evidence


class Builds:
    """Typed questions on the records of ``builds.toml``.

    Args:
        load: Returns the text of a file of records by its name.
    """

    def __init__(self, load: Callable[[str], str]) -> None:
        self._blocks = Blocks(lambda: load("builds"), "build")

    def of(self, name: str) -> Build | None:
        """Return what a build of a distribution takes; None where nothing is known of it."""
        record = next((one for one in self._about(name, "package")), None)
        if record is None:
            return None
        return Build(
            name,
            versions_of(record.get("versions", "")),
            record.get("torch", ""),
            record.get("nvcc", False),
            record.get("only_source", False),
            record.get("from_source", False),
            tuple(record.get("programs", ())),
            tuple(record.get("headers", ())),
            record.get("wheel", ""),
            record.get("switch", ""),
            record.get("compares_minor", False),
            record.get("other", ""),
            record.get("error", ""),
            _evidence(record),
        )

    def failing(self, name: str, version: Version, python: Version, day: str) -> Failing | None:
        """Return why the source of a release cannot be built there on a day; None if unknown."""
        for record in self._about(name, "fails"):
            if day < record.get("since", ""):
                continue
            if versions_of(record["versions"]).admits(version, prereleases=True) and versions_of(
                record["python"]
            ).admits(python, prereleases=True):
                return Failing(record["effect"], _evidence(record))
        return None

    def elsewhere(self, name: str, version: Version) -> Elsewhere | None:
        """Return the Pythons of a release that PyPI never held; None where none is on record."""
        for record in self._about(name, "elsewhere"):
            if versions_of(record["versions"]).admits(version, prereleases=True):
                return Elsewhere(tuple(record["minors"]), _evidence(record))
        return None

    def _about(self, name: str, kind: str) -> list[dict[str, Any]]:
        return [one for one in self._blocks.about(name) if one["kind"] == kind]


def _evidence(record: dict[str, Any]) -> Evidence:
    return Evidence(record["fact"], record["source"])
