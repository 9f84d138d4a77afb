"""pyproject.toml: the standard tables, then those of the tools that have any."""

from __future__ import annotations

from importlib import import_module

from mlenv.model.requirement import MAIN, canonical_name
from mlenv.model.source import Packaging, Source
from mlenv.project.collect import is_template
from mlenv.project.manifests import pep621
from mlenv.project.manifests.toml_draft import Table, TomlDraft
from mlenv.project.manifests.toml_recovery import open_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.text import SourceText
    from mlenv.project.toml_locator import Path

KIND = "pyproject"
_TOOLS: tuple[tuple[Path, str], ...] = (
    (("poetry",), "poetry"),
    (("pdm",), "pdm"),
    (("hatch", "envs"), "hatch"),
    (("pixi",), "pixi_tables"),
    (("uv",), "uv"),
)
"""The tables with a module of their own, which is only imported where the table is there; uv's
comes last since its sources complete what the others declare."""
_METADATA = ("classifiers", "urls", "homepage", "repository")
_PDM_BUILDS_ONLY = frozenset(("build", "version"))
_UV_WORKSPACE = ("tool", "uv", "workspace")


def read(text: SourceText) -> Source:
    """Read a pyproject.toml; never raises.

    Source: PEP 621 and PEP 735 for the standard tables; each tool's module names its own.
    """
    document, problems = open_toml(text)
    if document is None:
        return Source(text, KIND, problems=tuple(problems))
    draft = TomlDraft(document, problems)
    pep621.read(draft)
    for path, module in _TOOLS:
        if document.get(("tool", *path)) is not None:
            import_module(f"mlenv.project.manifests.{module}").read(draft)
    return draft.finish(KIND, _packaging(draft))


def _packaging(draft: TomlDraft) -> Packaging:
    name, path = "", None
    for place in (("project", "name"), ("tool", "poetry", "name")):
        stated = draft.document.get(place)
        if isinstance(stated, str) and stated and not name:
            name, path = stated, place
    if is_template(name):
        name, path = "", None
    tools = tuple(_managers(draft.table(("tool",))))
    return Packaging(
        canonical_name(name),
        draft.document.fragment(path).whole if path else None,
        _is_published(draft),
        next(iter(tools), ""),
        tuple(draft.texts((*_UV_WORKSPACE, "members"))),
        tuple(draft.texts((*_UV_WORKSPACE, "exclude"))),
        tools,
    )


def _is_published(draft: TomlDraft) -> bool:
    """Whether the file describes a distribution for an index, so far as it tells.

    A readme and keywords prove nothing, since ``uv init`` and ``poetry new`` write them; and what
    requires a repository or a path cannot be published.
    """
    tables = [draft.table(path) for path in (("project",), ("tool", "poetry"))]
    has_backend = bool(draft.table(("build-system",))) or bool(tables[1])
    described = any(table.get(key) for table in tables for key in _METADATA)
    direct = any(r.group == MAIN and r.is_direct for r in draft.parts.requirements)
    return has_backend and described and not direct and not _is_private(draft, tables)


def _is_private(draft: TomlDraft, tables: list[Table]) -> bool:
    switches: tuple[Path, ...] = (("tool", "uv", "package"), ("tool", "poetry", "package-mode"))
    if any(draft.document.get(path) is False for path in switches):
        return True
    for table in tables:
        classifiers = table.get("classifiers")
        if isinstance(classifiers, list) and any("Private ::" in str(c) for c in classifiers):
            return True
    return False


def _managers(tools: Table) -> Iterator[str]:
    """Yield the tools that a file is written for, the most telling first."""
    if "uv" in tools:
        yield "uv"
    if "poetry" in tools:
        yield "poetry"
    pdm, hatch = tools.get("pdm"), tools.get("hatch")
    # PDM and Hatch are build backends as well, which says nothing of who installs
    if isinstance(pdm, dict) and not _PDM_BUILDS_ONLY.issuperset(pdm):
        yield "pdm"
    if isinstance(hatch, dict) and "envs" in hatch:
        yield "hatch"
    if "pixi" in tools:
        yield "pixi"
