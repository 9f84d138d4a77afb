"""Graphs of packages: judged for their own interpreter, drawn in linear size, weighed rightly."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from making import environment_of

from mlenv.model.forest import CONFLICT, FITS, MISSING, UNKNOWN, Graph
from mlenv.reasoning.dominators import ROOT, dominators
from mlenv.reasoning.forest import DEEPEST, graph_of, reachable, twigs, weights
from mlenv.reasoning.installed_requirements import requirements_of


def graph(*distributions: dict[str, Any], **table: Any) -> Graph:
    environment = environment_of({"distributions": list(distributions), **table})
    requirements = requirements_of(environment)
    assert requirements is not None
    return graph_of(environment, requirements)


def one(name: str, *requires: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    return {"name": name, "version": version, "requires": list(requires), **more}


def shown(found: Graph, *roots: str, deepest: int = DEEPEST) -> list[str]:
    places = twigs(found.edges, roots or found.roots, deepest=deepest)
    return [
        "  " * it.depth + it.name + " (above)" * it.is_above + " (more)" * it.is_cut
        for it in places
    ]


def test_markers_are_judged_for_the_environments_own_python() -> None:
    found = graph(
        one("a", "b; python_version < '3.10'", "c; sys_platform == 'win32'", "d; extra == 'x'"),
        python={"version": "3.9.18", "system": "windows", "machine": "AMD64"},
    )
    assert [edge.name for edge in found.edges["a"]] == ["b", "c"]


def test_how_requirements_are_met() -> None:
    found = graph(
        one("a", "b>=2", "gone", "c<2,>=1", "odd==1.0"), one("b"), one("c"),
        one("odd", version="nonsense"),
    )  # fmt: skip
    assert [(edge.name, edge.state, edge.specifier) for edge in found.edges["a"]] == [
        ("b", CONFLICT, ">=2"),
        ("c", FITS, "<2,>=1"),
        ("gone", MISSING, ""),
        ("odd", UNKNOWN, "==1.0"),
    ]


def test_extras_bring_what_they_ask_for() -> None:
    inner = one("b", "c; extra == 'x'", "d; extra == 'y'", extras=["x", "y"])
    found = graph(one("a", "b[x]"), inner, one("c"))
    assert [edge.name for edge in found.edges["b"]] == ["c"]
    assert found.roots == ("a",)


def test_roots() -> None:
    found = graph(one("a", "b"), one("b", "c", requested=True), one("c", requested=False))
    assert found.roots == ("a", "b")
    every = graph(one("a", "b", requested=True), one("b", requested=True))
    assert every.roots == ("a",)  # a list that was installed whole says nothing
    circle = graph(one("c", "d"), one("d", "c"), one("e", "e"))
    assert circle.roots == ("e", "c")


def test_each_is_drawn_once() -> None:
    found = graph(one("a", "b", "c"), one("b", "c"), one("c", "d"), one("d"))
    assert shown(found) == ["a", "  b", "    c", "      d", "  c (above)"]
    assert shown(found, deepest=1) == ["a", "  b (more)", "  c (more)"]
    assert shown(found, "b") == ["b", "  c", "    d"]


def test_circles_end() -> None:
    found = graph(one("a", "b"), one("b", "a"))
    assert shown(found) == ["a", "  b", "    a (above)"]
    assert reachable(found.edges, "b") == {"a", "b"}


def test_upward() -> None:
    found = graph(one("a", "c>1"), one("b", "a"), one("c"))
    turned = found.reversed()
    places = twigs(turned, ("c",), upward=True)
    assert [(it.name, it.depth) for it in places] == [("c", 0), ("a", 1), ("b", 2)]
    assert reachable(turned, "c", upward=True) == {"a", "b", "c"}
    assert reachable(turned, "a", upward=True) == {"a", "b"}


def test_a_ladder_of_diamonds_has_as_many_places_as_edges() -> None:
    size = 400
    layers = [one(f"{side}{at}", f"a{at + 1}", f"b{at + 1}") for at in range(size) for side in "ab"]
    found = graph(*layers, one(f"a{size}"), one(f"b{size}"))
    edges = sum(map(len, found.edges.values()))
    # a tree of every path would have 2 ** 400 places
    places = twigs(found.edges, found.roots)
    assert len(places) <= edges + len(found.roots)
    assert max(it.depth for it in places) == DEEPEST


def test_what_would_be_free() -> None:
    found = graph(
        one("big", "only", "shared"), one("other", "shared"), one("only", "deep"), one("deep"),
        one("shared"),
    )  # fmt: skip
    sizes = {"big": 10, "only": 5, "deep": 7, "shared": 100}
    told = [(it.name, it.own, it.frees, it.alone) for it in weights(found, sizes)]
    assert told == [("big", 10, 22, ("deep", "only")), ("other", 0, 0, ())]
    (only,) = weights(found, sizes, "only")
    assert (only.frees, only.alone) == (12, ("deep",))


def naive(following: dict[str, list[str]], roots: list[str]) -> dict[str, str]:
    """What dominates what, by leaving each node out and seeing what is still reached."""

    def reached(without: str) -> set[str]:
        seen: set[str] = {without}
        waiting = [root for root in roots if root != without]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += following.get(name, [])
        return seen - {without}

    nodes = reached(ROOT)
    over: dict[str, set[str]] = {name: set() for name in nodes}
    for name in nodes:
        for lost in nodes - reached(name) - {name}:
            over[lost].add(name)
    return {
        name: max(above, key=lambda it: len(over[it]), default=ROOT) for name, above in over.items()
    }


NODES = list("abcdefg")
graphs = st.dictionaries(
    st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=4, unique=True)
)


@given(graphs, st.lists(st.sampled_from(NODES), min_size=1, max_size=3, unique=True))
def test_dominators_are_what_their_definition_says(
    following: dict[str, list[str]], roots: list[str]
) -> None:
    assert dominators(following, roots) == naive(following, roots)


def test_dominators_of_a_long_chain_need_no_recursion() -> None:
    size = 20_000
    following = {str(at): [str(at + 1), str(max(at - 9, 0))] for at in range(size)}
    found = dominators(following, ["0"])
    assert found["0"] == ROOT
    assert found[str(size)] == str(size - 1)
