"""``mlenv diff`` as text, JSON or Markdown: what differs most, why that matters, and the rest."""

from __future__ import annotations

from mlenv import __version__
from mlenv.model.difference import ADDED, CHANGED, DECISIVE, MINOR, REMOVED
from mlenv.phrases import listed
from mlenv.report.ansi import painter
from mlenv.report.columns import clipped, text_width, wrapped
from mlenv.report.escape import clean
from mlenv.report.json_report import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.difference import Comparison, Difference
    from mlenv.report.ansi import Paint
    from mlenv.report.view import View

SCHEMA = 1
_MOST = 12
"""So many packages are shown before the rest is counted."""
_SIGNS = {CHANGED: "~", ADDED: "+", REMOVED: "-"}
_STYLES = {DECISIVE: "error", MINOR: "dim"}


def text(comparison: Comparison, view: View) -> str:
    """Return the comparison as lines for people.

    Args:
        comparison: What differs.
        view: Width, colour, and whether every package is shown.
    """
    return "".join(f"{view.fit(line)}\n" for line in _lines(comparison, view))


def _lines(comparison: Comparison, view: View) -> Iterator[str]:
    paint = painter(color=view.color)
    names = f"{clean(comparison.left)} against {clean(comparison.right)}"
    yield from (paint(line, "strong") for line in wrapped(names, view.width, "", "  "))
    yield from wrapped(clean(comparison.headline), view.width, "", "  ")
    around = [one for one in comparison.differences if not one.is_package]
    packages = [one for one in comparison.differences if one.is_package]
    if around:
        yield ""
        yield from _around(around, view, paint)
    if packages:
        yield ""
        yield from _packages(packages, view, paint)


def _around(found: list[Difference], view: View, paint: Paint) -> Iterator[str]:
    label = max(len(one.title) for one in found)
    sides = [(clean(one.left) or "-", clean(one.right) or "-") for one in found]
    room = view.width - label - 6
    fitting = [text_width(one) for one, other in sides if text_width(one + other) <= room]
    left = min(max(fitting, default=0), max(room // 2, 8))
    indent = " " * (label + 4)
    for one, (first, second) in zip(found, sides, strict=True):
        title = f"  {paint(f'{one.title:<{label}}', _STYLES.get(one.weight, 'warning'))}  "
        if text_width(first) <= left and left + text_width(second) <= room:
            yield f"{title}{first}{' ' * (left - text_width(first))}  {second}"
        else:
            yield title + clipped(first, view.width - len(indent))
            yield indent + clipped(f"against {second}", view.width - len(indent))
        if view.verbose and one.reason:
            source = f" ({one.source})" if one.source else ""
            yield from wrapped(one.reason + source, view.width, f"{indent}  ", f"{indent}  ")


def _packages(found: list[Difference], view: View, paint: Paint) -> Iterator[str]:
    counts = [
        f"{number} {word}"
        for change, word in ((CHANGED, "changed"), (ADDED, "added"), (REMOVED, "removed"))
        if (number := sum(one.change == change for one in found))
    ]
    yield paint(f"packages: {', '.join(counts)}", "strong")
    shown = found if view.verbose else found[:_MOST]
    width = max(text_width(clean(one.title)) for one in shown)
    for one in shown:
        name = clean(one.title)
        versions = " -> ".join(filter(None, (clean(one.left), clean(one.right))))
        pad = " " * (min(width, view.width // 2) - text_width(name))
        line = clipped(f"  {_SIGNS[one.change]} {name}{pad}  {versions}", view.width)
        yield paint(line, "dim") if one.weight == MINOR else line
    rest = found[len(shown) :]
    if rest:
        names = listed([clean(one.title) for one in rest], 4)
        yield from wrapped(f"{len(rest)} more, shown with -v: {names}", view.width, "  ", "  ")


def as_json(comparison: Comparison) -> str:
    """Return the comparison as JSON in ASCII: schema 1, to which keys may be added."""
    return dumps(
        {
            "schema": SCHEMA,
            "tool": {"name": "mlenv", "version": __version__},
            "left": comparison.left,
            "right": comparison.right,
            "headline": comparison.headline,
            "differences": [
                {
                    "key": one.key,
                    "kind": "package" if one.is_package else "surroundings",
                    "change": one.change,
                    "left": one.left or None,
                    "right": one.right or None,
                    "weight": one.weight,
                    "reason": one.reason,
                    "source": one.source,
                }
                for one in comparison.differences
            ],
        }
    )


def markdown(comparison: Comparison) -> str:
    """Return the comparison as Markdown in which no text of an environment is more than text."""
    from mlenv.report.env_markdown import literal

    lines = [literal(comparison.headline), ""]
    if comparison.differences:
        lines += [f"| | {literal(comparison.left)} | {literal(comparison.right)} |"]
        lines += ["| --- | --- | --- |"]
    lines += [
        f"| {literal(one.title)} | {literal(one.left)} | {literal(one.right)} |"
        for one in comparison.differences
    ]
    return "\n".join(lines).rstrip() + "\n"
