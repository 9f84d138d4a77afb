"""The packages of a YAML lock, by the fast scan or else by a real parser."""

from __future__ import annotations

from mlenv.project.locks import yaml_scan
from mlenv.project.locks.common import file_problem
from mlenv.project.locks.yaml_scan import Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Problem
    from mlenv.model.text import SourceText
    from mlenv.project import yaml_nodes


def read_items(text: SourceText, section: str) -> tuple[list[Item], list[Problem]]:
    """Return the mappings of a lock's list of packages, and what could not be read.

    Args:
        text: The file.
        section: The key at the top that holds the list.
    """
    scanned = yaml_scan.scan(text.text, section)
    if scanned.regular:
        return scanned.items, []
    items, problems = _parsed(text, section)
    if problems and len(scanned.items) > len(items):
        # a parser stops at the first error; the lines after it can still be read
        return scanned.items, problems
    return items, problems


def _parsed(text: SourceText, section: str) -> tuple[list[Item], list[Problem]]:
    from mlenv.project import yaml_nodes

    document = yaml_nodes.read_yaml(text)
    problems = list(document.problems)
    packages = document.mapping.get(section) if document.mapping else None
    if isinstance(packages, yaml_nodes.Sequence):
        mappings = (node for node in packages.items if isinstance(node, yaml_nodes.Mapping))
        return [_item(node) for node in mappings], problems
    if packages is not None and not problems:
        line = packages.span.line
        problems.append(file_problem(text, line, f"{section} is no list"))
    return [], problems


def _item(node: yaml_nodes.Mapping) -> Item:
    item = Item(node.span.start)
    for key, _, value in node.entries():
        scalar = _scalar(value)
        if scalar is not None:
            item.put(key, scalar)
        elif key == "hash":
            item.hashed = item.hashed or _has_digest(value)
    return item


def _scalar(node: yaml_nodes.Node) -> yaml_scan.Scalar | None:
    from mlenv.project import yaml_nodes

    if not isinstance(node, yaml_nodes.Scalar):
        return None
    span = node.fragment.whole
    return yaml_scan.Scalar("" if node.is_null else node.value, span.start, span.end)


def _has_digest(node: yaml_nodes.Node) -> bool:
    from mlenv.project import yaml_nodes

    if not isinstance(node, yaml_nodes.Mapping):
        return False
    digests = (_scalar(value) for key, _, value in node.entries() if key in yaml_scan.DIGESTS)
    return any(digest is not None and digest.text for digest in digests)
