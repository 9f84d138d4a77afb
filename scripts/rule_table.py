"""Writes the list of all rules, which tells what an audit has to know of one before it loads it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from mlenv import rules
from mlenv.rules.base import TOPICS, Rule

TABLE = Path(rules.__file__).parent / "table.py"
_HEAD = '''"""All rules by topic and code; ``scripts/refresh.py`` writes this from their decorators.

An audit loads the modules of those rules alone that have something to judge.
"""
# ruff: noqa: E501

from __future__ import annotations

from mlenv.rules.base import Listed

_OF = (
'''
_FOOT = """)  # fmt: skip

LISTED: tuple[Listed, ...] = tuple(
    Listed(code, topic, tuple(needs.split()), tuple(only.split()), module, function)
    for code, topic, needs, only, module, function in _OF
)
"""


def rule_table() -> str:
    """Return the module that lists the rules of all modules beside it."""
    found = sorted(_rules(), key=lambda one: (TOPICS.index(one[2].topic), one[2].code))
    rows = [
        (rule.code, rule.topic, " ".join(rule.needs), " ".join(rule.only), module, function)
        for module, function, rule in found
    ]
    return _HEAD + "".join(f"    {row},\n" for row in rows).replace("'", '"') + _FOOT


def _rules() -> Iterator[tuple[str, str, Rule]]:
    for found in iter_modules(rules.__path__):
        # these two rest on the list
        if found.name in ("engine", "registry", TABLE.stem):
            continue
        for name, value in vars(import_module(f"{rules.__name__}.{found.name}")).items():
            if isinstance(value, Rule) and value.check.__module__.endswith(f".{found.name}"):
                yield found.name, name, value
