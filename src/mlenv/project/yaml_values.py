"""Ways through the nodes of a YAML file to the values that formats ask for."""

from __future__ import annotations

import re

from mlenv.model.requirement import MAIN
from mlenv.model.source import Statement
from mlenv.project.manifests.python_version import release_versions
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence
from mlenv.versions.version_set import pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.versions.version_set import VersionSet

_MERGE = "<<"
TRUE = frozenset(("true", "yes", "on", "True", "Yes", "On", "TRUE", "YES", "ON"))


def member(node: Node | None, *path: str) -> Node | None:
    """Return what lies at a path of keys below a mapping, or None.

    Source: YAML's "Merge Key Language-Independent Type" for ``<<``.
    """
    for key in path:
        if not isinstance(node, Mapping):
            return None
        node = _merged(node, key)
    return node


def _merged(mapping: Mapping, key: str) -> Node | None:
    pending: list[Node] = [mapping]
    while pending:
        node = pending.pop(0)
        if isinstance(node, Sequence):
            pending[:0] = node.items
        elif isinstance(node, Mapping):
            found = node.get(key)
            if found is not None:
                return found
            merged = node.get(_MERGE)
            pending[:0] = [merged] if merged is not None else []
    return None


def members(node: Node | None) -> list[tuple[str, Node]]:
    """Return the keys and values of a mapping; none of anything else."""
    if not isinstance(node, Mapping):
        return []
    return [(name, value) for name, _, value in node.entries() if name != _MERGE]


def scalar(node: Node | None) -> Scalar | None:
    """Return a node that is a single value and says something."""
    return node if isinstance(node, Scalar) and not node.is_null and node.value else None


def scalars(node: Node | None) -> list[Scalar]:
    """Return the single values of a list, and of the lists in it; a value alone is a list of one.

    Each is named once, however many aliases stand for it.
    """
    found: dict[int, Scalar] = {}
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, Sequence):
            pending.extend(reversed(one.items))
        elif isinstance(one, Scalar) and not one.is_null and one.value:
            found.setdefault(one.span.start, one)
    return list(found.values())


def is_true(node: Node | None) -> bool:
    """Whether a value is one of YAML's words for true."""
    return isinstance(node, Scalar) and node.value in TRUE


def is_clipped(value: Scalar) -> bool:
    """Whether YAML reads a number that lacks the zero which the version ends with (``3.10``)."""
    return not value.style and re.fullmatch(r"\d+\.\d*0", value.value) is not None


def version_statement(
    subject: str, value: Scalar, *, binding: bool = True, group: str = MAIN
) -> Statement:
    """Return what a value states of Python or CUDA.

    Its versions are open where YAML reads another number than the one written.
    """
    versions = None if is_clipped(value) else stated_versions(value.value)
    place = value.fragment.stripped()
    return Statement(subject, place.text, place.whole, versions, binding, group)


def stated_versions(text: str) -> VersionSet | None:
    """Return what ``3.10``, ``3.10.4``, ``3.10.x`` or ``>=3.10 <3.13`` admits; None for others."""
    text = text.strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9}){0,2}(?:\.[x*])?", text, re.ASCII):
        return release_versions(re.sub(r"\.[x*]$", "", text))
    if re.fullmatch(r"(?:[<>]=?[ ]?[\d.]{1,20}(?:,[ ]?|[ ]|$)){1,4}", text, re.ASCII):
        return pep440(re.sub(r"(?<=\d)[ ,]+", ",", text))
    return None
