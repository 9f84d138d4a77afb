"""What metadata and torch's modules told an earlier run, so that the next one opens none of them.

An entry holds while ``METADATA`` and ``RECORD`` are what they were, by the same signs as compiled
files (see :mod:`mlenv.binaries.cache`); whatever writes another ``WHEEL`` writes its hash into the
record. Only whole metadata are remembered, and nothing of what a file of the cache says is trusted:
what is not as this version writes it is read anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from mlenv import __version__
from mlenv.caches import (
    Identity,
    digest_of,
    digest_of_texts,
    file_for,
    keep,
    read_json,
    settled,
    sign_of,
    write_json,
)
from mlenv.environment.found import RECORD, Found, Metadata
from mlenv.model.environment import DIST_INFO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_SCHEMA = 5
_FILES = ("METADATA", RECORD)
_TYPES = (int, str, str, str, str, str, str)
"""Of the fields of an entry: the digest of its signs, and what was read."""
_LINE = "\n"
Constants = Mapping[str, str | None]
"""What a module assigns to names at its top."""
Signs = Sequence[Identity | None]
"""For each of the files what tells that it is what it was; None for one that is not there."""


class KnownMetadata:
    """What is remembered of one environment's distributions.

    Args:
        path: The file of the cache.

    Attributes:
        records: What tells of each ``RECORD`` that it is what it was, by the folder that it lies
            in, so far as it was asked for.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._held, self._said = _load(path)
        self._asked: dict[str, list[Any]] = {}
        self._constants: dict[str, list[Any]] = {}
        self.records: dict[str, Identity] = {}
        self._is_new = False

    def find(self, folder: str) -> Found | None:
        """Return what is known of a folder of metadata; None where they have to be read.

        Args:
            folder: Its path, whole.
        """
        entry = self._held.get(folder)
        if entry is None:
            return None
        signs = _signs_of(folder)
        found = _remembered(folder, entry, signs)
        if found is not None:
            self._asked[folder] = entry
            if signs[1] is not None:
                self.records[folder] = signs[1]
        return found

    def signs_of(self, folder: str) -> Signs | None:
        """Return what tells that the files are what they were; None where nobody can tell.

        They are to be asked for before the files are read, and handed to :meth:`remember` after.
        """
        signs = _signs_of(folder)
        return signs if signs[0] is not None and _are_settled(signs) else None

    def remember(self, found: Found, signs: Signs) -> None:
        """Keep what was read for the next run."""
        self._is_new = True
        metadata = found.metadata
        self._asked[found.path] = [
            digest_of(signs),
            metadata.name,
            metadata.version,
            _LINE.join(metadata.requires),
            metadata.requires_python,
            _LINE.join(metadata.extras),
            _LINE.join(found.tags or ()),
        ]

    def constants_of(self, module: str, read: Callable[[str], Constants]) -> Constants:
        """Return the constants of a module, read where they are not known.

        Args:
            module: Its file, whole.
            read: Reads them from that.
        """
        signs = (sign_of(module),)
        entry = self._said.get(module)
        is_held = type(entry) is list and len(entry) == 2 and entry[0] == digest_of(signs)
        if entry is not None and is_held and _are_constants(entry[1]):
            self._constants[module] = entry
            return dict(entry[1])
        found = read(module)
        if signs != (None,) and _are_settled(signs):
            self._is_new = True
            self._constants[module] = [digest_of(signs), dict(found)]
        return found

    def state(self, count: int) -> list[int] | None:
        """Return what tells that all metadata are what they were; None where nothing does.

        Args:
            count: How many there are: only of whole and settled metadata anything is known.
        """
        if not count or len(self._asked) != count:
            return None
        digests = hash(tuple([entry[0] for entry in self._asked.values()]))
        return [count, digest_of_texts(self._asked), digests]

    def close(self) -> None:
        """Write what is new, and forget what is not there any more."""
        is_less = len(self._asked) < len(self._held) or len(self._constants) < len(self._said)
        if self._is_new or is_less:
            said = {"made_by": _made_by(), "folders": self._asked, "modules": self._constants}
            write_json(self._path, said)
        elif self._held:
            keep(self._path)


def open_known(prefix: str, audited: Iterable[str]) -> KnownMetadata | None:
    """Return what is remembered of an environment; None where the user has no place for it.

    Args:
        prefix: The environment's folder.
        audited: Folders in which nothing is written.
    """
    path = file_for("metadata", prefix, audited)
    return KnownMetadata(path) if path else None


def constants_of(
    module: str, read: Callable[[str], Constants], known: KnownMetadata | None
) -> Constants:
    """Return the constants of a module, as :meth:`KnownMetadata.constants_of`; or read them."""
    return known.constants_of(module, read) if known is not None else read(module)


def _made_by() -> list[Any]:
    return [_SCHEMA, __version__]


def _load(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    held = read_json(path)
    if not isinstance(held, dict) or held.get("made_by") != _made_by():
        return {}, {}
    folders, modules = held.get("folders"), held.get("modules")
    if not isinstance(folders, dict) or not isinstance(modules, dict):
        return {}, {}
    return folders, modules


def _are_settled(signs: Signs) -> bool:
    latest = settled()
    return all(max(one[3:]) < latest for one in signs if one is not None)


def _are_constants(value: object) -> bool:
    return isinstance(value, dict) and all(
        one is None or type(one) is str for one in value.values()
    )


def _signs_of(folder: str) -> Signs:
    return [sign_of(f"{folder}{os.sep}{name}") for name in _FILES]


def _remembered(folder: str, entry: object, signs: Signs) -> Found | None:
    """Return what an entry says, each part of which may be anything; None where it may not hold."""
    if type(entry) is not list or tuple(map(type, entry)) != _TYPES:
        return None
    if entry[0] != digest_of(signs):
        return None
    _, name, version, requires, python, extras, tags = entry
    metadata = Metadata(name, version, _lines(requires), python, _lines(extras))
    return Found(folder, DIST_INFO, metadata, tags=_lines(tags))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split(_LINE)) if text else ()
