"""uv.lock to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlenv.model.requirement import LockedPackage, canonical_name
from mlenv.project.locks.common import any_of, lock_source, python_statement
from mlenv.project.locks.toml_tables import read_tables

if TYPE_CHECKING:
    from mlenv.model.source import Source
    from mlenv.model.text import SourceText
    from mlenv.project.locks.toml_entries import Entry


def read(text: SourceText) -> Source:
    """Return what a uv.lock records.

    The origin is the value of ``source``: the index, the repository with its revision, or the
    path of a workspace member, which may have no version. The marker joins the forks that a
    package is for (``resolution-markers``).

    Source: uv's documentation, "Project layout: the lockfile"; uv-resolver's ``Lock``.
    """
    tables = read_tables(text, "package")
    return lock_source(
        text,
        "uv-lock",
        [_package(entry) for entry in tables.entries],
        tables.problems,
        statements=python_statement(text, "requires-python", tables.string("", "requires-python")),
        generated_by="uv",
    )


def _package(entry: Entry) -> LockedPackage:
    return LockedPackage(
        canonical_name(entry.written),
        entry.written,
        entry.string("version"),
        entry.span,
        origin=next(iter(entry.table("source").values()), ""),
        marker=any_of(entry.strings("resolution-markers")),
        hashed=entry.hashed,
    )
