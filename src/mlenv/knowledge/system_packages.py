"""What base images hold, and what the packages of Debian and Ubuntu bring along."""

from __future__ import annotations

import re
from functools import cached_property

from mlenv.model.finding import Evidence
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_OFFICIAL = r"^(?:(?:index\.)?docker\.io/|public\.ecr\.aws/docker/|mirror\.gcr\.io/)?(?:library/)?"
_LIBRARY = r"-?(?:cuda|libcu|libnccl|libnv|nvidia)"
_NVCC = r"cuda(?:-nvcc|-toolkit|-compiler|-minimal-build|-\d|$)|nvidia-cuda-toolkit"
_PYTHON = r"(?:lib)?python3(?:\.\d+)?(?:-\w+)*"


@dataclass(frozen=True, slots=True, eq=False)
class Lacking:
    """What a base image is known not to hold.

    Attributes:
        things: Debian packages, and short names of programs.
        certain: Whether its recipe was read.
        evidence: Who says so.
    """

    things: frozenset[str]
    certain: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Gone:
    """A package that a release no longer has.

    Attributes:
        releases: Those that do not have it, such as ``debian 13``.
        instead: What serves instead; empty where nothing does.
        evidence: Who says so.
    """

    releases: tuple[str, ...]
    instead: str
    evidence: Evidence


class SystemPackages:
    """Typed questions on the records of ``system_packages.toml``."""

    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records

    def lacking(self, repository: str, tag: str) -> Lacking | None:
        """Return what an image does not hold; None where nothing is known of it.

        Args:
            repository: Its name without tag and digest.
            tag: Its tag; empty where none is given.
        """
        name = re.sub(_OFFICIAL, "", repository.lower())
        for record in self._records["images"]:
            if name in record["names"] and re.search(record["tags"], tag):
                fact = f"{name} holds only what its own recipe installs"
                evidence = Evidence(fact, record["source"])
                return Lacking(frozenset(record["lacks"].split()), record["certain"], evidence)
        return None

    def brought_by(self, package: str, *, recommended: bool) -> frozenset[str] | None:
        """Return what a package of Debian's brings; None where it is not known.

        Args:
            package: Its name.
            recommended: Whether what it recommends is installed as well.
        """
        name = package.partition(":")[0].removesuffix("t64")
        if re.match(_NVCC, name):
            return frozenset(("nvcc",))
        if name in self._brings:
            always, more = self._brings[name]
            return always | more if recommended else always
        if name in self._plain or re.match(_LIBRARY, name) or re.fullmatch(_PYTHON, name):
            return frozenset()
        return None

    def gone(self, package: str) -> Gone | None:
        """Return from where a package is gone; None where nothing is known of that."""
        return self._gone.get(package.partition(":")[0])

    def managed(self, system: str) -> Evidence | None:
        """Return who says that pip does not install into a system's Python; None where it may.

        Args:
            system: The operating system with its release, such as ``debian 12``.
        """
        record = self._records["managed"]
        if system not in record["systems"]:
            return None
        return Evidence(record["fact"], record["source"])

    @cached_property
    def _brings(self) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        found = {}
        for row in self._records["brings"]["rows"].strip().splitlines():
            name, always, more = (row + " |").split("|")[:3]
            found[name.strip()] = frozenset(always.split()), frozenset(more.split())
        return found

    @cached_property
    def _plain(self) -> frozenset[str]:
        return frozenset(self._records["brings"]["nothing"].split())

    @cached_property
    def _gone(self) -> dict[str, Gone]:
        return {
            record["name"]: Gone(
                tuple(record["releases"]),
                record["instead"],
                Evidence(record["fact"], record["source"]),
            )
            for record in self._records["gone"]
        }
