"""All rules with all that is known of them, by topic and code; loading them takes its time."""

from __future__ import annotations

from collections.abc import Sequence

from mlenv.config import suggestion
from mlenv.errors import UsageError
from mlenv.model.report import RuleText
from mlenv.rules.base import Rule
from mlenv.rules.table import LISTED

RULES: tuple[Rule, ...] = tuple(one.rule for one in LISTED)


def find_rule(text: str) -> Rule | None:
    """Return the rule with a code or name, in any case, or None."""
    wanted = text.strip().lower()
    return next((rule for rule in RULES if wanted in (rule.code.lower(), rule.name)), None)


def rules_meant(words: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules that some words speak of, in the order in which they are listed.

    Args:
        words: Codes, names and topics; none for every rule.

    Raises:
        UsageError: One of them is none of these.
    """
    found: set[str] = set()
    for word in words:
        one = find_rule(word)
        codes = [one.code] if one else [rule.code for rule in RULES if rule.topic == word]
        if not codes:
            names = {name for rule in RULES for name in (rule.code, rule.name, rule.topic)}
            hint = suggestion(word, names)
            raise UsageError(f"there is no rule {word!r}, and no topic with rules{hint}")
        found.update(codes)
    return tuple(rule for rule in RULES if not words or rule.code in found)


def rule_texts() -> tuple[RuleText, ...]:
    """Return what a report may say of each rule, in the order in which they are listed."""
    return tuple(
        RuleText(rule.code, rule.name, rule.topic, rule.severity, rule.explanation)
        for rule in RULES
    )
