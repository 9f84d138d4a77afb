"""PDM's tables in pyproject.toml.

Source: PDM's documentation, "Manage Dependencies" and "Configuration".
"""

from __future__ import annotations

from mlenv.model.requirement import (
    GROUP,
    MAIN,
    OVERRIDE,
    REQUIREMENT,
    Requirement,
    canonical_name,
    group_key,
)
from mlenv.project.direct import is_url, read_direct
from mlenv.records import replace
from mlenv.versions.version_set import ANY, VersionSet, pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.manifests.toml_draft import TomlDraft
    from mlenv.project.toml_locator import Path

_PDM = ("tool", "pdm")
_OVERRIDES = (*_PDM, "resolution", "overrides")
_EDITABLE = "-e "


def read(draft: TomlDraft) -> None:
    """Read ``[tool.pdm]``."""
    groups = (*_PDM, "dev-dependencies")
    for group in draft.table(groups):
        for path in draft.strings((*groups, group)):
            _dependency(draft, path, group_key(GROUP, canonical_name(group)))
    for path in draft.tables((*_PDM, "source")):
        _source(draft, path)
    for name in draft.table(_OVERRIDES):
        _override(draft, (*_OVERRIDES, name))


def _dependency(draft: TomlDraft, path: Path, group: str) -> None:
    fragment = draft.document.fragment(path)
    if not fragment.text.startswith(_EDITABLE):
        draft.requirement(path, group)
        return
    location = fragment.part(len(_EDITABLE), len(fragment.text))
    found = read_direct(location, group, REQUIREMENT)
    if isinstance(found, Requirement):
        draft.keep(replace(found, editable=True, span=fragment.whole))
    else:
        draft.parts.refuse(fragment, found)


def _source(draft: TomlDraft, path: Path) -> None:
    name = draft.text((*path, "name"))
    kind = "index" if name == "pypi" else "extra"
    if draft.text((*path, "type")) == "find_links":
        kind = "find-links"
    draft.index(kind, (*path, "url"), name)


def _override(draft: TomlDraft, path: Path) -> None:
    requirement = draft.named(path, path, MAIN, _versions, "PDM")
    if requirement is not None:
        text = draft.text(path)
        is_direct = is_url(text)
        draft.keep(
            replace(
                requirement,
                kind=OVERRIDE,
                url=text if is_direct else "",
                specifier_span=None if is_direct else requirement.specifier_span,
            )
        )


def _versions(text: str) -> VersionSet | None:
    """Return the versions of an override, where a bare version is exact and a URL says none."""
    return ANY if is_url(text) else pep440(text) or pep440(f"=={text}")
