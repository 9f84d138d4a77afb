"""What was worked out of an environment's metadata, kept for runs that find the same metadata.

Reading many metadata again is spared by :mod:`mlenv.environment.known`; this spares comparing all
of them with each other. It holds while every file that they were read from is what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from mlenv import __version__
from mlenv.caches import file_for, read_json, write_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_SCHEMA = 1


class EarlierWork:
    """What is kept for one environment.

    Args:
        path: The file of the cache.
        state: What tells that all metadata are what they were.
    """

    def __init__(self, path: str, state: list[int]) -> None:
        self._path = path
        self._state = state

    def recall(self, what: str) -> object:
        """Return what was kept under a name, which may be anything; None where nothing holds."""
        return self._held.get(what)

    def keep(self, what: str, value: object) -> None:
        """Keep a value that JSON can hold for the next run."""
        self._held[what] = value
        write_json(self._path, {"of": self._of, "worked": self._held})

    @cached_property
    def _held(self) -> dict[str, Any]:
        said = read_json(self._path)
        if not isinstance(said, dict) or said.get("of") != self._of:
            return {}
        worked = said.get("worked")
        return worked if isinstance(worked, dict) else {}

    @property
    def _of(self) -> list[int | str]:
        return [_SCHEMA, __version__, *self._state]


def open_earlier(prefix: str, audited: Iterable[str], state: list[int]) -> EarlierWork | None:
    """Return what is kept for an environment; None where the user has no place for it.

    Args:
        prefix: The environment's folder.
        audited: Folders in which nothing is written.
        state: What tells that all metadata are what they were.
    """
    path = file_for("worked", prefix, audited)
    return EarlierWork(path, state) if path else None
