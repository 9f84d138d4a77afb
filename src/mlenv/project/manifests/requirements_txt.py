"""requirements.txt, .in and constraints files: pip's line syntax with exact spans.

Source: pip's documentation, "Requirements File Format", and the behaviour of pip 26.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.requirement import CONSTRAINT, REQUIREMENT, LockedPackage, Requirement
from mlenv.model.source import (
    LOCK,
    MANIFEST,
    NOT_A_MANIFEST,
    UNREADABLE_LINE,
    Problem,
    Source,
)
from mlenv.model.text import Fragment, SourceText, Span
from mlenv.project.collect import Collector
from mlenv.project.conflicts import conflict_problems, is_marker
from mlenv.project.manifests import requirement_comments as comments
from mlenv.project.manifests.requirement_options import read_entry

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_COMMENT_LINE = re.compile(r"\s*#")
_COLUMNS = re.compile(r"[A-Za-z0-9][\w.-]*(?:\s{2,}|\t+)v?\d[\w.+!-]*(?:\s+\S+)?")
_COLUMNS_HEAD = re.compile(r"Package\s+Version\b.*|-{3,}(?:\s+-{3,})*")
_VIA = "# via"
_BY_INPUT = r"#[^\n]*(?:-r \S|\((?:pyproject\.toml|setup\.py|setup\.cfg)\))"
_FEW = 4


def read(text: SourceText, *, constraint: bool = False) -> Source:
    """Read a requirements or constraints file.

    Args:
        text: The file.
        constraint: Whether it only constrains (``-c``).

    Returns:
        The source; its role is ``lock`` where a tool wrote it from other files or from an
        environment, since it then records what was chosen.
    """
    collector = Collector(kind=CONSTRAINT if constraint else REQUIREMENT)
    reader = _Reader(text, collector)
    reader.run()
    problems = _condensed(collector.problems, reader)
    author = comments.author(reader.header, collector.requirements, reader.comment_count)
    is_lock = bool(author) and not constraint
    return Source(
        text,
        "constraints" if constraint else "requirements",
        LOCK if is_lock else MANIFEST,
        tuple(collector.requirements),
        _locked(text, collector.requirements) if is_lock else (),
        tuple(problems),
        tuple(collector.includes),
        tuple(collector.indexes),
        statements=tuple(collector.statements),
        generated_by=author,
        compiled_from=comments.compiled_from(reader.header, author),
    )


class _Reader:
    """Goes through the logical lines of a file once."""

    def __init__(self, text: SourceText, collector: Collector) -> None:
        self.text = text
        self.collector = collector
        self.conflicts: list[Span] = []
        self.columns: list[Span] = []
        self.header: list[str] = []
        self.line_count = 0
        self.comment_count = 0

    def run(self) -> None:
        for line in logical_lines(self.text):
            comment = _COMMENT.search(line.text) if "#" in line.text else None
            if comment is not None:
                self._comment(line, comment)
            entry = (line.part(0, comment.start()) if comment else line).stripped()
            if entry.text:
                self.line_count += 1
                self._line(entry)

    def _comment(self, fragment: Fragment, comment: re.Match[str]) -> None:
        self.comment_count += 1
        text = comment.group().strip()
        if not self.line_count or len(self.header) < comments.HEADER_LINES:
            self.header.append(text)
        statement = comments.statement(text, fragment.part(comment.start(), comment.end()))
        if statement is not None:
            self.collector.statements.append(statement)

    def _line(self, fragment: Fragment) -> None:
        if fragment.text[0] in "<=>|" and is_marker(fragment.text):
            self.conflicts.append(fragment.whole)
        elif _COLUMNS.fullmatch(fragment.text) or _COLUMNS_HEAD.fullmatch(fragment.text):
            self.columns.append(fragment.whole)
        else:
            read_entry(fragment, self.collector)


def logical_lines(text: SourceText) -> Iterator[Fragment]:
    """Yield the lines of a file with continuations joined, comments and blanks still on them.

    A backslash at a line's end joins it with the next one, unless it ends a comment line; a
    comment line ends a continuation. Blank lines are left out.
    """
    offset = 0
    joined: list[str] = []
    pieces: list[tuple[int, int]] = []
    start = length = 0
    for raw in text.text.splitlines(keepends=True):
        line = raw.rstrip("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
        goes_on = line.endswith("\\") and not _COMMENT_LINE.match(line)
        if not joined and not goes_on:
            if line and not line.isspace():
                yield Fragment.of(text, offset, offset + len(line))
        else:
            start = start if joined else offset
            kept = line.rstrip("\\") if goes_on else line
            pieces.append((length, offset))
            joined.append(kept)
            length += len(kept)
            if not goes_on:
                whole = Span(text, start, offset + len(line))
                yield Fragment("".join(joined), whole, tuple(pieces))
                joined, pieces, length = [], [], 0
        offset += len(raw)
    if joined:
        yield Fragment("".join(joined), Span(text, start, offset), tuple(pieces))


def _condensed(problems: list[Problem], reader: _Reader) -> list[Problem]:
    """Return the problems with those of one cause said once."""
    refused = list({p.span.line: p for p in problems if p.kind == UNREADABLE_LINE}.values())
    if reader.columns and len(reader.columns) < _FEW:
        problems = problems + [_column_problem(span) for span in reader.columns]
    if len(reader.columns) >= _FEW:
        problems = [_not_a_manifest(reader.columns, "is laid out in columns, as pip list prints")]
    elif len(refused) >= _FEW and 2 * len(refused) > reader.line_count:
        rest = [problem for problem in problems if problem.kind != UNREADABLE_LINE]
        problems = [*rest, _mostly_refused(refused)]
    problems = problems + conflict_problems(reader.conflicts)
    return sorted(problems, key=lambda problem: problem.span.start)


def _column_problem(span: Span) -> Problem:
    name, _, rest = span.text.partition(" ")
    version = rest.strip().split()[0] if rest.strip() else ""
    return Problem(
        UNREADABLE_LINE,
        span,
        "a name and a version with nothing but blanks between them",
        name,
        f"write {name}=={version}" if version else "",
    )


def _mostly_refused(refused: list[Problem]) -> Problem:
    """Return what is wrong with a file of which installers refuse most lines."""
    first = refused[0]
    if any(problem.detail != first.detail for problem in refused):
        spans = [problem.span for problem in refused]
        return _not_a_manifest(spans, "holds mostly text that is no requirement")
    detail = f"installers cannot read {len(refused)} lines of this file: {first.detail}"
    return Problem(NOT_A_MANIFEST, first.span, detail, help=first.help)


def _not_a_manifest(spans: list[Span], what: str) -> Problem:
    return Problem(
        NOT_A_MANIFEST,
        spans[0],
        f"the file {what}: {len(spans)} of its lines",
        help="write one requirement a line; pip freeze prints what is installed in that form",
    )


def _locked(text: SourceText, requirements: list[Requirement]) -> tuple[LockedPackage, ...]:
    found = []
    is_annotated = _VIA in text.text
    ends = [*(requirement.span.start for requirement in requirements[1:]), len(text.text)]
    for requirement, end in zip(requirements, ends, strict=False):
        version = requirement.versions.exact
        if requirement.name and version is not None:
            found.append(
                LockedPackage(
                    requirement.name,
                    requirement.written,
                    version.text,
                    requirement.name_span or requirement.span,
                    origin=requirement.url,
                    marker=str(requirement.marker or ""),
                    hashed=bool(requirement.hashes),
                    wanted=_is_wanted(text, requirement, end) if is_annotated else None,
                )
            )
    return tuple(found)


def _is_wanted(text: SourceText, requirement: Requirement, end: int) -> bool:
    """Whether the comment behind a compiled requirement names an input file as its cause."""
    return re.search(_BY_INPUT, text.text[requirement.span.end : end]) is not None
