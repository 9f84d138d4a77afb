"""Which node of a graph every way from its roots to another one leads over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

ROOT = ""
"""Stands before all roots."""


def dominators(following: Mapping[str, Sequence[str]], roots: Sequence[str]) -> dict[str, str]:
    """Return for each node that is reached the nearest one which all ways to it lead over.

    Args:
        following: The nodes that each node leads to.
        roots: Where the ways begin.

    Returns:
        By node; :data:`ROOT` for one that no single other node leads to.

    Source: Lengauer and Tarjan, "A fast algorithm for finding dominators in a flowgraph", 1979,
    the version with path compression alone.
    """
    order, parents = _walked(following, roots)
    number = {name: at for at, name in enumerate(order)}
    before: list[list[int]] = [[] for _ in order]
    for name in order:
        for next_one in roots if name == ROOT else following.get(name, ()):
            before[number[next_one]].append(number[name])
    semi = list(range(len(order)))
    nearest = [0] * len(order)
    compress = _Compression(len(order), semi)
    buckets: list[list[int]] = [[] for _ in order]
    for at in range(len(order) - 1, 0, -1):
        semi[at] = min(semi[compress.lowest(one)] for one in before[at])
        buckets[semi[at]].append(at)
        parent = parents[at]
        compress.join(parent, at)
        for held in buckets[parent]:
            low = compress.lowest(held)
            nearest[held] = low if semi[low] < semi[held] else parent
        buckets[parent].clear()
    for at in range(1, len(order)):
        if nearest[at] != semi[at]:
            nearest[at] = nearest[nearest[at]]
    return {order[at]: order[nearest[at]] for at in range(1, len(order))}


def _walked(
    following: Mapping[str, Sequence[str]], roots: Sequence[str]
) -> tuple[list[str], list[int]]:
    """Return the nodes as a walk into the depth meets them, and the number of each one's parent."""
    order, parents = [ROOT], [0]
    seen = {ROOT}
    waiting: list[tuple[int, Iterator[str]]] = [(0, iter(roots))]
    while waiting:
        parent, names = waiting[-1]
        name = next((one for one in names if one not in seen), None)
        if name is None:
            waiting.pop()
            continue
        seen.add(name)
        waiting.append((len(order), iter(following.get(name, ()))))
        order.append(name)
        parents.append(parent)
    return order, parents


class _Compression:
    """A forest in which ways to the root are shortened whenever they are walked."""

    def __init__(self, size: int, semi: list[int]) -> None:
        self._above: list[int | None] = [None] * size
        self._low = list(range(size))
        self._semi = semi

    def join(self, parent: int, child: int) -> None:
        self._above[child] = parent

    def lowest(self, at: int) -> int:
        """Return the node with the least semidominator on the way to a root, without the root."""
        if self._above[at] is None:
            return at
        way = []
        while (above := self._above[at]) is not None and self._above[above] is not None:
            way.append(at)
            at = above
        for one in reversed(way):
            over = self._above[one]
            assert over is not None
            if self._semi[self._low[over]] < self._semi[self._low[one]]:
                self._low[one] = self._low[over]
            self._above[one] = self._above[over]
        return self._low[way[0] if way else at]
