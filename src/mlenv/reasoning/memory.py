"""What was found for one installation of an audit and holds for the others as well."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge.releases import Dependency
    from mlenv.versions.version import Version

    Asked = tuple[str, Version, tuple[str, ...]]
    """A distribution, its version and the extras of it."""

_TOGETHER = 15_000
"""How many candidates all searches of an audit may look at.

Each takes a bounded time; what a hundred sets of one project may take together is bounded too.
"""


class Metadata:
    """What was found of metadata for one interpreter on one platform.

    Attributes:
        required: What releases require, by name, version and extras.
        holding: Which markers hold, by their text and the extras asked for.
    """

    def __init__(self) -> None:
        self.required: dict[Asked, tuple[Dependency, ...] | None] = {}
        self.holding: dict[tuple[str, tuple[str, ...]], bool] = {}


class Memory:
    """What the installations of one audit share, so that nothing is asked twice.

    Attributes:
        steps: How many candidates the searches may still look at.
        metadata: What was found of metadata, by interpreter and platform.
        every_python: Whether all releases that a constraint admits are of some versions.
        served: Whether an admitted release has a wheel, by all that decides it.
        candidates: Releases found to be admitted, by all that decides it.
    """

    def __init__(self) -> None:
        self.steps = _TOGETHER
        self.metadata: dict[tuple[str, str], Metadata] = {}
        self.every_python: dict[tuple[str, ...], bool] = {}
        self.served: dict[tuple[str, ...], bool] = {}
        self.candidates: dict[tuple[str, ...], tuple[Version, ...]] = {}
