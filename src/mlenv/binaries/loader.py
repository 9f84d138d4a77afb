"""Finds shared libraries where Linux's dynamic loader would, and loads none.

Source: ld.so(8), glibc, elf/dl-load.c (``_dl_map_object``).
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from mlenv.binaries.ld_cache import read_cache
from mlenv.environment.disk import names_in, read_bytes
from mlenv.model.binary import ELF, Binary

_CACHE = "etc/ld.so.cache"
_LARGEST_CACHE = 8 << 20
_MULTIARCH = {
    "x86_64": "x86_64-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "ppc64le": "powerpc64le-linux-gnu",
    "s390x": "s390x-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
}
_USUAL = (
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/cuda/lib64",
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/usr/lib/wsl/lib",
    "/opt/rocm/lib",
)
"""Folders that vendors install to and that the surroundings of a process add to the search."""
_NO_FOLDERS = ("/proc/", "/sys/", "/dev/")
"""What a binary names below these is not looked for: what stands there is made when asked for."""
_MOST_FOLDERS = 64
_MANGLED = re.compile(r"-[0-9a-f]{6,10}\.so")
"""What auditwheel puts into the name of a library that a wheel brings along."""
_TOKEN = re.compile(r"\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM)(?![A-Za-z0-9_]))")

_Way = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""What decides where a binary searches: its folder, its distribution, its RPATH and RUNPATH."""


def is_bundled(soname: str) -> bool:
    """Whether a library bears a name that is only given to one that a wheel brings along."""
    return _MANGLED.search(soname) is not None


class Loader:
    """What the dynamic loader finds for the binaries of an environment.

    A file of the environment is named by its path relative to the prefix, one of the system by
    its whole path on that system.

    Args:
        files: The environment's binaries; those for another processor take no part.
        prefix: The environment's folder.
        machine: The processor's architecture.
        elsewhere: The names of libraries that lie where else it takes packages from.
        root: The folder that stands for ``/``; empty for this machine's own; None where the
            system that the environment runs on cannot be looked at.
        library_path: The folders of ``LD_LIBRARY_PATH``.
    """

    def __init__(
        self,
        files: Sequence[Binary],
        prefix: str,
        machine: str,
        elsewhere: frozenset[str] = frozenset(),
        *,
        root: str | None = "",
        library_path: Sequence[str] = (),
    ) -> None:
        self.files = tuple(one for one in files if one.format == ELF and one.machine == machine)
        self.prefix = os.path.realpath(prefix)
        self.machine = machine
        self._names_elsewhere = elsewhere
        self.root = root
        self._library_path = tuple(library_path) if root == "" else ()
        self.by_path = {one.path: one for one in self.files}
        self._names: dict[str, frozenset[str]] = {}
        self._alike: dict[str, int] = {}
        self._ways: dict[_Way, int] = {}
        self._searches: list[tuple[str, ...]] = []
        self._found: dict[tuple[int, str], str] = {}
        self._in_folder = {
            (posixpath.dirname(one.path), name): one.path
            for one in self.files
            for name in (one.soname, posixpath.basename(one.path))
            if name
        }

    @cached_property
    def by_name(self) -> dict[str, tuple[str, ...]]:
        """The environment's binaries by soname and by file name."""
        found: dict[str, dict[str, None]] = {}
        for one in self.files:
            for name in {one.soname, posixpath.basename(one.path)} - {""}:
                found.setdefault(name, {})[one.path] = None
        return {name: tuple(paths) for name, paths in found.items()}

    def find(self, binary: Binary, soname: str) -> str:
        """Return the file that a binary gets for a library that it needs; empty where none.

        What no folder of the search holds may be loaded already under that name: torch loads its
        libraries before the extensions that need them. So any file of the environment with that
        name counts in the end.
        """
        alike = self._alike.get(binary.path)
        if alike is None:
            alike = self._alike[binary.path] = self._searched_alike(binary)
        key = alike, soname
        if key not in self._found:
            self._found[key] = self._search(binary, self._searches[alike], soname)
        return self._found[key]

    def _searched_alike(self, binary: Binary) -> int:
        """Return the number of the search of a binary; one for those that search in one way."""
        if not binary.rpath and not binary.runpath:
            way: _Way = "", "", (), ()
        else:
            way = posixpath.dirname(binary.path), binary.owner, binary.rpath, binary.runpath
        known = self._ways.get(way)
        if known is None:
            known = self._ways[way] = len(self._searches)
            first = () if binary.runpath else (*binary.rpath, *self._of_interpreter)
            then = (*self._library_path, *self._folders(binary, binary.runpath))
            self._searches.append((*self._folders(binary, first), *then))
        return known

    def _search(self, binary: Binary, folders: Sequence[str], soname: str) -> str:
        name = posixpath.basename(soname)
        for folder in folders:
            if at := self._in(folder, name):
                return at
        if cached := self.cache.get(name):
            return cached[0]
        for folder in self._default_folders:
            if at := self._in(folder, name):
                return at
        known = self.by_name.get(name, ())
        if is_bundled(name) and (binary.rpath or binary.runpath):
            # a private copy of one wheel is nothing that another one's is loaded for; within a
            # wheel the RPATH of what loads a library holds for what that needs as well
            known = tuple(one for one in known if self.by_path[one].owner == binary.owner)
        return next(iter(known), "") or self._elsewhere(name)

    @cached_property
    def _of_interpreter(self) -> tuple[str, ...]:
        """The folder that conda's Python searches for whatever it loads, by its own RPATH."""
        conda = os.path.isdir(os.path.join(self.prefix, "conda-meta"))
        return (os.path.join(self.prefix, "lib"),) if conda else ()

    def _elsewhere(self, name: str) -> str:
        """Return a file of the folders that packages and the surroundings of a process add.

        Wheels of mkl, tbb and MPI put their libraries into the prefix's own folder.
        """
        if name in self._names_elsewhere:
            return name
        own = f"{self.prefix.replace(os.sep, '/')}/lib"
        return next((at for folder in (own, *_USUAL) if (at := self._in(folder, name))), "")

    @cached_property
    def _default_folders(self) -> tuple[str, ...]:
        if self.root is None:
            return ()
        multiarch = _MULTIARCH.get(self.machine)
        of_debian = (f"/lib/{multiarch}", f"/usr/lib/{multiarch}") if multiarch else ()
        return (*of_debian, "/lib64", "/usr/lib64", "/lib", "/usr/lib")

    @cached_property
    def cache(self) -> dict[str, tuple[str, ...]]:
        """The files of the loader's cache by soname; nothing where the system has none."""
        if self.root is None:
            return {}
        data = read_bytes(self.on_disk(f"/{_CACHE}"), _LARGEST_CACHE)
        return read_cache(data or b"", self.machine)

    @property
    def provided(self) -> frozenset[str]:
        """The names of all libraries there are; none where the system cannot be looked at."""
        if self.root is None:
            return frozenset()
        own = os.path.join(self.prefix, "lib")
        folders = (*self._library_path, *self._default_folders, *_USUAL)
        listed = (self._listed(self.on_disk(folder)) for folder in folders)
        inside = (self.by_name, self._names_elsewhere, self._listed(own))
        return frozenset(self.cache).union(*inside, *listed)

    @property
    def sees_system(self) -> bool:
        """Whether the system's libraries are where they are looked for: the C library is."""
        names = ("libc.so.6", f"libc.musl-{self.machine}.so.1", f"ld-musl-{self.machine}.so.1")
        return any(
            name in self.cache or any(self._in(folder, name) for folder in self._default_folders)
            for name in names
        )

    def _folders(self, binary: Binary, listed: Sequence[str]) -> Iterator[str]:
        """Yield the folders of an RPATH as whole paths, those that may be looked at."""
        origin = posixpath.dirname(posixpath.join(self.prefix.replace(os.sep, "/"), binary.path))
        values = {"ORIGIN": origin, "PLATFORM": self.machine, "LIB": "lib64"}
        for text in listed[:_MOST_FOLDERS]:
            folder = _TOKEN.sub(lambda match: values[match[1] or match[2]], text)
            if folder.startswith("/") or os.path.isabs(folder):
                yield posixpath.normpath(folder.replace(os.sep, "/"))

    def _in(self, folder: str, name: str) -> str:
        """Return the file of a name in a folder, if there is one and it may be looked at."""
        within = self._within(folder)
        if within is not None:
            at = self._in_folder.get((within, name), "")
            return at or self._linked(folder, within, name)
        if self.root is None or f"{folder}/".startswith(_NO_FOLDERS):
            return ""
        return f"{folder}/{name}" if name in self._listed(self.on_disk(folder)) else ""

    def _within(self, folder: str) -> str | None:
        """Return a folder relative to the prefix; None where it lies outside."""
        prefix = self.prefix.replace(os.sep, "/")
        if folder == prefix:
            return ""
        return folder[len(prefix) + 1 :] if folder.startswith(f"{prefix}/") else None

    def _linked(self, folder: str, within: str, name: str) -> str:
        """Return the binary that a link of a name leads to, where the folder has one."""
        if name not in self._listed(folder):
            return ""
        real = os.path.realpath(os.path.join(folder, name)).replace(os.sep, "/")
        target = self._within(real)
        return target if target in self.by_path else posixpath.join(within, name)

    def _listed(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            self._names[folder] = frozenset(names_in(folder))
        return self._names[folder]

    def on_disk(self, path: str) -> str:
        """Return where a file of the system lies on this disk; empty where a link leads out."""
        if not self.root:
            return path
        inside = os.path.realpath(os.path.join(self.root, path.lstrip("/")))
        return inside if inside.startswith(os.path.realpath(self.root) + os.sep) else ""
