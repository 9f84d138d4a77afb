"""Which files of a release an installer can use on an interpreter and a platform."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from mlenv.knowledge.releases import Release
from mlenv.records import replace
from mlenv.versions.version import Version, build, parse_version

WHEEL = "wheel"
SOURCE = "source"
"""Only a source distribution, which is built on the spot."""
EXCLUDED = "excluded"
"""Requires-Python does not admit the interpreter."""
NOTHING = "nothing"

_OLDEST, _NEWEST = 5, 16
_SYSTEMS = {"linux": "Linux", "macos": "macOS", "win": "Windows"}


def support(release: Release, python: Version, platform: str) -> str:
    """Return what a release has for an interpreter: one of the constants above.

    Args:
        release: The release.
        python: The interpreter, be it a minor only.
        platform: As the records call it; empty where any will do.
    """
    files = release.files
    if not files.admits(python):
        return EXCLUDED
    if files.has_wheel(python.release[1], platform):
        return WHEEL
    return SOURCE if files.has_sdist else NOTHING


def has_wheels(release: Release, platform: str = "") -> bool:
    """Whether there are wheels at all, on one platform or on any."""
    return release.files.has_wheel(None, platform)


def wheel_minors(release: Release, platform: str) -> tuple[int, ...]:
    """Return the CPython minors that have a wheel and that Requires-Python admits, ascending."""
    files = release.files
    return tuple(
        minor
        for minor in range(_OLDEST, _NEWEST + 1)
        if files.has_wheel(minor, platform) and files.admits(minor_version(minor))
    )


def usable_minors(release: Release, platform: str) -> frozenset[int]:
    """Return the CPython minors on which a release can be installed, be it from source."""
    return frozenset(
        minor
        for minor in range(_OLDEST, _NEWEST + 1)
        if support(release, minor_version(minor), platform) in (WHEEL, SOURCE)
    )


@lru_cache(maxsize=32)
def minor_version(minor: int) -> Version:
    """Return CPython 3.``minor`` as a version."""
    return build(f"3.{minor}", 0, (3, minor))


def minors_text(minors: Iterable[int]) -> str:
    """Return minors as messages have them: ``3.6 to 3.9``, ``3.8, 3.10``."""
    runs: list[list[int]] = []
    for minor in sorted(minors):
        if runs and runs[-1][1] == minor - 1:
            runs[-1][1] = minor
        else:
            runs.append([minor, minor])
    return ", ".join(_run_text(low, high) for low, high in runs)


def _run_text(low: int, high: int) -> str:
    if high == _NEWEST:
        return f"3.{low} and later"
    return f"3.{low}" if low == high else f"3.{low} to 3.{high}"


def platform_text(platform: str) -> str:
    """Return a platform as messages have it: ``Linux (aarch64)`` for ``linux_aarch64``."""
    system, _, machine = platform.partition("_")
    machine = {"amd64": "x86_64"}.get(machine, machine)
    return f"{_SYSTEMS.get(system, system)} ({machine})"


def served(
    releases: Sequence[Release], python: Version, platform: str, day: str
) -> tuple[Version, ...]:
    """Return the final releases out on a day with a wheel for an interpreter, ascending."""
    return tuple(
        one.version for one in releases if serves(one, releases[-1], python, platform, day)
    )


def serves(release: Release, newest: Release, python: Version, platform: str, day: str) -> bool:
    """Whether a release is a final one, out on a day, with a wheel for an interpreter.

    Args:
        release: The release.
        newest: The newest one of the distribution.
        python: The interpreter, be it a minor only.
        platform: As the records call it; empty where any will do.
        day: The day, as ``YYYY-MM-DD``.
    """
    return (
        release.date <= day
        and not release.yanked
        and not release.version.is_prerelease
        and not is_unread(release, newest)
        and support(release, python, platform) == WHEEL
    )


def is_unread(release: Release, newest: Release) -> bool:
    """Whether the files of an old release were not read: it seems to serve everything.

    Args:
        release: The release.
        newest: The newest one of the distribution.
    """
    return release.files.is_pure and not newest.files.is_pure


def release_like(releases: Sequence[Release], version: Version) -> Release | None:
    """Return a release, be it between two on record whose files are alike; None if not known.

    Args:
        releases: Those on record, in ascending order.
        version: The version, with or without a local part.
    """
    public = parse_version(version.public) if version.local else version
    before = None
    for one in releases:
        if one.version == public:
            return one
        if public is not None and public < one.version:
            is_between = (
                before is not None
                and before.files is one.files
                and before.version.release[:2] == public.release[:2] == one.version.release[:2]
            )
            return replace(one, version=public, yanked=False) if is_between else None
        before = one
    return None
