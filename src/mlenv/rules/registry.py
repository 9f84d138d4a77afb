"""All rules, in the order in which they are listed. A new topic is one more line here."""

from __future__ import annotations

from mlenv.model.report import RuleText
from mlenv.rules import (
    channels,
    conflicts,
    duplicates,
    hygiene,
    images,
    indexes,
    local_builds,
    locks,
    mixing,
    names,
    parse,
    pins,
    pythons,
    references,
    repositories,
    security,
    staleness,
)
from mlenv.rules.base import Rule

RULES: tuple[Rule, ...] = tuple(
    value
    for module in (
        parse,
        pins,
        references,
        locks,
        staleness,
        mixing,
        channels,
        conflicts,
        duplicates,
        names,
        security,
        local_builds,
        indexes,
        pythons,
        images,
        repositories,
        hygiene,
    )
    for value in vars(module).values()
    if isinstance(value, Rule)
)


def find_rule(text: str) -> Rule | None:
    """Return the rule with a code or name, in any case, or None."""
    wanted = text.strip().lower()
    return next((rule for rule in RULES if wanted in (rule.code.lower(), rule.name)), None)


def rule_texts() -> tuple[RuleText, ...]:
    """Return what a report may say of each rule, in the order in which they are listed."""
    return tuple(
        RuleText(rule.code, rule.name, rule.topic, rule.severity, rule.explanation)
        for rule in RULES
    )
