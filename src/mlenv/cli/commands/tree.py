"""``mlenv tree``: what needs what in an environment, and what removing a package would free."""

from __future__ import annotations

import os

from mlenv.cli.environments import environment_of
from mlenv.cli.output import tell, view_of, write_report
from mlenv.config import suggestion
from mlenv.errors import UsageError
from mlenv.model.requirement import canonical_name
from mlenv.reasoning.forest import DEEPEST, graph_of, reachable, twigs, weights
from mlenv.reasoning.installed_requirements import requirements_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.cli.requests import TreeRequest
    from mlenv.model.environment import Environment
    from mlenv.model.forest import Graph

_MERMAID = 500
"""So many edges Mermaid draws unless its ``maxEdges`` is raised."""


def run(request: TreeRequest) -> int:
    """Draw, and return the exit code.

    Raises:
        UsageError: There is no environment, or no such package in it.
    """
    environment = environment_of(request.env, os.curdir, binaries=False)
    if environment is None:
        raise UsageError("there is no Python environment here: --env names one")
    requirements = requirements_of(environment)
    if requirements is None:
        raise UsageError(f"{environment.name}: the version of its Python is not known")
    graph = graph_of(environment, requirements)
    name = _package(request.package, graph)
    if request.heaviest and name and name not in graph.versions:
        raise UsageError(f"{name} is not installed")
    write_report(_rendered(request, environment, graph, name), request.output)
    return 0


def _package(written: str, graph: Graph) -> str:
    name = canonical_name(written)
    known = {*graph.versions, *(edge.name for edges in graph.edges.values() for edge in edges)}
    if name and name not in known:
        if os.path.isdir(written):
            raise UsageError(f"{written!r} is a folder: --env {written} names its environment")
        hint = suggestion(name, tuple(graph.versions))
        raise UsageError(f"{written!r} is not installed, and nothing needs it{hint}")
    return name


def _rendered(request: TreeRequest, environment: Environment, graph: Graph, name: str) -> str:
    from mlenv.report import tree

    edges = graph.reversed() if request.reverse else graph.edges
    shown = frozenset({*graph.versions, *edges})
    if name:
        shown = reachable(edges, name, upward=request.reverse)
    if request.heaviest:
        return _weighed(request, environment, graph, name)
    if request.format == "json":
        return tree.tree_json(environment.name, graph, shown)
    if request.format == "mermaid":
        from mlenv.report.drawing import chart

        count = sum(len(graph.edges.get(one, ())) for one in shown)
        if count > _MERMAID:
            tell(f"mlenv: {count} edges: Mermaid draws {_MERMAID} unless maxEdges is raised")
        return chart(graph, shown, upward=request.reverse)
    tops = graph.roots
    if request.reverse:
        tops = tuple(sorted(one for one in graph.versions if not graph.edges.get(one)))
    roots, deepest = ((name,) if name else tops), request.depth or DEEPEST
    places = twigs(edges, roots, deepest=deepest, upward=request.reverse)
    view = view_of(request.color, request.output, os.environ, verbose=request.verbose)
    return tree.drawn_tree(graph, places, view, upward=request.reverse)


def _weighed(request: TreeRequest, environment: Environment, graph: Graph, name: str) -> str:
    from mlenv.environment.sizes import sizes_of
    from mlenv.report import tree

    sizes = sizes_of(environment)
    found = weights(graph, sizes, name)
    if request.format == "json":
        shown = frozenset(graph.versions) if not name else frozenset((name, *found[0].alone))
        return tree.tree_json(environment.name, graph, shown, found, sizes)
    if request.format == "mermaid":
        raise UsageError("--heaviest is a table: it goes with text and json")
    view = view_of(request.color, request.output, os.environ, verbose=request.verbose)
    return tree.weighed(graph, found, view)
