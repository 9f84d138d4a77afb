"""Environment markers: read once, printed canonically, and compared over known environments.

Whether two requirements can ever apply together is asked of markers far more often than whether
one applies here. So a marker is evaluated once over a fixed table of the environments that people
run (operating system, machine, interpreter), and kept as a bit set; where the bit sets meet, so
do the markers. What the table lacks is for :mod:`mlenv.model.compatibility` to decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from mlenv.model.requirement import ALL_ENVIRONMENTS
from mlenv.records import dataclass
from mlenv.versions.bounds import admits
from mlenv.versions.version import parse_version
from mlenv.versions.version_set import VersionSet, pep440

Environment = dict[str, str]

PLATFORMS = (
    ("linux", "Linux", "posix", ("x86_64", "aarch64", "ppc64le")),
    ("darwin", "Darwin", "posix", ("arm64", "x86_64")),
    ("win32", "Windows", "nt", ("AMD64", "ARM64")),
)
MINORS = ("2.7", *(f"3.{minor}" for minor in range(5, 17)))
PATCHES = ("0", "99")
_VERSIONED = frozenset(("python_version", "python_full_version", "implementation_version"))
_VARIABLES = frozenset(
    (
        *_VERSIONED,
        "os_name",
        "sys_platform",
        "platform_release",
        "platform_system",
        "platform_version",
        "platform_machine",
        "platform_python_implementation",
        "implementation_name",
        "extra",
        "extras",
        "dependency_groups",
    )
)
_LEGACY = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}
"""Names of before PEP 508 that installers still read."""


def _environments() -> Iterator[Environment]:
    for sys_platform, system, os_name, machines in PLATFORMS:
        for machine in machines:
            for minor in MINORS:
                for patch in PATCHES:
                    yield {
                        "sys_platform": sys_platform,
                        "platform_system": system,
                        "os_name": os_name,
                        "platform_machine": machine,
                        "python_version": minor,
                        "python_full_version": f"{minor}.{patch}",
                        "implementation_version": f"{minor}.{patch}",
                        "implementation_name": "cpython",
                        "platform_python_implementation": "CPython",
                    }


@lru_cache(maxsize=1)
def environments() -> tuple[Environment, ...]:
    """The environments that markers are compared over, in the order of the bits of a set."""
    return tuple(_environments())


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """``left operator right``; exactly one side is a variable.

    Attributes:
        variable: The variable's name.
        operator: As written, blanks made single.
        value: The literal's text.
        reversed: Whether the literal stands on the left.
    """

    variable: str
    operator: str
    value: str
    reversed: bool = False

    def __str__(self) -> str:
        quote = "'" if '"' in self.value else '"'
        literal = f"{quote}{self.value}{quote}"
        sides = (literal, self.variable) if self.reversed else (self.variable, literal)
        return f"{sides[0]} {self.operator} {sides[1]}"


@dataclass(frozen=True, slots=True, eq=False)
class Junction:
    """Several conditions joined by one word.

    Attributes:
        word: ``and`` or ``or``.
        parts: Two or more conditions.
        bracketed: Whether it was written in brackets, which are kept.
    """

    word: str
    parts: tuple[Comparison | Junction, ...]
    bracketed: bool = False

    def __str__(self) -> str:
        return f" {self.word} ".join(
            f"({part})" if isinstance(part, Junction) and part.bracketed else str(part)
            for part in self.parts
        )


Condition = Comparison | Junction


@dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """A condition on the environment.

    Attributes:
        text: As PEP 508 text in canonical form.
        applies: The bit set of the environments in which it holds or may hold.
        condition: What it says.
        decided: Whether ``applies`` is exact: the table knows the variables, and it holds in it.
    """

    text: str
    applies: int
    condition: Condition
    decided: bool = False

    def __str__(self) -> str:
        return self.text

    def holds_in(self, environment: Environment) -> bool:
        """Return whether it holds, or may hold, in one environment.

        Args:
            environment: PEP 508's variables; what it lacks is taken as unknown.
        """
        return holds(self.condition, environment)


@lru_cache(maxsize=4096)
def for_pythons(versions: VersionSet) -> int:
    """Return the environments whose Python a set of versions admits.

    Where it admits no patch release of the table, it stands for the minor releases that it
    touches; 0 where it touches none.
    """
    found = _bits(lambda environment: _python_admitted(versions, environment))
    if found:
        return found
    touched = {minor for minor in MINORS if versions.intersects(_minor(minor))}
    return _bits(lambda environment: environment["python_version"] in touched)


@lru_cache(maxsize=len(MINORS))
def _minor(minor: str) -> VersionSet:
    versions = pep440(f"=={minor}.*")
    assert versions is not None, minor
    return versions


def _python_admitted(versions: VersionSet, environment: Environment) -> bool:
    version = parse_version(environment["python_full_version"])
    return version is not None and versions.admits(version, prereleases=True)


def _bits(test: Callable[[Environment], bool]) -> int:
    found = 0
    for bit, environment in enumerate(environments()):
        if test(environment):
            found |= 1 << bit
    return found


class MarkerError(ValueError):
    """Text that is no marker."""


@lru_cache(maxsize=4096)
def parse_marker(text: str) -> Marker:
    """Return the marker that a text states.

    Raises:
        MarkerError: The text is no marker; the message says what was expected.

    Source: PEP 508, "Environment markers".
    """
    return _marker(parse_condition(text))


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> Condition:
    """Return what a marker says, without asking where it holds, which takes far longer.

    Raises:
        MarkerError: The text is no marker.
    """
    return _plain(text) or _Parser(text).parse()


def _plain(text: str) -> Comparison | None:
    """Return what three words say, a variable and a literal without quotes or brackets, at once.

    So most markers are written; None for what needs a closer look.
    """
    words = text.split()
    if len(words) != 3 or words[0] not in _VARIABLES or words[1] not in _OPERATORS:
        return None
    quote, value = words[2][:1], words[2][1:-1]
    if quote not in ("'", '"') or words[2] != f"{quote}{value}{quote}" or quote in value:
        return None
    return Comparison(words[0], words[1], value)


def _marker(condition: Condition) -> Marker:
    found = _bits(lambda environment: holds(condition, environment))
    known = all(one.variable in environments()[0] for one in comparisons(condition))
    # A condition that holds nowhere in the table speaks of something that the table lacks (a
    # patch release, an exotic system): nothing can be concluded from it.
    return Marker(str(condition), found or ALL_ENVIRONMENTS, condition, bool(found) and known)


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """Yield the comparisons that a condition is made of."""
    if isinstance(condition, Comparison):
        yield condition
        return
    for part in condition.parts:
        yield from comparisons(part)


def conjunction(*markers: Marker | None) -> Marker | None:
    """Return the marker that holds where all of these hold; None where they are all open."""
    present = [marker for marker in markers if marker is not None]
    if len(present) < 2:
        return present[0] if present else None
    condition = Junction("and", tuple(_bracketed(marker.condition) for marker in present))
    return _marker(condition)


def _bracketed(condition: Condition) -> Condition:
    if isinstance(condition, Junction) and condition.word == "or":
        return Junction("or", condition.parts, bracketed=True)
    return condition


def holds(condition: Condition, environment: Environment) -> bool:
    """Return whether a condition holds, or may hold, in one environment.

    Args:
        condition: What a marker says.
        environment: PEP 508's variables; what it lacks is taken as unknown.
    """
    if isinstance(condition, Junction):
        is_or = condition.word == "or"
        for part in condition.parts:
            if holds(part, environment) is is_or:
                return is_or
        return not is_or
    actual = environment.get(condition.variable)
    if actual is None:
        return True
    return compare(condition, actual)


def compare(condition: Comparison, actual: str) -> bool:
    """Return whether a comparison holds for a value of its variable."""
    operator, value = condition.operator, condition.value
    if operator in ("in", "not in"):
        inside = value in actual if condition.reversed else actual in value
        return inside == (operator == "in")
    if condition.reversed:
        operator = _MIRRORED.get(operator, operator)
    if condition.variable in _VERSIONED:
        is_admitted = admits(operator + value, actual)
        if is_admitted is not None:
            return is_admitted
    return _compare_text(operator, actual, value)


def _compare_text(operator: str, actual: str, value: str) -> bool:
    if operator in ("==", "==="):
        return actual == value
    if operator == "!=":
        return actual != value
    # PEP 508 orders text as Python does; no real marker leans on it
    return {"<": actual < value, "<=": actual <= value, ">": actual > value}.get(
        operator, actual >= value
    )


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS = frozenset(("===", "==", "~=", "!=", "<=", ">=", "<", ">"))
_TOKEN = (
    r"\s*(?:(?P<bracket>[()])|(?P<quoted>'[^']*'|\"[^\"]*\")"
    r"|(?P<operator>===|==|~=|!=|<=|>=|<|>)|(?P<word>[A-Za-z_][\w.]*))"
)
_MAX_DEPTH = 50


@lru_cache(maxsize=1)
def _tokens() -> re.Pattern[str]:
    return re.compile(_TOKEN)  # most markers are read without


class _Parser:
    """Reads a marker by recursive descent; ``or`` binds loosest, then ``and``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.kind = ""
        self.token = ""
        self._advance()

    def parse(self) -> Condition:
        condition = self._junction("or")
        if self.kind:
            raise MarkerError(f"expected 'and', 'or' or the end before {self.token!r}")
        return condition

    def _advance(self) -> None:
        match = _tokens().match(self.text, self.at)
        if match is None:
            rest = self.text[self.at :].strip()
            if rest:
                raise MarkerError(f"expected a variable or a quoted string at {rest[:20]!r}")
            self.kind = self.token = ""
            return
        self.at = match.end()
        self.kind = match.lastgroup or ""
        self.token = match.group(self.kind)

    def _junction(self, word: str) -> Condition:
        parts = [self._junction("and") if word == "or" else self._part()]
        while self.kind == "word" and self.token == word:
            self._advance()
            parts.append(self._junction("and") if word == "or" else self._part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _part(self) -> Condition:
        if self.token != "(" or self.kind != "bracket":
            return self._comparison()
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise MarkerError("brackets nest too deeply")
        self._advance()
        condition = self._junction("or")
        if self.token != ")":
            raise MarkerError("expected a closing bracket")
        self.depth -= 1
        self._advance()
        if isinstance(condition, Junction):
            return Junction(condition.word, condition.parts, bracketed=True)
        return condition

    def _comparison(self) -> Comparison:
        left_is_variable, left = self._side()
        operator = self._operator()
        right_is_variable, right = self._side()
        if left_is_variable == right_is_variable:
            raise MarkerError("expected one variable and one quoted string")
        if left_is_variable:
            return Comparison(left, operator, right)
        return Comparison(right, operator, left, reversed=True)

    def _side(self) -> tuple[bool, str]:
        kind, token = self.kind, self.token
        if kind == "quoted":
            self._advance()
            return False, token[1:-1]
        name = _LEGACY.get(token, token)
        if kind != "word" or name not in _VARIABLES:
            shown = repr(token) if token else "the end"
            raise MarkerError(f"expected a marker variable or a quoted string at {shown}")
        self._advance()
        return True, name

    def _operator(self) -> str:
        kind, token = self.kind, self.token
        if kind == "operator":
            self._advance()
            return token
        if kind == "word" and token in ("in", "not"):
            self._advance()
            if token == "in":
                return "in"
            if self.token == "in":
                self._advance()
                return "not in"
        raise MarkerError(f"expected a comparison after the variable, not {token!r}")
