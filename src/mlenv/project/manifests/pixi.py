"""pixi.toml. Source: pixi's documentation, "Manifest reference"."""

from __future__ import annotations

from mlenv.model.requirement import canonical_name
from mlenv.model.source import Packaging, Source
from mlenv.project.manifests import pixi_tables
from mlenv.project.manifests.toml_draft import TomlDraft
from mlenv.project.manifests.toml_recovery import open_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText

KIND = "pixi"


def read(text: SourceText) -> Source:
    """Read a pixi.toml; never raises."""
    document, problems = open_toml(text)
    if document is None:
        return Source(text, KIND, problems=tuple(problems))
    draft = TomlDraft(document, problems)
    pixi_tables.read(draft, ())
    path = (*pixi_tables.workspace(draft, ()), "name")
    name = canonical_name(draft.text(path))
    span = document.fragment(path).whole if name else None
    return draft.finish(KIND, Packaging(name, span, manager=KIND))
