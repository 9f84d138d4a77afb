"""``typing.Protocol`` for type checkers; at run time, when all of it was checked, nothing."""

from __future__ import annotations

__all__ = ["Protocol"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object
