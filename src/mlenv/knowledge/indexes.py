"""What is known of wheel indexes: how to tell one by its address, and what they serve."""

from __future__ import annotations

import re
from collections.abc import Callable

from mlenv.records import dataclass
from mlenv.versions.version import Version
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlenv.knowledge.torch import Torch

_LABEL = r"cu\d{2,3}|cpu|rocm\d+(?:\.\d+)*|xpu"
_PLACE = (
    r"(?:^|/)whl(?P<channel>/(?:nightly|test|lts(?:/[\d.]+)?))?"
    rf"(?:/(?P<label>{_LABEL}))?(?:/torch(?:_(?:stable|nightly|test|lts))?\.html)?/*$"
)
_ACCELERATED = r"(?:^|[^a-z])(?:cu(?:da)?\d|cpu\b|rocm\d|xpu\b)|^pt\d"


@dataclass(frozen=True, slots=True, eq=False)
class WheelIndex:
    """An index of builds, told by its address.

    Attributes:
        label: The one label whose builds it holds, such as ``cu118``; empty where it holds those
            of several.
        nightly: Whether it holds builds of the day and not releases.
    """

    label: str
    nightly: bool


def wheel_index(url: str) -> WheelIndex | None:
    """Return what an index of builds holds, or None where the address is not of this shape.

    PyTorch serves its builds, and mirrors serve theirs, below ``/whl``: one folder for each label,
    a page with all of them, and the same again for nightly builds.

    Source: PyTorch's installation page, "Previous PyTorch Versions".
    """
    address = url.partition("#")[0].partition("?")[0]
    match = re.search(_PLACE, address.lower())
    if match is None:
        return None
    channel = match["channel"] or ""
    return WheelIndex(match["label"] or "", channel.startswith(("/nightly", "/test")))


def is_label(local: str) -> bool:
    """Whether a local version is a label of such an index and nothing else."""
    return re.fullmatch(_LABEL, local) is not None


def is_accelerated(local: str) -> bool:
    """Whether a local version says what a build runs on (``cu118``, ``pt113cu117``, ``cpu``)."""
    return re.search(_ACCELERATED, local) is not None


class Indexes:
    """Typed questions on the records of ``indexes.toml``."""

    def __init__(self, records: dict[str, Any], torch: Callable[[], Torch]) -> None:
        self._records = records
        self._torch = torch

    def serves(self, name: str) -> bool:
        """Whether builds of a distribution are published on PyTorch's indexes."""
        return name in self._records["served"]["names"]

    def newest(self, versions: VersionSet, label: str = "") -> Version | None:
        """Return the newest release of torch that is admitted and was built with a label.

        Args:
            versions: What is admitted.
            label: The label; empty for the newest of all.
        """
        return self._torch().newest(versions, label)
