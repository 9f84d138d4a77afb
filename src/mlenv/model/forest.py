"""What installed distributions need of each other, as a graph and as what is drawn of it."""

from __future__ import annotations

from collections.abc import Mapping

from mlenv.records import dataclass

FITS = "fits"
MISSING = "missing"
CONFLICT = "conflict"
UNKNOWN = "unknown"
"""How a requirement is met: by what is installed, by nothing, by a version that it does not admit;
or that cannot be told."""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """One distribution that needs another.

    Attributes:
        origin: The canonical name of the one that needs.
        name: The canonical name of the one that is needed.
        specifier: The versions that are admitted, as written; empty for any.
        extras: The extras that are asked for, as written.
        state: ``fits``, ``missing``, ``conflict`` or ``unknown``.
    """

    origin: str
    name: str
    specifier: str = ""
    extras: tuple[str, ...] = ()
    state: str = FITS


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Who needs whom.

    Attributes:
        versions: Of what is installed, by canonical name.
        edges: What each distribution needs, in order of name, by canonical name.
        roots: Those that somebody asked for, or that nothing needs.
    """

    versions: Mapping[str, str]
    edges: Mapping[str, tuple[Edge, ...]]
    roots: tuple[str, ...]

    def reversed(self) -> Mapping[str, tuple[Edge, ...]]:
        """Return the edges by the name of what is needed."""
        found: dict[str, list[Edge]] = {name: [] for name in self.edges}
        for edges in self.edges.values():
            for edge in edges:
                found.setdefault(edge.name, []).append(edge)
        return {name: tuple(edges) for name, edges in found.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Twig:
    """One place of a tree that is drawn.

    Attributes:
        name: The canonical name of what stands there.
        depth: 0 for a root.
        edge: Through which it was reached; None for a root.
        is_above: Whether what follows from it was drawn at an earlier place.
        is_cut: Whether more would follow than is drawn.
    """

    name: str
    depth: int
    edge: Edge | None = None
    is_above: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Weight:
    """What a distribution takes of the disk.

    Attributes:
        name: Canonical name.
        own: Bytes of its own.
        frees: Bytes that would be free without it: its own, and those of what only it needs.
        alone: The others that would go with it, the largest first.
    """

    name: str
    own: int
    frees: int
    alone: tuple[str, ...]
