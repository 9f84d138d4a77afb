"""What is known of torch's builds: which there are, which PyPI holds, and for which GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from mlenv.model.finding import Evidence
from mlenv.model.target import Capability, parse_capability
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


CPU = "cpu"
_CUDA_LABEL = r"cu(1\d|[5-9])(\d)"
_LESS_SURE = frozenset(("old", "rfc"))
_EMBEDDED = frozenset(((5, 3), (6, 2), (7, 2), (8, 7), (10, 1), (11, 0)))
"""Chips of embedded boards: they run only their own kernels, which run nowhere else."""


def cuda_of_label(label: str) -> str | None:
    """Return the CUDA version of a label, such as ``12.1`` for ``cu121``.

    Empty for a build without CUDA (``cpu``, ``rocm6.0``, ``xpu``); None where the label says
    nothing of it.
    """
    match = re.fullmatch(_CUDA_LABEL, label)
    if match:
        return f"{match[1]}.{match[2]}"
    return "" if label in (CPU, "xpu") or label.startswith("rocm") else None


def label_of_cuda(cuda: str) -> str:
    """Return the label that PyTorch gives to builds for a CUDA version: ``cu121`` for ``12.1``."""
    return "cu" + "".join(cuda.split(".")[:2])


@dataclass(frozen=True, slots=True, eq=False)
class TorchRelease:
    """One release of torch.

    Attributes:
        version: Its version.
        released: The day.
        labels: The builds that PyTorch made, for whichever platform.
        unannounced: Labels that were seen on an index and are on no list of PyTorch's.
        cudnn: cuDNN of PyPI's build with CUDA; empty where it is not known.
        is_sure: Whether the records of its builds are complete.
        evidence: Who says which builds there are.
        defaults: What PyPI holds for Linux on x86_64 and on aarch64.
    """

    version: Version
    released: str
    labels: tuple[str, ...]
    unannounced: tuple[str, ...]
    cudnn: str
    is_sure: bool
    evidence: Evidence
    defaults: tuple[str, str]

    def default(self, platform: str) -> str:
        """Return the label of what PyPI holds for a platform; empty where it holds nothing."""
        on_linux = {"linux_x86_64": self.defaults[0], "linux_aarch64": self.defaults[1]}
        return on_linux.get(platform, CPU)

    def has(self, label: str) -> bool:
        """Whether it was built with a label, announced or not."""
        return label in self.labels or label in self.unannounced

    @property
    def cuda_labels(self) -> tuple[str, ...]:
        """The labels of the builds with CUDA, newest CUDA first."""
        found = [(cuda, label) for label in self.labels if (cuda := cuda_of_label(label))]
        found.sort(key=lambda pair: tuple(map(int, pair[0].split("."))), reverse=True)
        return tuple(label for _, label in found)


@dataclass(frozen=True, slots=True, eq=False)
class Architectures:
    """The GPUs that a build has kernels for.

    Attributes:
        cubins: Compute capabilities of its compiled kernels.
        ptx: Those of its intermediate code, which drivers compile for newer GPUs.
        is_sure: Whether the list was read from the build or its vendor's own scripts.
        evidence: Who says so.
        alone: Those of code with the suffix ``a``, which runs on that one and no other.
    """

    cubins: tuple[Capability, ...]
    ptx: tuple[Capability, ...]
    is_sure: bool
    evidence: Evidence
    alone: tuple[Capability, ...] = ()

    def serve(self, capability: Capability) -> bool:
        """Whether the build runs on a GPU.

        Compiled kernels run on GPUs of the same major version whose minor version is not lower;
        the chips of embedded boards stand apart.

        Source: NVIDIA, CUDA C++ Programming Guide, Binary Compatibility and PTX Compatibility.
        """
        if capability in self.alone:
            return True
        return any(_runs(one, capability) for one in self.cubins) or any(
            one <= capability for one in self.ptx
        )

    @property
    def text(self) -> str:
        """The list, as messages show it."""
        listed = [(one, "") for one in self.cubins] + [(one, "a") for one in self.alone]
        shown = [f"{major}.{minor}{suffix}" for (major, minor), suffix in sorted(listed)]
        return ", ".join([*shown, *(f"{one[0]}.{one[1]}+PTX" for one in self.ptx)])


def _runs(cubin: Capability, capability: Capability) -> bool:
    if cubin == capability:
        return True
    if capability in _EMBEDDED or cubin in _EMBEDDED:
        return False
    return cubin[0] == capability[0] and cubin[1] <= capability[1]


def read_architectures(names: tuple[str, ...], evidence: Evidence) -> Architectures | None:
    """Return what torch lists (``sm_80``, ``sm_90a``, ``compute_90``); None if unreadable."""
    found: dict[str, list[Capability]] = {"sm": [], "compute": [], "a": []}
    for name in names:
        match = re.fullmatch(r"(sm|compute)_(\d{1,2})(\d)([af]?)", name.strip().lower())
        if match is None:
            return None
        kind = "a" if match[4] == "a" else match[1]
        found[kind].append((int(match[2]), int(match[3])))
    return Architectures(
        tuple(found["sm"]), tuple(found["compute"]), True, evidence, tuple(found["a"])
    )


class Torch:
    """Typed questions on the records of ``torch.toml``."""

    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records
        self._sources: dict[str, str] = records["sources"]

    @cached_property
    def releases(self) -> tuple[TorchRelease, ...]:
        """Every release on record, oldest first."""
        return tuple(self._read_releases())

    def release(self, version: Version) -> TorchRelease | None:
        """Return the release of a version, whatever its local part; None where it is not known."""
        return self._by_release.get(_key(version))

    def newest(self, versions: VersionSet, label: str = "", day: str = "") -> Version | None:
        """Return the newest release that is admitted and was built with a label.

        Args:
            versions: What is admitted.
            label: The label; empty for the newest of all.
            day: The last day on which it may have come out; empty for any.
        """
        return versions.newest(
            one.version
            for one in self.releases
            if (not label or label in one.labels) and (not day or one.released <= day)
        )

    def built_with(self, label: str) -> tuple[TorchRelease, ...]:
        """Return the releases that were built with a label, oldest first."""
        return tuple(one for one in self.releases if label in one.labels)

    def is_newer_than_known(self, version: Version) -> bool:
        """Whether a version is newer than all on record, so that nothing is known of it."""
        return self.releases[-1].version < version and self.release(version) is None

    @cached_property
    def newest_cuda(self) -> str:
        """The newest CUDA that some release was built for, announced or not."""
        labels = {label for one in self.releases for label in (*one.labels, *one.unannounced)}
        found = [cuda for label in labels if (cuda := cuda_of_label(label))]
        return max(found, key=lambda cuda: tuple(map(int, cuda.split("."))))

    def may_exist(self, label: str) -> bool:
        """Whether some release was built with a label, announced or not."""
        return any(one.has(label) for one in self.releases)

    def architectures(self, version: Version, label: str, platform: str) -> Architectures | None:
        """Return the GPUs that a build has kernels for; None where that is not known."""
        minor = ".".join(map(str, (*version.release, 0)[:2]))
        return self._architectures.get((minor, label, platform))

    def cudnn(self, version: Version, label: str) -> str:
        """Return the cuDNN of a build; empty where it is not known."""
        minor = ".".join(map(str, (*version.release, 0)[:2]))
        return self._libraries.get((minor, label), "")

    def _read_releases(self) -> Iterator[TorchRelease]:
        for row in self._rows("releases"):
            version = parse_version(row[0])
            if version is None:
                continue
            labels = row[4].split(",")
            fact = f"torch {row[0]} was built for " + ", ".join(
                label for label in labels if not label.endswith("?")
            )
            yield TorchRelease(
                version,
                row[1],
                tuple(label for label in labels if not label.endswith("?")),
                tuple(label[:-1] for label in labels if label.endswith("?")),
                row[5].strip("-"),
                row[6] not in _LESS_SURE,
                Evidence(fact, self._sources[row[6]]),
                (row[2].strip("-"), row[3].strip("-")),
            )

    @cached_property
    def _by_release(self) -> dict[tuple[int, ...], TorchRelease]:
        return {_key(one.version): one for one in self.releases}

    @cached_property
    def _architectures(self) -> dict[tuple[str, str, str], Architectures]:
        found = {}
        for minors, label, platform, listed, source in self._rows("architectures"):
            cubins: list[Capability] = []
            ptx: list[Capability] = []
            for text in listed.split(","):
                capability = parse_capability(text.removesuffix("+PTX"))
                if capability is not None:
                    (ptx if text.endswith("+PTX") else cubins).append(capability)
            for minor in minors.split(","):
                fact = f"torch {minor} for {label} has kernels for {', '.join(listed.split(','))}"
                evidence = Evidence(fact, self._sources[source])
                found[minor, label, platform] = Architectures(
                    tuple(cubins), tuple(ptx), source not in _LESS_SURE, evidence
                )
        return found

    @cached_property
    def _libraries(self) -> dict[tuple[str, str], str]:
        return {
            (minor, label): cudnn
            for minors, label, cudnn in self._rows("libraries")
            for minor in minors.split(",")
        }

    def _rows(self, table: str) -> Iterator[list[str]]:
        for line in self._records[table]["rows"].splitlines():
            if line.strip():
                yield line.split()


def _key(version: Version) -> tuple[int, ...]:
    return (*version.release, 0, 0)[:3]
