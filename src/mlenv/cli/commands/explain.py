"""``mlenv explain``: what a rule checks, why, and examples, from the rule's own docstring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlenv.cli.output import write_report
from mlenv.config import suggestion
from mlenv.errors import UsageError
from mlenv.rules.registry import RULES, find_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlenv.cli.requests import ExplainRequest
    from mlenv.rules.base import Rule


def run(request: ExplainRequest) -> int:
    """Explain a rule, or every rule of a topic, and return the exit code.

    Raises:
        UsageError: There is no such rule and no such topic.
    """
    write_report("\n".join(map(_text, _meant(request.rule))), "")
    return 0


def _meant(word: str) -> Sequence[Rule]:
    one = find_rule(word)
    found = [one] if one else [rule for rule in RULES if rule.topic == word]
    if not found:
        names = {name for rule in RULES for name in (rule.code, rule.name, rule.topic)}
        hint = suggestion(word, names)
        raise UsageError(f"there is no rule {word!r}, and no topic with rules{hint}")
    return found


def _text(rule: Rule) -> str:
    head = f"{rule.code} {rule.name}"
    facts = f"topic {rule.topic}, {rule.severity.value}, since {rule.since}"
    return f"{head} ({facts})\n\n{rule.explanation.strip()}\n"
