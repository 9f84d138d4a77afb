"""Whether the C and C++ libraries of a system are as new as the binaries ask.

Source: Linux Standard Base, "Symbol Versioning"; GCC, "ABI Policy and Guidelines" (libstdc++).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from mlenv.binaries.breakage import Breakage
from mlenv.binaries.elf_symbols import defined_versions
from mlenv.binaries.loader import Loader
from mlenv.model.binary import Binary, NotFoundVersion

_LIBRARIES = {"GLIBC": "libc.so.6", "GLIBCXX": "libstdc++.so.6", "CXXABI": "libstdc++.so.6"}


def not_found_versions(loader: Loader, breakage: Breakage) -> Iterator[NotFoundVersion]:
    """Yield the versions of interfaces that binaries need and the libraries they get lack.

    The C++ library is the one that a binary's own search finds: one of its wheel, of conda or of
    the system.

    Args:
        loader: What the loader finds.
        breakage: What is broken by it.
    """
    needing: dict[tuple[str, str], list[Binary]] = {}
    for one in loader.files:
        for version in one.versions:
            soname = _LIBRARIES.get(version.partition("_")[0])
            library = loader.find(one, soname) if soname else ""
            if library:
                needing.setdefault((version, library), []).append(one)
    known = {library: _highest(loader, library) for library in {one for _, one in needing}}
    for (version, library), binaries in sorted(needing.items()):
        family = version.partition("_")[0]
        has = known[library].get(family, "")
        if has and _key(version) > _key(has):
            paths = tuple(sorted(one.path for one in binaries))
            yield NotFoundVersion(version, _LIBRARIES[family], has, paths, breakage.imports(paths))


def _highest(loader: Loader, library: str) -> dict[str, str]:
    """Return the highest version of each family that a library defines; none if unreadable."""
    inside = library in loader.by_path
    path = os.path.join(loader.prefix, library) if inside else loader.on_disk(library)
    versions = defined_versions(path)
    found: dict[str, str] = {}
    for version in versions if isinstance(versions, tuple) else ():
        family = version.partition("_")[0]
        if _key(version) > _key(found.get(family, "")):
            found[family] = version
    return found


def _key(version: str) -> tuple[int, ...]:
    parts = version.partition("_")[2].split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()
