"""What a record says of one file."""

from __future__ import annotations

from mlenv.records import dataclass

Stretch = tuple[int, int]
"""From a byte of a record to before another."""
UNSTATED = -1
"""Instead of a size."""


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
