"""A team's own facts: in-house packages, versions that it forbids, pairs that it knows to fail."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from mlenv.errors import ConfigError
from mlenv.model.requirement import canonical_name
from mlenv.records import dataclass, field
from mlenv.versions.version_set import ANY, VersionSet, pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_MOST_BYTES = 1 << 20
_TABLES = ("meta", "forbidden", "breaks", "releases", "requires")
_FORBIDDEN = ("package", "versions", "reason", "use", "source")
_BREAK = (
    "id", "packages", "topic", "severity", "when", "python", "systems", "without", "effect",
    "error", "fix", "fact", "source", "unless", "since", "builds", "channels", "latest", "code",
    "used",
)  # fmt: skip
_TEXTS = ("id", "effect", "error", "fact", "source")
_LISTS = ("fix", "systems", "without", "channels", "code", "used")
_NEEDED = ("id", "when", "effect", "fix")
_DAY = r"(?:\d{4}-\d\d-\d\d)?"
_MINORS = r"3\.[0-9]{1,2}(?:\+|-3\.[0-9]{1,2})?"
_VERSION = r"[0-9][A-Za-z0-9.!+-]{0,80}"
_LINES = {
    "releases": r"@ [^\s=]\S*(?: (?:any|sdist|unknown"
    rf"|[a-z0-9_]+={_MINORS}(?:,{_MINORS})*(?:/[0-9.]+)?))*"
    rf"|{_VERSION} [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?: [a-z ]+)?",
    "requires": rf"{_VERSION}(?: \?)?| [a-z0-9][a-z0-9._-]*(?:[\[ ;<>=!~(@].*)?",
}
"""What a line of such a text may be; see ``releases.toml`` and ``requires.toml``."""
_SHOWN = 80
_TOPICS = ("cohorts", "removed-api")


@dataclass(frozen=True, slots=True, eq=False)
class Forbidden:
    """Versions that a team does not allow.

    Attributes:
        package: Canonical name.
        versions: The versions meant.
        reason: Why; may be empty.
        use: What to take instead; may be empty.
        source: Who says so: the team's own word, else the file's name.
    """

    package: str
    versions: VersionSet
    reason: str
    use: str
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Extra:
    """What the files of a team add to the records.

    Attributes:
        forbidden: Versions that are not allowed.
        breaks: Records of the form of ``breaks.toml``.
        blocks: For ``releases`` and ``requires`` the text that goes before mlenv's own.
    """

    forbidden: tuple[Forbidden, ...] = ()
    breaks: tuple[dict[str, Any], ...] = ()
    blocks: Mapping[str, str] = field(default_factory=dict)


def read_extra(paths: Sequence[str], folder: str) -> Extra:
    """Read the files that ``extra-facts`` names.

    Args:
        paths: As the configuration has them, relative to its own folder.
        folder: The configuration's folder.

    Raises:
        ConfigError: A file is missing, leads out of the folder, is no TOML or says something that
            mlenv does not know.
    """
    forbidden: list[Forbidden] = []
    breaks: list[dict[str, Any]] = []
    blocks = {"releases": "", "requires": ""}
    for path in paths:
        document = _document(path, folder)
        _known(path, document, _TABLES)
        forbidden += [_forbidden(path, one) for one in _tables(path, document, "forbidden")]
        breaks += [_break(path, one) for one in _tables(path, document, "breaks")]
        for name, kept in blocks.items():
            blocks[name] = kept + _block(path, document, name)
    return Extra(tuple(forbidden), tuple(breaks), blocks)


def _document(path: str, folder: str) -> Mapping[str, Any]:
    import tomli

    if "\0" in path:  # a name that no system can hold
        raise ConfigError(f"extra-facts: there is no file {path!r}")
    full = os.path.realpath(os.path.join(folder, path))
    top = os.path.realpath(folder).rstrip(os.sep) + os.sep
    if not full.startswith(top):
        raise ConfigError(f"extra-facts: {path!r} leads out of the configuration's folder")
    try:
        if not os.path.isfile(full):
            raise ConfigError(f"extra-facts: there is no file {path!r}")
        with open(full, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"extra-facts: {path!r} cannot be read: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"extra-facts: {path!r} is larger than {_MOST_BYTES >> 20} MiB")
    try:
        return tomli.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"extra-facts: {path!r} is no TOML: {error}") from error


def _known(path: str, table: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            raise ConfigError(
                f"extra-facts: {path}: unknown key {key!r}; known are {', '.join(keys)}"
            )


def _tables(path: str, document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = document.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ConfigError(f"extra-facts: {path}: {name!r} must be tables: [[{name}]]")
    return found


def _forbidden(path: str, record: Mapping[str, Any]) -> Forbidden:
    _known(path, record, _FORBIDDEN)
    texts = {key: _text(path, record, key) for key in _FORBIDDEN}
    if not texts["package"]:
        raise ConfigError(f"extra-facts: {path}: a [[forbidden]] needs 'package'")
    versions = _versions(path, texts["versions"])
    return Forbidden(
        canonical_name(texts["package"]), versions, texts["reason"], texts["use"],
        texts["source"] or path,
    )  # fmt: skip


def _text(path: str, record: Mapping[str, Any], key: str) -> str:
    value = record.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"extra-facts: {path}: {key!r} must be a string")
    return value


def _versions(path: str, text: str) -> VersionSet:
    versions = pep440(text) if text not in ("", "*") else ANY
    if versions is None:
        raise ConfigError(f"extra-facts: {path}: {text!r} is no version specifier")
    return versions


def _break(path: str, record: dict[str, Any]) -> dict[str, Any]:
    _known(path, record, _BREAK)
    for key in _NEEDED:
        if key not in record:
            raise ConfigError(f"extra-facts: {path}: a [[breaks]] needs {key!r}")
    _check_types(path, record)
    named = {key: _named(path, record, key) for key in ("when", "unless", "latest")}
    if not named["when"]:
        raise ConfigError(f"extra-facts: {path}: 'when' must be a table of versions")
    for key in ("when", "unless"):
        for text in named[key].values():
            _versions(path, text)
    _versions(path, _text(path, record, "python"))
    days = (_text(path, record, "since"), *named["latest"].values())
    if not all(re.fullmatch(_DAY, day) for day in days):
        raise ConfigError(f"extra-facts: {path}: 'since' and 'latest' take days: 2026-01-31")
    topic, severity = record.get("topic", "cohorts"), record.get("severity", "error")
    if topic not in _TOPICS or severity not in ("error", "warning", "note"):
        raise ConfigError(
            f"extra-facts: {path}: 'topic' is one of {', '.join(_TOPICS)}; 'severity' is error, "
            "warning or note"
        )
    said = {"topic": topic, "severity": severity, "fact": record["effect"], "source": path}
    without = [canonical_name(name) for name in record.get("without", ())]
    packages = sorted(named["when"])
    return {**said, **record, **named, "without": without, "packages": packages}


def _check_types(path: str, record: Mapping[str, Any]) -> None:
    """Refuse a pair whose texts, lists or truths are none."""
    for key in _TEXTS:
        _text(path, record, key)
    for key in _LISTS:
        value = record.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ConfigError(f"extra-facts: {path}: {key!r} must be a list of strings")
    if not isinstance(record.get("builds", False), bool):
        raise ConfigError(f"extra-facts: {path}: 'builds' must be true or false")


def _named(path: str, record: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return a table of texts by canonical name."""
    table = record.get(key, {})
    if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
        raise ConfigError(f"extra-facts: {path}: {key!r} must be a table of texts")
    return {canonical_name(name): text for name, text in table.items()}


def _block(path: str, document: Mapping[str, Any], name: str) -> str:
    table = document.get(name, {})
    if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
        raise ConfigError(f"extra-facts: {path}: {name!r} must be a table of texts")
    found = ""
    for package, text in table.items():
        if "'''" in text:
            raise ConfigError(f"extra-facts: {path}: {name}.{package} holds quotes")
        body = text.strip("\n")
        for line in body.split("\n"):
            if line and re.fullmatch(_LINES[name], line) is None:
                raise ConfigError(
                    f"extra-facts: {path}: {name}.{package}: not understood: {line[:_SHOWN]!r}"
                )
        found += f"\n{canonical_name(package)} = '''\n{body}\n'''\n"
    return found
