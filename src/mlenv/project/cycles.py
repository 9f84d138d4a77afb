"""Includes that lead in a circle."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.project import ResolvedInclude, Unread
from mlenv.model.source import INCLUDE_CYCLE, Source


def cycles(sources: dict[str, Source], includes: tuple[ResolvedInclude, ...]) -> list[Unread]:
    """Return the includes that lead back to a file that is being read."""
    targets: dict[str, list[ResolvedInclude]] = {}
    for include in includes:
        targets.setdefault(include.origin, []).append(include)
    done: set[str] = set()
    found: list[Unread] = []
    for start in sources:
        found.extend(_cycles_from(start, targets, done))
    return found


def _cycles_from(
    start: str, targets: dict[str, list[ResolvedInclude]], done: set[str]
) -> Iterator[Unread]:
    # by hand rather than by recursion: a chain of includes may be longer than Python's stack
    open_files: set[str] = set()
    stack: list[tuple[str, int]] = [(start, 0)]
    while stack:
        path, at = stack.pop()
        if at == 0 and path in done:
            continue
        open_files.add(path)
        following = targets.get(path, [])
        if at == len(following):
            done.add(path)
            open_files.discard(path)
            continue
        stack.append((path, at + 1))
        include = following[at]
        if include.target in open_files:
            reason = "it includes itself in the end"
            yield Unread(include.target, reason, include.include.span, INCLUDE_CYCLE)
        else:
            stack.append((include.target, 0))
