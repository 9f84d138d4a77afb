"""pdm.lock to the model."""

from __future__ import annotations

from mlenv.model.requirement import LockedPackage, canonical_name
from mlenv.project.locks.common import lock_source, python_statement
from mlenv.project.locks.toml_tables import read_tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Source
    from mlenv.model.text import SourceText
    from mlenv.project.locks.toml_entries import Entry, Tables


def read(text: SourceText) -> Source:
    """Return what a pdm.lock records.

    Before lock format 4.3 the digests stand in ``[metadata.files]``, keyed by name and version.
    The interpreter is stated per target since format 4.5; it is told where the targets agree.

    Source: PDM's ``pdm.project.lockfile``, lock formats 3 to 4.5.
    """
    tables = read_tables(text, "package")
    digests = _names_with_digest(tables)
    return lock_source(
        text,
        "pdm-lock",
        [_package(entry, digests) for entry in tables.entries],
        tables.problems,
        statements=python_statement(
            text,
            "requires_python",
            tables.string("metadata.targets", "requires_python"),
            after="[[metadata.targets]]",
        ),
        generated_by="pdm",
    )


def _names_with_digest(tables: Tables) -> frozenset[str]:
    return frozenset(
        canonical_name(key.partition(" ")[0].partition("[")[0])
        for table in tables.tables.get("metadata.files", ())
        for key, files in table.items()
        if files
    )


def _package(entry: Entry, digests: frozenset[str]) -> LockedPackage:
    name = canonical_name(entry.written)
    return LockedPackage(
        name,
        entry.written,
        entry.string("version"),
        entry.span,
        origin=entry.string("git") or entry.string("url") or entry.string("path"),
        marker=entry.string("marker"),
        hashed=entry.hashed or name in digests,
    )
