"""The OpenMP runtimes that the binaries of an environment load."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence

from mlenv.binaries.loader import Loader
from mlenv.model.binary import ELF, Binary, Runtime

_FAMILY = re.compile(r"(libgomp|libiomp5|libomp)(?:md|\d*)(?=[-._]|$)")
_MKL = re.compile(r"(?:lib)?mkl_intel_thread[.\d]")
_OF_MKL = ("libiomp5.so", "libiomp5.dylib", "libiomp5md.dll")
"""MKL names no runtime among what it needs, and loads Intel's when it first computes."""


def runtimes(files: Sequence[Binary], loader: Loader) -> tuple[Runtime, ...]:
    """Return the copies of OpenMP runtimes that some binary loads, in order of their paths.

    Args:
        files: Every binary of the environment, of whatever format.
        loader: What Linux's loader finds.
    """
    by_name: dict[str, list[Binary]] = {}
    for one in files:
        by_name.setdefault(posixpath.basename(one.path).lower(), []).append(one)
    owners = {one.path: one.owner for one in files}
    found: dict[str, Runtime] = {}
    asked: set[tuple[str, str]] = set()
    for one in files:
        for path in _loaded(one, loader, by_name, asked):
            match = _FAMILY.match(posixpath.basename(path))
            if match is not None:
                found[path] = Runtime(match[1], path, owners.get(path, ""))
    return tuple(found[path] for path in sorted(found))


def _loaded(
    binary: Binary, loader: Loader, by_name: dict[str, list[Binary]], asked: set[tuple[str, str]]
) -> Iterator[str]:
    """Yield the runtimes that a binary loads.

    Args:
        binary: The binary.
        loader: What Linux's loader finds.
        by_name: The environment's binaries by the names of their files.
        asked: Whose binaries asked for which name before, where that decides what they get.
    """
    if _MKL.match(posixpath.basename(binary.path)):
        yield from (one.path for name in _OF_MKL for one in by_name.get(name, ()))
    for name in filter(_FAMILY.match, map(posixpath.basename, binary.needed)):
        if binary.format == ELF:
            at = loader.find(binary, name) if binary.path in loader.by_path else ""
            if at:
                yield at if at in loader.by_path else _of_system(loader, at)
        elif (binary.owner, name) not in asked:
            asked.add((binary.owner, name))
            fitting = by_name.get(name.lower(), [])
            own = [one for one in fitting if one.owner == binary.owner]
            yield from (one.path for one in own or fitting)


def _of_system(loader: Loader, path: str) -> str:
    """Return the name of a file of the system; links to one file have one name."""
    on_disk = loader.on_disk(path)
    return posixpath.basename(os.path.realpath(on_disk) if on_disk else path)
