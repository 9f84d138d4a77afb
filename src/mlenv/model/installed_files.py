"""What the records of an environment tell of its files: who claims them, and what is amiss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlenv.protocols import Protocol
from mlenv.records import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Files that several distributions record as theirs, with different contents.

    Attributes:
        owners: Canonical names, in the order in which they were installed so far as that is known.
        paths: The files, relative to the prefix, with ``/``; the telling ones first.
        count: How many there are.
        holder: Whose copies of the telling ones lie on the disk; empty where they are mixed or
            nobody's.
        identical: How many more files they share with equal contents.
        weight: How much the first of them tells; see :mod:`mlenv.model.installed_path`.
        hides: The module that the holder's package of the same name hides, where no file is
            written twice; mostly empty.
        conda: The package of conda that records the files as well, of which no hashes are known;
            mostly empty.
    """

    owners: tuple[str, ...]
    paths: tuple[str, ...]
    count: int
    holder: str
    identical: int = 0
    weight: int = 0
    hides: str = ""
    conda: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Altered:
    """Files of a distribution that are not as its ``RECORD`` has them.

    Attributes:
        name: Canonical name.
        missing: Recorded and not there, or empty; relative to the prefix, with ``/``.
        changed: There with another size or content.
        looked_at: How many files were looked at.
        recorded: How many it records.
        weight: How much the file tells that matters most; see :mod:`mlenv.model.installed_path`.
    """

    name: str
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    looked_at: int
    recorded: int
    weight: int = 0


class Files(Protocol):
    """What the records of an environment tell of its files; read when first asked for."""

    @property
    def overlaps(self) -> Sequence[Overlap]:
        """The files that several distributions claim."""

    @property
    def altered(self) -> Sequence[Altered]:
        """The distributions whose files are not as recorded."""

    def modules(self) -> Mapping[str, str]:
        """Return the canonical name of the distribution that owns each top-level module."""


class NoFiles:
    """An environment of which nothing but names and versions is known."""

    @property
    def overlaps(self) -> Sequence[Overlap]:
        """Nothing."""
        return ()

    @property
    def altered(self) -> Sequence[Altered]:
        """Nothing."""
        return ()

    def modules(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}
