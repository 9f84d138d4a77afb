"""What an audit hands to whatever prints it: findings with their final severity, and the counts."""

from __future__ import annotations

from collections.abc import Callable

from mlenv.model.finding import Certainty, Evidence, Related, Severity
from mlenv.model.text import Span
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Environment
    from mlenv.model.target import Target


@dataclass(frozen=True, slots=True, eq=False)
class Reported:
    """One finding as every output shows it.

    Attributes:
        rule: The rule's code.
        name: The rule's name.
        topic: The rule's topic.
        severity: After the configuration had its say.
        certainty: How sure.
        message: One sentence, without a full stop.
        packages: Canonical names.
        span: The primary place; None where a file could not be opened at all.
        related: Other places.
        help: What to do; may be empty.
        evidence: The facts it rests on.
        identity: What tells the finding from others of its rule and file, and stays the same
            while lines move and joined findings gain or lose members.
    """

    rule: str
    name: str
    topic: str
    severity: Severity
    certainty: Certainty
    message: str
    packages: tuple[str, ...]
    span: Span | None
    related: tuple[Related, ...] = ()
    help: str = ""
    evidence: tuple[Evidence, ...] = ()
    identity: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The name of the machine whose description it stands in; empty where it is in a file."""
        return self.span.target if self.span else ""

    @property
    def described(self) -> str:
        """What it stands in, as ``target cluster`` or ``environment .venv``; empty for files."""
        return self.span.described if self.span else ""

    @property
    def fingerprint(self) -> str:
        """A key that stays the same while lines move."""
        from hashlib import sha256

        # the same machine described by another file, or from another folder, is the same
        path = self.described or (self.span.path if self.span else "")
        parts = (self.rule, path, *self.identity)
        return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


@dataclass(frozen=True, slots=True, eq=False)
class AuditedFile:
    """One file that was read.

    Attributes:
        path: Relative to the root.
        kind: Its format.
        requirements: How many requirements it declares, or packages it locks.
        is_lock: Whether it records what was chosen.
    """

    path: str
    kind: str
    requirements: int
    is_lock: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SkippedFile:
    """One file that was not read.

    Attributes:
        path: Relative to the root.
        reason: In a few words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class RuleText:
    """What a report may say of a rule, whether it found something or not.

    Attributes:
        code: Stable for ever, such as ``PIN001``.
        name: In words, such as ``unpinned``.
        topic: What it belongs to.
        severity: Of its findings, where they do not say otherwise.
        explanation: What it finds and why that matters, in paragraphs; the first is a summary of
            one line. Then the blocks ``Bad:`` and ``Good:``, each with an indented example.
    """

    code: str
    name: str
    topic: str
    severity: Severity
    explanation: str


def _no_rules() -> tuple[RuleText, ...]:
    return ()


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The outcome of an audit.

    Attributes:
        root: The root as the caller named it.
        profile: What the project was taken for.
        files: What was read, in order of path.
        skipped: What was not, in order of path.
        findings: Sorted by file and place.
        suppressed: How many findings a comment or the configuration silenced.
        exit_code: 0 or 1, or 3 where there was nothing to audit.
        knowledge: The day up to which the facts hold that the findings rest on.
        rules: Returns what can be said of every rule. A function, since few formats ask and the
            others should not pay for it.
        baselined: How many findings the baseline held.
        targets: The machines that were judged for.
        environment: What is installed, where that was looked at.
    """

    root: str
    profile: str
    files: tuple[AuditedFile, ...]
    skipped: tuple[SkippedFile, ...]
    findings: tuple[Reported, ...]
    suppressed: int
    exit_code: int
    knowledge: str = ""
    rules: Callable[[], tuple[RuleText, ...]] = _no_rules
    baselined: int = 0
    targets: tuple[Target, ...] = ()
    environment: Environment | None = None

    def count(self, severity: Severity) -> int:
        """Return how many findings have a severity."""
        return sum(finding.severity is severity for finding in self.findings)
