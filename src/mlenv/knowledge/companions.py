"""What is built for one torch, CUDA, cuDNN or C library, which its metadata does not say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from mlenv.knowledge.blocks import Blocks, stated
from mlenv.knowledge.releases import versions_of
from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version import Version
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


TORCH = "torch"
"""It is linked to torch's own libraries: the major version of CUDA must be the same."""
TORCH_MINOR = "minor"
"""It compares its own CUDA with torch's, the minor version as well."""
BESIDE = "beside"
"""It uses those that torch loaded, else the machine's."""
MACHINE = "machine"
"""It uses the machine's, unless some distribution brings them."""


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """Binaries that load beside some versions of torch only, though their metadata admit others.

    Attributes:
        name: The distribution.
        fits: The versions of torch that they load beside.
        effect: What goes wrong beside others, as half a sentence.
        is_mild: Whether part of the package works all the same.
        evidence: Who says so, and what users see.
    """

    name: str
    fits: VersionSet
    effect: str
    is_mild: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CudaBuild:
    """The CUDA that the wheels of a release on PyPI are built for.

    Attributes:
        cuda: Its version, be it a major only.
        cudnn: cuDNN's version; empty where it needs none or that is not known.
        extras: The extras of this release that bring these libraries along.
        loads: Whose libraries it uses: :data:`TORCH`, :data:`TORCH_MINOR`, :data:`BESIDE` or
            :data:`MACHINE`.
        effect: What happens without them, as half a sentence.
        evidence: Who says so, and what users see.
    """

    cuda: str
    cudnn: str
    extras: tuple[str, ...]
    loads: str
    effect: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CudaLibraries:
    """The CUDA versions that a wheel holds a library for.

    Attributes:
        versions: As ``12.1``, ascending.
        by_system: Whether the CUDA of the machine decides which is loaded, and not torch's.
        evidence: Who says so, and what users see.
    """

    versions: tuple[str, ...]
    by_system: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, eq=False)
class WheelMatrix:
    """The wheels that a release has outside PyPI, beside its source distribution.

    Attributes:
        torches: The minors of torch.
        pythons: The lowest and the highest minor of Python, as numbers.
        labels: The CUDA labels in their names.
        glibc: The C library that they need; empty where it is an old one or not known.
        evidence: Who says so, and what users see.
    """

    torches: tuple[str, ...]
    pythons: tuple[int, int]
    labels: tuple[str, ...]
    glibc: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """What a release looks for when it is imported, and its metadata do not say.

    Attributes:
        other: The distribution that it looks at.
        accepts: The versions of it that it accepts.
        evidence: Who says so, and what users see.
    """

    other: str
    accepts: VersionSet
    evidence: tuple[Evidence, ...]


class Companions:
    """Typed questions on the records of ``companions.toml``.

    Args:
        load: Returns the text of a file of records by its name.
    """

    def __init__(self, load: Callable[[str], str]) -> None:
        self._blocks = Blocks(lambda: load("companions"), "companions")
        self._found: dict[tuple[str, str], tuple[dict[str, Any], ...]] = {}

    @cached_property
    def bound(self) -> frozenset[str]:
        """The distributions of which some release has a :meth:`binding`."""
        return self._named("torch")

    @cached_property
    def checking(self) -> frozenset[str]:
        """The distributions of which some release makes :meth:`checks`."""
        return self._named("checks")

    @cached_property
    def with_cuda(self) -> frozenset[str]:
        """The distributions of which some release has a :meth:`cuda_build` or :meth:`libraries`."""
        return self._named("cuda") | self._named("libraries")

    @cached_property
    def with_wheels(self) -> frozenset[str]:
        """The distributions of which some release has :meth:`wheels` outside PyPI."""
        return self._named("prebuilt")

    def binding(self, name: str, version: Version) -> Binding | None:
        """Return the torch that a release needs and its metadata do not name; None if unknown."""
        for record, row in self._rows(name, "torch", version):
            return Binding(
                name,
                versions_of(row[0]),
                record["effect"],
                record.get("mild", False),
                _evidence(record),
            )
        return None

    def checks(self, name: str, version: Version) -> Iterator[Check]:
        """Yield what a release looks for when it is imported."""
        for record, row in self._rows(name, "checks", version):
            facts = {"version": str(version.public), "range": row[0]}
            yield Check(record["other"], versions_of(row[0]), _evidence(record, facts))

    def cuda_build(self, name: str, version: Version) -> CudaBuild | None:
        """Return what the wheels of a release on PyPI are built for; None if not known."""
        for record, row in self._rows(name, "cuda", version):
            cuda, cudnn = (text.strip("-") for text in row)
            extras = record.get("extras", ())
            since = record.get("since", "")
            if since and not versions_of(f">={since}").admits(version, prereleases=True):
                extras = ()
            facts = {"version": str(version.public), "cuda": cuda, "cudnn": cudnn}
            return CudaBuild(
                cuda,
                cudnn,
                tuple(extras),
                record["loads"],
                record["provider"],
                _evidence(record, facts),
            )
        return None

    def libraries(self, name: str, version: Version) -> CudaLibraries | None:
        """Return the CUDA versions that a release holds libraries for; None if not known."""
        for record, row in self._rows(name, "libraries", version):
            facts = {"version": str(version.public), "cuda": ", ".join(row)}
            by_system = versions_of(record["system"]).admits(version, prereleases=True)
            return CudaLibraries(tuple(row), by_system, _evidence(record, facts))
        return None

    def wheels(self, name: str, version: Version) -> WheelMatrix | None:
        """Return the wheels that a release has outside PyPI; None if not known."""
        for record, row in self._rows(name, "prebuilt", version):
            torches, pythons, labels, glibc = row
            low, _, high = pythons.partition("-")
            return WheelMatrix(
                tuple(torches.split(",")),
                (int(low.partition(".")[2]), int(high.partition(".")[2])),
                tuple(labels.split(",")),
                glibc.strip("-"),
                _evidence(record),
            )
        return None

    def wheel_evidence(self, name: str) -> tuple[Evidence, ...]:
        """Return what is known of the wheels of a distribution in general; empty if nothing."""
        return next((_evidence(record) for record in self._of(name, "prebuilt")), ())

    def newer_jaxlib(self) -> tuple[Evidence, ...]:
        """Return who says that jax refuses a jaxlib that is newer than itself."""
        return next((_evidence(record) for record in self._of("jax", "oldest")), ())

    def equal_to_jaxlib(self, name: str) -> tuple[Evidence, ...]:
        """Return who says that a distribution must be of jaxlib's version; empty if none does."""
        return next((_evidence(record) for record in self._of(name, "equal")), ())

    def newest_glibc(self, name: str) -> str:
        """Return the C library that the newest wheels need; empty where that is not known."""
        rows = [line for one in self._of(name, "prebuilt") for line in one["rows"].splitlines()]
        return rows[-1].split()[-1].strip("-") if rows else ""

    def page_marks(self, name: str) -> tuple[str, ...]:
        """Return what the addresses of the pages have in common that hold a distribution."""
        return tuple(record["mark"] for record in self._of(name, "page"))

    def page_builds(self, name: str, torch: str) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
        """Return the labels of the wheels for a minor of torch, and who says so; none if unknown.

        Args:
            name: The distribution.
            torch: Major and minor, such as ``2.4``.
        """
        for record in self._of(name, "page"):
            for line in record.get("builds", "").splitlines():
                minor, *labels = line.split()
                if minor == torch:
                    facts = {"torch": torch, "builds": ", ".join(labels)}
                    return tuple(labels), _evidence(record, facts)
        return (), ()

    def _of(self, name: str, kind: str) -> Iterator[dict[str, Any]]:
        key = (name, kind)
        if key not in self._found:
            self._found[key] = tuple(self._blocks.about(name, _is_of(kind)))
        return iter(self._found[key])

    def _named(self, kind: str) -> frozenset[str]:
        return self._blocks.named(_is_of(kind))

    def _rows(
        self, name: str, kind: str, version: Version
    ) -> Iterator[tuple[dict[str, Any], list[str]]]:
        """Yield the row that a version stands in, with its record."""
        for record in self._of(name, kind):
            for line in record["rows"].splitlines():
                versions, *row = line.split()
                if versions_of(versions).admits(version, prereleases=True):
                    yield record, row


def _is_of(kind: str) -> Callable[[str], bool]:
    """Return what tells by a record's text whether it is of a kind."""
    return lambda text: stated(text, "kind") == f'"{kind}"'


def _evidence(record: dict[str, Any], facts: dict[str, str] | None = None) -> tuple[Evidence, ...]:
    """Return the fact of a record with its particulars filled in, and what users see."""
    fact = record["fact"]
    for name, value in (facts or {}).items():
        fact = fact.replace(f"{{{name}}}", value)
    found = [Evidence(fact, record["source"])]
    if "error" in record:
        found.append(Evidence(f"users see: {record['error']}", record["source"]))
    return tuple(found)
