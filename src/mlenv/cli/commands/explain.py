"""``mlenv explain``: what a rule checks, why, and examples, from the rule's own docstring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlenv.cli.output import write_report
from mlenv.rules.registry import rules_meant

if TYPE_CHECKING:
    from mlenv.cli.requests import ExplainRequest
    from mlenv.rules.base import Rule


def run(request: ExplainRequest) -> int:
    """Explain a rule, or every rule of a topic, and return the exit code.

    Raises:
        UsageError: There is no such rule and no such topic.
    """
    write_report("\n".join(map(_text, rules_meant((request.rule,)))), "")
    return 0


def _text(rule: Rule) -> str:
    head = f"{rule.code} {rule.name}"
    facts = f"topic {rule.topic}, {rule.severity.value}, since {rule.since}"
    rests = f"\n{_rests_on(rule)}\n" if rule.facts else ""
    return f"{head} ({facts})\n\n{rule.explanation.strip()}\n{rests}"


def _rests_on(rule: Rule) -> str:
    """Return which records a rule rests on, and how to read them."""
    from mlenv.knowledge.listing import read

    said = [f"{file.name} ({len(file.records)} records)" for file in map(read, rule.facts)]
    return f"Rests on: {', '.join(said)}. mlenv rules --facts {rule.code} shows them."
