"""Which known versions a distribution of an installation may be."""

from __future__ import annotations

from collections.abc import Container, Iterable
from operator import attrgetter

from mlenv.knowledge.releases import Dependency, Files
from mlenv.model.marker import MarkerError, holds, parse_condition
from mlenv.model.requirement import CONSTRAINT, OVERRIDE, PYPI, Requirement
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import ANY, VersionSet, intersection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.setting import Setting


def domain_of(setting: Setting, name: str) -> tuple[Version, ...] | None:
    """Return the known versions that a distribution may be, newest first; None if not known.

    Args:
        setting: The installation.
        name: A distribution of it, or one that something in it brings along.
    """
    choice = setting.choices.get(name)
    if choice is None:
        left = setting.bounds.get(name, ANY) & setting.imposed.get(name, ANY)
        return candidates(setting, name, left) or None
    if choice.exact is not None:
        return (choice.exact,)
    if choice.locked:
        versions = [parse_version(one.version) for one in choice.locked]
        known = tuple(one for one in versions if one is not None)
        return known if known and len(known) == len(versions) else None
    if choice.is_direct or not choice.versions.understood:
        return None
    found = candidates(setting, name, choice.versions)
    bounds = setting.bounds.get(name)
    if bounds is None:
        return found or None
    # where the neighbours rule out everything, that is a conflict, which is said elsewhere
    return tuple(one for one in found if bounds.admits(one, prereleases=True)) or found or None


def candidates(setting: Setting, name: str, versions: VersionSet) -> tuple[Version, ...]:
    """Return the releases out on the day that a constraint, the Python and the platform admit.

    Newest first; withdrawn ones only where nothing else is left. None at all
    where PyPI is not asked.
    """
    if setting.is_hidden(name):
        return ()
    key = (name, versions.text, setting.python.version.text, setting.platform, setting.day)
    known = setting.memory.candidates
    if key not in known:
        known[key] = _candidates(setting, name, versions)
    return known[key]


def _candidates(setting: Setting, name: str, versions: VersionSet) -> tuple[Version, ...]:
    out = [one for one in setting.knowledge.releases.of(name) if one.date <= setting.day]
    by_version = {one.version: one for one in out}
    admitted = versions.over(by_version)
    # what is older than all that has its files on record is not taken for something that fits
    first = next((one.version for one in out if one.files.is_known), None)
    # most releases have files like those of the one before
    serving = {files: _serves(files, setting) for files in {one.files for one in out}}
    fitting = [
        one
        for one in map(by_version.__getitem__, admitted)
        if serving[one.files] and (first is None or one.files.is_known or first < one.version)
    ]
    kept = [one.version for one in fitting if not one.yanked] or [one.version for one in fitting]
    return tuple(sorted(kept, key=attrgetter("key"), reverse=True))


def _serves(files: Files, setting: Setting) -> bool:
    return files.admits(setting.python.version) and (
        not files.is_known
        or files.has_sdist
        or files.has_wheel(setting.python.minor, setting.platform)
    )


def bounds_of(setting: Setting) -> dict[str, VersionSet]:
    """Return what the metadata of pinned distributions asks of the others, by name."""
    asked: dict[str, list[VersionSet]] = {}
    for name, choice in setting.choices.items():
        if choice.exact is None or choice.is_conda:
            continue
        for dependency in dependencies(setting, name, choice.exact, choice.extras) or ():
            if dependency.name != name and not dependency.versions.is_any:
                asked.setdefault(dependency.name, []).append(dependency.versions)
    overridden = [name for name, choice in setting.choices.items() if choice.is_overridden]
    for name in overridden:
        asked.pop(name, None)
    return {name: intersection(versions) for name, versions in asked.items()}


def imposed_by(
    requirements: Iterable[Requirement], declared: Container[str]
) -> dict[str, VersionSet]:
    """Return what constraints and overrides leave of what nothing declares, by name."""
    found: dict[str, VersionSet] = {}
    for one in requirements:
        holds_back = one.kind in (CONSTRAINT, OVERRIDE) and one.ecosystem == PYPI
        if holds_back and one.name not in declared:
            found[one.name] = found.get(one.name, ANY) & one.versions
    return found


def dependencies(
    setting: Setting, name: str, version: Version, extras: tuple[str, ...] = ()
) -> tuple[Dependency, ...] | None:
    """Return what a release requires on the machine, so far as it is on record; None if not known.

    Args:
        setting: The installation.
        name: The distribution.
        version: Its release, with or without a local part.
        extras: Those that are asked for.
    """
    key = (name, version, extras)
    if key not in setting.required:
        known = setting.knowledge.releases.requires(name, version)
        setting.required[key] = known and tuple(
            one for one in known if applies(setting, one.marker, extras)
        )
    return setting.required[key]


def applies(setting: Setting, marker: str, extras: tuple[str, ...] = ()) -> bool:
    """Return whether a marker of some metadata holds on the machine, for one of some extras."""
    if not marker:
        return True
    key = (marker, extras)
    if key not in setting.holding:
        setting.holding[key] = _applies(setting, marker, extras)
    return setting.holding[key]


def _applies(setting: Setting, marker: str, extras: tuple[str, ...]) -> bool:
    try:
        condition = parse_condition(marker)
    except MarkerError:
        return False
    environment = setting.environment
    return any(holds(condition, {**environment, "extra": extra}) for extra in ("", *extras))
