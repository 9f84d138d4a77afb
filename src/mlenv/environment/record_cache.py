"""What the records of an environment told an earlier run, so that a second one reads none of them.

It holds where each record has the device, inode, size, and times of the last change of content and
of inode that it had, by one number for all; see :mod:`mlenv.binaries.cache`. What they speak of is
looked at each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from mlenv import __version__
from mlenv.caches import (
    Identity,
    UnexpectedError,
    as_kind,
    digest_of,
    digest_of_texts,
    fields_of,
    file_for,
    keep,
    read_json,
    settled,
    write_json,
)
from mlenv.environment.entries import Entry, Sample, bytes_of, text_of
from mlenv.environment.site_records import Worked

Identities = Sequence[tuple[str, Identity]]
"""For each record its place, and what tells that it is the one it was."""

_SCHEMA = 5


class RecordCache:
    """Where it is remembered.

    Args:
        path: The file.
        prefix: The environment, with links resolved.
    """

    def __init__(self, path: str, prefix: str) -> None:
        self._path = path
        self._prefix = prefix

    def load(self, identities: Identities, counts: Sequence[int]) -> list[Worked] | None:
        """Return what was remembered; None where it does not hold for these records any more.

        Args:
            identities: Of all records.
            counts: How many of them each folder of packages has.
        """
        held = read_json(self._path)
        if not isinstance(held, dict) or held.get("of") != self._of(identities):
            return None
        try:
            said = fields_of(held.get("sites"), len(counts))
            found = [_worked(one, count) for one, count in zip(said, counts, strict=True)]
        except (UnexpectedError, UnicodeEncodeError):
            return None
        keep(self._path)
        return found

    def store(self, identities: Identities, worked: Sequence[Worked]) -> None:
        """Remember what was worked out, unless a record changed within the last seconds."""
        latest = settled()
        if not identities or any(max(sign[3:]) > latest for _, sign in identities):
            return
        sites = [_said(one) for one in worked]
        write_json(self._path, {"of": self._of(identities), "sites": sites})

    def _of(self, identities: Identities) -> list[int | str]:
        places = digest_of_texts(place for place, _ in identities)
        digest = digest_of(sign for _, sign in identities)
        return [_SCHEMA, __version__, self._prefix, len(identities), places, digest]


def open_record_cache(prefix: str, audited: Iterable[str]) -> RecordCache | None:
    """Return the user's cache of an environment's records; None where it has no place.

    Args:
        prefix: The environment.
        audited: Folders in which nothing is written.
    """
    path = file_for("records", prefix, audited)
    return RecordCache(path, os.path.realpath(prefix)) if path else None


def _said(worked: Worked) -> list[object]:
    return [
        [
            [text_of(path), [[index, *_fields(entry)] for index, entry in entries.items()]]
            for path, entries in worked.claims.items()
        ],
        [[one, other, text_of(file)] for one, other, file in worked.hiding],
        dict(worked.begun),
        [[index, dict(sample)] for index, sample in worked.samples.items()],
    ]


def _fields(entry: Entry) -> tuple[str, int]:
    return text_of(entry.digest), entry.size


def _worked(said: object, count: int) -> Worked:
    """Return what was remembered of one folder, each part of which may be anything.

    Raises:
        UnexpectedError: It is not as this version writes it.
    """
    claims, hiding, begun, samples = fields_of(said, 4)
    return Worked(
        dict(_claim(one, count) for one in as_kind(list, claims)),
        tuple(_hiding(one, count) for one in as_kind(list, hiding)),
        _beginnings(begun, count),
        dict(_sample(one, count) for one in as_kind(list, samples)),
    )


def _claim(said: object, count: int) -> tuple[bytes, Mapping[int, Entry]]:
    path, entries = fields_of(said, 2)
    data = _data(path)
    found = {}
    for one in as_kind(list, entries):
        index, digest, size = fields_of(one, 3)
        found[_index(index, count)] = Entry(data, _data(digest), as_kind(int, size))
    if not found:
        raise UnexpectedError
    return data, found


def _beginnings(said: object, count: int) -> Mapping[str, Sequence[int]]:
    found = as_kind(dict, said)
    if not {*map(type, found.values())} <= {list}:
        raise UnexpectedError
    numbers = [*chain.from_iterable(found.values())]
    if not {*map(type, numbers)} <= {int} or not {*numbers} <= {*range(count)}:
        raise UnexpectedError
    bytes_of("".join(found))
    return found


def _hiding(said: object, count: int) -> tuple[int, int, bytes]:
    one, other, file = fields_of(said, 3)
    return _index(one, count), _index(other, count), _data(file)


def _sample(said: object, count: int) -> tuple[int, Sample]:
    index, sizes = fields_of(said, 2)
    found = as_kind(dict, sizes)
    if not all(type(size) is int for size in found.values()):
        raise UnexpectedError
    bytes_of("".join(found))
    return _index(index, count), found


def _index(value: object, count: int) -> int:
    index = as_kind(int, value)
    if not 0 <= index < count:
        raise UnexpectedError
    return index


def _data(value: object) -> bytes:
    return bytes_of(as_kind(str, value))
