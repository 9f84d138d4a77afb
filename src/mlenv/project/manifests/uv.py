"""uv's tables in pyproject.toml.

Source: uv's documentation, "Settings" and "Dependency sources".
"""

from __future__ import annotations

from mlenv.model.compatibility import compatible
from mlenv.model.marker import Marker
from mlenv.model.requirement import (
    BUILD,
    CONSTRAINT,
    EXTRA,
    GROUP,
    MAIN,
    OVERRIDE,
    Requirement,
    canonical_name,
    group_key,
)
from mlenv.model.source import Index
from mlenv.project.manifests.direct_tables import refer
from mlenv.project.manifests.toml_draft import Table, TomlDraft
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.toml_locator import Path

_UV = ("tool", "uv")
_LINUX = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "platform_machine": "x86_64",
}
"""Where CUDA builds are used; what a choice by platform is decided for."""
_MOST_CHOICES = 64
"""How many sources of one distribution are looked at; more than that only a hostile file has."""
_Choice = tuple[Table, Marker | None]


def read(draft: TomlDraft) -> None:
    """Read ``[tool.uv]``; comes after the tables whose requirements its sources complete."""
    _requirements(draft)
    read_settings(draft, _UV)
    for path in draft.strings((*_UV, "environments"), lone=True):
        draft.state("platform", path)
    for path in draft.items((*_UV, "conflicts")):
        names = (_conflicting(draft, item) for item in draft.tables(path))
        draft.conflicts.append(frozenset(name for name in names if name))
    _sources(draft)


def read_settings(draft: TomlDraft, base: Path) -> None:
    """Read where uv looks for packages.

    Args:
        draft: The document.
        base: The table of the settings.
    """
    for path in draft.tables((*base, "index")):
        _index(draft, path)
    for table in (base, (*base, "pip")):
        _legacy_indexes(draft, table)
        draft.state("torch-backend", (*table, "torch-backend"))


def _requirements(draft: TomlDraft) -> None:
    for path in draft.strings((*_UV, "dev-dependencies")):
        draft.requirement(path, group_key(GROUP, "dev"))
    for path in draft.strings((*_UV, "constraint-dependencies")):
        draft.requirement(path, MAIN, CONSTRAINT)
    for path in draft.strings((*_UV, "override-dependencies")):
        draft.requirement(path, MAIN, OVERRIDE)
    for path in draft.strings((*_UV, "build-constraint-dependencies")):
        draft.requirement(path, BUILD, CONSTRAINT)


def _index(draft: TomlDraft, path: Path) -> None:
    table = draft.table(path)
    kind = "extra"
    if table.get("explicit") is True:
        kind = "explicit"
    elif table.get("default") is True:
        kind = "index"
    draft.index(kind, (*path, "url"), draft.text((*path, "name")))


def _legacy_indexes(draft: TomlDraft, table: Path) -> None:
    if draft.text((*table, "index-url")):
        draft.index("index", (*table, "index-url"))
    for path in draft.strings((*table, "extra-index-url")):
        draft.index("extra", path)
    for path in draft.strings((*table, "find-links")):
        draft.index("find-links", path)
    if draft.document.get((*table, "no-index")) is True:
        span = draft.document.key_span((*table, "no-index"))
        draft.parts.indexes.append(Index("none", "", span))


def _conflicting(draft: TomlDraft, path: Path) -> str:
    """Return the group of this project that an item of a conflict names; empty for none."""
    package = draft.text((*path, "package"))
    if package and canonical_name(package) != canonical_name(draft.text(("project", "name"))):
        return ""
    return _group(draft.table(path)) or (MAIN if package else "")


def _group(table: Table) -> str:
    """Return the group that a table is about; empty where it is about none."""
    for kind in (EXTRA, GROUP):
        name = table.get(kind)
        if isinstance(name, str):
            return group_key(kind, canonical_name(name))
    return ""


def _sources(draft: TomlDraft) -> None:
    """Complete the requirements that ``[tool.uv.sources]`` names."""
    by_name = {
        canonical_name(name): _choices(draft, (*_UV, "sources", name), name)
        for name in draft.table((*_UV, "sources"))
    }
    if by_name:
        draft.parts.requirements[:] = [
            _sourced(requirement, by_name.get(requirement.name, []))
            for requirement in draft.parts.requirements
        ]


def _choices(draft: TomlDraft, path: Path, name: str) -> list[_Choice]:
    if isinstance(draft.document.get(path), list):
        entries = list(draft.tables(path))
    else:
        entries = [path] if draft.table(path) else []
    return [
        (draft.table(entry), draft.marker((*entry, "marker"), canonical_name(name)))
        for entry in entries[:_MOST_CHOICES]
    ]


def _sourced(requirement: Requirement, choices: list[_Choice]) -> Requirement:
    """Return a requirement with what its sources say.

    Where they differ by environment, the one for Linux on x86_64 is taken, and all of the indexes
    are kept beside it; where even these differ, none is.
    """
    meant = [
        (table, marker)
        for table, marker in choices
        if _is_for(table, requirement.group) and compatible(requirement.marker, marker)
    ]
    if len(meant) == 1 and meant[0][1] is None:
        return _from(requirement, meant[0][0])
    indexes = tuple((str(table.get("index", "")), marker) for table, marker in meant)
    on_linux = [t for t, marker in meant if marker is None or marker.holds_in(_LINUX)]
    if on_linux and all(_same_place(table, on_linux[0]) for table in on_linux):
        requirement = _from(requirement, on_linux[0])
    return replace(requirement, index_choices=indexes) if indexes else requirement


def _is_for(table: Table, group: str) -> bool:
    return _group(table) in ("", group)


def _same_place(left: Table, right: Table) -> bool:
    conditions = ("marker", "extra", "group")
    return {k: v for k, v in left.items() if k not in conditions} == {
        k: v for k, v in right.items() if k not in conditions
    }


def _from(requirement: Requirement, table: Table) -> Requirement:
    index = table.get("index")
    return replace(
        refer(requirement, table), index=index if isinstance(index, str) else requirement.index
    )
