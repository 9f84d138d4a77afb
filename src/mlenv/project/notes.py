"""Scripts and notes that nothing reads as a manifest, and that may say where packages are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from mlenv.model.mention import index_mention
from mlenv.model.source import CONTEXT, LOCK, Source
from mlenv.model.text import SourceText
from mlenv.paths import folders_above

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Span
    from mlenv.project.files import Tree

_NAME = (
    r"(?i)(?:gnu)?makefile|justfile|taskfile\.ya?ml|tox\.ini|noxfile\.py|pip\.(?:conf|ini)"
    r"|.+\.(?:mk|sh|bash|bat|cmd|ps1|md|rst)"
)
_FOLDERS = ("", "scripts", "script", "docs", "doc", "docker", "tools", "bin", "ci")
_MOST = 100
"""How many files are looked at."""
_BYTES = 1 << 20


def find_index_note(tree: Tree, sources: Iterable[Source]) -> Span | None:
    """Return a place in a script or in documentation that speaks of an index.

    It is only looked for where a manifest asks for a build that PyPI cannot hold: at the top, in
    the usual folders for scripts and documentation, and beside such a manifest and above it.

    Args:
        tree: The folder under audit.
        sources: What was read of it.
    """
    asking = [source for source in sources if _asks_for_builds(source)]
    if not asking:
        return None
    folders = dict.fromkeys(_FOLDERS)
    for source in asking:
        folders.update(dict.fromkeys(folders_above(source.path)))
    paths = [path for folder in folders for path in _names(tree.root, folder)]
    for path in paths[:_MOST]:
        text = tree.read(path, limit=_BYTES)
        found = index_mention(text) if isinstance(text, SourceText) else None
        if found is not None:
            return found
    return None


def _asks_for_builds(source: Source) -> bool:
    if source.role in (CONTEXT, LOCK) or "+" not in source.text.text:
        return False
    exact = (requirement.versions.exact for requirement in source.requirements)
    return any(version is not None and version.local for version in exact)


def _names(root: str, folder: str) -> list[str]:
    try:
        with os.scandir(os.path.join(root, folder)) as entries:
            found = [entry.name for entry in entries if re.fullmatch(_NAME, entry.name)]
    except OSError:
        return []
    return [f"{folder}/{name}".lstrip("/") for name in sorted(found)]
