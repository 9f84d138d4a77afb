"""uv.lock to the model."""

from __future__ import annotations

import re

from mlenv.model.requirement import LockedPackage, canonical_name
from mlenv.project.locks.common import any_of, lock_source, python_statement
from mlenv.project.locks.toml_tables import read_tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Source
    from mlenv.model.text import SourceText
    from mlenv.project.locks.toml_entries import Entry

_METADATA = re.compile(
    r"^requires-dist = \[(?:\n(?: .*\n)*\]|.*\]$)"
    r"|^\[package\.metadata\.requires-dev\]\n(?:[^\[\n].*\n)*",
    re.MULTILINE,
)
_MEMBER = re.compile(r"^source = \{ (?:virtual|editable) = ", re.MULTILINE)
_NAME = re.compile(r"\{ name = \"([^\"]+)\"")


def read(text: SourceText) -> Source:
    """Return what a uv.lock records.

    The origin is the value of ``source``: the index, the repository with its revision, or the
    path of a workspace member, which may have no version. The marker joins the forks that a
    package is for (``resolution-markers``).

    Source: uv's documentation, "Project layout: the lockfile"; uv-resolver's ``Lock``.
    """
    tables = read_tables(text, "package")
    wanted = _wanted(text.text)
    return lock_source(
        text,
        "uv-lock",
        [_package(entry, wanted) for entry in tables.entries],
        tables.problems,
        statements=python_statement(text, "requires-python", tables.string("", "requires-python")),
        generated_by="uv",
    )


def _wanted(text: str) -> frozenset[str]:
    """Return the canonical names that the members of the workspace ask for, as the lock has it."""
    found: set[str] = set()
    for block in _METADATA.finditer(text):
        package = text.rfind("[[package]]", 0, block.start())
        if _MEMBER.search(text, package, block.start()):
            found.update(canonical_name(name) for name in _NAME.findall(block.group()))
    return frozenset(found)


def _package(entry: Entry, wanted: frozenset[str]) -> LockedPackage:
    name = canonical_name(entry.written)
    return LockedPackage(
        name,
        entry.written,
        entry.string("version"),
        entry.span,
        origin=next(iter(entry.table("source").values()), ""),
        marker=any_of(entry.strings("resolution-markers")),
        hashed=entry.hashed,
        wanted=name in wanted if wanted else None,
    )
