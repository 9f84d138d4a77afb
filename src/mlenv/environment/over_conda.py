"""Which files of conda's packages other distributions record as theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.environment.record_lines import entry_of, lines_under
from mlenv.environment.sheets import Sheet, size_at
from mlenv.model.conda_files import held_by
from mlenv.model.environment import CondaPackage
from mlenv.model.installed_files import Overlap
from mlenv.model.installed_path import MODULE, weight

_SHOWN = 20


def find_over_conda(sheets: Sequence[Sheet], packages: Sequence[CondaPackage]) -> Iterator[Overlap]:
    """Yield the modules and libraries that a distribution and a package of conda both record.

    conda's own copy of the same distribution is left out: its metadata tell that already. The
    beginning of a namespace is nobody's.

    Args:
        sheets: The records of distributions that conda did not bring.
        packages: conda's packages.
    """
    if not sheets:
        return
    site = f"{sheets[0].owner.site}/"
    begun: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        for beginning in sheet.begun:
            begun.setdefault(beginning.decode("utf-8", "replace"), []).append(sheet)
    for package in packages:
        met: dict[str, set[str]] = {}
        for file in package.files:
            if file.startswith(site):
                inner = file[len(site) :]
                folder, slash, _ = inner.partition("/")
                if folder + slash in begun:
                    met.setdefault(folder + slash, set()).add(inner)
        own = {held.name for held in held_by(package)} if met else frozenset()
        for sheet in {id(one): one for top in met for one in begun[top]}.values():
            if sheet.owner.name not in own:
                yield from _shared(package, sheet, met)


def _shared(package: CondaPackage, sheet: Sheet, met: dict[str, set[str]]) -> Iterator[Overlap]:
    begun = {
        beginning: stretch
        for beginning, stretch in sheet.begun.items()
        if beginning.decode("utf-8", "replace") in met
    }
    files = set().union(*met.values())
    entries = [
        entry
        for line in lines_under(sheet.record, begun).values()
        if (entry := entry_of(line)) is not None and entry.path.decode("utf-8", "replace") in files
    ]
    ranked = sorted(
        ((weight(one.path.decode("utf-8", "replace")), one) for one in entries),
        key=lambda pair: (pair[0], pair[1].path),
    )
    telling = [
        (heavy, one)
        for heavy, one in ranked
        if heavy <= MODULE and not one.path.endswith(b"/__init__.py")
    ]
    if not telling:
        return
    heavy, first = telling[0]
    is_ours = size_at(sheet.place(first.path)) == first.size
    yield Overlap(
        (sheet.owner.name,),
        tuple(sheet.shown(entry.path) for _, entry in telling[:_SHOWN]),
        len(telling),
        sheet.owner.name if is_ours else "",
        weight=heavy,
        conda=package.name,
    )
