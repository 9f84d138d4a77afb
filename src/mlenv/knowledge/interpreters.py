"""What is known of CPython's releases: which are out, and which get no more fixes."""

from __future__ import annotations

from functools import cached_property

from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import VersionSet, pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Interpreter:
    """One minor release of CPython.

    Attributes:
        version: Such as ``3.11``.
        released: The day, or the month, in which it came out.
        eol: The day, or the month, in which its fixes end.
        versions: Its patch releases.
    """

    version: str
    released: str
    eol: str
    versions: VersionSet

    def is_over(self, today: str) -> bool:
        """Whether its fixes have ended by a day, given as ``YYYY-MM-DD``."""
        # a month is over when another one has come
        return self.eol < today[: len(self.eol)]


class Interpreters:
    """Typed questions on the records of ``python.toml``."""

    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records

    @cached_property
    def known(self) -> tuple[Interpreter, ...]:
        """The minor releases that there are records of, oldest first."""
        return tuple(
            Interpreter(
                record["version"],
                record["released"],
                record["eol"],
                pep440(f"=={record['version']}.*") or _NO,
            )
            for record in self._records["cpython"]
        )

    def past(self, versions: VersionSet, today: str) -> Interpreter | None:
        """Return the newest minor release of those admitted where all of them are past their end.

        None where one gets fixes, where one is newer than the records, where none is known, and
        where the constraint was not understood.
        """
        if not versions.understood or versions.exact_text or versions.is_empty:
            return None
        admitted = [one for one in self.known if one.versions.intersects(versions)]
        if not admitted or not all(one.is_over(today) for one in admitted):
            return None
        return None if self._newer.intersects(versions) else admitted[-1]

    def evidence(self, interpreter: Interpreter) -> Evidence:
        """Return who says when an interpreter's fixes end."""
        fact = f"the fixes of Python {interpreter.version} ended in {interpreter.eol[:7]}"
        return Evidence(fact, "Python Developer's Guide, Status of Python versions")

    @cached_property
    def _newer(self) -> VersionSet:
        """What comes after the newest release in the records."""
        last = parse_version(self.known[-1].version)
        assert isinstance(last, Version)
        return pep440(f">={last.release[0]}.{last.release[1] + 1}.dev0") or _NO


_NO = VersionSet(())
