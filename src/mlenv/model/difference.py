"""How two machines with what is installed there differ, ranked by what can change a result."""

from __future__ import annotations

from mlenv.phrases import listed
from mlenv.records import dataclass

DECISIVE = "decisive"
LIKELY = "likely"
MINOR = "minor"
"""What a difference can do: another result or none at all; another result in some cases; seldom
anything."""
WEIGHTS = (DECISIVE, LIKELY, MINOR)

CHANGED = "changed"
ADDED = "added"
REMOVED = "removed"
"""What became of something from the first to the second."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same.

    Attributes:
        key: ``python``, ``torch``, ``cuda``, ``driver``, ``gpu``, ``numpy``, ``blas`` …, or the
            canonical name of a distribution.
        title: What people call it.
        left: What the first has; empty where it has none.
        right: What the second has.
        weight: One of :data:`WEIGHTS`.
        reason: What it can do, as a sentence without a full stop; may be empty.
        source: Who says so.
        is_package: Whether it is one of the packages that nothing above speaks of.
    """

    key: str
    title: str
    left: str
    right: str
    weight: str
    reason: str = ""
    source: str = ""
    is_package: bool = False

    @property
    def change(self) -> str:
        """What became of it: ``changed``, ``added`` or ``removed``."""
        return CHANGED if self.left and self.right else ADDED if self.right else REMOVED


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two machines and what differs.

    Attributes:
        left: What the first is called.
        right: What the second is called.
        differences: What differs, in the order in which it is told.
    """

    left: str
    right: str
    differences: tuple[Difference, ...]

    @property
    def greatest(self) -> Difference | None:
        """The difference that can do most; the first of those that can do as much."""
        return min(self.differences, key=lambda one: WEIGHTS.index(one.weight), default=None)

    @property
    def headline(self) -> str:
        """What differs most, and why that can matter, in a sentence without a full stop."""
        top = self.greatest
        if top is None:
            return "nothing that is known of both differs"
        left, right = top.left or "none", top.right or "none"
        reason = f": {top.reason}" if top.reason else ""
        others = [
            one.title for one in self.differences if one.weight == DECISIVE and one is not top
        ]
        more = f"; {listed(others, 4)} can do as much" if others else ""
        return f"{top.title} differs most, {left} against {right}{reason}{more}"
