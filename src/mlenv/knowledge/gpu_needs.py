"""What distributions other than torch ask of a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlenv.knowledge.blocks import Blocks
from mlenv.knowledge.releases import versions_of
from mlenv.model.finding import Evidence, Severity
from mlenv.model.target import Capability, parse_capability
from mlenv.records import dataclass
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class GpuNeed:
    """The lowest compute capability that a distribution runs on.

    Attributes:
        versions: Its versions that this holds for.
        least: The compute capability.
        severity: How bad a lower one is.
        effect: What is missing there, as half a sentence.
        fix: The ways out, each a phrase.
        evidence: Who says so, and what users see.
    """

    versions: VersionSet
    least: Capability
    severity: Severity
    effect: str
    fix: tuple[str, ...]
    evidence: tuple[Evidence, ...]


class GpuNeeds:
    """Typed questions on the records of ``gpu_needs.toml``.

    Args:
        load: Returns the text of a file of records by its name.
    """

    def __init__(self, load: Callable[[str], str]) -> None:
        self._blocks = Blocks(lambda: load("gpu_needs"), "need")

    def about(self, name: str) -> Iterator[GpuNeed]:
        """Yield what a distribution asks, the most severe first."""
        found = [_read(record) for record in self._blocks.about(name)]
        yield from sorted(found, key=lambda one: one.severity.rank)


def _read(record: dict[str, Any]) -> GpuNeed:
    least = parse_capability(record["least"])
    assert least is not None
    return GpuNeed(
        versions_of(record["versions"]),
        least,
        Severity(record["severity"]),
        record["effect"],
        tuple(record["fix"]),
        (
            Evidence(record["fact"], record["source"]),
            Evidence(f"users see: {record['error']}", record["source"]),
        ),
    )
