"""Files that state a Python version and little else: .python-version, runtime.txt, .tool-versions.

Source: the documentation of pyenv, uv, Heroku and asdf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.source import CONTEXT, Source, Statement
from mlenv.model.text import SourceText
from mlenv.versions.version_set import VersionSet, pep440

_KINDS = {"runtime.txt": "runtime-txt", ".tool-versions": "tool-versions"}
_VERSION = re.compile(r"(?:(?:c?python|py)[-@]?)?(?P<version>\d+(?:\.\d+){0,2}\S*)", re.IGNORECASE)
_TOOL = re.compile(r"\s*python\s+(?P<version>[^\s#]+)")


def read(text: SourceText) -> Source:
    """Read the first version that the file states; the others are fallbacks of the same tool."""
    kind = _KINDS.get(text.path.rpartition("/")[2], "python-version")
    return Source(text, kind, CONTEXT, statements=tuple(_statements(text, kind)))


def _statements(text: SourceText, kind: str) -> Iterator[Statement]:
    offset = 0
    for raw in text.text.splitlines(keepends=True):
        line = raw.partition("#")[0].rstrip()
        blanks = len(line) - len(line.lstrip())
        match = _TOOL.match(line) if kind == "tool-versions" else _VERSION.fullmatch(line, blanks)
        if match is not None:
            value = match["version"]
            span = text.span(offset + match.start("version"), offset + match.end("version"))
            yield Statement("python", value, span, release_versions(value))
            return
        offset += len(raw)


def release_versions(value: str) -> VersionSet | None:
    """Return what a stated version admits: of one or two numbers, all their patch releases."""
    return pep440(f"=={value}" if value.count(".") >= 2 else f"=={value}.*")
