"""Checks a configuration's table key by key; whatever it does not know is refused by name."""

from __future__ import annotations

import re
from datetime import date, datetime

from mlenv.config import FAIL_ON, LEVELS, Config, IgnoreEntry, Vocabulary, suggestion
from mlenv.errors import ConfigError
from mlenv.model.profile import PROFILES
from mlenv.model.requirement import canonical_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

_ENTRY_KEYS = ("rule", "package", "file", "reason", "until")


def read_table(table: Mapping[str, Any], path: str, vocabulary: Vocabulary) -> Config:
    """Return the configuration that a table states.

    Args:
        table: ``[tool.mlenv]``, or the whole of an mlenv.toml.
        path: The file, for messages.
        vocabulary: The rules and topics that it may speak of.

    Raises:
        ConfigError: An unknown key, rule or topic, a wrong type, a bad date.
    """
    reader = _Reader(path, vocabulary)
    keys: dict[str, Callable[[str, Any], dict[str, object]]] = {
        "profile": lambda key, value: {"profile": reader.choice(key, value, PROFILES)},
        "select": lambda key, value: {"select": reader.selectors(key, value)},
        "ignore": reader.ignore,
        "fail-on": lambda key, value: {"fail_on": reader.choice(key, value, FAIL_ON)},
        "exclude": lambda key, value: {"exclude": reader.strings(key, value)},
        "severity": lambda key, value: {"severity": reader.severity(key, value)},
        "per-file-ignores": lambda key, value: {"per_file_ignores": reader.per_file(key, value)},
        "extra-facts": lambda key, value: {"extra_facts": reader.strings(key, value)},
        "target": lambda key, value: {"target": reader.target(key, value)},
        "targets": lambda key, value: {"targets": reader.targets(key, value)},
    }
    settings: dict[str, Any] = {}
    for key, value in table.items():
        reader.known(key, keys)
        settings.update(keys[key](key, value))
    return Config(path=path, **settings)


_NAMES = {str: "a string", list: "a list", dict: "a table", bool: "true or false"}


class _Reader:
    """Takes values of one file and refuses, with its name, what has the wrong shape."""

    def __init__(self, path: str, vocabulary: Vocabulary) -> None:
        self.path = path
        self.vocabulary = vocabulary

    def refuse(self, key: str, why: str) -> ConfigError:
        return ConfigError(f"{self.path}: {key!r} {why}")

    def known(self, key: str, keys: Collection[str], within: str = "") -> None:
        if key not in keys:
            place = f" in {within!r}" if within else ""
            hint = suggestion(key, keys)
            raise ConfigError(f"{self.path}: unknown key {key!r}{place}{hint}")

    def typed(self, key: str, value: Any, kind: type) -> Any:
        if not isinstance(value, kind):
            raise self.refuse(key, f"must be {_NAMES[kind]}")
        return value

    def choice(self, key: str, value: Any, choices: Collection[str]) -> str:
        if value not in choices:
            raise self.refuse(key, f"must be one of {', '.join(choices)}")
        return str(value)

    def strings(self, key: str, value: Any) -> tuple[str, ...]:
        self.typed(key, value, list)
        if not all(isinstance(item, str) for item in value):
            raise self.refuse(key, "must be a list of strings")
        return tuple(value)

    def selectors(self, key: str, value: Any) -> tuple[str, ...]:
        selectors = self.strings(key, value)
        self.vocabulary.check(selectors, f"{self.path}: {key!r}")
        return selectors

    def severity(self, key: str, value: Any) -> tuple[tuple[str, str], ...]:
        self.typed(key, value, dict)
        self.vocabulary.check(value, f"{self.path}: {key!r}")
        return tuple(
            (selector, self.choice(f"{key}.{selector}", level, LEVELS))
            for selector, level in value.items()
        )

    def per_file(self, key: str, value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
        self.typed(key, value, dict)
        return tuple(
            (pattern, self.selectors(f"{key}.{pattern}", selectors))
            for pattern, selectors in value.items()
        )

    def target(self, key: str, value: Any) -> tuple[str, ...]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
            raise self.refuse(key, "must be a string or a list of strings")
        return tuple(names)

    def targets(self, key: str, value: Any) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        from mlenv.machine.choose import NONE, table_fields
        from mlenv.machine.keys import MACHINE_KEYS
        from mlenv.model.target import LOCAL

        for name, table in self.typed(key, value, dict).items():
            if name in (LOCAL, NONE):
                raise self.refuse(f"{key}.{name}", "is a name that mlenv gives")
            for inner in self.typed(f"{key}.{name}", table, dict):
                self.known(inner, MACHINE_KEYS, within=f"{key}.{name}")
            table_fields(name, table, self.path)
        return tuple(value.items())

    def ignore(self, key: str, value: Any) -> dict[str, object]:
        """Take codes and tables alike: TOML allows either, and both in one list."""
        self.typed(key, value, list)
        if not all(isinstance(item, (str, dict)) for item in value):
            raise self.refuse(key, "must be a list of codes, topics or tables")
        plain = [item for item in value if isinstance(item, str)]
        entries = [self.entry(key, item) for item in value if isinstance(item, dict)]
        return {"ignore": self.selectors(key, plain), "ignore_entries": tuple(entries)}

    def entry(self, key: str, table: Mapping[str, Any]) -> IgnoreEntry:
        for name in table:
            self.known(name, _ENTRY_KEYS, within=key)
        if "rule" not in table:
            raise self.refuse(key, "has an entry without 'rule'")
        taken = {
            name: self.typed(f"{key}.{name}", value, str)
            for name, value in table.items()
            if name != "until"
        }
        self.vocabulary.check((taken["rule"],), f"{self.path}: {key!r}")
        if "package" in taken:
            taken["package"] = canonical_name(taken["package"])
        return IgnoreEntry(**taken, until=self.day(f"{key}.until", table.get("until", "")))

    def day(self, key: str, value: Any) -> str:
        if value == "":
            return ""
        try:
            # TOML has dates of its own; a time of day would say more than is meant
            # from Python 3.11 on, other forms of ISO 8601 would be taken as well
            is_day = isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)
            day = date.fromisoformat(value) if is_day else value
        except ValueError:
            day = None
        if not isinstance(day, date) or isinstance(day, datetime):
            raise self.refuse(key, "must be a date such as 2027-01-31")
        return day.isoformat()
