"""What an installer would pick, from the records alone: a small resolver, newest release first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from mlenv.reasoning.choice import Pick
from mlenv.reasoning.domains import candidates, dependencies
from mlenv.records import dataclass
from mlenv.versions.version import Version
from mlenv.versions.version_set import ANY, VersionSet, intersection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.setting import Setting

_MOST_STEPS = 1_500
"""How many candidates are looked at before one search gives up."""
_MOST_NAMES = 400
_FEW = 2
"""So few bounds are compared as fast as their answer is looked up."""


@dataclass(frozen=True, slots=True, eq=False)
class Resolution:
    """The outcome of a search.

    Attributes:
        picks: The version of each distribution on record, what is brought along included.
        is_solved: Whether the search came to an end: else ``picks`` holds only what is certain.
    """

    picks: Mapping[str, Pick]
    is_solved: bool


class _GaveUpError(Exception):
    """The search takes longer than it may."""


def resolve(setting: Setting) -> Resolution:
    """Return what an installer would pick in an installation on its day.

    What is pinned is taken first, then what is declared in its order, then what those bring along:
    the newest release each that fits all taken before. Where there is none, the latest of those
    that rule it out gives way, as in pip and uv; where only pins do, it is left out. What conda
    installs is taken as it is, since its packages have metadata of their own.
    """
    exact = {n: Pick(choice.exact) for n, choice in setting.choices.items() if choice.exact}
    if setting.is_recorded:
        return Resolution(exact, True)
    search = _Search(setting)
    try:
        search.run()
    except _GaveUpError:
        return Resolution(exact, False)
    return Resolution(search.picks(), not search.left_out)


class _Search:
    """Depth first, with what each taken release asks of the others kept beside it.

    Where nothing fits, it returns to the latest of those whose change would help, and not to what
    was merely taken last (Prosser, "Hybrid algorithms for the constraint satisfaction problem").
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._taken: dict[str, Version] = {}
        self._chains: dict[str, tuple[str, ...]] = {}
        self._asked: dict[str, list[tuple[str, VersionSet]]] = {}
        self._extras = {name: choice.extras for name, choice in setting.choices.items()}
        self._known: dict[str, tuple[Version, ...]] = {}
        self._answers: dict[tuple[str, frozenset[VersionSet]], bool] = {}
        self._steps = 0
        self.left_out: set[str] = set()

    def run(self) -> None:
        """Take a version of everything on record, but for what pins rule out."""
        choices = self._setting.choices
        known = [name for name in choices if self._setting.domain(name) is not None]
        # conda solves first and alone; then what leaves no choice
        known.sort(key=lambda n: (not choices[n].is_conda, choices[n].exact is None))
        self._take(known, 0)

    def picks(self) -> dict[str, Pick]:
        """Return what was taken."""
        return {
            name: Pick(version, self._chains.get(name, ())) for name, version in self._taken.items()
        }

    def _take(self, names: list[str], at: int) -> set[str] | None:
        """Take the names from a position on; return what rules them out, or None where nothing."""
        if at == len(names):
            return None
        name = names[at]
        if name not in self._setting.choices and not self._versions(name):
            # the records have no release of that day: a gap of theirs rules nothing out
            return self._take(names, at + 1)
        against: set[str] = set()
        tried: set[Version] = set()
        for version in self._candidates(name):
            tried.add(version)
            self._steps += 1
            self._setting.memory.steps -= 1
            spent = self._steps > _MOST_STEPS or self._setting.memory.steps < 0
            if spent or len(names) > _MOST_NAMES:
                raise _GaveUpError
            brought = self._fits(name, version, against)
            if brought is None:
                continue
            new = self._add(name, version, brought, names)
            deeper = self._take(names + new, at + 1)
            if deeper is None:
                return None
            self._drop(name, brought, new)
            if name not in deeper:
                return deeper
            against |= deeper
        against.update(self._needed(name, (), tried))
        against.discard(name)
        if all(map(self._is_settled, against)):
            self.left_out.add(name)
            return self._take(names, at + 1)
        return against

    def _is_settled(self, name: str) -> bool:
        """Whether no other version of a distribution can be taken."""
        choice = self._setting.choices.get(name)
        return self._is_pinned(name) or (choice is not None and choice.is_conda)

    def _candidates(self, name: str) -> Iterator[Version]:
        asked = [] if self._is_settled(name) else self._asked.get(name, ())
        if not asked:
            yield from self._versions(name)
            return
        bounds = intersection({versions: None for _, versions in asked})
        for version in self._versions(name):
            if bounds.admits(version, prereleases=True):
                yield version

    def _versions(self, name: str) -> tuple[Version, ...]:
        """Return what a distribution may be, whatever the others ask of it."""
        if name not in self._known:
            choice = self._setting.choices.get(name)
            found = self._setting.domain(name) if choice is not None else None
            if found is None and choice is None:
                found = candidates(self._setting, name, self._setting.imposed.get(name, ANY))
            if found is not None and choice is not None and choice.installed:
                found = tuple(sorted(found, key=lambda version: str(version) != choice.installed))
            self._known[name] = found or ()
        return self._known[name]

    def _fits(self, name: str, version: Version, against: set[str]) -> dict[str, VersionSet] | None:
        """Return what a release asks of others; None where that contradicts what is taken.

        What it contradicts is added to ``against``.
        """
        choice = self._setting.choices.get(name)
        if choice is not None and choice.is_conda:
            return {}
        asked: dict[str, VersionSet] = {}
        for one in dependencies(self._setting, name, version, self._extras.get(name, ())) or ():
            asked_for = self._setting.choices.get(one.name)
            if asked_for is not None and asked_for.is_overridden:
                continue
            if one.name in self._setting.replaced:
                asked[one.name] = ANY
                continue
            if self._is_settled(one.name) and self._is_settled(name):
                continue  # two pins contradict each other: the rest is of interest all the same
            taken = self._taken.get(one.name)
            if taken is not None and not one.versions.admits(taken, prereleases=True):
                against.add(one.name)
                return None
            asked[one.name] = asked.get(one.name, ANY) & one.versions
        for other, versions in asked.items():
            if other not in self._taken and not self._leaves_some(other, versions, against):
                return None
        return asked

    def _leaves_some(self, name: str, versions: VersionSet, against: set[str]) -> bool:
        """Return whether something is left of a distribution once one more bounds it.

        Where nothing is, the fewest that rule it out together are added to ``against``.
        """
        asked = self._asked.get(name)
        if versions.is_any or not asked:
            known = self._versions(name)
            return not known or any(versions.admits(one, prereleases=True) for one in known)
        if self._some(name, [versions, *(bound for _, bound in asked)], ()):
            return True
        against.update(self._needed(name, (versions,), ()))
        return False

    def _needed(
        self, name: str, bounds: tuple[VersionSet, ...], tried: Collection[Version]
    ) -> list[str]:
        """Return the fewest that together rule out all of a distribution but what was tried."""
        asked = [] if self._is_settled(name) else self._asked.get(name, [])
        needed = [*asked]
        for one in asked:
            fewer = [other for other in needed if other is not one]
            if not self._some(name, [*bounds, *(bound for _, bound in fewer)], tried):
                needed = fewer
        return [other for other, _ in needed]

    def _some(self, name: str, bounds: list[VersionSet], tried: Collection[Version]) -> bool:
        """Return whether bounds admit a version of a distribution that was not tried."""
        known = self._versions(name)
        unique = dict.fromkeys(bounds)
        if tried or len(unique) < _FEW:
            return self._admit(known, unique, tried)
        key = (name, frozenset(unique))
        if key not in self._answers:
            self._answers[key] = self._admit(known, unique, ())
        return self._answers[key]

    @staticmethod
    def _admit(
        known: tuple[Version, ...], bounds: Iterable[VersionSet], tried: Collection[Version]
    ) -> bool:
        together = intersection(bounds)
        return not known or any(
            together.admits(one, prereleases=True) for one in known if one not in tried
        )

    def _is_pinned(self, name: str) -> bool:
        choice = self._setting.choices.get(name)
        return choice is not None and choice.exact is not None

    def _add(
        self, name: str, version: Version, brought: dict[str, VersionSet], names: list[str]
    ) -> list[str]:
        """Take a release; return the names that it brings along and that are new."""
        self._taken[name] = version
        known = set(names)
        new = []
        for other, versions in brought.items():
            self._asked.setdefault(other, []).append((name, versions))
            if other not in known and self._setting.knowledge.releases.knows(other):
                if other in self._setting.choices:
                    continue  # its version is not known
                new.append(other)
                self._chains[other] = (*self._chains.get(name, ()), name)
        return new

    def _drop(self, name: str, brought: dict[str, VersionSet], new: list[str]) -> None:
        del self._taken[name]
        for other in brought:
            self._asked[other].pop()
        for other in new:
            self._chains.pop(other, None)
            self.left_out.discard(other)
