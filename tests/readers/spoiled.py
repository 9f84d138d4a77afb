"""Files spoiled in many ways, and a check that what a reader makes of them stands where it says."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.source import Source
    from mlenv.model.text import Span

_NOISE = "\0\t\r\n \"'{}[]()<>|&*!%@`$#,:;-=~\\\x85\u2028\ud800é😀0a"


def spoiled(text: str, count: int) -> Iterator[str]:
    """Yield variants of a text: lines lost, doubled, swapped and cut, and characters exchanged."""
    chance = random.Random(text)
    for _ in range(count):
        lines = text.splitlines(keepends=True)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(lines))
            lines[at : at + 1] = _changed(lines, at, chance)
            lines = lines or [""]
        yield "".join(lines)


def _changed(lines: list[str], at: int, chance: random.Random) -> list[str]:
    line = lines[at]
    place = chance.randint(0, len(line))
    noise = "".join(chance.choices(_NOISE, k=chance.randint(1, 3)))
    return chance.choice(
        (
            [],
            [line, line],
            [line, chance.choice(lines)],
            [line[:place]],
            [line[:place] + noise + line[place:]],
            [line[:place] + noise + line[place + 1 :]],
            ["".join(chance.sample(line, len(line)))],
        )
    )


def assert_inside(source: Source) -> None:
    """Fail where a place lies outside of its file."""
    for span in _spans(source):
        assert span.source is source.text
        assert 0 <= span.start <= span.end <= len(source.text.text)


def _spans(source: Source) -> Iterator[Span]:
    for requirement in source.requirements:
        named = (requirement.span, requirement.name_span, requirement.specifier_span)
        yield from (span for span in named if span is not None)
    for problem in source.problems:
        yield problem.span
    yield from (part.span for part in source.includes)
    yield from (part.span for part in source.indexes)
    yield from (part.span for part in source.channels)
    yield from (part.span for part in source.statements)
    yield from (part.span for part in source.stages)
    for command in source.commands:
        yield command.span
        yield from command.redirections
        yield from (one.span for one in command.requirements)
        yield from (one.span for one in command.system_packages)
        yield from (one.span for one in command.files)
