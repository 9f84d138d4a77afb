"""What conda records of its packages: the files of ``conda-meta``.

Source: conda's documentation, "conda-meta"; the records that conda 24 and micromamba 2 write.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

from mlenv.credentials import mask
from mlenv.environment.disk import modified, names_in, read_bytes
from mlenv.records import dataclass

_MOST_BYTES = 64 << 20
_MOST_FILES = 200_000
_LONGEST = 500


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One record of ``conda-meta``.

    Attributes:
        path: The file.
        name: The package's name; by the file's name where the record is damaged.
        version: Its version.
        build: Its build string.
        channel: Where it is from, without credentials.
        depends: What it requires.
        files: Its files, relative to the prefix.
        installed_at: When the record was written.
        damage: What is wrong with it; empty for nothing.
    """

    path: str
    name: str
    version: str
    build: str
    channel: str = ""
    depends: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    installed_at: float = 0.0
    damage: str = ""


def read_records(prefix: str) -> Iterator[Record]:
    """Yield the records of an environment in order of name; none where it is not conda's."""
    home = os.path.join(prefix, "conda-meta")
    for name in names_in(home):
        match = re.fullmatch(r"(.+)-([^-]+)-([^-]+)\.json", name)
        if match:
            yield _record(os.path.join(home, name), *match.groups())


def _record(path: str, name: str, version: str, build: str) -> Record:
    data = read_bytes(path, _MOST_BYTES)
    try:
        said = json.loads(data or b"")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Record(path, name.lower(), version, build, damage="it is no JSON")
    return Record(
        path,
        _text(said.get("name")).lower() or name.lower(),
        _text(said.get("version")) or version,
        _text(said.get("build")) or build,
        mask(_text(said.get("channel") or said.get("schannel"))),
        _texts(said.get("depends")),
        _texts(said.get("files")),
        modified(path),
    )


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    items = value[:_MOST_FILES] if isinstance(value, list) else ()
    return tuple(item for item in items if isinstance(item, str))
