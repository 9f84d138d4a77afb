"""pylock.toml and pylock.NAME.toml to the model."""

from __future__ import annotations

from mlenv.model.requirement import LockedPackage, canonical_name
from mlenv.project.locks.common import lock_source, python_statement
from mlenv.project.locks.toml_tables import read_tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Source
    from mlenv.model.text import SourceText
    from mlenv.project.locks.toml_entries import Entry


def read(text: SourceText) -> Source:
    """Return what a pylock.toml records.

    An entry may lack a version: one for a source tree or a repository must not have one.

    Source: PEP 751.
    """
    tables = read_tables(text, "packages")
    return lock_source(
        text,
        "pylock",
        [_package(entry) for entry in tables.entries],
        tables.problems,
        statements=python_statement(text, "requires-python", tables.string("", "requires-python")),
        generated_by=tables.string("", "created-by"),
    )


def _package(entry: Entry) -> LockedPackage:
    return LockedPackage(
        canonical_name(entry.written),
        entry.written,
        entry.string("version"),
        entry.span,
        origin=entry.string("index") or _direct_origin(entry),
        marker=entry.string("marker"),
        hashed=entry.hashed,
    )


def _direct_origin(entry: Entry) -> str:
    for kind in ("vcs", "directory", "archive"):
        place = entry.table(kind)
        origin = place.get("url") or place.get("path")
        if origin:
            return origin
    return ""
