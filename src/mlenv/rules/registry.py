"""All rules, in the order in which they are listed. A new topic is one more line here."""

from __future__ import annotations

from collections.abc import Sequence

from mlenv.config import suggestion
from mlenv.errors import UsageError
from mlenv.model.report import RuleText
from mlenv.rules import (
    base_images,
    builds,
    channels,
    cohorts,
    companion_cuda,
    companions,
    conda_selectors,
    conflicts,
    context,
    contradictions,
    cuda_builds,
    cuda_mixing,
    drivers,
    duplicates,
    forbidden,
    gpu_architectures,
    hygiene,
    images,
    indexes,
    installed_conda,
    installed_declared,
    installed_extensions,
    installed_files,
    installed_gpu,
    installed_interfaces,
    installed_libraries,
    installed_numpy,
    installed_requirements,
    installed_runtimes,
    installed_state,
    interpreters,
    local_builds,
    locks,
    machine,
    mixing,
    names,
    numpy2,
    numpy_bounds,
    overlaps,
    parse,
    pins,
    pixi_machines,
    prebuilts,
    pythons,
    references,
    removed_interfaces,
    repositories,
    security,
    staleness,
    system_libraries,
    system_releases,
    toolkit,
    toolkit_here,
    wheels,
)
from mlenv.rules.base import Rule

RULES: tuple[Rule, ...] = tuple(
    value
    for module in (
        parse,
        pins,
        forbidden,
        references,
        locks,
        staleness,
        mixing,
        channels,
        conflicts,
        contradictions,
        cohorts,
        companions,
        prebuilts,
        installed_extensions,
        companion_cuda,
        cuda_builds,
        cuda_mixing,
        conda_selectors,
        toolkit,
        toolkit_here,
        drivers,
        machine,
        pixi_machines,
        gpu_architectures,
        installed_gpu,
        removed_interfaces,
        context,
        numpy2,
        numpy_bounds,
        installed_numpy,
        duplicates,
        overlaps,
        installed_files,
        installed_conda,
        names,
        security,
        local_builds,
        indexes,
        pythons,
        wheels,
        builds,
        system_libraries,
        system_releases,
        installed_libraries,
        installed_interfaces,
        installed_runtimes,
        images,
        base_images,
        installed_requirements,
        installed_state,
        installed_declared,
        interpreters,
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
