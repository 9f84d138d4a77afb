"""Promise 2, as a check on whatever a reader made of a file: every span slices to what it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlenv.model.requirement import CONDA, canonical_name
from mlenv.versions.conda import conda_versions
from mlenv.versions.poetry import poetry_versions
from mlenv.versions.version_set import VersionSet, pep440

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.requirement import Requirement
    from mlenv.model.source import Source
    from mlenv.model.text import Span

_CONTINUATION = re.compile(r"\\+(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])")
_SHELL = re.compile(r"[\\$'\"#`\s{}]")


def assert_places(source: Source) -> None:
    """Fail where something that a reader found does not stand where it says."""
    text = source.text.text
    for span in _spans(source):
        assert span.source is source.text
        assert 0 <= span.start <= span.end <= len(text)
        line, column = source.text.position(span.start)
        assert 1 <= line <= len(source.text.line_starts)
        assert column >= 1
    for requirement in source.requirements:
        _assert_names(requirement)
        _assert_specifies(requirement, source)
    for package in source.locked:
        assert package.name


def _spans(source: Source) -> Iterator[Span]:
    for requirement in source.requirements:
        for span in (requirement.span, requirement.name_span, requirement.specifier_span):
            if span is not None:
                yield span
    for problem in source.problems:
        yield problem.span
        yield from (span for span, _ in problem.related)
    for parts in (source.locked, source.includes, source.indexes, source.channels):
        yield from (part.span for part in parts)
    yield from (statement.span for statement in source.statements)
    yield from (stage.span for stage in source.stages)
    for command in source.commands:
        yield command.span
        yield from command.redirections
        yield from (package.span for package in command.system_packages)
        yield from (requirement.span for requirement in command.requirements)
    if source.packaging is not None and source.packaging.span is not None:
        yield source.packaging.span


def _assert_names(requirement: Requirement) -> None:
    span = requirement.name_span
    if span is None:
        return
    written = _CONTINUATION.sub("", span.text)
    if requirement.ecosystem == CONDA:
        assert written.lower() in (requirement.name, requirement.written.lower())
    else:
        assert canonical_name(written) == requirement.name


def _assert_specifies(requirement: Requirement, source: Source) -> None:
    span = requirement.specifier_span
    if span is None or not requirement.versions.understood:
        return
    text = _CONTINUATION.sub("", span.text)
    if source.commands and _SHELL.search(text):
        return  # what a shell makes of it stands there in another form
    readings: list[VersionSet | None] = [pep440(text)]
    if requirement.ecosystem == CONDA:
        bare = text.replace(" ", "")
        readings = [conda_versions(bare), conda_versions(bare, exact=True)]
    elif source.kind in ("pyproject", "pixi", "pipfile"):
        # every tool has a dialect of its own; a bare version is exact in PDM's
        readings += [poetry_versions(text), pep440(f"=={text}"), conda_versions(text)]
    assert requirement.versions in readings
