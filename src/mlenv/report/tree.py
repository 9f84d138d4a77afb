"""``mlenv tree``: what needs what, and what each package weighs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlenv import __version__
from mlenv.model.forest import CONFLICT, MISSING
from mlenv.phrases import listed
from mlenv.report.columns import clipped, harmless, table
from mlenv.report.escape import clean
from mlenv.report.json_report import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.forest import Edge, Graph, Twig, Weight
    from mlenv.report.view import View

SCHEMA = 1
_MARKS = {MISSING: "  <- missing", CONFLICT: "  <- conflict"}
_MOST = 20
"""So many packages are weighed in text before the rest is counted."""
_ALONE = 3
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def drawn_tree(graph: Graph, twigs: Sequence[Twig], view: View, *, upward: bool) -> str:
    """Return a tree as text, each line cut to the width.

    Args:
        graph: Tells versions.
        twigs: What is drawn, in order.
        view: Width, and whether only ASCII is shown.
        upward: Whether it shows who needs a package.
    """
    from mlenv.report.drawing import ASCII, UTF8, drawn

    labels = [(one.depth, _label(graph, one, upward=upward)) for one in twigs]
    text = drawn(labels, ASCII if view.ascii else UTF8)
    lines = (clipped(harmless(line), view.width) for line in text.splitlines())
    return "".join(f"{view.fit(line)}\n" for line in lines)


def _label(graph: Graph, twig: Twig, *, upward: bool) -> str:
    version = graph.versions.get(twig.name)
    label = clean(twig.name if version is None else f"{twig.name} {version}")
    edge = twig.edge
    if edge is not None:
        asked = clean(_asked(edge))
        label += f" (needs {edge.name}{asked})" if upward else f" ({asked})" if asked else ""
        label += _MARKS.get(edge.state, "")
    return label + (" (above)" if twig.is_above else " (more)" if twig.is_cut else "")


def _asked(edge: Edge) -> str:
    extras = f"[{','.join(edge.extras)}]" if edge.extras else ""
    return f"{extras}{edge.specifier}"


def tree_json(
    name: str,
    graph: Graph,
    shown: frozenset[str],
    weights: Sequence[Weight] = (),
    sizes: Mapping[str, int] | None = None,
) -> str:
    """Return a graph as JSON in ASCII: schema 1, to which keys may be added.

    Args:
        name: What the environment is called.
        graph: Who needs whom.
        shown: The packages that are shown.
        weights: What packages weigh, where that was asked for.
        sizes: Bytes by name, where they were read.
    """
    known = {one.name: one for one in weights}
    return dumps(
        {
            "schema": SCHEMA,
            "tool": {"name": "mlenv", "version": __version__},
            "environment": name,
            "roots": [root for root in graph.roots if root in shown],
            "packages": [
                {
                    "name": one,
                    "version": graph.versions[one],
                    **({"size": sizes[one]} if sizes and one in sizes else {}),
                    **(_weight(known[one]) if one in known else {}),
                    "requires": [_requirement(edge, graph) for edge in graph.edges.get(one, ())],
                }
                for one in sorted(shown)
                if one in graph.versions
            ],
        }
    )


def _weight(weight: Weight) -> dict[str, object]:
    return {"frees": weight.frees, "alone": weight.alone}


def _requirement(edge: Edge, graph: Graph) -> dict[str, object]:
    return {
        "name": edge.name,
        "specifier": edge.specifier,
        "extras": edge.extras,
        "installed": graph.versions.get(edge.name),
        "state": edge.state,
    }


def weighed(graph: Graph, weights: Sequence[Weight], view: View) -> str:
    """Return what each package would free, as lines of a table.

    Args:
        graph: Tells versions.
        weights: The heaviest first.
        view: Width, and whether all are shown.
    """
    shown = weights if view.verbose else weights[:_MOST]
    rows = [("frees", "its own", "package", "with it, since only it needs them")]
    rows += [_row(graph, one) for one in shown]
    lines = list(_table(rows, view))
    rest = weights[len(shown) :]
    if rest:
        lines.append(f"  {len(rest)} more, shown with -v: {size(sum(one.frees for one in rest))}")
    return "".join(f"{line}\n" for line in lines)


def _table(rows: Sequence[tuple[str, str, str, str]], view: View) -> Iterator[str]:
    wide = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    aligned = [(row[0].rjust(wide[0]), row[1].rjust(wide[1]), *row[2:]) for row in rows]
    yield from map(view.fit, table(aligned, "  ", view.width))


def _row(graph: Graph, weight: Weight) -> tuple[str, str, str, str]:
    package = clean(f"{weight.name} {graph.versions.get(weight.name, '')}")
    alone = listed([clean(name) for name in weight.alone], _ALONE)
    return size(weight.frees), size(weight.own), package, alone


def size(count: int) -> str:
    """Return a number of bytes as people say it: ``1.2 GiB``."""
    number, unit = float(count), 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{count} B"
