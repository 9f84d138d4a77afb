"""What is known of CUDA toolkits and NVIDIA's drivers: which driver runs what."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from mlenv.model.finding import Evidence
from mlenv.model.target import WINDOWS, Capability, parse_capability
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Floor:
    """The lowest driver that runs what was built with a CUDA toolkit.

    Attributes:
        driver: Its version.
        text: The same as its vendor writes it.
        evidence: Who says so.
    """

    driver: Version
    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Toolkit:
    """A CUDA toolkit.

    Attributes:
        version: Major and minor, such as ``12.4``.
        linux: The driver that came with it for Linux.
        windows: The one for Windows; empty where none came.
        lowest: The lowest compute capability that it compiles for.
        highest: The highest one.
    """

    version: str
    linux: str
    windows: str
    lowest: Capability
    highest: Capability


class Cuda:
    """Typed questions on the records of ``cuda.toml``."""

    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records

    @property
    def versions(self) -> tuple[str, ...]:
        """The toolkits on record, oldest first, as major and minor."""
        return tuple(self._toolkits)

    def toolkit(self, cuda: str) -> Toolkit | None:
        """Return the toolkit of a version such as ``12.4`` or ``12.4.1``, or None."""
        return self._toolkits.get(".".join(cuda.split(".")[:2]))

    def only(self, versions: VersionSet) -> str | None:
        """Return the one CUDA that a constraint leaves, as major and minor; None if several."""
        exact = versions.exact
        if exact is not None and len(exact.release) > 1:
            return exact.minor_line
        left = []
        for cuda in self.versions:
            tried = (parse_version(cuda), parse_version(f"{cuda}.0"), parse_version(f"{cuda}.1"))
            if any(one is not None and versions.admits(one) for one in tried):
                left.append(cuda)
        return left[0] if len(left) == 1 else None

    def floor(self, cuda: str, system: str) -> Floor | None:
        """Return the lowest driver for a CUDA version on a system; None where it is not known.

        From CUDA 11 on one driver serves all toolkits of a major version that is not newer than
        its own; before that each toolkit needs the driver that came with it.

        Args:
            cuda: Major and minor.
            system: ``linux`` or ``windows``.
        """
        for family in self._records["family"]:
            if str(family["major"]) == cuda.partition(".")[0]:
                text = family["windows" if system == WINDOWS else "linux"]
                what = f"CUDA {family['major']}.x"
                return _floor(what, text, system, family["source"])
        toolkit = self.toolkit(cuda)
        if toolkit is None:
            return None
        text = toolkit.windows if system == WINDOWS else toolkit.linux
        source = self._records["toolkits"]["source"]
        return _floor(f"CUDA {toolkit.version}", text, system, source) if text else None

    def runs(self, driver: str, cuda: str, system: str) -> bool | None:
        """Return whether a driver runs what was built with a CUDA version; None if not known.

        A driver that is given by its branch stands for the newest of the branch.
        """
        version, floor = parse_version(driver), self.floor(cuda, system)
        if version is None or floor is None:
            return None
        # what Windows needs for CUDA 12 is told in two ways; the higher number decides nothing
        least = self._least(cuda) if system == WINDOWS else None
        lowest = least or floor.driver
        return not version < lowest or (
            len(version.release) == 1 and version.release[0] == lowest.release[0]
        )

    def newest_for(self, driver: str) -> str:
        """Return the newest CUDA that a driver serves in full, as nvidia-smi has it; else empty."""
        version = parse_version(driver)
        if version is None:
            return ""
        serving = [cuda for branch, cuda in self._branches if branch <= version.release[0]]
        return serving[-1] if serving else ""

    def image_admits(self, driver: str, cuda: str) -> bool:
        """Return whether images of a CUDA name a driver's branch as one for data center GPUs.

        Args:
            driver: A version, or a branch such as ``535``.
            cuda: Major and minor.
        """
        version, asked = parse_version(driver), parse_version(cuda)
        for first, branches in self._rows("images"):
            least = parse_version(first)
            if version is None or asked is None or least is None or asked < least:
                continue
            if least.release[0] == asked.release[0]:
                return str(version.release[0]) in branches.split(",")
        return False

    @property
    def forward(self) -> Evidence:
        """What lets a newer CUDA run on an older driver, and where."""
        record = self._records["forward"]
        return Evidence(record["fact"], record["source"])

    def _least(self, cuda: str) -> Version | None:
        for family in self._records["family"]:
            if str(family["major"]) == cuda.partition(".")[0] and "windows_least" in family:
                return parse_version(family["windows_least"])
        return None

    @cached_property
    def _toolkits(self) -> dict[str, Toolkit]:
        found = {}
        for version, linux, windows, lowest, highest in self._rows("toolkits"):
            ends = parse_capability(lowest), parse_capability(highest)
            if ends[0] is not None and ends[1] is not None:
                found[version] = Toolkit(version, linux, windows.strip("-"), ends[0], ends[1])
        return found

    @cached_property
    def _branches(self) -> tuple[tuple[int, str], ...]:
        return tuple((int(branch), cuda) for branch, cuda in self._rows("branches"))

    def _rows(self, table: str) -> Iterator[list[str]]:
        for line in self._records[table]["rows"].splitlines():
            if line.strip():
                yield line.split()


def _floor(what: str, text: str, system: str, source: str) -> Floor | None:
    version = parse_version(text)
    if version is None:
        return None
    where = "Windows" if system == WINDOWS else "Linux"
    return Floor(version, text, Evidence(f"{what} needs driver {text} on {where}", source))
