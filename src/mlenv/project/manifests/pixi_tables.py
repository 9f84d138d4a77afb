"""pixi's tables, which pixi.toml holds at its top and pyproject.toml under ``[tool.pixi]``.

Source: pixi's documentation, "Manifest reference".
"""

from __future__ import annotations

from mlenv.model.marker import Marker, conjunction, parse_marker
from mlenv.model.requirement import (
    CONDA,
    ENV,
    EXTRA,
    FEATURE,
    GROUP,
    MAIN,
    Requirement,
    canonical_name,
    group_key,
)
from mlenv.model.source import Channel
from mlenv.project.manifests.direct_tables import refer
from mlenv.records import replace
from mlenv.versions.conda import CondaVersionError, parse_conda_versions
from mlenv.versions.version_set import ANY, VersionSet, pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.project.manifests.toml_draft import TomlDraft
    from mlenv.project.toml_locator import Path

IN_PYPROJECT = ("tool", "pixi")
"""Where the tables are in pyproject.toml."""
_CONDA_TABLES = ("dependencies", "host-dependencies", "build-dependencies")
_PYTHON_GROUPS: tuple[tuple[str, Path], ...] = (
    (EXTRA, ("project", "optional-dependencies")),
    (GROUP, ("dependency-groups",)),
)
_SYSTEMS = {"linux": "linux", "osx": "darwin", "win": "win32"}
_MACHINES = {"64": "x86_64"}
_WINDOWS_MACHINES = {"64": "AMD64", "arm64": "ARM64"}


def read(draft: TomlDraft, base: Path = IN_PYPROJECT) -> None:
    """Read the tables below a path: the workspace, its features and its environments."""
    home = workspace(draft, base)
    _channels(draft, home)
    for path in draft.items((*home, "platforms")):
        if isinstance(draft.document.get(path), str):
            draft.state("platform", path)
    _feature(draft, base, MAIN, None)
    for name in draft.table((*base, "feature")):
        path = (*base, "feature", name)
        _channels(draft, path)
        platforms = _any_platform(draft.texts((*path, "platforms")))
        _feature(draft, path, group_key(FEATURE, name), platforms)
    known = frozenset(
        group_key(kind, canonical_name(name))
        for kind, table in _PYTHON_GROUPS
        for name in draft.table(table)
    )
    for name in draft.table((*base, "environments")):
        _environment(draft, (*base, "environments", name), group_key(ENV, name), known)


def workspace(draft: TomlDraft, base: Path) -> Path:
    """Return the path of the table that describes the workspace, ``project`` in older files."""
    return (*base, "workspace" if "workspace" in draft.table(base) else "project")


def _channels(draft: TomlDraft, path: Path) -> None:
    for item in draft.items((*path, "channels")):
        place = item if isinstance(draft.document.get(item), str) else (*item, "channel")
        fragment = draft.document.fragment(place)
        if fragment.text:
            draft.channels.append(Channel(fragment.text, fragment.whole))
        else:
            draft.wrong(item, "a channel")


def _feature(draft: TomlDraft, path: Path, group: str, marker: Marker | None) -> None:
    _dependencies(draft, path, group, marker)
    for platform in draft.table((*path, "target")):
        narrowed = conjunction(marker, platform_marker(platform))
        _dependencies(draft, (*path, "target", platform), group, narrowed)
    cuda = (*path, "system-requirements", "cuda")
    if draft.text(cuda):
        draft.state("cuda", cuda, pep440(f">={draft.text(cuda)}"), group)


def _dependencies(draft: TomlDraft, path: Path, group: str, marker: Marker | None) -> None:
    for table in _CONDA_TABLES:
        for name in draft.table((*path, table)):
            _conda(draft, (*path, table, name), group, marker)
    for name in draft.table((*path, "pypi-dependencies")):
        _pypi(draft, (*path, "pypi-dependencies", name), group, marker)


def _conda(draft: TomlDraft, path: Path, group: str, marker: Marker | None) -> None:
    requirement = draft.named(path, path, group, _conda_versions, "conda")
    if requirement is None:
        return
    requirement = replace(
        requirement, name=requirement.written.lower(), ecosystem=CONDA, marker=marker
    )
    if isinstance(draft.document.get(path), dict):
        requirement = replace(
            refer(requirement, draft.table(path)),
            build=draft.text((*path, "build")),
            channel=draft.text((*path, "channel")),
        )
    draft.keep(requirement)


def _pypi(draft: TomlDraft, path: Path, group: str, marker: Marker | None) -> None:
    requirement = draft.named(path, path, group, _pypi_versions, "PEP 440")
    if requirement is None:
        return
    requirement = replace(requirement, marker=marker)
    if isinstance(draft.document.get(path), dict):
        requirement = _stated(draft, requirement, path)
    draft.keep(requirement)


def _stated(draft: TomlDraft, requirement: Requirement, path: Path) -> Requirement:
    return replace(
        refer(requirement, draft.table(path)),
        extras=tuple(sorted(map(canonical_name, draft.texts((*path, "extras"))))),
        index=draft.text((*path, "index")),
        marker=conjunction(
            requirement.marker, draft.marker((*path, "env-markers"), requirement.name)
        ),
    )


def _conda_versions(text: str) -> VersionSet | None:
    try:
        return parse_conda_versions(text)
    except CondaVersionError:
        return None


def _pypi_versions(text: str) -> VersionSet | None:
    return ANY if text == "*" else pep440(text)


def _environment(draft: TomlDraft, path: Path, group: str, known: frozenset[str]) -> None:
    """Note the features that make up an environment, which is a group that brings them along."""
    if isinstance(draft.document.get(path), list):
        draft.bring(group, _features(draft, path, known))
        return
    draft.bring(group, _features(draft, (*path, "features"), known))
    if draft.table(path).get("no-default-feature") is True:
        draft.standalone.add(group)


def _features(draft: TomlDraft, path: Path, known: frozenset[str]) -> Iterator[str]:
    """Yield the groups that features stand for: pixi makes features of extras and groups too."""
    for name in draft.texts(path):
        yield group_key(FEATURE, name)
        for kind, _ in _PYTHON_GROUPS:
            key = group_key(kind, canonical_name(name))
            if key in known:
                yield key


def platform_marker(platform: str) -> Marker | None:
    """Return the marker for one of pixi's platforms; None where none can be said.

    Args:
        platform: A subdirectory of conda's (``linux-64``) or a family (``linux``, ``unix``).
    """
    if platform == "unix":
        return parse_marker('os_name == "posix"')
    family, _, machine = platform.partition("-")
    system = _SYSTEMS.get(family)
    if system is None or (machine and not machine.isalnum()):
        return None
    if not machine:
        return parse_marker(f'sys_platform == "{system}"')
    names = _WINDOWS_MACHINES if family == "win" else _MACHINES
    return parse_marker(
        f'sys_platform == "{system}" and platform_machine == "{names.get(machine, machine)}"'
    )


def _any_platform(platforms: list[str]) -> Marker | None:
    markers = [platform_marker(platform) for platform in platforms]
    if not markers or None in markers:
        return None
    return parse_marker(" or ".join(map(str, markers)))
