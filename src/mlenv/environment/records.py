"""Whose files lie on the disk: what the records of an environment's distributions tell of them.

Sources: Recording installed projects; PEP 376; setuptools, "Eggs" (``top_level.txt``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from mlenv.environment.altered import find_altered
from mlenv.environment.disk import names_in, read_bytes, read_text
from mlenv.environment.over_conda import find_over_conda
from mlenv.environment.overlapping import Claims, find_hidden, find_overlaps
from mlenv.environment.record_lines import claims, folders, plain
from mlenv.environment.sheets import Sheet
from mlenv.model.conda_files import held_by
from mlenv.model.environment import DIST_INFO, Altered, CondaPackage, Distribution, Overlap
from mlenv.model.requirement import canonical_name

_MOST_BYTES = 64 << 20
_PACKAGERS = frozenset(("", "conda", "debian", "rpm"))
"""Installers whose packages change files after their records were written; systems name none."""


class Records:
    """The records of an environment's distributions; read when first asked for.

    Args:
        prefix: The environment's folder.
        distributions: What is installed, without what other folders hide.
        conda: conda's packages; their files have no record of their own.
        whole: Whether every file is looked at and hashed, not a few of them.
        home: The folder that ``~`` stands for in places outside of the prefix.
    """

    def __init__(
        self,
        prefix: str,
        distributions: Iterable[Distribution],
        conda: Iterable[CondaPackage] = (),
        *,
        whole: bool = False,
        home: str = "",
    ) -> None:
        self._prefix = prefix
        self._home = home
        self._distributions = tuple(distributions)
        self._conda = tuple(conda)
        self._whole = whole

    @cached_property
    def overlaps(self) -> Sequence[Overlap]:
        """The files that several distributions claim, for each set of owners."""
        return tuple(
            one
            for sheets, claimed in self._sites
            for one in (
                *find_overlaps(sheets, claimed),
                *find_hidden(sheets),
                *self._over_conda(sheets),
            )
        )

    @cached_property
    def altered(self) -> Sequence[Altered]:
        """The distributions whose files are not as recorded, but for what others claim too."""
        kept = self._kept_by_conda
        found = []
        for sheets, claimed in self._sites:
            listed = _listed(sheets[0].site)
            shared: dict[int, set[bytes]] = {}
            for path, entries in claimed.items():
                for index in entries:
                    shared.setdefault(index, set()).add(path)
            for index, sheet in enumerate(sheets):
                one = find_altered(sheet, listed, shared.get(index, set()), whole=self._whole)
                # who installed it stands in a file of its own, which is read where it matters
                if one is not None and _is_installers(sheet.owner, kept):
                    found.append(one)
        return tuple(found)

    def modules(self) -> Mapping[str, str]:
        """Return the canonical name of the distribution that owns each top-level module.

        Where several share a namespace, it is the one of that name, else the first.
        """
        owners: dict[str, list[str]] = {}
        for sheet in self._sheets:
            for beginning in sheet.begun:
                module = _module(beginning.decode("utf-8", "replace"))
                if module:
                    owners.setdefault(module, []).append(sheet.owner.name)
        for one in self._distributions:
            if one.form != DIST_INFO:
                listed = read_text(os.path.join(self._place(one.location), "top_level.txt"))
                for module in listed.split():
                    owners.setdefault(module, []).append(one.name)
        return {
            module: named if (named := canonical_name(module)) in names else min(names)
            for module, names in sorted(owners.items())
        }

    def owner_of(self, path: str) -> str:
        """Return the canonical name of the distribution that records a file; empty for none.

        Args:
            path: Relative to the prefix, with ``/``.
        """
        for site, begun in self._owners.items():
            if not path.startswith(f"{site}/"):
                continue
            inner = path[len(site) + 1 :].encode("utf-8", "surrogateescape")
            folder, slash, _ = inner.partition(b"/")
            sheets = begun.get(folder + slash, ())
            if len(sheets) == 1:
                return sheets[0].owner.name
            for sheet in sheets:
                if inner + b"," in sheet.record:
                    return sheet.owner.name
        return ""

    def _place(self, shown: str) -> str:
        """Return where something lies that messages name relative to the prefix or the home."""
        if shown.startswith("~/") and self._home:
            return os.path.join(self._home, shown[2:])
        return os.path.join(self._prefix, shown)

    @cached_property
    def _owners(self) -> Mapping[str, Mapping[bytes, Sequence[Sheet]]]:
        """For each folder of packages whose records speak of what lies at its top."""
        found: dict[str, dict[bytes, list[Sheet]]] = {}
        for sheet in self._sheets:
            for beginning in sheet.begun:
                found.setdefault(sheet.owner.site, {}).setdefault(beginning, []).append(sheet)
        return found

    @cached_property
    def _sheets(self) -> tuple[Sheet, ...]:
        found = []
        for one in self._distributions:
            if one.form != DIST_INFO:
                continue
            data = read_bytes(os.path.join(self._place(one.location), "RECORD"), _MOST_BYTES)
            if data:
                record = plain(data)
                site = self._place(one.site)
                found.append(Sheet(one, site, record, folders(record)))
        return tuple(found)

    @cached_property
    def _sites(self) -> tuple[tuple[Sequence[Sheet], Claims], ...]:
        """For each folder of packages the records, and what several of them claim."""
        sites: dict[str, list[Sheet]] = {}
        for sheet in self._sheets:
            sites.setdefault(sheet.site, []).append(sheet)
        return tuple(
            (sheets, claims([one.record for one in sheets], [one.begun for one in sheets]))
            for sheets in sites.values()
        )

    @cached_property
    def _kept_by_conda(self) -> frozenset[str]:
        """The metadata that conda's packages brought: what builds them changes files afterwards."""
        return frozenset(held.location for one in self._conda for held in held_by(one))

    def _over_conda(self, sheets: Sequence[Sheet]) -> Iterator[Overlap]:
        """Yield the files of conda's packages that other distributions record as theirs."""
        kept = self._kept_by_conda
        others = [one for one in sheets if one.owner.location not in kept] if self._conda else []
        return find_over_conda(others, self._conda)


def _is_installers(owner: Distribution, kept: AbstractSet[str]) -> bool:
    """Whether the files of a distribution are to be as its installer recorded them."""
    if owner.location in kept or owner.installer in _PACKAGERS:
        return False
    return owner.origin is None or not owner.origin.editable


def _module(beginning: str) -> str:
    """Return the module that a folder or a file at the top is imported as; empty for none."""
    name, dot, extension = beginning.rstrip("/").partition(".")
    is_folder = beginning.endswith("/")
    if is_folder and dot:
        return ""
    is_module = is_folder or extension == "py" or extension.endswith(("so", "pyd"))
    return name if is_module and name.isidentifier() and name != "__pycache__" else ""


def _listed(site: str) -> frozenset[bytes]:
    """Return the names in a folder of packages, each as a file's and as a folder's."""
    names = [name.encode("utf-8", "surrogateescape") for name in names_in(site)]
    return frozenset((*names, *(name + b"/" for name in names)))
