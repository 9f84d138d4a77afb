"""What all readers of locks share: how a package, a statement and a problem are put together."""

from __future__ import annotations

import re

from mlenv.model.source import (
    LOCK,
    MERGE_CONFLICT,
    UNREADABLE_FILE,
    UNREADABLE_LINE,
    Problem,
    Source,
    Statement,
)
from mlenv.project.conflicts import is_marker, without_conflicts
from mlenv.versions.version_set import VersionSet, pep440, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlenv.model.requirement import LockedPackage
    from mlenv.model.text import SourceText, Span


def lock_source(
    text: SourceText,
    kind: str,
    locked: list[LockedPackage],
    problems: list[Problem],
    *,
    statements: tuple[Statement, ...] = (),
    generated_by: str = "",
    platform: str = "",
    compiled_from: tuple[str, ...] = (),
) -> Source:
    """Return the source for a lock.

    Args:
        text: The file.
        kind: Its format.
        locked: The packages that could be read.
        problems: What could not be read.
        statements: What it says of the interpreter.
        generated_by: The tool that wrote it.
        platform: The platform that it is bound to.
        compiled_from: The files that it was made from, as it names them.
    """
    return Source(
        text,
        kind,
        LOCK,
        locked=tuple(sorted(locked, key=_start)),
        problems=tuple(_conflict_first(text, problems)),
        statements=statements,
        generated_by=generated_by,
        platform=platform,
        compiled_from=compiled_from,
    )


def _start(package: LockedPackage) -> int:
    return package.span.start


def _conflict_first(text: SourceText, problems: list[Problem]) -> list[Problem]:
    """Return the problems, with a merge conflict in place of the syntax errors that it causes."""
    # without an error the marker stands in a string, where a parser takes no offence at it
    others = [problem for problem in problems if not _from_conflict(problem)]
    if len(others) == len(problems):
        return problems
    conflicts = without_conflicts(text)[1]
    return [*conflicts, *others] if conflicts else problems


def _from_conflict(problem: Problem) -> bool:
    return problem.kind in (MERGE_CONFLICT, UNREADABLE_FILE) or is_marker(problem.span.text)


def gather(
    results: Iterable[LockedPackage | Problem],
) -> tuple[list[LockedPackage], list[Problem]]:
    """Return packages and problems apart."""
    locked: list[LockedPackage] = []
    problems: list[Problem] = []
    for result in results:
        if isinstance(result, Problem):
            problems.append(result)
        else:
            locked.append(result)
    return locked, problems


def single_platform(locked: list[LockedPackage]) -> str:
    """Return the one platform that conda's packages are for; empty where there are more."""
    platforms = {package.platform for package in locked} - {"", "noarch"}
    return platforms.pop() if len(platforms) == 1 else ""


def file_problem(text: SourceText, line: int, detail: str) -> Problem:
    """Return the problem of a file that is not in its format.

    Args:
        text: The file.
        line: Where a parser stopped, counted from 1.
        detail: What it said.
    """
    line = max(1, min(line, len(text.line_starts)))
    return Problem(UNREADABLE_FILE, text.line_span(line), detail)


def entry_problem(span: Span, detail: str) -> Problem:
    """Return the problem of one entry that names no package."""
    return Problem(UNREADABLE_LINE, span, detail, fatal=False)


def any_of(markers: tuple[str, ...]) -> str:
    """Return the marker that holds where any of these holds."""
    unique = list(dict.fromkeys(markers))
    if len(unique) < 2:
        return "".join(unique)
    return " or ".join(f"({marker})" for marker in unique)


def python_statement(
    text: SourceText, key: str, value: str, versions: VersionSet | None = None, after: str = ""
) -> tuple[Statement, ...]:
    """Return what a lock says of the interpreter; nothing where it says nothing.

    Args:
        text: The file.
        key: The key that holds it.
        value: The key's value.
        versions: What the value admits, where it is not PEP 440 text.
        after: A line of the file after which the key stands.
    """
    if not value:
        return ()
    assigned = rf"""^[ \t]*["']?{re.escape(key)}["']?[ \t]*[=:][ \t]*["']({re.escape(value)})["']"""
    start = max(0, text.text.rfind(after)) if after else 0
    match = re.compile(assigned, re.MULTILINE).search(text.text, start)
    span = text.span(*match.span(1)) if match else text.line_span(1)
    return (Statement("python", value, span, versions or pep440(value) or unknown(value)),)
