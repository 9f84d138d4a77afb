"""Messages that programs print when an environment is at fault, and what each of them means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from mlenv.model.finding import Evidence
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


ROOT, SYMPTOM, NOTICE = "root", "symptom", "notice"
WEIGHTS = (ROOT, SYMPTOM, NOTICE)
"""What is the cause itself, what mostly follows from one, and what is said in passing."""
FACTS = (
    *("torch", "driver", "gpus", "toolkit", "numpy", "python", "libc", "library", "owner"),
    *("owner-of-by", "companions", "openmp", "paths", "paths-of-libraries", "module"),
)
"""What of an environment may bear on a message."""
_PLACE = re.compile(r"\{([a-z]+)(:cuda)?\}")


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message, and what it means.

    Attributes:
        id: Stable, such as ``no-kernel-image``.
        has: A part of it that occurs as it stands.
        pattern: A regular expression for one line of text.
        rules: The codes of the rules that find the cause before anything runs.
        cause: What is wrong, with places in braces for what the pattern captures.
        fix: The ways out, each a phrase.
        packages: Whose versions bear on it; one in braces is a captured one.
        facts: Of :data:`FACTS`.
        weight: One of :data:`WEIGHTS`.
        group: What says the same of a cause; its own id where nothing else does.
        evidence: Who prints it.
    """

    id: str
    has: str
    pattern: str
    rules: tuple[str, ...]
    cause: str
    fix: tuple[str, ...]
    packages: tuple[str, ...]
    facts: tuple[str, ...]
    weight: str
    group: str
    evidence: Evidence

    def find(self, line: str) -> Mapping[str, str] | None:
        """Return what a line tells where it holds the message; None where it does not."""
        if self.has not in line:
            return None
        match = re.search(self.pattern, line)
        if match is None:
            return None
        # what ends a sentence is no part of a version
        return {name: (text or "").rstrip(".,") for name, text in match.groupdict().items()}


def filled(text: str, said: Mapping[str, str]) -> str:
    """Return a text with its places filled; ``{found:cuda}`` is 12080 as 12.8.

    Args:
        text: Of a record.
        said: What a message captured.
    """

    def value(match: re.Match[str]) -> str:
        captured = said.get(match[1], "")
        if match[2] and captured.isdecimal():
            return f"{int(captured) // 1000}.{int(captured) % 1000 // 10}"
        return captured

    return " ".join(_PLACE.sub(value, text).split())


class Messages:
    """The records of ``messages.toml``, in their order."""

    def __init__(self, records: Mapping[str, Any]) -> None:
        self._records = records

    def within(self, text: str) -> Iterator[Message]:
        """Yield those that may occur in a text: a look for a few words, before any pattern."""
        return (one for one in self.all if one.has in text)

    @cached_property
    def all(self) -> tuple[Message, ...]:
        """Every record."""
        return tuple(map(_made, self._records["message"]))


def _made(record: Mapping[str, Any]) -> Message:
    return Message(
        record["id"],
        record["has"],
        record["pattern"],
        tuple(record["rules"]),
        record["cause"],
        tuple(record["fix"]),
        tuple(record.get("packages", ())),
        tuple(record.get("facts", ())),
        record.get("weight", ROOT),
        record.get("group", record["id"]),
        Evidence(f"the message is printed by {record['source']}", record["source"]),
    )
