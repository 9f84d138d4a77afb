"""The records as people read them: what each says, who says so, and since when."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_TITLES = (
    "id", "package", "name", "names", "so", "conda", "packages", "version", "tag", "minor", "cc",
    "family",
)  # fmt: skip
"""Keys that say what a record is about, the likeliest first."""
_SAID_BY = ("source", "date", "confidence", "evidence")
_LONGEST = 400
"""In characters; lists of thousands of names are of no use on a screen."""


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """One record.

    Attributes:
        table: The table that it stands in.
        title: What it is about.
        says: What it says, key by key.
        source: Who says so; empty where that is its file's source.
    """

    table: str
    title: str
    says: tuple[tuple[str, str], ...]
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """One file of records.

    Attributes:
        name: Without its ending.
        date: The day up to which it holds.
        source: Who says what it says, where its records do not say otherwise.
        records: What it holds.
    """

    name: str
    date: str
    source: str
    records: tuple[Listed, ...]


def files() -> tuple[str, ...]:
    """Return the names of all files of records."""
    folder = os.path.dirname(__file__)
    return tuple(
        sorted(name.removesuffix(".toml") for name in os.listdir(folder) if name.endswith(".toml"))
    )


def read(name: str) -> File:
    """Return everything that a file of records says.

    Raises:
        OSError: There is no such file.
    """
    import tomli

    path = os.path.join(os.path.dirname(__file__), f"{name}.toml")
    with open(path, "rb") as file:
        document = tomli.load(file)
    meta = document.pop("meta", {})
    source = str(meta.get("source", ""))
    records = tuple(one for table, value in document.items() for one in _listed(table, value))
    return File(name, str(meta.get("date", "")), source, records)


def _listed(table: str, value: Any) -> Iterator[Listed]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        for record in value:
            yield _record(table, record)
    elif isinstance(value, dict) and any(isinstance(one, dict) for one in value.values()):
        for title, record in value.items():
            yield _record(table, record if isinstance(record, dict) else {"is": record}, title)
    else:
        yield _record(table, value if isinstance(value, dict) else {"is": value})


def _record(table: str, record: Mapping[str, Any], title: str = "") -> Listed:
    key = next((one for one in _TITLES if one in record), "")
    says = tuple(
        (name, _shown(value))
        for name, value in record.items()
        if name not in _SAID_BY and (title or name != key)
    )
    return Listed(table, title or _shown(record.get(key, "")), says, str(record.get("source", "")))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
    elif isinstance(value, list):
        text = ", ".join(_shown(one) for one in value)
    else:
        text = str(value).strip()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"
