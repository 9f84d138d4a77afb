"""What a record says of one file."""

from __future__ import annotations

from collections.abc import Mapping

from mlenv.records import dataclass

Stretch = tuple[int, int]
"""From a byte of a record to before another."""
UNSTATED = -1
"""Instead of a size."""
Sample = Mapping[str, int]
"""Some recorded files, by path, with their sizes; see :func:`text_of`."""


def text_of(path: bytes) -> str:
    """Return a recorded path as a text that stands for its bytes; JSON holds no bytes."""
    return path.decode("latin-1")


def bytes_of(text: str) -> bytes:
    """Return the recorded path that a text stands for.

    Raises:
        UnicodeEncodeError: It stands for none.
    """
    return text.encode("latin-1")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What a record says of one file.

    Attributes:
        path: As recorded, with ``/``.
        digest: The algorithm and the hash, such as ``sha256=…``.
        size: In bytes; :data:`UNSTATED` where the record does not say.
    """

    path: bytes
    digest: bytes
    size: int
