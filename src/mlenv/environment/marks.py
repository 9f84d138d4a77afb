"""What an installer noted of a distribution, read from its files when somebody asks."""

from __future__ import annotations

import os
from functools import cached_property

from mlenv.environment.disk import modified
from mlenv.model.environment import Origin


class WrittenMarks:
    """The files beside a distribution's ``METADATA``.

    Args:
        folder: The folder of its metadata, whole.
        tags: The tags of its wheel, where they are known already.

    Source: Recording installed projects (``INSTALLER``, ``REQUESTED``); PEP 427; PEP 610.
    """

    def __init__(self, folder: str, tags: tuple[str, ...] | None = None) -> None:
        self._folder = folder + os.sep
        self._tags = tags

    @cached_property
    def installer(self) -> str:
        """Who installed it."""
        from mlenv.environment.metadata import read_line  # a known environment needs no reader

        return read_line(f"{self._folder}INSTALLER")

    @cached_property
    def requested(self) -> bool | None:
        """Whether somebody asked for it by name."""
        return os.path.exists(f"{self._folder}REQUESTED")

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of its wheel."""
        if self._tags is not None:
            return self._tags
        from mlenv.environment.metadata import read_tags

        return read_tags(f"{self._folder}WHEEL")

    @cached_property
    def origin(self) -> Origin | None:
        """Where it is from, if not from an index."""
        from mlenv.environment.metadata import read_origin

        return read_origin(f"{self._folder}direct_url.json")

    @cached_property
    def installed_at(self) -> float:
        """When its metadata were written."""
        return modified(f"{self._folder}RECORD") or modified(self._folder)
