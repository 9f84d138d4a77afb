"""What the requirements of an environment's distributions come to, in the form that a cache keeps.

A cache holds the lines that the verdict speaks of, each with who has it; what they ask for is read
of them again. A verdict that speaks of lines that are not there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Distribution

Line = tuple[str, str]
"""Who has a requirement, by canonical name, and the line."""
_LONGEST = 120
"""In characters; what is longer was not written for people."""
_MOST = 1_000
"""So many lines are kept at most: an environment with more of them is about to be made anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Required:
    """A requirement of an installed distribution that holds there.

    Attributes:
        origin: The canonical name of the distribution that has it.
        name: The canonical name of what it asks for.
        written: The same as written.
        specifier: The version constraint as it stands; may be empty.
        extras: The extras that it asks for, as written.
        line: The whole line.
    """

    origin: str
    name: str
    written: str
    specifier: str
    extras: tuple[str, ...]
    line: str

    @property
    def shown(self) -> str:
        """What is asked for, as messages have it: ``numpy<2,>=1.22``."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        text = f"{self.written}{extras}{self.specifier}"
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What there is to say.

    Attributes:
        missing: The requirements of which nothing is installed.
        conflicts: Those that the installed version does not satisfy.
        unreadable: Those that nobody can read.
        of_extras: What is not there of the extras that a requirement asks for: who asks, and what.
    """

    missing: tuple[Required, ...]
    conflicts: tuple[Required, ...]
    unreadable: tuple[Line, ...]
    of_extras: tuple[tuple[Required, Required], ...]


def said(verdict: Verdict) -> list[list[list[str]]] | None:
    """Return a verdict as JSON holds it; None where it is too long."""
    lines = [
        [[one.origin, one.line] for one in verdict.missing],
        [[one.origin, one.line] for one in verdict.conflicts],
        [[*one] for one in verdict.unreadable],
        [[one.origin, one.line] for pair in verdict.of_extras for one in pair],
    ]
    return lines if sum(map(len, lines)) <= _MOST else None


def heard(
    value: object, known: Mapping[str, Distribution], read: Callable[[str, str], Required | None]
) -> Verdict | None:
    """Return the verdict that a cache holds; None where it holds none.

    Args:
        value: What it holds, which may be anything.
        known: What is installed.
        read: Reads what a distribution, by canonical name, asks for in a line.
    """
    if not isinstance(value, list) or len(value) != 4:
        return None
    listed = [_lines(one, known) for one in value]
    if None in listed:
        return None
    missing, conflicts, unreadable, extras = (one or () for one in listed)
    asked = [[read(*line) for line in lines] for lines in (missing, conflicts, extras)]
    found = [tuple(one for one in some if one is not None) for some in asked]
    if [*map(len, found)] != [*map(len, asked)] or len(extras) % 2:
        return None
    pairs = zip(found[2][::2], found[2][1::2], strict=True)
    return Verdict(found[0], found[1], tuple(unreadable), tuple(pairs))


def _lines(value: object, known: Mapping[str, Distribution]) -> tuple[Line, ...] | None:
    """Return lines that are there; None where one is not."""
    found = []
    for one in value if isinstance(value, list) else [None]:
        if not isinstance(one, list) or [*map(type, one)] != [str, str]:
            return None
        name, line = one
        if name not in known or line not in known[name].requires:
            return None
        found.append((name, line))
    return tuple(found)
