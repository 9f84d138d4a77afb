"""The lines of ``RECORD`` files: which folders one names, and what stands under one of them.

Source: Recording installed projects ("The RECORD file"); PEP 376. A record is CSV: a path that is
relative to the folder of packages or absolute, a hash and a size.

The records of a large environment hold a hundred thousand lines and more, so they are not taken
apart: installers write them in order of path, and a stretch whose lines all begin with one folder
is counted, and passed over. What is in any other order is looked at line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from mlenv.environment.entries import UNSTATED, Entry, Stretch

_SHORT = 2048
"""So few bytes are looked at line by line."""
_DIGEST = rb"[a-z0-9_]+=[A-Za-z0-9_-]+=*"
_LONGEST_SIZE = 16
_FEW = 8
"""So many folders are looked for one after the other."""
_FIELDS = 3
_COMMA = "\x1f"
"""Stands for a comma in a path."""


def plain(data: bytes) -> bytes:
    """Return a record with ``/`` in its paths and without the quotes of CSV.

    Where a path holds a comma, another character stands for it, so that a line is parted by commas.
    """
    if b'"' not in data and b"\\" not in data:
        return data
    import csv  # few records quote a path
    import io

    text = data.decode("latin-1")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
        kept = [row for row in rows if row and not any(map(_has_break, row))]
        lines = [",".join((row[0].replace(",", _COMMA), *row[1:])) for row in kept]
    except csv.Error:
        lines = text.replace("\r", "").split("\n")
    return "\n".join(lines).replace("\\", "/").encode("latin-1")


def _has_break(field: str) -> bool:
    return "\n" in field or "\r" in field


def folders(data: bytes) -> dict[bytes, Stretch]:
    """Return what the paths of a record begin with: folders with their ``/``, or files.

    Each with a stretch of the record in which all of its lines lie.

    Args:
        data: A record in its plain form.
    """
    found: dict[bytes, Stretch] = {}
    first = data.find(b"\n")
    first = first if first >= 0 else len(data)
    _of_lines(data, 0, first, found)
    _of_stretch(data, first, len(data), found)
    return found


def _of_stretch(data: bytes, start: int, end: int, found: dict[bytes, Stretch]) -> None:
    """Add what the paths of a stretch begin with; it starts at a line feed, or is empty."""
    while end - start > _SHORT:
        line = data.rfind(b"\n", start, (start + end) // 2)
        slash = data.find(b"/", line, end) if line >= 0 else -1
        if slash < 0 or data.find(b",", line, slash) >= 0 or data.find(b"\n", line + 1, slash) >= 0:
            break
        beginning = data[line : slash + 1]
        first = data.find(beginning, start, end)
        after = data.find(b"\n", data.rfind(beginning, start, end) + 1, end)
        stop = after if after >= 0 else end
        if data.count(b"\n", first, stop) != data.count(beginning, first, stop):
            break
        _add(found, beginning[1:], first, stop)
        if first - start < end - stop:
            _of_stretch(data, start, first, found)
            start = stop
        else:
            _of_stretch(data, stop, end, found)
            end = first
    _of_lines(data, start, end, found)


def _of_lines(data: bytes, start: int, end: int, found: dict[bytes, Stretch]) -> None:
    stretch = data[start:end]
    for folder in {line.partition(b"/")[0] for line in stretch.split(b"\n")}:
        path, comma, _ = folder.partition(b",")
        # nothing stands before the first slash of an absolute path, nor on an empty line
        if folder or b"\n/" in stretch or stretch.startswith(b"/"):
            _add(found, path if comma else folder + b"/", start, end)


def _add(found: dict[bytes, Stretch], beginning: bytes, start: int, end: int) -> None:
    known = found.get(beginning)
    if known is not None:
        start, end = min(start, known[0]), max(end, known[1])
    found[beginning] = start, end


def under(data: bytes, beginning: bytes, stretch: Stretch) -> list[bytes]:
    """Return the lines of a record whose paths begin with a folder, or are a file.

    Args:
        data: A record in its plain form.
        beginning: As :func:`folders` has it.
        stretch: The same.
    """
    start = beginning if beginning.endswith(b"/") else beginning + b","
    lines = data[stretch[0] : stretch[1]].split(b"\n")
    return [line for line in lines if line.startswith(start)]


def path_of(line: bytes) -> bytes:
    """Return the path of a line."""
    return line.partition(b",")[0].replace(_COMMA.encode(), b",")


def entry_of(line: bytes) -> Entry | None:
    """Return what a line says; None where it has no hash, as those of compiled Python have none."""
    fields = line.rstrip(b"\r").split(b",")
    if len(fields) < _FIELDS or not re.fullmatch(_DIGEST, fields[1]):
        return None
    size = fields[2]
    known = size.isdigit() and len(size) < _LONGEST_SIZE
    return Entry(path_of(line), fields[1].rstrip(b"="), int(size) if known else UNSTATED)


def claims(
    records: Sequence[bytes], begun: Sequence[Mapping[bytes, Stretch]]
) -> dict[bytes, dict[int, Entry]]:
    """Return the files that several records claim with a hash, by path and by record.

    Args:
        records: In their plain form.
        begun: For each what :func:`folders` tells of it.
    """
    owners: dict[bytes, int] = {}
    for found in begun:
        for beginning in found:
            owners[beginning] = owners.get(beginning, 0) + 1
    # what Python compiled there has no hash
    shared = {one for one, few in owners.items() if few > 1 and one != b"__pycache__/"}
    by_path = [
        lines_under(data, {one: found[one] for one in found.keys() & shared})
        for data, found in zip(records, begun, strict=True)
    ]
    return _claimed(by_path)


def lines_under(data: bytes, begun: Mapping[bytes, Stretch]) -> dict[bytes, bytes]:
    """Return the lines whose paths begin with one of some folders or files, by path.

    Args:
        data: A record in its plain form.
        begun: Some of what :func:`folders` tells of it.
    """
    if len(begun) <= _FEW:
        lines = [line for one, stretch in begun.items() for line in under(data, one, stretch)]
        return {line.partition(b",")[0]: line for line in lines}
    found = {}
    for start, end in _joined(begun.values()):
        for line in data[start:end].split(b"\n"):
            path = line.partition(b",")[0]
            folder, slash, _ = path.partition(b"/")
            if folder + slash in begun:
                found[path] = line
    return found


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return what some stretches cover together, each byte once."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _claimed(by_path: Sequence[Mapping[bytes, bytes]]) -> dict[bytes, dict[int, Entry]]:
    """Return what several of some records have with a hash, by path and by record."""
    seen: set[bytes] = set()
    several: set[bytes] = set()
    for here in by_path:
        several.update(seen.intersection(here))
        seen.update(here)
    found: dict[bytes, dict[int, Entry]] = {}
    for index, here in enumerate(by_path):
        for path in several.intersection(here):
            entry = entry_of(here[path])
            if entry is not None:
                found.setdefault(path, {})[index] = entry
    return {path_of(path): entries for path, entries in found.items() if len(entries) > 1}
