"""The record of one distribution, and the files on the disk that it speaks of."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from functools import cached_property

from mlenv.environment.disk import feed, read_bytes
from mlenv.environment.entries import Entry, Stretch
from mlenv.model.environment import Distribution

_MOST_BYTES = 16 << 20
"""Twelve times the longest that is known, that of torch."""
_ALGORITHMS = frozenset(("sha256", "sha384", "sha512", "sha1", "md5", "blake2b", "sha3_256"))
MISSING, UNKNOWN = -1, -2
"""Instead of a size: no such file, or nothing can be told of it."""


class Sheet:
    """The record of one distribution, read when first asked for.

    Args:
        owner: Whose it is.
        site: The folder that its paths start from, whole.
        file: Where it lies, whole.
    """

    def __init__(self, owner: Distribution, site: str, file: str) -> None:
        self.owner = owner
        self.site = site
        self.file = file

    @cached_property
    def record(self) -> bytes:
        """Its lines, in their plain form; none where it cannot be read."""
        from mlenv.environment.record_lines import plain

        return plain(read_bytes(self.file, _MOST_BYTES) or b"")

    @cached_property
    def begun(self) -> Mapping[bytes, Stretch]:
        """What its paths begin with."""
        from mlenv.environment.record_lines import folders

        return folders(self.record)

    def place(self, path: bytes) -> str:
        """Return where a recorded file lies."""
        return os.path.join(self.site, name_of(path))

    def shown(self, path: bytes) -> str:
        """Return a recorded path as messages have it: relative to the prefix, with ``/``."""
        text = path.decode("utf-8", "replace")
        return posixpath.normpath(posixpath.join(self.owner.site, text))


def name_of(path: bytes) -> str:
    """Return a recorded path as the system's functions take it, in whichever encoding it has."""
    try:
        return os.fsdecode(path)
    except UnicodeDecodeError:  # where the system's names are no bytes
        return path.decode("utf-8", "replace")


def size_at(place: str) -> int:
    """Return the size of a file, :data:`MISSING` or :data:`UNKNOWN`."""
    try:
        return os.stat(place).st_size
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except (OSError, ValueError):
        return UNKNOWN


def has_content(place: str, entry: Entry) -> bool | None:
    """Return whether a file has the hash that a record gives it; None where that is not known."""
    algorithm = entry.digest.partition(b"=")[0].decode("ascii", "replace")
    if algorithm not in _ALGORITHMS:
        return None
    # most files are told apart by their sizes
    import hashlib
    from base64 import urlsafe_b64encode

    made = hashlib.new(algorithm, usedforsecurity=False)
    if not feed(place, made.update):
        return None
    said = entry.digest.partition(b"=")[2]
    return (
        urlsafe_b64encode(made.digest()).rstrip(b"=") == said or made.hexdigest().encode() == said
    )
