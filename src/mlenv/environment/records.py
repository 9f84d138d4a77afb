"""Whose files lie on the disk: what the records of an environment's distributions tell of them.

Sources: Recording installed projects; PEP 376; setuptools, "Eggs" (``top_level.txt``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from mlenv.caches import Identity, sign_of
from mlenv.environment.disk import place_of, read_text
from mlenv.environment.found import RECORD
from mlenv.environment.record_cache import RecordCache
from mlenv.environment.sheets import Sheet
from mlenv.environment.site_records import SiteRecords, work_out
from mlenv.model.environment import DIST_INFO, CondaPackage, Distribution
from mlenv.model.installed_files import Altered, Overlap
from mlenv.model.requirement import canonical_name

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
        cache: Where earlier runs are remembered; None to read every record.
        signs: What tells of a record that it is what it was, by its folder, where that was asked
            for before.
    """

    def __init__(
        self,
        prefix: str,
        distributions: Iterable[Distribution],
        conda: Iterable[CondaPackage] = (),
        *,
        whole: bool = False,
        home: str = "",
        cache: RecordCache | None = None,
        signs: Mapping[str, Identity] | None = None,
    ) -> None:
        self._cache = cache
        self._signs = signs or {}
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
            for site in self._sites
            for one in (*site.overlaps(), *self._over_conda(site.sheets))
        )

    @cached_property
    def altered(self) -> Sequence[Altered]:
        """The distributions whose files are not as recorded, but for what others claim too."""
        kept = self._kept_by_conda
        return tuple(
            one
            for site in self._sites
            for sheet, one in site.altered(whole=self._whole)
            # who installed it stands in a file of its own, which is read where it matters
            if _is_installers(sheet.owner, kept)
        )

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
        for site, records in self._by_site.items():
            if path.startswith(f"{site}/"):
                inner = path[len(site) + 1 :].encode("utf-8", "surrogateescape")
                if owner := records.owner_of(inner):
                    return owner
        return ""

    def _place(self, shown: str) -> str:
        return place_of(shown, self._prefix, self._home)

    @cached_property
    def _by_site(self) -> Mapping[str, SiteRecords]:
        """The records of each folder of packages, by the name that messages have for it."""
        return {sheet.owner.site: site for site in self._sites for sheet in site.sheets}

    @cached_property
    def _sheets(self) -> Sequence[Sheet]:
        return [sheet for sheet, _ in self._found]

    @cached_property
    def _found(self) -> Sequence[tuple[Sheet, Identity]]:
        """The records that are there, and what tells of each that it is what it was."""
        sites: dict[str, str] = {}
        found = []
        for one in self._distributions:
            if one.form == DIST_INFO:
                site = sites.get(one.site)
                if site is None:
                    site = sites[one.site] = self._place(one.site)
                folder = f"{site}{os.sep}{one.location.rpartition('/')[2]}"
                file = f"{folder}{os.sep}{RECORD}"
                sign = self._signs.get(folder) or sign_of(file)
                if sign is not None:
                    found.append((Sheet(one, site, file), sign))
        return found

    @cached_property
    def _sites(self) -> Sequence[SiteRecords]:
        """The records of each folder of packages, and what is worked out of them."""
        sites: dict[str, list[Sheet]] = {}
        for sheet in self._sheets:
            sites.setdefault(sheet.site, []).append(sheet)
        worked = None
        if self._cache is not None:
            identities = [(sheet.file, sign) for sheet, sign in self._found]
            worked = self._cache.load(identities, [len(sheets) for sheets in sites.values()])
        if worked is None:
            worked = [work_out(sheets) for sheets in sites.values()]
            if self._cache is not None:
                self._cache.store(identities, worked)
        return [SiteRecords(*one) for one in zip(sites.values(), worked, strict=True)]

    @cached_property
    def _kept_by_conda(self) -> frozenset[str]:
        """The metadata that conda's packages brought: what builds them changes files afterwards."""
        if not self._conda:
            return frozenset()
        from mlenv.model.conda_files import held_by

        return frozenset(held.location for one in self._conda for held in held_by(one))

    def _over_conda(self, sheets: Sequence[Sheet]) -> Iterator[Overlap]:
        """Yield the files of conda's packages that other distributions record as theirs."""
        if not self._conda:
            return iter(())
        from mlenv.environment.over_conda import find_over_conda

        kept = self._kept_by_conda
        return find_over_conda(
            [one for one in sheets if one.owner.location not in kept], self._conda
        )


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
