"""Pipfile. Source: pipenv's documentation, "Pipfile & Pipfile.lock" and "Specifiers"."""

from __future__ import annotations

import re

from mlenv.model.marker import Marker, MarkerError, conjunction, parse_marker
from mlenv.model.requirement import GROUP, MAIN, canonical_name, group_key, is_commit
from mlenv.model.source import Index, Packaging, Source, Statement
from mlenv.project.manifests.direct_tables import refer
from mlenv.project.manifests.toml_draft import Table, TomlDraft
from mlenv.project.manifests.toml_recovery import open_toml
from mlenv.records import replace
from mlenv.versions.version_set import ANY, VersionSet, pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.requirement import Requirement
    from mlenv.model.text import SourceText
    from mlenv.project.toml_locator import Path

KIND = "pipfile"
_SETTINGS = frozenset(("source", "requires", "scripts", "pipenv", "pipfile"))
_GROUPS = {"packages": MAIN, "dev-packages": group_key(GROUP, "dev")}
_MARKERS = (
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation"),
    *("platform_release", "platform_system", "platform_version", "python_version"),
    *("python_full_version", "implementation_name", "implementation_version"),
)
_VCS = ("git", "hg", "svn", "bzr")
_HOST = re.compile(r"[A-Za-z][\w+.-]*://(?:[^/@]*@)?([^/:?#]+)")


def read(text: SourceText) -> Source:
    """Read a Pipfile; never raises."""
    document, problems = open_toml(text)
    if document is None:
        return Source(text, KIND, problems=tuple(problems))
    draft = TomlDraft(document, problems)
    _sources(draft)
    _pythons(draft)
    for table in document.values:
        if table not in _SETTINGS and isinstance(document.get((table,)), dict):
            group = _GROUPS.get(table) or group_key(GROUP, canonical_name(table))
            for name in draft.table((table,)):
                _package(draft, (table, name), group)
    return draft.finish(KIND, Packaging(manager="pipenv"))


def _sources(draft: TomlDraft) -> None:
    """Read the indexes: the first is the default, the others are for what names them."""
    searches_all = draft.table(("pipenv",)).get("install_search_all_sources") is True
    for position, path in enumerate(draft.tables(("source",))):
        others = "extra" if searches_all else "explicit"
        draft.index(others if position else "index", (*path, "url"), draft.text((*path, "name")))
        host = _HOST.match(draft.text((*path, "url")))
        if draft.table(path).get("verify_ssl") is False and host is not None:
            span = draft.document.entry_span((*path, "verify_ssl"))
            draft.parts.indexes.append(Index("trusted-host", host[1], span))


def _pythons(draft: TomlDraft) -> None:
    for key in ("python_full_version", "python_version"):
        fragment = draft.document.fragment(("requires", key))
        text = draft.text(("requires", key)).strip()
        if text:
            whole = key == "python_full_version" or text.count(".") > 1
            versions = pep440(f"=={text}" if whole else f"=={text}.*")
            draft.parts.statements.append(Statement("python", text, fragment.whole, versions))
            return


def _package(draft: TomlDraft, path: Path, group: str) -> None:
    requirement = draft.named(path, path, group, _versions, "PEP 440")
    if requirement is None:
        return
    if isinstance(draft.document.get(path), dict):
        requirement = _stated(draft, requirement, path)
    draft.keep(requirement)


def _versions(text: str) -> VersionSet | None:
    """Return the versions of a constraint, where a bare version means that version alone."""
    if text == "*":
        return ANY
    return pep440(text if text[0] in "<>=!~" else f"=={text}")


def _stated(draft: TomlDraft, requirement: Requirement, path: Path) -> Requirement:
    """Return a requirement with what its table says beside the version."""
    table = draft.table(path)
    conditions = [draft.marker((*path, "markers"), requirement.name)]
    conditions += [_condition(draft, (*path, key), key) for key in _MARKERS if key in table]
    requirement = replace(
        refer(requirement, table),
        extras=tuple(sorted(map(canonical_name, draft.texts((*path, "extras"))))),
        index=draft.text((*path, "index")),
        marker=conjunction(*conditions),
    )
    return _fetched(requirement, table)


def _condition(draft: TomlDraft, path: Path, variable: str) -> Marker | None:
    """Return the marker for a key that is a marker's variable: ``os_name = "== 'nt'"``."""
    try:
        return parse_marker(f"{variable} {draft.text(path)}")
    except MarkerError as error:
        draft.refuse(draft.document.entry_span(path), str(error))
        return None


def _fetched(requirement: Requirement, table: Table) -> Requirement:
    """Return a requirement with pipenv's own spelling of where it is fetched from."""
    file = table.get("file")
    if isinstance(file, str) and "://" in file:
        requirement = replace(requirement, url=file, path="")
    for kind in _VCS[1:]:
        location = table.get(kind)
        if isinstance(location, str):
            requirement = replace(requirement, url=f"{kind}+{location.removeprefix(f'{kind}+')}")
    reference = table.get("ref")
    if not isinstance(reference, str) or not requirement.is_vcs:
        return requirement
    if is_commit(reference):
        return replace(requirement, commit=reference)
    return replace(requirement, floating=reference)
