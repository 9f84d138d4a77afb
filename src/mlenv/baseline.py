"""Findings that a project has accepted for now, kept in a file: a later audit tells the new ones.

A record names rule, file, packages and declaration, and never a line: moving lines, blanks and
comments keep it, another version or another file does not.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_right

from mlenv import __version__
from mlenv.errors import UsageError
from mlenv.records import dataclass, field
from mlenv.report.escape import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from mlenv.model.finding import Finding
    from mlenv.model.requirement import Requirement
    from mlenv.model.source import Source
    from mlenv.model.text import Span

DEFAULT_FILE = "mlenv-baseline.json"
SCHEMA = 1
_MAX_BYTES = 64 << 20
_LONGEST = 200
"""How many characters of a declaration are kept; what is longer ends in a hash of all of it."""
_MOST_READ = 20_000
_NEAR = 8
"""How many declarations that begin before a place are looked at: they hardly nest."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one accepted finding is known by.

    Attributes:
        rule: The rule's code.
        file: The path, relative to the project's top.
        packages: Canonical names, sorted.
        declaration: What the file says there, without comments and with single blanks, credentials
            masked; empty, or a word for the cause, where the finding speaks of the whole file.
    """

    rule: str
    file: str
    packages: tuple[str, ...]
    declaration: str


@dataclass(slots=True)
class Ledger:
    """The findings of one run, held against a baseline.

    Attributes:
        known: The baseline: each record with how many findings of its kind it accepts.
        prefix: What leads from the project's top to the audited root.
        named: The files and folders that were asked for, relative to the top.
        unread: The files that were not read, relative to the top.
        ran: The codes of the rules that ran.
        rules: The codes of all rules.
        count: How many findings the baseline held.
        found: Every finding that nothing else silenced, as records with their number.
    """

    known: Mapping[Record, int]
    prefix: str = ""
    named: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()
    ran: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    count: int = 0
    found: dict[Record, int] = field(default_factory=dict)
    _declarations: dict[str, _Declarations] = field(default_factory=dict)

    def holds(self, code: str, finding: Finding, source: Source | None) -> bool:
        """Take a finding in, and return whether the baseline accepts it.

        Args:
            code: The rule's.
            finding: Before it is joined with others.
            source: The file that it is about.
        """
        path = finding.span.path
        if path not in self._declarations:
            self._declarations[path] = _Declarations(source)
        packages, declaration = self._declarations[path].of(finding)
        file = finding.span.described or self.prefix + path
        record = Record(code, _plain(file), packages, declaration)
        self.found[record] = self.found.get(record, 0) + 1
        held = self.found[record] <= self.known.get(record, 0)
        self.count += held
        return held

    @property
    def is_whole(self) -> bool:
        """Whether all of the project was audited."""
        return "" in self.named

    def leftover(self) -> dict[Record, int]:
        """Return the records that match nothing any more, each with how many it is too many.

        Only those that this run can judge: of rules that ran (or exist no more) and of files that
        were asked for.
        """
        return {
            record: number - self.found.get(record, 0)
            for record, number in self.known.items()
            if number > self.found.get(record, 0)
            and (record.rule in self.ran or record.rule not in self.rules)
            and record.file not in self.unread
            and is_below(record.file, self.named)
        }


def is_below(file: str, named: tuple[str, ...]) -> bool:
    """Return whether a file is one of those named, or lies in one of the folders named."""
    return any(not name or file == name or file.startswith(f"{name}/") for name in named)


class _Declarations:
    """The declarations of one file, to be found by place."""

    def __init__(self, source: Source | None) -> None:
        self._at: list[tuple[int, int, str, Requirement | None]] = []
        if source is not None:
            self._at = [(r.span.start, r.span.end, "", r) for r in source.requirements]
            self._at += [
                (p.span.start, p.span.end, f"{p.written} {p.version}", None) for p in source.locked
            ]
            self._at.sort(key=lambda one: one[:2])
        self._starts = [one[0] for one in self._at]

    def of(self, finding: Finding) -> tuple[tuple[str, ...], str]:
        """Return the packages and the declaration that a finding is known by."""
        text, requirement = self._around(finding.span)
        packages = tuple(sorted(set(finding.packages)))
        if finding.batch and not finding.batch_message:
            # it is never joined: what it stands on is an example of what it is about
            return (), _shortened(_plain(_tidy(finding.batch)))
        # what names no package, and stands on one all the same, is about the file
        if finding.span.end == finding.span.start or (
            not packages and (requirement.name if requirement else text)
        ):
            return (), ""
        said = {_tidy(text or finding.span.text[:_MOST_READ])}
        for related in finding.related:
            other, its = self._around(related.span)
            same_file = related.span.path == finding.span.path
            if same_file and its is not None and its.name in packages:
                said.add(_tidy(other))  # which of two comes first depends on their order
        return tuple(map(_plain, packages)), _shortened(_plain(" | ".join(sorted(said))))

    def _around(self, span: Span) -> tuple[str, Requirement | None]:
        """Return the declaration that a place lies in; nothing where it lies in none."""
        at = bisect_right(self._starts, span.start)
        for start, end, text, requirement in reversed(self._at[max(0, at - _NEAR) : at]):
            if start <= span.start and span.end <= end:
                stop = min(end, start + _MOST_READ)
                return text or span.source.text[start:stop], requirement
        return "", None


def _tidy(text: str) -> str:
    r"""Return a declaration on one line, without comments and the ``\`` that join lines."""
    if "\n" in text or "\r" in text:
        text = re.sub(r"\\\r?\n", " ", text)
    tidied = " ".join(re.sub(r"(?<=\s)#[^\r\n]*", "", text).split())
    return tidied or text.strip()


def _plain(text: str) -> str:
    """Return a text as the file keeps it: without credentials and without half characters."""
    return mask(text).encode("utf-8", "backslashreplace").decode("utf-8")


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    from hashlib import sha256  # declarations are rarely that long

    return f"{text[:_LONGEST]}… {sha256(text.encode()).hexdigest()[:16]}"


def written(records: Mapping[Record, int]) -> str:
    """Return a baseline's file: sorted, one record a line, so that changes to it are small."""
    head = {"schema": SCHEMA, "tool": {"name": "mlenv", "version": __version__}}
    lines = [f'  "{key}": {json.dumps(value)},' for key, value in head.items()]
    rows = ",\n".join(f"    {json.dumps(row)}" for row in _rows(records))
    lines.append(f'  "findings": [\n{rows}\n  ]' if rows else '  "findings": []')
    # CI runners take ``##[`` for a command wherever it stands in a log
    return ("{\n" + "\n".join(lines) + "\n}\n").replace("##", "\\u0023\\u0023")


def _rows(records: Mapping[Record, int]) -> Iterator[dict[str, object]]:
    for record in in_order(records):
        yield {
            "rule": record.rule,
            "file": record.file,
            "packages": record.packages,
            "declaration": record.declaration,
            "count": records[record],
        }


def in_order(records: Mapping[Record, int]) -> list[Record]:
    """Return records by file, then rule, then what they are about."""
    return sorted(records, key=lambda one: (one.file, one.rule, one.packages, one.declaration))


def read_baseline(path: str) -> dict[Record, int]:
    """Return the records of a baseline, each with how many findings it accepts.

    Args:
        path: The file.

    Raises:
        UsageError: It is missing, damaged, or written in a form that this version does not know.
    """
    if not os.path.isfile(path):
        raise UsageError(f"there is no baseline {path!r}: mlenv baseline write makes one")
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise UsageError(f"{path}: it is larger than {_MAX_BYTES >> 20} MiB")
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: it is no baseline: {error}") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if type(schema) is not int:
        raise UsageError(f"{path}: it is no baseline: it has no schema")
    if schema != SCHEMA:
        raise UsageError(f"{path}: its schema is {schema}, and this version knows {SCHEMA} only")
    return _records(document.get("findings"), path)


def _records(rows: object, path: str) -> dict[Record, int]:
    found: dict[Record, int] = {}
    if not isinstance(rows, list):
        raise UsageError(f"{path}: it is damaged: 'findings' must be a list")
    for number, row in enumerate(rows, start=1):
        record, count = _record(row)
        if record is None:
            raise UsageError(f"{path}: it is damaged: finding {number} is not as it was written")
        found[record] = found.get(record, 0) + count
    return found


def _record(row: Any) -> tuple[Record | None, int]:
    """Return the record of a row and its number; None where the row has not that form."""
    if not isinstance(row, dict):
        return None, 0
    texts = [row.get(key) for key in ("rule", "file", "declaration")]
    packages, count = row.get("packages"), row.get("count", 1)
    if not isinstance(packages, list) or not all(isinstance(t, str) for t in (*texts, *packages)):
        return None, 0
    if type(count) is not int or count < 1:
        return None, 0
    rule, file, declaration = map(str, texts)
    return Record(rule, file, tuple(packages), declaration), count
