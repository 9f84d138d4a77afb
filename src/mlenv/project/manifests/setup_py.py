"""setup.py, read from its syntax tree and never run.

Source: setuptools' documentation, "Keywords"; Python's, "Abstract Syntax Trees".
"""

from __future__ import annotations

import ast
import re
import warnings

from mlenv.model.marker import conjunction
from mlenv.model.requirement import MAIN, PYPI, Requirement, canonical_name
from mlenv.model.source import TEMPLATE, UNREADABLE_FILE, Problem, Source
from mlenv.project.conflicts import without_conflicts
from mlenv.project.manifests.setup_depth import is_too_deep
from mlenv.project.manifests.setup_draft import GROUPS, METADATA, SetupDraft, extra_group
from mlenv.project.manifests.setup_evaluator import TooMuchError
from mlenv.project.manifests.setup_script import Script
from mlenv.project.manifests.setup_values import (
    MAX_ITEMS,
    File,
    Items,
    Places,
    Table,
    Text,
    Unknown,
    Value,
    members,
)
from mlenv.project.pep508 import Refusal, read_marker
from mlenv.versions.version_set import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.marker import Marker
    from mlenv.model.text import Fragment, SourceText, Span

KIND = "setup-py"
_MAX_DEPTH = 3
_FIELDS = (*GROUPS, "extras_require", "python_requires")
_NO_LISTS = (".py", ".md", ".rst", ".toml", ".json", ".cfg", ".yaml", ".yml")
"""Files that a setup.py reads for other ends than to take their lines as requirements."""
_HEAD = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*[<>=!~@\[;]")
_UNTOLD = "only running setup.py tells what stands here"
_TOO_MUCH = "the file takes more steps to follow than a setup.py has reason to"
_CONDITIONAL = "depends on a condition that only running setup.py tells"


def read(text: SourceText) -> Source:
    """Read a setup.py; never raises and runs nothing of it.

    Args:
        text: The file.

    Returns:
        The source; its role is ``context`` where the file calls no ``setup`` or leaves all to
        another file. What cannot be told without running it is a problem, and no requirement.
    """
    stand_in, problems = without_conflicts(text)
    draft = SetupDraft(text, problems)
    module = _parse(text, stand_in, draft)
    if module is None:
        return draft.finish(KIND, published=False)
    script = Script(Places(text))
    try:
        script.follow(module)
    except TooMuchError:
        span = text.line_span(1)
        draft.parts.problems.append(Problem(TEMPLATE, span, _TOO_MUCH, fatal=False))
    reader = _Reader(draft, script)
    reader.run()
    return draft.finish(KIND, published=reader.is_published())


def _parse(text: SourceText, stand_in: str, draft: SetupDraft) -> ast.Module | None:
    line, reason = 1, "its expressions nest too deeply"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes that Python will refuse one day
            if not is_too_deep(stand_in):
                return ast.parse(stand_in)
    except SyntaxError as error:
        line, reason = error.lineno or 1, str(error.msg)
    except (RecursionError, MemoryError):
        pass  # the same again, found by Python itself
    except ValueError:  # NULs, and halves of surrogate pairs
        reason = "it holds characters that are no Python"
    if not draft.parts.problems:
        span = text.line_span(min(max(line, 1), len(text.line_starts)))
        detail = f"Python 3 cannot parse it: {reason}"
        draft.parts.problems.append(Problem(UNREADABLE_FILE, span, detail, fatal=False))
    return None


class _Reader:
    """Takes what ``setup`` is given to pieces."""

    def __init__(self, draft: SetupDraft, script: Script) -> None:
        self.draft = draft
        self.values: dict[str, Value] = {}
        self.rest: tuple[Unknown, ...] = ()
        self.told: set[Span] = set()
        self.room = MAX_ITEMS
        for _, values, rest in script.setups:
            if not self.values or self._is_richer(values):
                self.values, self.rest = values, rest

    def _is_richer(self, values: dict[str, Value]) -> bool:
        return not any(name in self.values for name in _FIELDS) and any(
            name in values for name in _FIELDS
        )

    def is_published(self) -> bool:
        """Whether the metadata is such as only an index needs."""
        value = self.values.get("classifiers", Items())
        private = any(
            isinstance(item.value, Text) and "Private ::" in item.value.value
            for item in members(value)
        )
        return not METADATA.isdisjoint(self.values) and not private

    def run(self) -> None:
        """Read every field."""
        name = self.values.get("name")
        if isinstance(name, Text) and name.value.strip():
            self.draft.name = name.fragment
        pythons = self.values.get("python_requires")
        if isinstance(pythons, Text):
            self.draft.state_python(pythons.fragment.stripped())
        elif isinstance(pythons, Unknown):
            self._untold(pythons.span)
        for field, group in GROUPS.items():
            if field in self.values:
                self._requirements(self.values[field], group, None)
        self._extras(self.values.get("extras_require"))
        links = self.values.get("dependency_links")
        if links is not None:
            found = [i.value.fragment for i in members(links) if isinstance(i.value, Text)]
            if found:
                self.draft.drop_links(found[0].whole, found)
        if self.rest and not any(name in self.values for name in _FIELDS):
            self._untold(self.rest[0].span)

    def _extras(self, value: Value | None) -> None:
        if not isinstance(value, Table):
            span = _span(value) if value is not None else None
            if span is not None:
                self._untold(span)
            return
        if sum(len(members(one)) for one in value.values.values()) > MAX_ITEMS:
            self._untold(self.draft.text.line_span(1), _TOO_MUCH)
            return
        for key, requirements in _composed(value, self.draft).items():
            name, colon, condition = key.partition(":")
            marker = read_marker(condition) if colon else None
            if isinstance(marker, Refusal):
                marker = None
            group = extra_group(name) if name.strip() else MAIN
            self._requirements(requirements, group, marker)
        for rest in value.rest:
            self._untold(rest.span)

    def _requirements(
        self, value: Value, group: str, marker: Marker | None, depth: int = 0
    ) -> None:
        for item in members(value):
            self.room -= 1
            is_deep = isinstance(item.value, Items) and depth >= _MAX_DEPTH
            if self.room < 0 or is_deep:
                self._untold(self.draft.text.line_span(1), _TOO_MUCH)
                return
            if isinstance(item.value, Items):
                self._requirements(item.value, group, conjunction(marker, item.marker), depth + 1)
            elif not item.is_unsure:
                self._requirement(item.value, group, conjunction(marker, item.marker))
            elif (span := _span(item.value)) is not None:
                self._untold(span, _CONDITIONAL)

    def _requirement(self, value: Value, group: str, marker: Marker | None) -> None:
        if isinstance(value, Text):
            for line in _lines(value.fragment):
                self.draft.requirement(line, group, marker)
        elif isinstance(value, File) and value.target.endswith(_NO_LISTS):
            self._untold(value.span)
        elif isinstance(value, File):
            self.draft.include(value.target, value.span, group, anywhere=value.anywhere)
        elif isinstance(value, Unknown):
            self._outline(value, group)

    def _outline(self, value: Unknown, group: str) -> None:
        """Keep the name of a requirement whose version is put in when setup.py runs."""
        self._untold(value.span)
        match = _HEAD.match(value.head)
        if match is None:
            return
        self.draft.parts.requirements.append(
            Requirement(
                canonical_name(match[1]),
                match[1],
                PYPI,
                value.span,
                versions=unknown(value.head[match.end(1) :].strip()),
                group=group,
            )
        )

    def _untold(self, span: Span, detail: str = _UNTOLD) -> None:
        if span not in self.told:
            self.told.add(span)
            self.draft.parts.problems.append(Problem(TEMPLATE, span, detail, fatal=False))


def _composed(extras: Table, draft: SetupDraft) -> dict[str, Value]:
    """Return the extras without what they take over whole from others, which is noted.

    ``extras["dev"] = extras["test"] + extras["docs"]`` holds the very members of the two.
    """
    lists = {key: members(value) for key, value in extras.values.items() if ":" not in key}
    holders = {id(item): key for key in reversed(lists) for item in lists[key]}
    found = dict(extras.values)
    for key, items in lists.items():
        rest = {id(item): item for item in items}
        whole = frozenset(rest)
        for other in dict.fromkeys(holders[id(item)] for item in items):
            taken = {id(item) for item in lists[other]}
            if other != key and taken <= whole:
                draft.bring(extra_group(key), (extra_group(other),))
                for item in taken:
                    rest.pop(item, None)
        if len(rest) < len(items):
            found[key] = Items(tuple(rest.values()))
    return found


def _span(value: Value) -> Span | None:
    if isinstance(value, Text):
        return value.fragment.whole
    return value.span if isinstance(value, Unknown | File) else None


def _lines(fragment: Fragment) -> list[Fragment]:
    """Return the lines of a string, each of which setuptools reads as a requirement."""
    found = []
    begin = 0
    for line in fragment.text.split("\n"):
        found.append(fragment.part(begin, begin + len(line)))
        begin += len(line) + 1
    return found
