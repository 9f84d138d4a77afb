"""Trees and Mermaid charts of packages, drawn by pipdeptree from what mlenv read and judged.

pipdeptree finds packages by running the interpreter that they are installed for, and the version of
one that is missing by importing it. Neither may happen here. So its models are made of what
mlenv found, with classes of our own that answer from it; only its renderers are called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from email.message import Message
from importlib.metadata import Distribution
from io import StringIO

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pipdeptree._models import DistPackage, PackageDAG, ReqPackage, ReversedPackageDAG
from pipdeptree._render.mermaid import render_mermaid
from pipdeptree._render.text import render_text

from mlenv.model.forest import CONFLICT, MISSING, Edge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlenv.model.forest import Graph

ASCII, UTF8 = "ascii", "utf-8"


class _Known(Distribution):
    """A distribution that is nothing but a name and a version."""

    def __init__(self, name: str, version: str) -> None:
        self._said = Message()
        self._said["Name"] = name
        self._said["Version"] = version

    @property
    def metadata(self) -> Any:
        return self._said

    @property
    def version(self) -> str:
        return str(self._said["Version"])

    def read_text(self, filename: str) -> str | None:  # noqa: ARG002
        return None

    def locate_file(self, path: Any) -> Any:
        return path


class _Place(DistPackage):
    """A place of a tree, sorted by its number and shown by its label."""

    def __init__(self, number: int, label: str) -> None:
        super().__init__(_Known("place", "0"))
        # a name that stands twice on one branch would be left out
        self.key = canonicalize_name(f"{number:09}")
        self.project_name = self.key
        self.label = label

    def render(self, *_parent: Any, **_options: Any) -> str:
        return self.label


class _Branch(ReqPackage):
    """The same place as what another one leads to."""

    def __init__(self, place: _Place) -> None:
        super().__init__(Requirement("place"), place)
        self.key = place.key
        self.project_name = place.key
        self.label = place.label

    def render(self, *_parent: Any, **_options: Any) -> str:
        return self.label


def drawn(labels: Sequence[tuple[int, str]], encoding: str) -> str:
    """Return a tree as text.

    Args:
        labels: For each place, as a walk into the depth meets them, how deep it lies and what
            stands there, fit to show.
        encoding: ``utf-8`` for lines, ``ascii`` for dashes.
    """
    children: dict[DistPackage, list[ReqPackage]] = {}
    way: list[_Place] = []
    for number, (depth, label) in enumerate(labels):
        place = _Place(number, label)
        children[place] = []
        del way[depth:]
        if way:
            children[way[-1]].append(_Branch(place))
        way.append(place)
    if not children:
        return ""
    options = {"max_depth": float("inf"), "encoding": encoding, "list_all": False}
    return _printed(render_text, PackageDAG(children), options)


class _Needed(ReqPackage):
    """A requirement that answers from what is known, and marks what is not met."""

    def __init__(self, edge: Edge, package: DistPackage | None, name: str) -> None:
        try:
            asked = Requirement(f"{name}{edge.specifier}")
        except InvalidRequirement:
            asked = Requirement(name)
        super().__init__(asked, package)
        self.state = edge.state

    @property
    def installed_version(self) -> str:
        # the base class looks among mlenv's own packages, and imports what it does not find there
        return self.dist.version if self.dist is not None else str(self.UNKNOWN_VERSION)

    @property
    def version_spec(self) -> str | None:
        said = super().version_spec
        shown = re.sub(r"<(?=[^\d=])|[^0-9A-Za-z.,<>=!~*+_ -]", "_", said) if said else None
        return f"conflict: {shown}" if self.state == CONFLICT else shown


def chart(graph: Graph, names: frozenset[str], *, upward: bool = False) -> str:
    """Return a graph as a Mermaid flowchart.

    Args:
        graph: Who needs whom.
        names: Those that are shown.
        upward: Whether edges lead to who needs a package.
    """
    packages = {
        name: DistPackage(_Known(_name(name), _version(graph.versions[name])))
        for name in sorted(names)
        if name in graph.versions
    }
    edges = [
        edge
        for name in packages
        for edge in graph.edges.get(name, ())
        if edge.name in names or (edge.state == MISSING and not upward)
    ]
    needs: dict[DistPackage, list[ReqPackage]] = {one: [] for one in packages.values()}
    for edge in edges:
        needed = _Needed(edge, packages.get(edge.name), _name(edge.name))
        needs[packages[edge.origin]].append(needed)
    tree = _upward(needs) if upward else PackageDAG(needs)
    return _printed(render_mermaid, tree, {})


def _upward(needs: Mapping[DistPackage, list[ReqPackage]]) -> PackageDAG:
    """Return the reverse, in linear time: pipdeptree's own took the square of it before 2.26."""
    users: dict[str, list[DistPackage]] = {}
    nodes: dict[str, ReqPackage] = {
        one.key: _Needed(Edge("", one.key), one, one.project_name) for one in needs
    }
    for package, edges in needs.items():
        for edge in edges:
            nodes.setdefault(edge.key, edge)
            users.setdefault(edge.key, []).append(package.as_parent_of(edge))
    made: Any = {node: users.get(key, []) for key, node in nodes.items()}
    return ReversedPackageDAG(made)


def _name(text: str) -> str:
    """Return a name that is one to packaging, and means nothing else to a chart."""
    shown = re.sub(r"[^0-9A-Za-z._-]", "_", text)
    return shown if shown[:1].isalnum() and shown[-1:].isalnum() else f"x{shown}x"


def _version(text: str) -> str:
    return re.sub(r"[^0-9A-Za-z.+!_-]", "_", text)


def _printed(render: Any, tree: PackageDAG, options: Mapping[str, Any]) -> str:
    """Return what a renderer prints, or what it returns, as older ones did."""
    stream = StringIO()
    with redirect_stdout(stream):
        said = render(tree, **options)
    return said if isinstance(said, str) else stream.getvalue()
