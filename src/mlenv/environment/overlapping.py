"""Which distributions claim the same files with different contents, and whose copies lie there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from mlenv.environment.disk import read_bytes
from mlenv.environment.entries import UNSTATED, Entry
from mlenv.environment.sheets import MISSING, Sheet, has_content, size_at
from mlenv.model.installed_files import Overlap
from mlenv.model.installed_path import ASIDE, weight

Claims = Mapping[bytes, Mapping[int, Entry]]
"""By path what each sheet, by its number, says of the file."""
Hiding = tuple[int, int, bytes]
"""Whose package hides whose module, by the numbers of their sheets, and the module's file."""

_SHOWN = 20
_MOST_ALIKE = 500
_SIZED = 64
_HASHED = 8
_MOST_HASHED = 32 << 20
"""So many bytes are hashed for one overlap, where sizes do not tell the copies apart."""
_SHORT = 2048
"""No file that only declares a namespace is longer."""
_INIT = b"/__init__.py"
_DECLARES = (b"extend_path", b"declare_namespace")
_DOCSTRING = rb"(?s)(\"\"\"|'''|\"|').*\1"


def find_overlaps(sheets: Sequence[Sheet], claims: Claims) -> tuple[Overlap, ...]:
    """Return the files that several distributions claim, for each set of owners.

    Args:
        sheets: The records, all of one folder of packages.
        claims: The paths that several of them have.
    """
    differing: dict[tuple[bool, frozenset[int]], list[bytes]] = {}
    identical: dict[frozenset[int], int] = {}
    for path, entries in claims.items():
        owners = frozenset(entries)
        if not _differ(entries):
            identical[owners] = identical.get(owners, 0) + 1
        elif size_at(_place(sheets, path, entries)) == MISSING:
            continue  # told with what is missing of each
        elif not _is_namespace(sheets, path, entries):
            is_aside = _weight(path) == ASIDE
            differing.setdefault((is_aside, owners), []).append(path)
    found = []
    within: dict[int, list[frozenset[int]]] = {}
    for some in identical:
        within.setdefault(min(some), []).append(some)
    for owners, paths in _joined(differing):
        alike = (some for first in owners for some in within.get(first, ()) if some <= owners)
        equal = sum(identical[some] for some in alike)
        found.append(_overlap(sheets, claims, owners, paths, equal))
    return tuple(sorted(found, key=lambda one: (one.weight, one.owners)))


def find_hiding(sheets: Sequence[Sheet]) -> tuple[Hiding, ...]:
    """Return the modules that another distribution's package of the same name hides.

    Source: Python, "The import system": a folder with ``__init__.py`` goes before a module.
    """
    packages: dict[bytes, list[int]] = {}
    for index, sheet in enumerate(sheets):
        for beginning in sheet.begun:
            if beginning.endswith(b"/"):
                packages.setdefault(beginning[:-1], []).append(index)
    alike = (
        (other, index, file)
        for index, sheet in enumerate(sheets)
        for file in sheet.begun
        if file.partition(b".")[2].endswith((b"py", b"so", b"pyd"))
        for other in packages.get(file.partition(b".")[0], ())
        if other != index
    )
    return tuple(
        (other, index, file)
        for other, index, file in islice(alike, _MOST_ALIKE)
        if _has_line(sheets[other].record, file.partition(b".")[0] + _INIT)
    )


def _has_line(record: bytes, path: bytes) -> bool:
    return record.startswith(path + b",") or b"\n" + path + b"," in record


def hidden_by(one: Sheet, other: Sheet, file: bytes) -> Overlap:
    """Return what it comes to that a package of one distribution hides a file of another."""
    module = file.partition(b".")[0]
    shown = (one.shown(module + _INIT), other.shown(file))
    names = (other.owner.name, one.owner.name)
    name = module.decode("utf-8", "replace")
    return Overlap(names, shown, 0, one.owner.name, 0, _weight(file), name)


def _differ(entries: Mapping[int, Entry]) -> bool:
    """Whether some of the copies are known to differ; hashes of one kind tell, else sizes."""
    kinds = {entry.digest.partition(b"=")[0] for entry in entries.values()}
    if len(kinds) == 1:
        return len({entry.digest for entry in entries.values()}) > 1
    return len({entry.size for entry in entries.values() if entry.size >= 0}) > 1


def _is_namespace(sheets: Sequence[Sheet], path: bytes, entries: Mapping[int, Entry]) -> bool:
    """Whether the copies of a file do no more than to make its folder a package of several.

    The one that lies there is read. Where it is bare, another may have held what imports the
    modules beside it; a package that is shared has none of its own beside it.
    """
    is_short = all(0 <= one.size <= _SHORT for one in entries.values())
    if not is_short or not path.endswith(_INIT):
        return False
    data = read_bytes(_place(sheets, path, entries), _SHORT + 1) or b""
    if any(one in data for one in _DECLARES):
        return True
    lines = (line.strip() for line in data.splitlines())
    said = b"\n".join(line for line in lines if line and not line.startswith(b"#"))
    if said and not re.fullmatch(_DOCSTRING, said):
        return False
    folder = path[: -len(_INIT) + 1]
    fuller = [sheets[index] for index, one in entries.items() if one.size > len(data)]
    return not any(_has_module(sheet, folder) for sheet in fuller)


def _has_module(sheet: Sheet, folder: bytes) -> bool:
    """Whether a distribution has modules right in a folder, beside its ``__init__.py``."""
    beginning = folder[: folder.find(b"/") + 1]
    from mlenv.environment.record_lines import path_of, under

    lines = under(sheet.record, beginning, sheet.begun[beginning])
    inner = (path_of(line)[len(folder) :] for line in lines if line.startswith(folder))
    return any(b"/" not in one and one.endswith(b".py") and one != _INIT[1:] for one in inner)


def _joined(
    differing: dict[tuple[bool, frozenset[int]], list[bytes]],
) -> Iterator[tuple[frozenset[int], list[bytes]]]:
    """Yield the groups; what some of a group's owners share by themselves belongs to it.

    What tells nothing joins what tells something, and not the other way round.
    """
    kept: dict[frozenset[int], list[bytes]] = {}
    of_owner: dict[int, list[frozenset[int]]] = {}
    for is_aside, owners in sorted(differing, key=lambda key: (key[0], -len(key[1]))):
        known = min((of_owner.get(one, []) for one in owners), key=len)
        home = next((others for others in known if owners <= others), owners)
        if home not in kept:
            for one in home:
                of_owner.setdefault(one, []).append(home)
        kept.setdefault(home, []).extend(differing[is_aside, owners])
    yield from kept.items()


def _overlap(
    sheets: Sequence[Sheet], claims: Claims, owners: frozenset[int], paths: list[bytes], equal: int
) -> Overlap:
    ranked = sorted(paths, key=lambda path: (_weight(path), -len(claims[path]), path))
    heaviest = _weight(ranked[0])
    telling = [path for path in ranked if _weight(path) == heaviest]
    # what all of them have tells more than what some of them have
    common = [path for path in telling if len(claims[path]) == len(owners)] or telling
    holder = _holder(sheets, {path: claims[path] for path in common})
    members = [sheets[index].owner for index in owners]
    members.sort(key=lambda one: (one.installed_at, one.name))
    shown = sheets[min(owners)].shown
    return Overlap(
        tuple(one.name for one in members),
        tuple(shown(path) for path in ranked[:_SHOWN]),
        len(paths),
        sheets[holder].owner.name if holder is not None else "",
        equal,
        heaviest,
    )


def _holder(sheets: Sequence[Sheet], claims: Claims) -> int | None:
    """Return whose copies lie there, where all are of one; hashes are asked if sizes are equal."""
    holders: set[int] | None = None
    doubtful: list[tuple[int, bytes]] = []
    for path, entries in islice(claims.items(), _SIZED):
        size = size_at(_place(sheets, path, entries))
        fitting = {index for index, entry in entries.items() if entry.size in (size, UNSTATED)}
        if len({entries[index].digest for index in fitting}) > 1:
            doubtful.append((size, path))
        else:
            holders = fitting if holders is None else holders & fitting
    left = _MOST_HASHED
    for size, path in sorted(doubtful)[:_HASHED] if holders is None else ():
        left -= size
        if left >= 0:
            entries = claims[path]
            place = _place(sheets, path, entries)
            fitting = {index for index, entry in entries.items() if has_content(place, entry)}
            holders = fitting if holders is None else holders & fitting
    return min(holders) if holders else None


def _place(sheets: Sequence[Sheet], path: bytes, entries: Mapping[int, Entry]) -> str:
    return sheets[next(iter(entries))].place(path)


def _weight(path: bytes) -> int:
    return weight(path.decode("utf-8", "replace"))
