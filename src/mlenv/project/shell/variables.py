"""What a shell script and its surroundings say of variables, and where that stops being certain."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

_MAX_LAYERS = 40
_MAX_FORKS = 20
_MAX_NAMES = 300
_MAX_LENGTH = 4000
_MAX_TOTAL = 400_000
"""Values that hold one another grow without bound; what is longer than this is not known."""


class Variables:
    """Variables with their values, in layers: one for each branch that is being read.

    What a branch assigns holds inside it; behind it nobody can tell which branch was taken.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._layers: list[dict[str, str | None]] = [dict(known)]
        self._base = 1
        self._beyond = 0
        self._spent = 0

    def fork(self) -> Variables:
        """Return variables that begin as these are and change without changing these."""
        found = Variables({})
        if len(self._layers) < _MAX_FORKS:
            found._layers = [*self._layers, {}]
        else:
            merged: dict[str, str | None] = {}
            for layer in self._layers:
                merged.update(islice(layer.items(), _MAX_NAMES))
            found._layers = [dict(islice(merged.items(), _MAX_NAMES)), {}]
        found._base = len(found._layers)
        return found

    def is_named(self, name: str) -> bool:
        """Return whether anything is known to assign a variable."""
        return any(name in layer for layer in self._layers)

    def value(self, name: str) -> str | None:
        """Return a variable's value; None where it is not known."""
        for layer in reversed(self._layers):
            if name in layer:
                value = layer[name]
                self._spent += len(value or "")
                return value if self._spent <= _MAX_TOTAL else None
        return None

    def assign(self, name: str, value: str | None) -> None:
        """Set a variable; None where its value cannot be told."""
        is_short = value is not None and len(value) <= _MAX_LENGTH
        self._layers[-1][name] = value if is_short else None

    def enter(self) -> None:
        """Begin a branch."""
        if len(self._layers) < _MAX_LAYERS:
            self._layers.append({})
        else:
            self._beyond += 1

    def leave(self) -> None:
        """End a branch."""
        if self._beyond:
            self._beyond -= 1
        elif len(self._layers) > self._base:
            for name in self._layers.pop():
                self._layers[-1][name] = None
