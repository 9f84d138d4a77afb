"""What installed distributions require of each other, by their own metadata: what pip check asks.

The verdict is that of ``pip check``: requirements that only an extra brings do not count, and
pre-releases do. What a requirement's own extras bring is judged apart from it.

Source: pip, ``operations/check.py``; PEP 508.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache

from mlenv.model.environment import Distribution, Environment
from mlenv.model.marker import Environment as Variables
from mlenv.model.marker import MarkerError, holds, parse_condition
from mlenv.model.requirement import canonical_name
from mlenv.reasoning.installed_verdict import Line, Required, Verdict, heard, said
from mlenv.reasoning.interpreter import variables_of
from mlenv.versions.bounds import admits
from mlenv.versions.version_set import pep440

_LINE = (
    r"(?s)\s*([A-Za-z0-9][A-Za-z0-9._-]*)(?![A-Za-z0-9._-])\s*(?:\[([^\]]*)\]\s*)?"
    r"(?:\(([^)]*)\)\s*|(@[^;]*(?:;(?!\s)[^;]*)*)|([^\s;(@][^;(@]*)?)(?:;(.*))?"
)
"""Each sign can be taken by one part alone: a line that is none is refused in linear time."""
_EXTRA = "extra == "
_LONGEST_CHAIN = 12


class Requirements:
    """The requirements of an environment's distributions, each judged once.

    Args:
        environment: What is installed; its interpreter is known.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        interpreter = environment.interpreter
        assert interpreter is not None
        self._variables = variables_of(interpreter)
        self._holding: dict[str, bool | None] = {}
        self._brought: dict[tuple[str, tuple[str, ...]], tuple[Required, ...]] = {}
        self._of: dict[str, tuple[Required, ...]] = {}
        self._unread: dict[str, list[Line]] = {}

    @property
    def of(self) -> Mapping[str, tuple[Required, ...]]:
        """The requirements that hold, by who has them."""
        return {name: self._had_by(name) for name in self._environment.distributions}

    def _had_by(self, name: str) -> tuple[Required, ...]:
        if name not in self._of:
            self._of[name] = tuple(self._read(self._environment.distributions[name]))
        return self._of[name]

    def _read(self, one: Distribution) -> Iterator[Required]:
        unread = self._unread[one.name] = []
        for line in _not_of_extras(one.requires):
            match = _read_line(line)
            if match is None:
                unread.append((one.name, line))
                continue
            if match[6] is not None:
                holding = self._holds(match[6])
                if holding is None:
                    unread.append((one.name, line))
                if not holding:
                    continue
            yield _required(one.name, match)

    def _holds(self, marker: str, extra: str = "") -> bool | None:
        """Whether a marker holds where an extra is asked for; None where it is no marker."""
        key = f"{extra}\0{marker}"
        if key not in self._holding:
            variables = {**self._variables, "extra": extra} if extra else self._variables
            self._holding[key] = _holds(marker.strip(), variables)
        return self._holding[key]

    def admits(self, required: Required) -> bool | None:
        """Whether the installed version satisfies a requirement; None where that is not known.

        Args:
            required: One whose distribution is installed.
        """
        if not required.specifier:
            return True
        version = self._environment.distributions[required.name].version
        return admits(required.specifier, version)

    @property
    def missing(self) -> tuple[Required, ...]:
        """The requirements of which nothing is installed, each name once for who has it."""
        return self._verdict.missing

    @property
    def conflicts(self) -> tuple[Required, ...]:
        """The requirements that the installed version does not satisfy."""
        return self._verdict.conflicts

    @property
    def unreadable(self) -> tuple[Line, ...]:
        """The requirements that nobody can read: who has one, and its line."""
        return self._verdict.unreadable

    @property
    def of_extras(self) -> tuple[tuple[Required, Required], ...]:
        """What is not there of the extras that a requirement asks for: who asks, and what."""
        return self._verdict.of_extras

    @cached_property
    def _verdict(self) -> Verdict:
        """All of that, from an earlier run where that saw the same metadata."""
        earlier = self._environment.earlier
        what = self._kept_as("requirements")
        found = heard(earlier.recall(what), self._environment.distributions, self._reread)
        if found is None or not self._is_true(found):
            found = self._judged()
            kept = said(found)
            if kept is not None:
                earlier.keep(what, kept)
        return found

    @cached_property
    def unrequired(self) -> frozenset[str]:
        """The canonical names of what is installed and what nothing else requires."""
        known, earlier = self._environment.distributions, self._environment.earlier
        what = self._kept_as("unrequired")
        held = earlier.recall(what)
        if isinstance(held, list) and all(type(one) is str and one in known for one in held):
            return frozenset(held)
        found = frozenset(known.keys() - self._users.keys())
        earlier.keep(what, sorted(found))
        return found

    def _kept_as(self, what: str) -> str:
        """Return the name under which something is kept that holds for this interpreter."""
        return " ".join((what, *self._variables.values()))

    def _reread(self, origin: str, line: str) -> Required | None:
        match = _read_line(line)
        return _required(origin, match) if match is not None else None

    def _is_true(self, verdict: Verdict) -> bool:
        """Whether what a verdict reports is so, whatever it leaves out."""
        known = self._environment.distributions
        absent = (*verdict.missing, *(one for _, one in verdict.of_extras))
        if any(one.name in known for one in absent) or any(map(self._can_read, verdict.unreadable)):
            return False
        return all(one.name in known and self.admits(one) is False for one in verdict.conflicts)

    def _can_read(self, line: Line) -> bool:
        match = _read_line(line[1])
        if match is None or (match[6] is not None and self._holds(match[6]) is None):
            return False
        specifier = _required(line[0], match).specifier
        return not specifier or pep440(specifier) is not None

    def _judged(self) -> Verdict:
        known = self._environment.distributions
        missing: dict[tuple[str, str], Required] = {}
        conflicts: dict[tuple[str, str, str], Required] = {}
        of_extras: dict[tuple[str, str], tuple[Required, Required]] = {}
        unreadable: list[Line] = []
        for edges in self.of.values():
            for one in edges:
                if one.name not in known:
                    missing.setdefault((one.origin, one.name), one)
                    continue
                is_met = self.admits(one)
                if is_met is False:
                    conflicts.setdefault((one.origin, one.name, one.specifier), one)
                elif is_met is None and pep440(one.specifier) is None:
                    unreadable.append((one.origin, one.line))
                for more in self.brought(known[one.name], one.extras) if one.extras else ():
                    if more.name not in known:
                        of_extras.setdefault((more.origin, more.name), (one, more))
        unread = [line for lines in self._unread.values() for line in lines]
        return Verdict(
            tuple(missing.values()),
            tuple(conflicts.values()),
            (*unread, *unreadable),
            tuple(of_extras.values()),
        )

    def brought(self, one: Distribution, extras: tuple[str, ...]) -> tuple[Required, ...]:
        """Return what extras of a distribution bring beside what it always requires."""
        key = (one.name, extras)
        if key not in self._brought:
            self._brought[key] = tuple(self._brings(one, extras))
        return self._brought[key]

    def _brings(self, one: Distribution, extras: Iterable[str]) -> Iterator[Required]:
        wanted = {canonical_name(extra) for extra in extras}
        written = [extra for extra in one.extras if canonical_name(extra) in wanted]
        # written in either form by tools of either age
        names = {*written, *(canonical_name(extra) for extra in written)}
        for line in one.requires:
            meant = [name for name in names if name in line] if "extra" in line else []
            match = _read_line(line) if meant else None
            if match is None or match[6] is None or self._holds(match[6]):
                continue
            if any(self._holds(match[6], extra) for extra in meant):
                yield _required(one.name, match)

    def names_brought(self, name: str, extras: Iterable[str]) -> frozenset[str]:
        """Return what extras of a distribution bring, and the extras that those ask for in turn.

        Args:
            name: The canonical name of the distribution; it need not be there.
            extras: The extras, as written.
        """
        found: set[str] = set()
        waiting, seen = [(name, tuple(extras))], set()
        while waiting:
            step = waiting.pop()
            one = self._environment.distributions.get(step[0])
            if one is None or not step[1] or step in seen:
                continue
            seen.add(step)
            for more in self.brought(one, step[1]):
                found.add(more.name)
                waiting.append((more.name, more.extras))
        return frozenset(found)

    @cached_property
    def _users(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for origin, edges in self.of.items():
            for one in edges:
                if one.name != origin:
                    found.setdefault(one.name, {})[origin] = None
                if one.extras and one.name in self._environment.distributions:
                    there = self._environment.distributions[one.name]
                    for more in self.brought(there, one.extras):
                        found.setdefault(more.name, {})[one.name] = None
        return {name: tuple(users) for name, users in found.items()}

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        """The requirements of each distribution as one text in small letters."""
        known = self._environment.distributions.values()
        return {one.name: "\n".join(one.requires).lower() for one in known}

    def asking(self, name: str) -> tuple[Required, ...]:
        """Return the requirements that ask for a distribution, by canonical name."""
        # names are written with any of three signs between their parts
        first = name.partition("-")[0]
        origins = [origin for origin, text in self._texts.items() if first in text]
        return tuple(one for origin in origins for one in self._had_by(origin) if one.name == name)

    def chain_to(self, name: str) -> tuple[str, ...]:
        """Return the shortest way from what somebody asked for to a distribution, both included.

        Somebody asked for what was installed by name, where the installer records that, and for
        what nothing else requires. Of a very long way only the end is returned.
        """
        known = self._environment.distributions
        before: dict[str, str] = {name: ""}
        waiting = deque([(name, 1)])
        last = name
        while waiting:
            last, length = waiting.popleft()
            one = known.get(last)
            users = [user for user in self._users.get(last, ()) if user not in before]
            is_wanted = one is not None and one.requested and last != name
            if is_wanted or not users or length == _LONGEST_CHAIN:
                break
            for user in users:
                before[user] = last
                waiting.append((user, length + 1))
        chain = []
        while last:
            chain.append(last)
            last = before[last]
        return tuple(chain)


@lru_cache(maxsize=4)
def requirements_of(environment: Environment) -> Requirements | None:
    """Return the requirements of an environment; None where its interpreter is not known."""
    return Requirements(environment) if environment.interpreter is not None else None


def _read_line(line: str) -> re.Match[str] | None:
    return _lines().fullmatch(line)


@lru_cache(maxsize=1)
def _lines() -> re.Pattern[str]:
    return re.compile(_LINE)  # where the verdict is known few lines are read


def _required(origin: str, match: re.Match[str]) -> Required:
    """Return what a line asks for; see :data:`_LINE`."""
    name, extras, bracketed, url, plain, _ = match.groups()
    specifier = "" if url else (bracketed or plain or "").replace(" ", "")
    asked = _listed(extras) if extras else ()
    return Required(origin, canonical_name(name), name, specifier, asked, match.string)


def _listed(extras: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, extras.split(","))))


def _holds(marker: str, variables: Variables) -> bool | None:
    try:
        return holds(parse_condition(marker), variables)
    except MarkerError:
        return None


def _not_of_extras(lines: Iterable[str]) -> list[str]:
    """Return the requirements without those that only an extra brings, seen at a glance.

    Three of four are such, so that this takes longer than to read the others.
    """
    left = [
        line
        for line in lines
        if _EXTRA not in line or " or " in line or "extra == ''" in line or 'extra == ""' in line
    ]
    return [line for line in left if _EXTRA not in line or not _is_beside_brackets(line)]


def _is_beside_brackets(line: str) -> bool:
    """Whether each ``or`` is in brackets, and the last comparison with ``extra`` in none.

    So it is where every library of a toolkit is an extra for several systems.
    """
    marker = line.partition(";")[2]
    if ('"' in marker and "'" in marker) or "''" in marker or '""' in marker:
        return False
    literals = "".join(marker.replace("'", '"').split('"')[1::2])
    if "(" in literals or ")" in literals or "=" in literals:
        return False
    depth = 0
    for before in marker.split(" or ")[:-1]:
        depth += before.count("(") - before.count(")")
        if depth < 1:
            return False
    outside = marker.rpartition(_EXTRA)[0]
    return outside.count("(") == outside.count(")")
