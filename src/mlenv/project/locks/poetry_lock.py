"""poetry.lock to the model."""

from __future__ import annotations

from mlenv.model.requirement import LockedPackage, canonical_name
from mlenv.project.locks.common import any_of, lock_source, python_statement
from mlenv.project.locks.toml_tables import read_tables
from mlenv.versions.poetry import poetry_versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Source
    from mlenv.model.text import SourceText
    from mlenv.project.locks.toml_entries import Entry, Tables


def read(text: SourceText) -> Source:
    """Return what a poetry.lock records.

    Before lock format 2 the digests stand at the end, in ``[metadata.files]`` or, older still, in
    ``[metadata.hashes]``. Where a package has markers per group, it is for any of them.

    Source: Poetry's ``poetry.packages.locker``, lock formats 1.0 to 2.1.
    """
    tables = read_tables(text, "package")
    digests = _names_with_digest(tables)
    python = tables.string("metadata", "python-versions")
    return lock_source(
        text,
        "poetry-lock",
        [_package(entry, digests) for entry in tables.entries],
        tables.problems,
        statements=python_statement(
            text, "python-versions", python, poetry_versions(python), after="[metadata]"
        ),
        generated_by="poetry",
    )


def _names_with_digest(tables: Tables) -> frozenset[str]:
    return frozenset(
        canonical_name(name)
        for header in ("metadata.files", "metadata.hashes")
        for table in tables.tables.get(header, ())
        for name, files in table.items()
        if files
    )


def _package(entry: Entry, digests: frozenset[str]) -> LockedPackage:
    name = canonical_name(entry.written)
    markers = entry.strings("markers") or entry.strings("marker")
    return LockedPackage(
        name,
        entry.written,
        entry.string("version"),
        entry.span,
        origin=entry.table("source").get("url", ""),
        marker=any_of(markers),
        hashed=entry.hashed or name in digests,
    )
