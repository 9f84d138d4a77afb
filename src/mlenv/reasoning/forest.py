"""From requirements to a graph, to the tree that is drawn of it, and to what each package weighs.

A graph of packages has few nodes and many paths: drawn as it is, a tree of it can have more lines
than fit on any disk. So each package's needs are drawn once, and named at every other place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlenv.model.forest import CONFLICT, FITS, MISSING, UNKNOWN, Edge, Graph, Twig, Weight
from mlenv.reasoning.dominators import dominators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Environment
    from mlenv.reasoning.installed_requirements import Requirements
    from mlenv.reasoning.installed_verdict import Required

DEEPEST = 60
"""So many levels are drawn at most."""


def graph_of(environment: Environment, requirements: Requirements) -> Graph:
    """Return who needs whom in an environment, with what the requested extras bring.

    Args:
        environment: What is installed.
        requirements: Its requirements, judged for its own interpreter.
    """
    known = environment.distributions
    edges: dict[str, dict[str, Edge]] = {name: {} for name in known}
    for name, required in requirements.of.items():
        for one in required:
            _add(edges, name, one, requirements, environment)
    for asking in [one for required in requirements.of.values() for one in required if one.extras]:
        if asking.name in known:
            for one in requirements.brought(known[asking.name], asking.extras):
                _add(edges, asking.name, one, requirements, environment)
    whole = {name: tuple(found[one] for one in sorted(found)) for name, found in edges.items()}
    needed = {edge.name for found in whole.values() for edge in found if edge.origin != edge.name}
    # where a whole list was installed by name, the marks tell nothing apart
    is_marked = any(one.requested is False for one in known.values())
    roots = [
        name
        for name in known
        if name not in needed or (is_marked and known[name].requested is True)
    ]
    versions = {name: one.version for name, one in known.items()}
    return Graph(versions, whole, (*sorted(roots), *_left(whole, roots)))


def _add(
    edges: dict[str, dict[str, Edge]],
    origin: str,
    one: Required,
    requirements: Requirements,
    environment: Environment,
) -> None:
    state = MISSING
    if one.name in environment.distributions:
        admits = requirements.admits(one)
        state = UNKNOWN if admits is None else FITS if admits else CONFLICT
    known = edges[origin].get(one.name)
    if one.name != origin and (known is None or known.state == FITS):
        edges[origin][one.name] = Edge(origin, one.name, one.specifier, one.extras, state)


def _left(edges: Mapping[str, tuple[Edge, ...]], roots: Iterable[str]) -> list[str]:
    """Return one distribution of each circle that nothing leads to."""
    reached = set(_closure(edges, roots))
    found = []
    for name in sorted(edges):
        if name not in reached:
            found.append(name)
            reached.update(_closure(edges, (name,), reached))
    return found


def _closure(
    edges: Mapping[str, tuple[Edge, ...]],
    names: Iterable[str],
    known: Iterable[str] = (),
    *,
    upward: bool = False,
) -> Iterator[str]:
    seen, waiting = set(known), list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            following = edges.get(name, ())
            waiting += [edge.origin if upward else edge.name for edge in following]


def twigs(
    edges: Mapping[str, tuple[Edge, ...]],
    roots: Sequence[str],
    *,
    deepest: int = DEEPEST,
    upward: bool = False,
) -> tuple[Twig, ...]:
    """Return the places of a tree in the order in which they are drawn.

    Args:
        edges: What follows from each name.
        roots: Where it begins.
        deepest: The last level.
        upward: Whether edges lead to who needs a name, not to what it needs.
    """
    drawn: set[str] = set()
    found: list[Twig] = []
    waiting: list[tuple[str, int, Edge | None]] = [(name, 0, None) for name in reversed(roots)]
    deepest = min(deepest, DEEPEST)
    while waiting:
        name, depth, edge = waiting.pop()
        following = edges.get(name, ())
        is_above = bool(following) and name in drawn
        is_cut = bool(following) and not is_above and depth >= deepest
        found.append(Twig(name, depth, edge, is_above, is_cut))
        if is_above or is_cut:
            continue
        drawn.add(name)
        waiting += [
            (one.origin if upward else one.name, depth + 1, one) for one in reversed(following)
        ]
    return tuple(found)


def reachable(
    edges: Mapping[str, tuple[Edge, ...]], name: str, *, upward: bool = False
) -> frozenset[str]:
    """Return a name and all that follows from it."""
    return frozenset(_closure(edges, (name,), upward=upward))


def weights(graph: Graph, sizes: Mapping[str, int], name: str = "") -> tuple[Weight, ...]:
    """Return what would be free without each of the roots, or without one package, most first.

    Without a package those others go that nothing else needs: in the graph from all roots each of
    their paths leads over it.

    Args:
        graph: Who needs whom.
        sizes: Bytes by name.
        name: The only package that is asked about, root or not; empty for all roots.
    """
    following = {name: [edge.name for edge in edges] for name, edges in graph.edges.items()}
    above = dominators(following, graph.roots)
    below: dict[str, list[str]] = {}
    for one, over in above.items():
        below.setdefault(over, []).append(one)
    found = []
    for root in (name,) if name else graph.roots:
        alone = [one for one in _under(root, below) if one in graph.versions]
        alone.sort(key=lambda one: (-sizes.get(one, 0), one))
        own = sizes.get(root, 0)
        frees = own + sum(sizes.get(one, 0) for one in alone)
        found.append(Weight(root, own, frees, tuple(alone)))
    return tuple(sorted(found, key=lambda one: (-one.frees, one.name)))


def _under(name: str, below: Mapping[str, list[str]]) -> Iterator[str]:
    waiting = list(below.get(name, ()))
    while waiting:
        one = waiting.pop()
        yield one
        waiting += below.get(one, ())
