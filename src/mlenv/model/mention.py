"""Whether a text speaks of a place for packages, in whatever form."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText, Span

_MENTION = (
    r"--(?:extra-)?index-url|--index-strategy|--find-links|(?<!\S)-[fi][ \t=]+[\"']?http|"
    r"\b(?:PIP|UV)_(?:[A-Z_]*INDEX|FIND_LINKS)|\b(?:extra-)?index-url\b|torch[-_]backend|/whl/"
)


def index_mention(text: SourceText) -> Span | None:
    """Return the first place in a text that speaks of an index or of links to wheels."""
    match = re.search(_MENTION, text.text)
    return text.span(*match.span()) if match else None
