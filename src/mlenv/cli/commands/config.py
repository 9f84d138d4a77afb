"""``mlenv config``: the configuration that applies, and the JSON schemas."""

from __future__ import annotations

import os
import re

from mlenv.cli.output import write_report
from mlenv.cli.requests import ConfigSchemaRequest, ConfigShowRequest
from mlenv.cli.settings import known_rules
from mlenv.config import Config, find_table
from mlenv.config_table import read_table
from mlenv.errors import UsageError
from mlenv.report.escape import clean, command_brackets, mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

SCHEMA = 1
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def run(request: ConfigShowRequest | ConfigSchemaRequest) -> int:
    """Show what is asked for and return the exit code.

    Raises:
        UsageError: The path is missing, or the configuration cannot be taken as it is.
    """
    text = _schema(request.of) if isinstance(request, ConfigSchemaRequest) else _shown(request)
    write_report(text, "")
    return 0


def _schema(name: str) -> str:
    from mlenv import schemas

    path = os.path.join(os.path.dirname(schemas.__file__), f"{name}.schema.json")
    with open(path, encoding="utf-8") as file:
        return file.read()


def _shown(request: ConfigShowRequest) -> str:
    if not os.path.exists(request.path):
        raise UsageError(f"there is no such file or folder: {request.path}")
    path, table = find_table(request.path, request.config)
    config = read_table(table, path, known_rules())
    if request.format == "json":
        return _json(config, table)
    return "".join(f"{line}\n" for line in toml_lines(config, table))


def effective(config: Config) -> dict[str, Any]:
    """Return the value of every key that a configuration file can set; None where it is detected.

    What a file can hold: ``read_table`` takes the others as they are and returns an equal
    configuration.
    """
    entries = [
        {name: value for name in type(entry).__match_args__ if (value := getattr(entry, name))}
        for entry in config.ignore_entries
    ]
    return {
        "profile": config.profile or None,
        "select": list(config.select),
        "ignore": [*config.ignore, *entries],
        "fail-on": config.fail_on,
        "exclude": list(config.exclude),
        "target": list(config.target) or None,
        "targets": {name: dict(table) for name, table in config.targets},
        "extra-facts": list(config.extra_facts),
        "severity": dict(config.severity),
        "per-file-ignores": {key: list(value) for key, value in config.per_file_ignores},
    }


def _json(config: Config, given: Collection[str]) -> str:
    from mlenv.report.json_report import dumps

    settings = {
        key: {"value": value, "origin": "file" if key in given else "default"}
        for key, value in effective(config).items()
    }
    return dumps(
        {
            "schema": SCHEMA,
            "file": config.path or None,
            "settings": settings,
        }
    )


def toml_lines(config: Config, given: Collection[str]) -> Iterator[str]:
    """Yield the lines of an mlenv.toml that asks for the same; comments say where a value is from.

    Source: TOML 1.0.0.
    """
    where = clean(config.path)
    name = clean(os.path.basename(config.path))
    yield f"# {where} over the defaults" if where else "# there is no configuration: the defaults"
    for key, value in effective(config).items():
        if value is None:
            yield f"# {key} is detected"
        else:
            yield f"{key} = {_value(value)}  # {name if key in given else 'default'}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = [f"{_key(key)} = {_value(item)}" for key, item in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, (bool, int, float)):
        return str(value).lower()
    return _string(value)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    """Return a basic string in which every character can be seen, credentials masked."""
    masked = mask(text)
    brackets = command_brackets(masked)
    return '"' + "".join(_character(c, at in brackets) for at, c in enumerate(masked)) + '"'


def _character(character: str, is_hidden: bool) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() and not is_hidden else f"\\U{ord(character):08x}"
