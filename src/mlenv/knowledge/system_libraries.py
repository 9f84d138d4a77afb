"""Which shared libraries and programs Python packages need from the operating system."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlenv.knowledge.blocks import Blocks
from mlenv.knowledge.releases import versions_of
from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version_set import VersionSet

IMPORT = "import"
PROGRAM = "program"
NO_MUSL = "no-musl"
COMPILER = "compiler"
"""What a need is about: see :class:`Need`."""


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """What a distribution needs and does not bring.

    Attributes:
        name: The distribution.
        kind: ``import`` (importing it fails without), ``program`` (an executable that it runs),
            ``no-musl`` (nothing on PyPI fits a system without glibc) or ``compiler`` (its source
            cannot be built without one).
        versions: The versions that it holds for.
        libraries: The shared libraries, by soname.
        apt: Debian's packages that hold what is needed.
        conda: conda-forge's packages that do.
        instead: What does without; empty where there is nothing.
        through: The distribution that it requires and that has the need; empty for its own.
        error: The message that users see; may be empty.
        evidence: Who says so.
    """

    name: str
    kind: str
    versions: VersionSet
    libraries: tuple[str, ...]
    apt: tuple[str, ...]
    conda: tuple[str, ...]
    instead: str
    through: str
    error: str
    evidence: Evidence


class SystemLibraries:
    """Typed questions on the records of ``system_libraries.toml``.

    Args:
        load: Returns the text of a file of records by its name.
    """

    def __init__(self, load: Callable[[str], str]) -> None:
        self._blocks = Blocks(lambda: load("system_libraries"), "library")

    def needs_of(self, name: str, *kinds: str) -> Iterator[Need]:
        """Yield what a distribution needs, of some kinds (any, where none is given)."""
        for record in self._blocks.about(name):
            if kinds and record["kind"] not in kinds:
                continue
            yield Need(
                name,
                record["kind"],
                versions_of(record.get("versions", "")),
                tuple(record.get("so", ())),
                tuple(record["apt"]),
                tuple(record.get("conda", ())),
                record.get("instead", ""),
                record.get("through", ""),
                record.get("error", ""),
                Evidence(record["fact"], record["source"]),
            )
