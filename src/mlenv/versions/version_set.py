"""The set of versions that a constraint admits, whatever dialect it was written in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mlenv.records import dataclass
from mlenv.versions.version import (
    HIGHEST,
    LOWEST,
    Cut,
    Version,
    after,
    after_locals,
    after_posts,
    before,
    before_dev,
    before_next,
    before_prefix,
    parse_version,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    _T = TypeVar("_T")

Interval = tuple[Cut, Cut]


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of a constraint.

    Attributes:
        operator: ``==``, ``!=``, ``<=``, ``>=``, ``<``, ``>``, ``~=`` or ``===``.
        version: The version as written, with ``.*`` where it is a prefix.
    """

    operator: str
    version: str

    def __str__(self) -> str:
        return self.operator + self.version


@dataclass(frozen=True, slots=True)
class VersionSet:
    """A set of versions: disjoint intervals in ascending order.

    Attributes:
        intervals: Pairs of cuts between versions.
        text: The set as PEP 440 text in canonical order; empty where everything is admitted.
        clauses: The comparisons that PEP 440 would use; empty where it takes more than one list.
        prereleases: Whether the constraint itself names a pre-release, so that installers take one.
        exact_text: The text after ``===``, which is compared as text; empty elsewhere.
        understood: False where the constraint could not be read whole: then the set is only an
            upper estimate, and nothing may be called contradictory because of it.
    """

    intervals: tuple[Interval, ...]
    text: str = ""
    clauses: tuple[Clause, ...] = ()
    prereleases: bool = False
    exact_text: str = ""
    understood: bool = True

    @property
    def is_any(self) -> bool:
        """Whether it leaves the version open altogether."""
        return self.intervals == _EVERYTHING and not self.exact_text and self.understood

    @property
    def is_empty(self) -> bool:
        """Whether no version whatever satisfies it."""
        return not self.intervals and not self.exact_text

    @property
    def has_upper_bound(self) -> bool:
        """Whether it keeps future releases out."""
        return bool(self.exact_text) or not self.intervals or self.intervals[-1][1] != HIGHEST

    @property
    def has_lower_bound(self) -> bool:
        """Whether it keeps old releases out."""
        return bool(self.exact_text) or not self.intervals or self.intervals[0][0] != LOWEST

    @property
    def exact(self) -> Version | None:
        """The one public version that it admits, with or without local builds, or None."""
        for clause in self.clauses:
            if clause.operator in ("==", "===") and not clause.version.endswith(".*"):
                version = parse_version(clause.version)
                if version is not None and self.admits(version, prereleases=True):
                    return version
        return None

    @property
    def is_exact(self) -> bool:
        """Whether it leaves one version only, be it one that PEP 440 cannot say."""
        return bool(self.exact_text) or self.exact is not None

    def admits(self, version: Version, *, prereleases: bool | None = None) -> bool:
        """Return whether a version satisfies the constraint.

        Args:
            version: The candidate.
            prereleases: Whether pre-releases count; None leaves it to the constraint, as PEP 440
                has it: only where it names one itself.
        """
        if prereleases is None:
            prereleases = self.prereleases
        if not prereleases and version.is_prerelease:
            return False
        if self.exact_text and version.text.lower() != self.exact_text.lower():
            return False
        # asked a million times in an audit of many projects: a generator would cost as much again
        start, end = (version.key, 0), (version.key, 1)
        for low, high in self.intervals:  # noqa: SIM110
            if low <= start and end <= high:
                return True
        return False

    def __and__(self, other: VersionSet) -> VersionSet:
        """Return the versions that both admit."""
        if self.is_any:
            return other
        if other.is_any:
            return self
        intervals = _intersect(self.intervals, other.intervals)
        exact_text = self.exact_text or other.exact_text
        if self.exact_text and other.exact_text and not _same_text(self, other):
            intervals = ()
        understood = self.understood and other.understood
        clauses = tuple(dict.fromkeys(self.clauses + other.clauses))
        if not self.clauses or not other.clauses or not understood:
            clauses = ()
        return VersionSet(
            intervals,
            canonical(clauses) or _joined(",", self, other),
            clauses,
            self.prereleases or other.prereleases,
            exact_text if intervals else "",
            understood,
        )

    def __or__(self, other: VersionSet) -> VersionSet:
        """Return the versions that at least one of them admits."""
        if self.is_any or other.is_any:
            return ANY
        intervals = _union(self.intervals + other.intervals)
        textual = self.exact_text or other.exact_text
        return VersionSet(
            intervals,
            _joined(" || ", self, other),
            (),
            self.prereleases or other.prereleases,
            # a union holds one text at most; without it the intervals say too much
            understood=self.understood and other.understood and not textual,
        )

    def intersects(self, other: VersionSet) -> bool:
        """Return whether some version satisfies both; True where one of them is not understood."""
        if not (self.understood and other.understood):
            return True
        return not (self & other).is_empty

    def implies(self, other: VersionSet) -> bool:
        """Return whether whatever it admits the other admits too, so far as that can be told."""
        if not (self.understood and other.understood):
            return False
        if other.exact_text and self.exact_text.lower() != other.exact_text.lower():
            return False
        return _intersect(self.intervals, other.intervals) == self.intervals

    def over(self, known: Iterable[Version]) -> list[Version]:
        """Return those of the known versions that it admits, in the order given.

        As PEP 440 has it, pre-releases count where the constraint names one, or where nothing
        else satisfies it.
        """
        if self.is_any:
            admitted = [*known]
        else:
            admitted = [version for version in known if self.admits(version, prereleases=True)]
        if self.prereleases:
            return admitted
        return [version for version in admitted if not version.is_prerelease] or admitted

    def newest(self, known: Iterable[Version]) -> Version | None:
        """Return the newest of the known versions that it admits, or None."""
        return max(self.over(known), default=None)

    def __str__(self) -> str:
        return self.text


_EVERYTHING: tuple[Interval, ...] = ((LOWEST, HIGHEST),)
ANY = VersionSet(_EVERYTHING)
"""The set that a bare name states: every version."""


def unknown(text: str) -> VersionSet:
    """Return the set for a constraint that cannot be read: it may admit anything."""
    return VersionSet(_EVERYTHING, text, understood=False)


def exactly(version: Version) -> VersionSet:
    """Return the set of one version, with its local builds where it names none."""
    high = after(version) if version.local else after_locals(version)
    clause = Clause("==", version.text)
    return VersionSet(((before(version), high),), str(clause), (clause,), version.is_prerelease)


def of_clauses(clauses: Sequence[Clause]) -> VersionSet | None:
    """Return the set that satisfies every clause, or None where one of them is not PEP 440.

    Source: PEP 440, "Version specifiers".
    """
    if not clauses:
        return ANY
    parts: list[tuple[Interval, ...]] = []
    prereleases, exact_text = False, ""
    for clause in clauses:
        read = _clause_intervals(clause)
        if read is None:
            return None
        parts.append(read)
        if clause.operator == "===":
            if exact_text and exact_text.lower() != clause.version.lower():
                parts.append(())
            exact_text = clause.version
        prereleases = prereleases or _names_prerelease(clause)
    intervals = balanced(_intersect, parts)
    unique = tuple(dict.fromkeys(clauses))
    return VersionSet(
        intervals, canonical(unique), unique, prereleases, exact_text if intervals else ""
    )


def canonical(clauses: Iterable[Clause]) -> str:
    """Return clauses as PEP 440 text in the order in which ``packaging`` prints them."""
    return ",".join(sorted({clause.operator + clause.version for clause in clauses}))


def _names_prerelease(clause: Clause) -> bool:
    if clause.operator == "!=" or clause.version.endswith(".*"):
        return False
    version = parse_version(clause.version)
    return version is not None and version.is_prerelease


def _clause_intervals(clause: Clause) -> tuple[Interval, ...] | None:
    operator, text = clause.operator, clause.version
    if operator == "===":
        return _EVERYTHING
    if text.endswith(".*"):
        return _prefix_intervals(operator, text[:-2])
    version = parse_version(text)
    if version is None or (version.local and operator not in ("==", "!=")):
        return None
    if operator in ("==", "!="):
        low, high = before(version), after(version) if version.local else after_locals(version)
        return ((low, high),) if operator == "==" else ((LOWEST, low), (high, HIGHEST))
    if operator == ">=":
        return ((before(version), HIGHEST),)
    if operator == "<=":
        return ((LOWEST, after_locals(version)),)
    if operator == "<":
        low = before(version) if version.is_prerelease else before_dev(version)
        return ((LOWEST, low),)
    if operator == ">":
        holds_posts = version.post is None and version.dev is None
        return ((after_posts(version) if holds_posts else after_locals(version), HIGHEST),)
    places = len(version.release) - 1
    if operator != "~=" or places < 1:
        return None
    return ((before(version), before_next(version, places)),)


def _prefix_intervals(operator: str, prefix: str) -> tuple[Interval, ...] | None:
    version = parse_version(prefix)
    if version is None or operator not in ("==", "!=") or not prefix[-1:].isdigit():
        return None
    if version.pre or version.local or version.post is not None or version.dev is not None:
        return None
    low, high = prefix_cuts(version)
    return ((low, high),) if operator == "==" else ((LOWEST, low), (high, HIGHEST))


def prefix_cuts(version: Version) -> Interval:
    """Return the cuts around everything that begins with a version's numbers."""
    places = len(version.release)
    return before_prefix(version, places), before_next(version, places)


def _intersect(left: Sequence[Interval], right: Sequence[Interval]) -> tuple[Interval, ...]:
    found: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low = max(left[i][0], right[j][0])
        high = min(left[i][1], right[j][1])
        if low < high:
            found.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def _union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    found: list[Interval] = []
    for low, high in sorted(intervals):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def balanced(join: Callable[[_T, _T], _T], items: Sequence[_T]) -> _T:
    """Return what ``reduce`` does, joining neighbours first: for what grows when it is joined.

    Args:
        join: Joins two neighbours; how they are bracketed does not matter.
        items: At least one.
    """
    while len(items) > 1:
        last = items[len(items) & ~1 :]
        items = [*map(join, items[::2], items[1::2]), *last]
    return items[0]


def _same_text(left: VersionSet, right: VersionSet) -> bool:
    return left.exact_text.lower() == right.exact_text.lower()


def _joined(glue: str, *sets: VersionSet) -> str:
    return glue.join(dict.fromkeys(s.text for s in sets if s.text))


def intersection(sets: Iterable[VersionSet]) -> VersionSet:
    """Return the versions that all the sets admit."""
    return balanced(VersionSet.__and__, [*sets] or [ANY])


def read_clauses(text: str) -> tuple[Clause, ...] | None:
    """Return the clauses of PEP 440 text, or None where one does not begin with an operator."""
    found = []
    for part in text.split(","):
        stripped = part.strip()
        if not stripped:
            continue
        operator = operator_of(stripped)
        if not operator:
            return None
        found.append(Clause(operator, stripped[len(operator) :].strip()))
    return tuple(found)


def operator_of(text: str) -> str:
    """Return the operator that text begins with, or an empty string."""
    for length in (3, 2, 1):
        if text[:length] in _OPERATORS:
            return text[:length]
    return ""


_OPERATORS = frozenset(("===", "==", "!=", "<=", ">=", "~=", "<", ">"))


def pep440(text: str) -> VersionSet | None:
    """Return the set that a PEP 440 specifier admits, or None where it is not one."""
    if not text.strip():
        return ANY
    clauses = read_clauses(text)
    return of_clauses(clauses) if clauses is not None else None
