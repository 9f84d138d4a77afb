"""uv.toml: what uv's settings say outside of pyproject.toml, so far as places for packages go.

Source: uv's documentation, "Configuration files".
"""

from __future__ import annotations

from mlenv.model.source import CONTEXT, Packaging, Source
from mlenv.project.manifests.toml_draft import TomlDraft
from mlenv.project.manifests.toml_recovery import open_toml
from mlenv.project.manifests.uv import read_settings
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText

KIND = "uv-toml"


def read(text: SourceText) -> Source:
    """Read a uv.toml, whose top level is what ``[tool.uv]`` is elsewhere; never raises."""
    document, problems = open_toml(text)
    if document is None:
        return Source(text, KIND, CONTEXT, problems=tuple(problems))
    draft = TomlDraft(document, problems)
    read_settings(draft, ())
    return replace(draft.finish(KIND, Packaging()), role=CONTEXT, packaging=None)
