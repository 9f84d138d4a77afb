"""What the metadata of one distribution said, read now or by an earlier run."""

from __future__ import annotations

from mlenv.records import dataclass

RECORD = "RECORD"
"""The file beside the metadata that lists what was installed."""


@dataclass(frozen=True, slots=True, eq=False)
class Metadata:
    """The fields that are asked for.

    Attributes:
        name: As written; empty where it is missing.
        version: As written; empty where it is missing.
        requires: The lines of ``Requires-Dist``.
        requires_python: The line of ``Requires-Python``.
        extras: The lines of ``Provides-Extra``.
    """

    name: str = ""
    version: str = ""
    requires: tuple[str, ...] = ()
    requires_python: str = ""
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Metadata in a folder of packages.

    Attributes:
        path: The folder or file, whole.
        form: ``dist-info`` or ``egg-info``.
        metadata: What they say.
        damage: What is wrong with them; empty for nothing.
        tags: The tags of its wheel, where those were read with them.
    """

    path: str
    form: str
    metadata: Metadata
    damage: str = ""
    tags: tuple[str, ...] | None = None
