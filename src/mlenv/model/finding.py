"""What a rule saw: where, how sure, why, on what evidence, and how to mend it."""

from __future__ import annotations

from enum import Enum

from mlenv.model.text import Span
from mlenv.records import dataclass


class Severity(str, Enum):
    """How bad it is; the order of definition is from worst to mildest."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]

    def at_least(self, other: Severity) -> bool:
        """Whether it is as bad as another, or worse."""
        return self.rank <= other.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Certainty(str, Enum):
    """How sure it is, which is another question than how bad."""

    CERTAIN = "certain"
    """Every admitted combination breaks."""
    FRESH_INSTALL = "fresh-install"
    """What an installer would pick now breaks."""
    POSSIBLE = "possible"
    """Some admitted combination breaks."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact that a finding rests on.

    Attributes:
        fact: One sentence.
        source: Who says so: a specification, a vendor's page, a tool's source, the file itself.
    """

    fact: str
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Related:
    """Another place that belongs to a finding.

    Attributes:
        span: Where.
        message: What stands there.
    """

    span: Span
    message: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One cause, said once.

    A rule yields one finding per place; the engine knows which rule it was. Where several places
    share one cause, it gives them the same ``batch`` and the engine joins them after suppressions
    were applied: the first stays the primary place, the others become related ones.

    Attributes:
        message: One sentence, without a full stop.
        span: The primary place.
        packages: Canonical names of the distributions concerned.
        severity: None for the rule's own.
        certainty: How sure.
        help: What to do.
        related: Other places.
        evidence: What it rests on.
        batch: What it is joined by; empty for a finding that stands alone. Findings of one rule
            and file are joined where their batches are equal.
        batch_message: The sentence for joined findings, with ``{count}`` and ``{packages}``.
    """

    message: str
    span: Span
    packages: tuple[str, ...] = ()
    severity: Severity | None = None
    certainty: Certainty = Certainty.CERTAIN
    help: str = ""
    related: tuple[Related, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    batch: str = ""
    batch_message: str = ""
