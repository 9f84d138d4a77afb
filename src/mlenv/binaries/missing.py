"""Libraries that binaries need and that no place of an environment and its system holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.binaries.breakage import Breakage, stem_of
from mlenv.binaries.loader import Loader, is_bundled
from mlenv.model.binary import MissingLibrary

_OF_INTERPRETER = re.compile(r"libpython\d")


def missing_libraries(loader: Loader, breakage: Breakage) -> Iterator[MissingLibrary]:
    """Yield the libraries that nothing provides, in order of their names.

    Where the system cannot be looked at, only what a wheel itself brings along can be missing.
    Python's own library is left out: an interpreter that needs none has its functions itself.

    Args:
        loader: What the loader finds.
        breakage: What is broken by it.
    """
    found: dict[str, list[str]] = {}
    for one in loader.files:
        for soname in one.needed:
            if not loader.find(one, soname) and _counts(loader, soname):
                found.setdefault(soname, []).append(one.path)
    by_stem: dict[str, list[str]] = {}
    for name in (*loader.by_name, *loader.cache) if found else ():
        by_stem.setdefault(stem_of(name), []).append(name)
    for soname, paths in sorted(found.items()):
        others = [
            one for one in by_stem.get(stem_of(soname), ()) if ".so." in one and one != soname
        ]
        other = min(others, key=len, default="")
        imports = breakage.imports(paths)
        yield MissingLibrary(soname, tuple(sorted(paths)), other, imports, is_bundled(soname))


def _counts(loader: Loader, soname: str) -> bool:
    if _OF_INTERPRETER.match(soname):
        return False
    return loader.root is not None or is_bundled(soname)
