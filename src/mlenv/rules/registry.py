"""All rules, in the order in which they are listed. A new topic is one more line here."""

from __future__ import annotations

from mlenv.rules import channels, conflicts, hygiene, locks, mixing, parse, pins, references
from mlenv.rules.base import Rule

RULES: tuple[Rule, ...] = tuple(
    value
    for module in (parse, pins, references, locks, mixing, channels, conflicts, hygiene)
    for value in vars(module).values()
    if isinstance(value, Rule)
)


def find_rule(text: str) -> Rule | None:
    """Return the rule with a code or name, in any case, or None."""
    wanted = text.strip().lower()
    return next((rule for rule in RULES if wanted in (rule.code.lower(), rule.name)), None)
