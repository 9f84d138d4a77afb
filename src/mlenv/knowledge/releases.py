"""What was released when, for which Pythons and platforms, and what each release requires."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import ANY, VersionSet, pep440, unknown


@dataclass(frozen=True, slots=True, eq=False)
class PlatformWheels:
    """The wheels of a release for one platform.

    Attributes:
        minors: The CPython minors that have one, ascending.
        open_from: The minor from which on one wheel serves all (``abi3``, ``py3-none``), or None.
        glibc: The lowest C library that one of them asks for; empty where the tag names none.
    """

    minors: tuple[int, ...] = ()
    open_from: int | None = None
    glibc: str = ""

    def fits(self, minor: int) -> bool:
        """Return whether CPython 3.``minor`` has one."""
        return minor in self.minors or (self.open_from is not None and minor >= self.open_from)


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """What the files of a release serve.

    Attributes:
        python: Requires-Python.
        is_pure: Whether one wheel serves every platform.
        has_sdist: Whether there is a source distribution.
        platforms: The wheels of each platform (``linux_x86_64``, ``macos_arm64``, ``win_amd64`` …).
        is_known: Whether the files are on record at all; else nothing may be concluded.
    """

    python: VersionSet
    is_pure: bool
    has_sdist: bool
    platforms: Mapping[str, PlatformWheels]
    is_known: bool = True

    def has_wheel(self, minor: int | None, platform: str) -> bool:
        """Return whether a wheel serves a Python (None for any) on a platform (empty for any)."""
        if self.is_pure:
            return True
        wheels = [self.platforms.get(platform)] if platform else [*self.platforms.values()]
        return any(one is not None and (minor is None or one.fits(minor)) for one in wheels)

    def admits(self, python: Version) -> bool:
        """Return whether Requires-Python admits an interpreter; a minor stands for its patches."""
        return _admits(self.python, python)


@lru_cache(maxsize=4096)
def _admits(versions: VersionSet, python: Version) -> bool:
    if len(python.release) > 2:
        return versions.admits(python, prereleases=True)
    return _minor(python.text).intersects(versions)


@lru_cache(maxsize=64)
def _minor(text: str) -> VersionSet:
    return pep440(f"=={text}.*") or ANY


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """One release on PyPI.

    Attributes:
        version: Its version.
        date: The day of its first file, as ``YYYY-MM-DD``.
        files: What its files serve.
        yanked: Whether it was withdrawn: installers take it only where it is pinned.
    """

    version: Version
    date: str
    files: Files
    yanked: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Dependency:
    """One requirement in the metadata of a release.

    Attributes:
        name: Canonical name of what is required.
        versions: The versions admitted.
        text: The specifier as the metadata has it; empty where any version will do.
        marker: As text; empty for all environments.
        extras: The extras of what is required that are asked for.
    """

    name: str
    versions: VersionSet
    text: str = ""
    marker: str = ""
    extras: tuple[str, ...] = ()


class Releases:
    """The records of ``releases.toml`` and ``requires.toml``; each package is read when asked for.

    The files are TOML, yet only the block of one package is looked at: whole, they would take
    longer to parse than everything else in an audit.

    Args:
        load: Returns the text of a file of records by its name.
    """

    def __init__(self, load: Callable[[str], str]) -> None:
        self._load = load
        self._blocks: dict[str, dict[str, str]] = {}
        self._releases: dict[str, tuple[Release, ...]] = {}
        self._by_version: dict[str, dict[Version, Release]] = {}
        self._requires: dict[str, tuple[_Required, ...]] = {}

    def knows(self, name: str) -> bool:
        """Whether the releases of a distribution are on record."""
        return any(True for _ in self.newest_first(name))

    def of(self, name: str) -> tuple[Release, ...]:
        """Return the releases of a distribution in ascending order; none where it is unknown."""
        if name not in self._releases:
            self._releases[name] = tuple([*self.newest_first(name)][::-1])
        return self._releases[name]

    def newest_first(self, name: str) -> Iterator[Release]:
        """Yield the releases of a distribution, of which those that nobody asks for stay unread."""
        known = self._releases.get(name)
        return _newest_first(self._block("releases", name)) if known is None else reversed(known)

    def find(self, name: str, version: Version) -> Release | None:
        """Return the record of one release, whatever the local part of the version says."""
        public = parse_version(version.public) if version.local else version
        if name not in self._by_version:
            self._by_version[name] = {one.version: one for one in self.of(name)}
        return self._by_version[name].get(public) if public is not None else None

    def requires(self, name: str, version: Version) -> tuple[Dependency, ...] | None:
        """Return what a release requires of other distributions on record; None if not known.

        A version between two records has the requirements of the lower one.
        """
        if name not in self._requires:
            self._requires[name] = tuple(_requires(self._block("requires", name)))
        found: _Required | None = None
        for one in self._requires[name]:
            if version < one.since:
                break
            found = one
        if found is None or not found.is_known:
            return None
        return tuple(map(_dependency, found.lines))

    def is_read(self, name: str, version: Version) -> bool:
        """Whether what a release requires is on record as its own, not as that of one before it."""
        self.requires(name, version)
        return any(one.since == version for one in self._requires[name])

    def _block(self, table: str, name: str) -> str:
        if table not in self._blocks:
            self._blocks[table] = _cut(self._load(table))
        return self._blocks[table].get(name, "")


def _cut(text: str) -> dict[str, str]:
    """Return the texts of a file of records by name; of several for one name the first."""
    # quotes with the end of their line: what lies between needs no second copy
    parts = text.split("'''\n")
    found: dict[str, str] = {}
    for before, block in zip(parts[::2], parts[1::2], strict=False):
        found.setdefault(before.rpartition("\n")[2].removesuffix(" = "), block)
    return found


def _newest_first(block: str) -> Iterator[Release]:
    bare, *headed = f"\n{block}".split("\n@ ")
    for part in reversed(headed):
        header, *lines = part.splitlines()
        yield from _of_lines(lines, _files(header))
    yield from _of_lines(bare.splitlines(), Files(ANY, False, False, {}))


def _of_lines(lines: list[str], files: Files) -> Iterator[Release]:
    for line in reversed(lines):
        text, _, rest = line.partition(" ")
        version = parse_version(text)
        if version is not None:
            date, _, flag = rest.partition(" ")
            yield Release(version, date, files, flag == "yanked")


@lru_cache(maxsize=4096)
def _files(text: str) -> Files:
    python, *words = text.split()
    platforms = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            platforms[name] = _wheels(value)
    known = "unknown" not in words
    return Files(versions_of(python), "any" in words, "sdist" in words, platforms, known)


@lru_cache(maxsize=4096)
def _wheels(text: str) -> PlatformWheels:
    """Read ``3.8-3.10,3.12/2.17`` or ``3.8+``."""
    ranges, _, glibc = text.partition("/")
    minors: set[int] = set()
    open_from = None
    for part in ranges.split(","):
        if part.endswith("+"):
            open_from = int(part[2:-1])
            continue
        low, _, high = part.partition("-")
        minors.update(range(int(low[2:]), int((high or low)[2:]) + 1))
    return PlatformWheels(tuple(sorted(minors)), open_from, glibc)


@lru_cache(maxsize=4096)
def versions_of(text: str) -> VersionSet:
    """Return the set that a record's specifier admits; ``*`` and the empty text admit all."""
    if text in ("", "*"):
        return ANY
    return pep440(text) or unknown(text)


@dataclass(frozen=True, slots=True, eq=False)
class _Required:
    """What is required from a version on; its lines are read where they are asked for."""

    since: Version
    is_known: bool
    lines: list[str]


def _requires(block: str) -> Iterator[_Required]:
    lines: list[str] = []
    for line in block.splitlines():
        if line.startswith(" "):
            lines.append(line[1:])
            continue
        text, _, flag = line.partition(" ")
        since = parse_version(text)
        lines = []
        if since is not None:
            yield _Required(since, flag != "?", lines)


@lru_cache(maxsize=8192)
def _dependency(text: str) -> Dependency:
    asked, _, marker = text.partition(" ; ")
    match = re.fullmatch(r"([a-z0-9._-]+)(?:\[([^\]]*)\])?(.*)", asked)
    if match is None:
        return Dependency("", ANY)
    extras = tuple(one.strip() for one in (match[2] or "").split(",") if one.strip())
    return Dependency(match[1], versions_of(match[3].strip()), match[3].strip(), marker, extras)
