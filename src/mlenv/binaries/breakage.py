"""Which packages cannot be imported where some of their binaries do not load."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

from mlenv.binaries.loader import Loader
from mlenv.binaries.reach import Reach
from mlenv.model.binary import Binary

_MOST_FOLLOWED = 500_000
"""So many steps from what does not load to what needs it; sound environments take none."""


class Breakage:
    """Follows what does not load to the extensions that need it, and these to what imports them.

    Args:
        loader: What the loader finds.
        reach: What imports run.
        sites: The folders of packages, relative to the prefix, with ``/``.
    """

    def __init__(self, loader: Loader, reach: Reach, sites: Sequence[str]) -> None:
        self._loader = loader
        self._reach = reach
        self._sites = sorted(sites, key=len, reverse=True)
        self._left = _MOST_FOLLOWED

    def imports(self, paths: Collection[str]) -> tuple[str, ...]:
        """Return the packages whose import surely fails when some binaries do not load.

        Args:
            paths: The binaries.
        """
        found = {
            package
            for path in self._with_users(paths)
            if (binary := self._loader.by_path[path]).is_extension
            for package in self._packages(binary)
        }
        return tuple(sorted(found))

    def _with_users(self, paths: Collection[str]) -> frozenset[str]:
        """Return some binaries, and those that do not load without them."""
        broken, waiting = set(paths), list(paths)
        while waiting and self._left > 0:
            users = self._users.get(waiting.pop(), ())
            self._left -= len(users)
            for user in users:
                if user not in broken:
                    broken.add(user)
                    waiting.append(user)
        return frozenset(broken)

    @cached_property
    def _users(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self._loader.files:
            for soname in one.needed:
                found.setdefault(self._loader.find(one, soname), []).append(one.path)
        return found

    def _packages(self, binary: Binary) -> Iterator[str]:
        """Yield the packages whose import surely imports an extension."""
        module = self._module(binary.path)
        if not module:
            return
        top, dot, _ = module.partition(".")
        # an extension that lies beside the packages belongs to one of them, or is all there is
        package = top if dot else binary.owner.replace("-", "_")
        if package == module or (package and self._reach.runs(package, module)):
            yield package

    def _module(self, path: str) -> str:
        """Return how code names an extension; empty where it lies in no folder of packages."""
        for site in self._sites:
            if path.startswith(f"{site}/"):
                *folders, name = path[len(site) + 1 :].split("/")
                parts = [*folders, name.partition(".")[0]]
                return ".".join(parts) if all(map(str.isidentifier, parts)) else ""
        return ""


def stem_of(soname: str) -> str:
    """Return a library's name without its version: ``libcudart`` for ``libcudart.so.12``."""
    return posixpath.basename(soname).partition(".so")[0]
