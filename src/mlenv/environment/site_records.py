"""The records of one folder of packages, and what is worked out of them all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from mlenv.environment.altered import find_altered, is_gone, is_suspect, sample_of
from mlenv.environment.disk import names_in
from mlenv.environment.entries import Sample, bytes_of, text_of
from mlenv.environment.overlapping import Claims, Hiding, find_hiding, find_overlaps, hidden_by
from mlenv.environment.sheets import Sheet
from mlenv.model.installed_files import Altered, Overlap
from mlenv.records import dataclass

_NONE: AbstractSet[bytes] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Worked:
    """What the records of one folder tell, whatever lies on the disk.

    Attributes:
        claims: The files that several of them record.
        hiding: The modules that another's package hides.
        begun: What their paths begin with, as texts, and the numbers of those whose paths do.
        samples: The files by which the state of a distribution is judged, by its number.
    """

    claims: Claims
    hiding: tuple[Hiding, ...]
    begun: Mapping[str, Sequence[int]]
    samples: Mapping[int, Sample]


def work_out(sheets: Sequence[Sheet]) -> Worked:
    """Return what the records of one folder tell, from all of their lines."""
    from mlenv.environment.record_lines import claims  # a known environment needs no record

    samples = {index: sample_of(sheet) for index, sheet in enumerate(sheets)}
    begun: dict[str, list[int]] = {}
    for index, sheet in enumerate(sheets):
        for beginning in sheet.begun:
            begun.setdefault(text_of(beginning), []).append(index)
    return Worked(
        claims([one.record for one in sheets], [one.begun for one in sheets]),
        find_hiding(sheets),
        begun,
        {index: sample for index, sample in samples.items() if sample},
    )


class SiteRecords:
    """The records of one folder of packages, held against what lies there.

    Args:
        sheets: The records; at least one.
        worked: What they tell.
    """

    def __init__(self, sheets: Sequence[Sheet], worked: Worked) -> None:
        self.sheets = sheets
        self._worked = worked

    def overlaps(self) -> Iterator[Overlap]:
        """Yield what several distributions claim, and what they hide of each other."""
        yield from find_overlaps(self.sheets, self._worked.claims)
        for one, other, file in self._worked.hiding:
            yield hidden_by(self.sheets[one], self.sheets[other], file)

    def altered(self, *, whole: bool) -> Iterator[tuple[Sheet, Altered]]:
        """Yield the distributions whose files are not as recorded.

        What each has at the top of the folder is looked for by name. Of those that matter some
        files are asked for their sizes; where one of them is not as recorded, all are.

        Args:
            whole: Whether every file is looked at and hashed.
        """
        gone = self._gone
        for index, sheet in enumerate(self.sheets):
            shared = self._shared.get(index, _NONE)
            if (
                whole
                or (gone and not gone.isdisjoint(sheet.begun))
                or is_suspect(sheet, self._worked.samples.get(index, {}), shared)
            ):
                found = find_altered(sheet, shared, whole=whole)
                if found is not None:
                    yield sheet, found

    def owner_of(self, path: bytes) -> str:
        """Return the canonical name of the distribution that records a file; empty for none.

        Args:
            path: As records have it.
        """
        folder, slash, _ = path.partition(b"/")
        indexes = self._worked.begun.get(text_of(folder + slash), ())
        for index in indexes:
            sheet = self.sheets[index]
            if len(indexes) == 1 or path + b"," in sheet.record:
                return sheet.owner.name
        return ""

    @cached_property
    def _shared(self) -> Mapping[int, set[bytes]]:
        """The paths that others claim too, by the number of a sheet."""
        found: dict[int, set[bytes]] = {}
        for path, entries in self._worked.claims.items():
            for index in entries:
                found.setdefault(index, set()).add(path)
        return found

    @property
    def _gone(self) -> frozenset[bytes]:
        """What paths begin with and is not in the folder."""
        site = self.sheets[0].site
        names = [name if name.isascii() else text_of(os.fsencode(name)) for name in names_in(site)]
        absent = self._worked.begun.keys() - names - {f"{name}/" for name in names}
        return frozenset(one for one in map(bytes_of, absent) if is_gone(site, one))
