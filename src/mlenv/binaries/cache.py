"""What compiled files told an earlier scan, so that a second one opens none of them.

An entry holds for a file whose device, inode, size, and times of the last change of its content
and of its inode are what they were. Content cannot change without the last of them, which no
program can set: neither an installer that restores the times of an archive, nor ``cp -p``, nor
``rsync``. A file that changed within the last seconds is not remembered, since clocks tick
coarsely. The hash in ``RECORD`` would hold across environments, but it says what was installed and
not what is there: another distribution's copy over it is what an audit is to find. Hashing the
file takes longer than reading what is of interest in it. (On Windows the time of the inode is that
of the file's creation; identity, size and the time of the last writing must do.)

One JSON file for each environment lies in the user's cache folder, and never in what is audited.
Nothing in it is trusted: what is not exactly as this version writes it is read anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

from mlenv import __version__
from mlenv.caches import (
    Identity,
    UnexpectedError,
    as_kind,
    cache_folder,
    fields_of,
    file_of,
    keep,
    read_json,
    texts_of,
    write_json,
)
from mlenv.model.binary import CAPI, ELF, MACHO, PE, PYBIND11, RUST, Binary, Kernels, NumpyUse
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


Read = Binary | None
"""What reading a file gave: None for a text. Why one was not read is asked again each time."""

_SCHEMA = 3
_FORMATS = frozenset((ELF, MACHO, PE))
_KINDS = frozenset((CAPI, PYBIND11, RUST))


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is remembered of an environment.

    Attributes:
        files: Of its compiled files, by path relative to the prefix.
        folders: Of its folders, as :mod:`mlenv.binaries.walk` has it; may be anything.
    """

    files: Mapping[str, tuple[Identity, Read]]
    folders: Mapping[str, object]


class BinaryCache:
    """The folder in which scans are remembered."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def load(self, prefix: str) -> Known:
        """Return what is remembered of an environment; nothing where that cannot be read.

        Args:
            prefix: The environment, with links resolved.
        """
        path = file_of(self._folder, prefix)
        held = read_json(path)
        if not isinstance(held, dict) or held.get("made_by") != _made_by():
            return Known({}, {})
        files, folders = held.get("files"), held.get("folders")
        found = {}
        for name, entry in files.items() if isinstance(files, dict) else ():
            with contextlib.suppress(UnexpectedError):
                found[name] = _entry_of(name, entry)
        keep(path)
        return Known(found, folders if isinstance(folders, dict) else {})

    def store(self, prefix: str, known: Known, before: int) -> None:
        """Remember an environment; where that cannot be written, nothing is.

        Args:
            prefix: As :meth:`load` has it.
            known: What to remember.
            before: What changed after this is not remembered; see :func:`mlenv.caches.settled`.
        """
        files = {
            name: [identity, _listed(read)]
            for name, (identity, read) in known.files.items()
            if max(identity[3:]) <= before
        }
        if files or known.folders:
            said = {"made_by": _made_by(), "files": files, "folders": known.folders}
            write_json(file_of(self._folder, prefix), said)


def open_cache(audited: Iterable[str]) -> BinaryCache | None:
    """Return the user's cache; None where it would lie in what is audited, or has no place.

    Args:
        audited: Folders in which nothing is written.
    """
    folder = cache_folder("binaries", audited)
    return BinaryCache(folder) if folder else None


def _made_by() -> list[Any]:
    return [_SCHEMA, __version__]


def _listed(read: Read) -> list[Any] | None:
    """Return what is remembered of a file, without its name and owner."""
    if read is None:
        return None
    numpy, kernels = read.numpy, read.kernels
    return [
        read.format,
        read.machine,
        read.size,
        read.soname,
        read.needed,
        read.rpath,
        read.runpath,
        read.versions,
        read.is_extension,
        numpy and [numpy.old, numpy.new, numpy.minimum, numpy.kind],
        kernels and [kernels.cubins, kernels.ptx, kernels.containers],
        read.damage,
    ]


def _entry_of(name: str, entry: object) -> tuple[Identity, Read]:
    """Return what an entry says, each part of which may be anything.

    Raises:
        UnexpectedError: It is not as this version writes it.
    """
    numbers, read = fields_of(entry, 2)
    device, inode, size, changed, touched = (as_kind(int, one) for one in fields_of(numbers, 5))
    identity = (device, inode, size, changed, touched)
    return identity, None if read is None else _binary_of(name, fields_of(read, 12))


def _binary_of(name: str, fields: list[Any]) -> Binary:
    if as_kind(str, fields[0]) not in _FORMATS:
        raise UnexpectedError
    return Binary(
        name,
        "",
        fields[0],
        as_kind(str, fields[1]),
        as_kind(int, fields[2]),
        as_kind(str, fields[3]),
        texts_of(fields[4]),
        texts_of(fields[5]),
        texts_of(fields[6]),
        texts_of(fields[7]),
        as_kind(bool, fields[8]),
        _numpy_of(fields[9]),
        _kernels_of(fields[10]),
        as_kind(str, fields[11]),
    )


def _numpy_of(value: object) -> NumpyUse | None:
    if value is None:
        return None
    old, new, minimum, kind = fields_of(value, 4)
    if as_kind(str, kind) not in _KINDS:
        raise UnexpectedError
    return NumpyUse(as_kind(bool, old), as_kind(bool, new), as_kind(str, minimum), kind)


def _kernels_of(value: object) -> Kernels | None:
    if value is None:
        return None
    cubins, ptx, containers = fields_of(value, 3)
    return Kernels(_counts(cubins), _counts(ptx), as_kind(int, containers))


def _counts(value: object) -> tuple[tuple[str, int], ...]:
    pairs = (fields_of(one, 2) for one in as_kind(list, value))
    return tuple([(as_kind(str, name), as_kind(int, count)) for name, count in pairs])
