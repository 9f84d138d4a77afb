"""What an earlier run worked out of the metadata of an environment that are what they were."""

from __future__ import annotations

from mlenv.protocols import Protocol


class Earlier(Protocol):
    """Holds values that follow from an environment's metadata and from its interpreter alone."""

    def recall(self, what: str) -> object:
        """Return what was kept under a name, which may be anything; None where nothing holds."""

    def keep(self, what: str, value: object) -> None:
        """Keep a value that JSON can hold for the next run."""


class NothingEarlier:
    """Nobody remembers anything."""

    def recall(self, what: str) -> object:  # noqa: ARG002 - the form of the others
        """Nothing."""
        return None

    def keep(self, what: str, value: object) -> None:
        """Forget it."""
