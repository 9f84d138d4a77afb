"""Which packages bring a shared library, and what packages load by its path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property

from mlenv.knowledge.releases import versions_of
from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version import Version
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Bringer:
    """What brings a shared library.

    Attributes:
        soname: The library.
        apt: The package of Debian and Ubuntu; empty where none is known.
        renamed: Its name from Debian 13 and Ubuntu 24.04 on, where that is another one.
        releases: The only releases whose package holds it; empty for all.
        conda: conda-forge's package; may be empty.
        pypi: The distributions on PyPI, in words; may be empty.
        evidence: Who says so.
    """

    soname: str
    apt: str
    renamed: str
    releases: tuple[str, ...]
    conda: str
    pypi: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """Files that a package loads by their path when it is imported.

    Attributes:
        package: The distribution.
        versions: The releases that load them.
        files: Patterns, relative to the folder of packages, with ``/``.
        fails: Whether the import fails where they do not load.
        any: Whether one of them is enough.
        evidence: Who says so.
    """

    package: str
    versions: VersionSet
    files: tuple[str, ...]
    fails: bool
    any: bool
    evidence: Evidence

    def has(self, path: str) -> bool:
        """Whether a file is one of them, by its path relative to the prefix."""
        return any(fnmatchcase(f"/{path}", f"*/{pattern}") for pattern in self.files)


class Sonames:
    """Typed questions on the records of ``sonames.toml``."""

    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records

    def brings(self, soname: str) -> Bringer | None:
        """Return what brings a library; None where that is not known."""
        return self._bringers.get(soname)

    def is_of_driver(self, soname: str) -> bool:
        """Whether a library comes with NVIDIA's driver and with nothing else."""
        return soname in self._records["driver"]["names"]

    @property
    def driver_evidence(self) -> Evidence:
        """Who says what the driver brings."""
        return Evidence("it comes with NVIDIA's driver", self._records["driver"]["source"])

    def loaded_by(self, package: str, version: Version | None) -> Loaded | None:
        """Return the files that a distribution loads by their path; None where none is known.

        Args:
            package: Canonical name.
            version: Its version; None where that is not known.
        """
        for one in self._loaded:
            known = version is None or one.versions.admits(version, prereleases=True)
            if one.package == package and known:
                return one
        return None

    @cached_property
    def _bringers(self) -> dict[str, Bringer]:
        source = self._records["meta"]["source"]
        rows = (*self._records["soname"], *self._records["cuda"])
        return {one.soname: one for record in rows for one in _made(record, source)}

    @cached_property
    def _loaded(self) -> tuple[Loaded, ...]:
        return tuple(
            Loaded(
                name,
                versions_of(record.get("versions", "")),
                tuple(record["files"]),
                record["fails"],
                record.get("any", False),
                Evidence(record["fact"], record["source"]),
            )
            for record in self._records["loaded"]
            for name in record["packages"]
        )


def _made(record: dict[str, Any], source: str) -> Iterator[Bringer]:
    apt, pypi, conda = record.get("apt", ""), record.get("pypi", ""), record.get("conda", "")
    for soname in record["so"]:
        holders: Sequence[str] = [one for one in (pypi, apt, conda) if one]
        yield Bringer(
            soname,
            apt,
            record.get("renamed", ""),
            tuple(record.get("releases", ())),
            conda,
            pypi,
            Evidence(f"{soname} is in {', '.join(holders)}", source),
        )
