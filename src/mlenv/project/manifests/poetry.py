"""Poetry's tables in pyproject.toml.

Source: Poetry's documentation, "The pyproject.toml file", "Dependency specification" and
"Repositories".
"""

from __future__ import annotations

import re

from mlenv.model.marker import Marker, conjunction, parse_marker
from mlenv.model.requirement import (
    EXTRA,
    GROUP,
    MAIN,
    Requirement,
    canonical_name,
    group_key,
)
from mlenv.project.manifests.direct_tables import refer
from mlenv.project.manifests.toml_draft import Table, TomlDraft
from mlenv.records import replace
from mlenv.versions.poetry import poetry_clauses, poetry_versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.project.toml_locator import Path
    from mlenv.versions.version_set import Clause, VersionSet

_POETRY = ("tool", "poetry")
_OPTIONAL = "optional"
"""The group of what is optional and belongs to no extra."""
_MOST_EXTRAS = 20
"""How many extras one dependency is listed under; more than that only a hostile file has."""
_KINDS = {"": "index", "primary": "index", "default": "index", "explicit": "explicit"}
_Entry = tuple[Requirement, Table]


def read(draft: TomlDraft) -> None:
    """Read ``[tool.poetry]``; comes after ``[project]``, which it may only complete."""
    main = _entries(draft, (*_POETRY, "dependencies"), MAIN)
    if _completes_project(draft):
        _complete(draft, main)
    else:
        _keep_main(draft, main)
    _keep(draft, (*_POETRY, "dev-dependencies"), _group("dev"))
    for name in draft.table((*_POETRY, "group")):
        path: Path = (*_POETRY, "group", name)
        group = _group(name)
        _keep(draft, (*path, "dependencies"), group)
        draft.bring(group, map(_group, draft.texts((*path, "include-groups"))))
    for source in draft.tables((*_POETRY, "source")):
        _source(draft, source)


def _group(name: str) -> str:
    return group_key(GROUP, canonical_name(name))


def _keep(draft: TomlDraft, path: Path, group: str) -> None:
    for requirement, _ in _entries(draft, path, group):
        draft.keep(requirement)


def _keep_main(draft: TomlDraft, entries: Iterator[_Entry]) -> None:
    """Keep dependencies, the optional ones in the groups of the extras that name them."""
    extras: dict[str, list[str]] = {}
    for extra in draft.table((*_POETRY, "extras")):
        for name in draft.texts((*_POETRY, "extras", extra)):
            extras.setdefault(canonical_name(name), []).append(canonical_name(extra))
    for requirement, table in entries:
        if table.get("optional") is not True:
            draft.keep(requirement)
            continue
        for group in extras.get(requirement.name, [_OPTIONAL])[:_MOST_EXTRAS]:
            draft.keep(replace(requirement, group=group_key(EXTRA, group)))


def _completes_project(draft: TomlDraft) -> bool:
    """Whether ``[project]`` declares the dependencies and Poetry's table only their sources."""
    project = draft.table(("project",))
    names = ("dependencies", "optional-dependencies")
    dynamic = project.get("dynamic")
    return any(project.get(name) for name in names) and not (
        isinstance(dynamic, list) and any(name in dynamic for name in names)
    )


def _complete(draft: TomlDraft, entries: Iterator[_Entry]) -> None:
    sources: dict[str, _Entry] = {}
    for requirement, table in entries:
        sources.setdefault(requirement.name, (requirement, table))
    draft.parts.requirements[:] = [
        replace(refer(r, sources[r.name][1]), index=sources[r.name][0].index)
        if r.name in sources
        else r
        for r in draft.parts.requirements
    ]


def _entries(draft: TomlDraft, path: Path, group: str) -> Iterator[_Entry]:
    """Yield the dependencies of a table, each with the table that states it, where one does."""
    for name in draft.table(path):
        key = (*path, name)
        if name.lower() == "python":
            draft.state_python(key, _versions, "Poetry")
            continue
        several = isinstance(draft.document.get(key), list)
        for entry in draft.items(key) if several else (key,):
            requirement = draft.named(key, entry, group, _versions, "Poetry")
            if requirement is None:
                continue
            if isinstance(draft.document.get(entry), str):
                yield requirement, {}
            else:
                yield _stated(draft, requirement, entry), draft.table(entry)


def _stated(draft: TomlDraft, requirement: Requirement, path: Path) -> Requirement:
    """Return a requirement with what its table says beside the version."""
    marker = conjunction(
        draft.marker((*path, "markers"), requirement.name),
        _python_marker(draft.text((*path, "python"))),
        _platform_marker(draft.text((*path, "platform"))),
    )
    return replace(
        refer(requirement, draft.table(path)),
        marker=marker,
        extras=tuple(sorted(map(canonical_name, draft.texts((*path, "extras"))))),
        index=draft.text((*path, "source")),
    )


def _versions(text: str) -> VersionSet | None:
    versions = poetry_versions(text)
    return versions if versions.understood else None


def _python_marker(text: str) -> Marker | None:
    alternatives = poetry_clauses(text) if text else None
    if not alternatives or not all(alternatives):
        return None
    return parse_marker(
        " or ".join(" and ".join(map(_python_comparison, clauses)) for clauses in alternatives)
    )


def _python_comparison(clause: Clause) -> str:
    is_minor = clause.version.removesuffix(".*").count(".") < 2
    variable = "python_version" if is_minor else "python_full_version"
    return f'{variable} {clause.operator} "{clause.version}"'


def _platform_marker(text: str) -> Marker | None:
    """Return the marker for Poetry's ``platform``, such as ``linux`` or ``!=win32``."""
    names = [name.strip() for name in text.split("||")]
    if not re.fullmatch(r"(?:[!=]=)?\w+(?:\|\|(?:[!=]=)?\w+)*", "||".join(names)):
        return None
    return parse_marker(
        " or ".join(
            f'sys_platform {"!=" if name.startswith("!=") else "=="} "{name.lstrip("!=")}"'
            for name in names
        )
    )


def _source(draft: TomlDraft, path: Path) -> None:
    table = draft.table(path)
    kind = _KINDS.get(draft.text((*path, "priority")), "extra")
    if table.get("secondary") is True:
        kind = "extra"
    draft.index(kind, (*path, "url"), draft.text((*path, "name")))
