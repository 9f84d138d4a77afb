"""What follows from an environment's binaries together: what would not load, and what clashes."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from mlenv.binaries.breakage import Breakage
from mlenv.binaries.interfaces import not_found_versions
from mlenv.binaries.loader import Loader
from mlenv.binaries.missing import missing_libraries
from mlenv.binaries.reach import Reach
from mlenv.binaries.runtimes import runtimes
from mlenv.binaries.torch_symbols import missing_symbols
from mlenv.model.binary import ELF, Binary, MissingLibrary, MissingSymbols, NotFoundVersion, Runtime
from mlenv.records import dataclass

_MOST_NAMES = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """What does not fit; each as in :class:`mlenv.model.binary.Binaries`."""

    missing: tuple[MissingLibrary, ...] = ()
    symbols: tuple[MissingSymbols, ...] = ()
    not_found: tuple[NotFoundVersion, ...] = ()
    runtimes: tuple[Runtime, ...] = ()
    provided: frozenset[str] = frozenset()


def link(
    files: Sequence[Binary],
    prefix: str,
    sites: Sequence[str],
    *,
    machine: str = "",
    root: str | None = "",
    library_path: Sequence[str] = (),
) -> Links:
    """Return what of some binaries would not load, as Linux's loader resolves them.

    For Mach-O and PE, whose systems keep their libraries elsewhere, only runtimes are told.

    Args:
        files: The environment's binaries.
        prefix: Its folder.
        sites: Its folders of packages, relative to the prefix, with ``/``, and those outside of it
            that it takes packages from, whose binaries are not among the files.
        machine: The processor's architecture; that of most of the binaries where it is empty.
        root: The folder that stands for ``/`` there; empty for this machine's own; None where
            the system that the environment runs on cannot be looked at. So is one that keeps
            its libraries elsewhere (NixOS).
        library_path: The folders of ``LD_LIBRARY_PATH``, where it runs on this machine.
    """
    if not machine:
        counted = Counter(one.machine for one in files if one.format == ELF)
        machine = counted.most_common(1)[0][0] if counted else ""
    if root == "" and not _runs_here(machine):
        root = None
    # a virtual environment may take the packages of the base Python, and of the user
    elsewhere = frozenset(
        name for site in sites if os.path.isabs(site) for name in _libraries_below(site)
    )
    loader = Loader(files, prefix, machine, elsewhere, root=root, library_path=library_path)
    if root is not None and not loader.sees_system:
        loader = Loader(files, prefix, machine, elsewhere, root=None)
    reach = Reach([os.path.join(prefix, site) for site in sites])
    breakage = Breakage(loader, reach, sites)
    return Links(
        tuple(missing_libraries(loader, breakage)),
        tuple(missing_symbols(loader, breakage)),
        tuple(not_found_versions(loader, breakage)),
        runtimes(files, loader),
        loader.provided,
    )


def _runs_here(machine: str) -> bool:
    """Whether binaries for a processor are for this machine's own system."""
    return sys.platform.startswith("linux") and os.uname().machine == machine


def _libraries_below(folder: str) -> Iterator[str]:
    """Yield the names of the shared libraries in a tree; they are not opened."""
    left = _MOST_NAMES
    for _, _, names in os.walk(folder):
        left -= len(names)
        if left < 0:
            return
        yield from (name for name in names if ".so" in name)
