"""Which releases work with which NumPy: the boundary of NumPy 2, and the names that it removed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from mlenv.knowledge.blocks import Blocks, stated
from mlenv.knowledge.releases import versions_of
from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.bounds import within
from mlenv.versions.version import Version
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


IMPORT_ERROR = "import-error"
RUNTIME = "runtime"
WARNING = "warning"
"""How a release fails: its import does, a use of it does, or it only complains."""
ABI = "abi"
PYTHON = "python"
"""Why it fails: its binaries were built for another NumPy, or its code uses what is gone."""

_REASONS = {
    ABI: "has binaries that were built for another NumPy",
    PYTHON: "uses what NumPy no longer has",
}
_OR = " or "
_NUMPY = ">=2"
"""The releases of NumPy that a record means where it names none."""
_NEEDS_NEWER = "uses what only a newer NumPy has"


@dataclass(frozen=True, slots=True, eq=False)
class Boundary:
    """Releases of a distribution that fail with some releases of NumPy.

    Attributes:
        package: Canonical name.
        broken: The releases that fail.
        numpy: The releases of NumPy that they fail with.
        how: :data:`IMPORT_ERROR`, :data:`RUNTIME` or :data:`WARNING`.
        why: :data:`ABI` or :data:`PYTHON`.
        first_good: The lowest release above the broken ones; empty where none is known.
        cap: What keeps NumPy where they work, such as ``numpy<2``; for those that need a newer
            NumPy, what brings it there.
        error: The message that users see.
        systems: The operating systems that it holds for; empty for all.
        evidence: Who says so.
    """

    package: str
    broken: VersionSet
    numpy: VersionSet
    how: str
    why: str
    first_good: str
    cap: str
    error: str
    systems: tuple[str, ...]
    evidence: Evidence

    @property
    def needs_newer(self) -> bool:
        """Whether it is an old NumPy that they fail with."""
        return not self.numpy.has_lower_bound


class Numpy2:
    """The records of ``numpy2.toml``.

    Args:
        load: Returns the text of a file of records by its name.
    """

    def __init__(self, load: Callable[[str], str]) -> None:
        self._load = load
        self._blocks = Blocks(lambda: load("numpy2"), "boundary")
        self._made: dict[str, Boundary] = {}

    def within(
        self, names: Collection[str], settled: Callable[[str], Version | None]
    ) -> Iterator[Boundary]:
        """Yield what is known of some distributions, in the file's order.

        Args:
            names: The distributions.
            settled: Returns the version of a distribution where there is but one: records that
                speak of others are left out, most of them unread.
        """

        def may_count(text: str) -> bool:
            package = text.partition('"')[2].partition('"')[0]
            return _may_hold(stated(text, "broken"), settled(package)) and _may_hold(
                stated(text, "numpy") or _NUMPY, settled("numpy")
            )

        yield from map(self._of, self._blocks.within(names, may_count))

    def about(self, name: str) -> Iterator[Boundary]:
        """Yield what is known of a distribution, whether it fails with any NumPy or not."""
        yield from map(self._of, self._blocks.about(name))

    def is_neutral(self, name: str) -> bool:
        """Whether every release of a distribution was seen to work with every NumPy."""
        return name in self._neutral

    @cached_property
    def capping(self) -> frozenset[str]:
        """Distributions that keep NumPy below 2 by their own metadata, in whatever release."""
        return frozenset(self._whole["capping"]["names"])

    def is_known(self, name: str) -> bool:
        """Whether a distribution was tried, with whatever outcome."""
        return self.is_neutral(name) or any(True for _ in self.about(name))

    @property
    def first_candidate(self) -> str:
        """The day from which on binaries could be built for NumPy 2, as ``YYYY-MM-DD``."""
        day: str = self._whole["meta"]["first_candidate"]
        return day

    @property
    def candidate_evidence(self) -> Evidence:
        """Why what was compiled before that day may fail."""
        meta = self._whole["meta"]
        return Evidence(meta["candidate_fact"], meta["candidate_source"])

    @cached_property
    def all(self) -> tuple[Boundary, ...]:
        """Every record, in the file's order."""
        return tuple(map(self._of, self._blocks.all()))

    @cached_property
    def removals(self) -> tuple[tuple[VersionSet, tuple[str, ...], Evidence], ...]:
        """The releases of NumPy that lack some names, the names, and who says so.

        The names stand without ``numpy.`` before them, methods of arrays as ``ndarray.ptp``.
        """
        return tuple(
            (
                versions_of(record["numpy"]),
                tuple(record["names"]),
                Evidence(record["fact"], record["source"]),
            )
            for record in self._whole["removed"]
        )

    @cached_property
    def _whole(self) -> dict[str, Any]:
        """The part of the file that is no boundary."""
        import tomli

        return tomli.loads(self._load("numpy2").partition("[[boundary]]\n")[0])

    @cached_property
    def _neutral(self) -> frozenset[str]:
        return frozenset(self._whole["neutral"]["names"])

    def _of(self, record: dict[str, Any]) -> Boundary:
        package = record["packages"][0]
        key = f"{package} {record['broken']} {record.get('numpy', '')}"
        if key not in self._made:
            self._made[key] = self._boundary(package, record)
        return self._made[key]

    def _boundary(self, package: str, record: dict[str, Any]) -> Boundary:
        broken, *others = map(versions_of, record["broken"].split(_OR))
        for one in others:
            broken = broken | one
        numpy = versions_of(record.get("numpy", _NUMPY))
        reason = _REASONS[record["why"]] if numpy.has_lower_bound else _NEEDS_NEWER
        source = record.get("source", self._whole["meta"]["source"])
        return Boundary(
            package,
            broken,
            numpy,
            record["how"],
            record["why"],
            record.get("first_good", ""),
            record.get("cap", "numpy<2"),
            record.get("error", ""),
            tuple(record.get("systems", ())),
            Evidence(f"{package} {record['broken']} {reason}", source),
        )


def _may_hold(written: str, version: Version | None) -> bool:
    """Whether versions as a record has them may hold one; so it is where that one is not known."""
    parts = written.strip('"').split(_OR)
    return version is None or any(within(part, version) is not False for part in parts)
