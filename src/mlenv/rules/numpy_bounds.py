"""Topic ``numpy2``: pins whose metadata leave no NumPy that fits them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.phrases import listed
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.domains import candidates, dependencies
from mlenv.reasoning.setting import IMAGE, REQUIREMENTS, Setting
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.versions.version import Version
from mlenv.versions.version_set import ANY, VersionSet

_NUMPY = "numpy"
_MOST_NAMED = 4
_MOST_BOUNDS = 60
"""So many pins are compared pair by pair; of more only the two that bound NumPy most."""


@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """What one pin asks of NumPy.

    Attributes:
        choice: The pin.
        versions: What its metadata ask for.
        fitting: The releases of NumPy that it leaves.
    """

    choice: Choice
    versions: VersionSet
    fitting: frozenset[Version]

    @property
    def shown(self) -> str:
        """The pin with what it asks for."""
        return f"{self.choice.name} {self.choice.exact} (numpy{self.versions.text})"


@rule(
    "NPY003",
    "no-numpy-fits",
    topic="numpy2",
    severity=Severity.ERROR,
    facts=("numpy2",),
    only=(REQUIREMENTS, IMAGE),
)
def no_numpy_fits(setting: Setting) -> Iterator[Finding]:
    """Pins that ask for different releases of NumPy, so that none fits them all.

    One package is capped below NumPy 2, or at the NumPy that numba knew, and another one needs a
    newer one. Each of them is right by itself, NumPy may not be named at all, and yet no installer
    finds a solution. Where a single pin contradicts the project's own line on NumPy, CON003 says
    so. A warning in an image, where a later command overrules an earlier one.

    Messages that users see: "ResolutionImpossible", "No solution found when resolving
    dependencies", "Cannot install ... because these package versions have conflicting
    dependencies".

    Bad:
        pandas==2.1.4
        opencv-python==4.12.0.88

    Good:
        pandas==2.2.3
        opencv-python==4.12.0.88
    """
    own = setting.choices.get(_NUMPY)
    if own is not None and (own.is_conda or own.is_overridden or own.is_direct):
        return
    asked = own.versions if own is not None and own.versions.understood else ANY
    bounds = [one for one in _bounds(setting, asked) if one.fitting]
    if not bounds or frozenset.intersection(*(one.fitting for one in bounds)):
        return
    yield _finding(setting, _culprits(bounds), own)


def _bounds(setting: Setting, asked: VersionSet) -> Iterator[_Bound]:
    for name, choice in setting.choices.items():
        if choice.exact is None or choice.is_conda or choice.is_direct or name == _NUMPY:
            continue
        for one in dependencies(setting, name, choice.exact, choice.extras) or ():
            if one.name == _NUMPY and one.versions.understood and not one.versions.is_any:
                known = candidates(setting, _NUMPY, asked)
                fitting = (v for v in known if one.versions.admits(v, prereleases=True))
                yield _Bound(choice, one.versions, frozenset(fitting))


def _culprits(bounds: Sequence[_Bound]) -> Sequence[_Bound]:
    """Return two pins that exclude each other; all of them where no two do."""
    if len(bounds) > _MOST_BOUNDS:
        return sorted(bounds, key=lambda one: len(one.fitting))[:2]
    pairs = (pair for pair in combinations(bounds, 2) if not pair[0].fitting & pair[1].fitting)
    return next(pairs, bounds)


def _finding(setting: Setting, culprits: Sequence[_Bound], own: Choice | None) -> Finding:
    *others, last = sorted(culprits, key=lambda one: (one.choice.span.path, one.choice.span.start))
    shown = [one.shown for one in (*others, last)]
    beside = f" and {own.specifier}" if own is not None and not own.versions.is_any else ""
    return Finding(
        f"no NumPy fits {listed(shown, _MOST_NAMED)}{beside}",
        last.choice.span,
        (_NUMPY, *(one.choice.name for one in culprits)),
        Severity.WARNING if setting.kind == IMAGE else None,
        help="move one of them to a release that admits the NumPy of the others",
        related=tuple(
            Related(one.choice.span, f"{one.choice.specifier} stands here") for one in others
        ),
        evidence=tuple(
            Evidence(
                f"{one.choice.name} {one.choice.exact} requires numpy{one.versions.text}",
                "Requires-Dist in the wheels' own metadata",
            )
            for one in culprits
        ),
    )
