"""conda's version specifications as version sets.

Where conda and PEP 440 differ, conda's meaning is taken: ``<2`` admits 2.0a1 and ``>1.0`` admits
1.0.post1. One difference is left out on purpose: a version and its local builds count as one, as
PEP 440 has it, since conda's channels hold none and the sets are compared with those of pip. The
order is PEP 440's, which is conda's on releases; conda ranks a phase after fewer numbers otherwise
(``1.post1`` above ``1.0.1``), which no real constraint leans on.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.records import replace
from mlenv.versions.version import HIGHEST, LOWEST, after_locals, before, parse_version
from mlenv.versions.version_set import ANY, Clause, Interval, VersionSet, of_clauses, unknown

_TOKEN = re.compile(r"\s*(\^[^$]*\$|[()|,]|[^()|,]+)")
_RELATION = re.compile(r"(===|==|!=|<=|>=|~=|=|<|>)(?![=<>!~])(\S+)")
_RELATION_STARTS = "=<>!~"
_SAYABLE = re.compile(
    r"(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*"
    r"(?:\.?(?:alpha|a|beta|b|rc|c)[0-9]+)?(?:\.?post[0-9]+)?(?:\.?dev[0-9]+)?"
    r"(?:\+[a-z0-9.]+)?",
    re.IGNORECASE | re.ASCII,
)
"""Versions that mean the same to PEP 440, which reads ``2021a`` or ``1_2`` as something else."""
_RELEASE = re.compile(r"(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*", re.ASCII)
_CHARACTERS = re.compile(r"[0-9a-z.!+_*-]+", re.IGNORECASE | re.ASCII)
_MAX_LENGTH = 4000
_MAX_TERMS = 200
_MAX_DEPTH = 50
_MAX_SHOWN = 40
_ANYTHING: tuple[Interval, ...] = ANY.intervals


class CondaVersionError(ValueError):
    """Text that conda takes for no version specification; the message says what is wrong."""


def conda_versions(text: str, *, exact: bool = False) -> VersionSet:
    """Return the set of versions that a conda version specification admits; never fails.

    Args:
        text: Such as ``>=1.2,<2|3.*``, without a build string.
        exact: Whether a lone ``=`` states one version rather than a prefix, as it does where a
            build string follows (``numpy=1.2=py310_0``).

    Returns:
        The set. Its text is PEP 440 where that can say it. A pin that PEP 440 cannot say
        (``9e``, ``1.1.1q``) is kept as ``===``, which compares text; what conda refuses and what
        is matched by a pattern comes back as not understood.

    Source: conda's documentation, "Package match specifications" and "Version ordering".
    """
    try:
        return parse_conda_versions(text, exact=exact)
    except CondaVersionError:
        return unknown(text.strip())


@lru_cache(maxsize=8192)
def parse_conda_versions(text: str, *, exact: bool = False) -> VersionSet:
    """Return what :func:`conda_versions` does, or say why conda refuses the text.

    Raises:
        CondaVersionError: conda stops at it.
    """
    stripped = text.strip()
    if not stripped:
        return ANY
    if not any(mark in stripped for mark in ",|()^$"):
        return _lone(stripped, exact)
    terms = _TOKEN.findall(stripped) if len(stripped) <= _MAX_LENGTH else []
    if not 0 < len(terms) <= _MAX_TERMS:
        return unknown(stripped)
    found = _Expression([term.strip() for term in terms]).parse()
    # brackets group; without them the text of a union inside a list would say something else
    return replace(found, text=stripped) if "(" in stripped else found


class _Expression:
    """Reads ``|``, which binds loosest, ``,`` and brackets by recursive descent."""

    def __init__(self, terms: list[str]) -> None:
        self.terms = [term for term in terms if term]
        self.at = 0
        self.depth = 0

    def parse(self) -> VersionSet:
        found = self._union()
        if self.at < len(self.terms):
            raise CondaVersionError(f"{_shown(self._next)} stands where a comma or a bar belongs")
        return found

    @property
    def _next(self) -> str:
        return self.terms[self.at] if self.at < len(self.terms) else ""

    def _union(self) -> VersionSet:
        found = self._list()
        while self._next == "|":
            self.at += 1
            found = found | self._list()
        return found

    def _list(self) -> VersionSet:
        found = self._term()
        while self._next == ",":
            self.at += 1
            found = found & self._term()
        return found

    def _term(self) -> VersionSet:
        term = self._next
        if term in ("", ",", "|", ")"):
            raise CondaVersionError(f"a version is missing before {term}" if term else _CUT_OFF)
        self.at += 1
        if term != "(":
            return _relation(term)
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise CondaVersionError("brackets nest too deeply")
        found = self._union()
        if self._next != ")":
            raise CondaVersionError("a bracket is not closed")
        self.depth -= 1
        self.at += 1
        return found


_CUT_OFF = "a version is missing at the end"


def _lone(text: str, exact: bool) -> VersionSet:
    """Return the set for a specification of one term, where ``=`` depends on what follows it."""
    version = text.lstrip("=")
    if version and (text.startswith("==") or (exact and text.startswith("="))):
        return _bare(version)
    return _relation(text)


def _relation(text: str) -> VersionSet:
    if text[0] == "^" or text[-1] == "$":
        if text[0] != "^" or text[-1] != "$":
            raise CondaVersionError("a pattern begins with ^ and ends with $")
        return unknown(text)
    if text[0] not in _RELATION_STARTS:
        return _bare(text)
    match = _RELATION.fullmatch(text)
    if match is None:
        operator = text[: len(text) - len(text.lstrip(_RELATION_STARTS))]
        if len(operator) == len(text):
            raise CondaVersionError(f"no version follows {_shown(operator)}")
        raise CondaVersionError(f"{_shown(operator)} is no operator")
    operator, version = match.groups()
    if operator in ("=", "==", "===") and version.endswith("*"):
        # conda's own reader drops the star after == in a list; its solvers keep the prefix
        return _bare(version)
    if operator == "=":
        return _prefix(_checked(version))
    return _compared(operator, version)


def _compared(operator: str, version: str) -> VersionSet:
    """Return the set for an operator other than ``=``; a star is dropped by the ordered ones."""
    starred = version.endswith("*")
    number = _checked(version.rstrip("*").rstrip(".") if starred else version)
    if operator in ("==", "==="):
        return _exactly(number)
    if operator == "~=" and version.endswith(".*"):
        raise CondaVersionError("~= takes no wildcard")
    clause = Clause(operator, number)
    if operator in ("!=", "~=") and starred:
        # without the dot the star is part of what is compared with, and nothing equals it
        clause = Clause(operator, f"{number}.*" if version.endswith(".*") else version)
    read = parse_version(number) if _SAYABLE.fullmatch(number) else None
    found = of_clauses((clause,)) if read is not None else None
    if read is None or found is None:
        return unknown(operator + version)
    if operator == "<":
        return replace(found, intervals=((LOWEST, before(read)),))
    if operator == ">":
        return replace(found, intervals=((after_locals(read), HIGHEST),))
    return found


def _bare(text: str) -> VersionSet:
    """Return the set for a version without operator: exact, or a prefix where it ends in a star."""
    if text.strip("*") == "":
        return ANY
    if not text.endswith("*"):
        return unknown(text) if "*" in text else _exactly(_checked(text))
    number = text.rstrip("*").rstrip(".")
    return unknown(text) if "*" in number else _prefix(_checked(number))


def _exactly(version: str) -> VersionSet:
    found = of_clauses((Clause("==", version),)) if _SAYABLE.fullmatch(version) else None
    return found or VersionSet(
        _ANYTHING, f"==={version}", (Clause("===", version),), exact_text=version
    )


def _prefix(version: str) -> VersionSet:
    """Return the set for a prefix.

    What follows a letter or a phase is no further number in practice: ``=1.1.1q`` and
    ``=3.13.0rc1`` name one version.
    """
    if _RELEASE.fullmatch(version):
        return of_clauses((Clause("==", f"{version}.*"),)) or unknown(f"={version}")
    return _exactly(version)


def _checked(version: str) -> str:
    """Return a version that conda can order, or say why it cannot."""
    if not _CHARACTERS.fullmatch(version):
        raise CondaVersionError(f"{_shown(version)} is no version" if version else _CUT_OFF)
    main = version.rpartition("!")[2]
    parts = re.split(r"[._-]", main.rstrip("_-").replace("+", "."))
    if version.count("!") > 1 or version.count("+") > 1 or "" in parts:
        raise CondaVersionError(f"{_shown(version)} has an empty part")
    return version


def _shown(text: str) -> str:
    """Return a text for a message, cut where it would be long."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
