"""dependencies.yaml, from which RAPIDS generates its requirements, environments and pyproject.toml.

Source: the documentation of rapids-dependency-file-generator.
"""

from __future__ import annotations

from mlenv.model.requirement import CONDA, GROUP, PYPI, Requirement, group_key
from mlenv.model.source import CONTEXT, MANIFEST, Channel, GroupRelation, Source
from mlenv.project.collect import Collector
from mlenv.project.manifests.conda_entries import add_spec
from mlenv.project.manifests.requirement_options import read_entry
from mlenv.project.matchspec import read_match_spec
from mlenv.project.pep508 import read_requirement
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence, read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.text import SourceText

KIND = "rapids-dependencies"
_PIP = ("requirements", "pyproject")


def read(text: SourceText) -> Source:
    """Read a dependencies.yaml; never fails.

    Args:
        text: The file.

    Returns:
        The source. Each set forms a group, conda's packages of it another one, and so does each
        choice of a matrix: what is generated together is only told by the files that come of it.
    """
    document = read_yaml(text)
    root = document.mapping
    reader = _Reader(Collector(problems=list(document.problems)))
    sets = root.get("dependencies") if root is not None else None
    for name, _, value in sets.entries() if isinstance(sets, Mapping) else ():
        if isinstance(value, Mapping):
            reader.set(name, value)
    collector = reader.collector
    declares = isinstance(sets, Mapping) or bool(collector.problems)
    return Source(
        text,
        KIND,
        MANIFEST if declares else CONTEXT,
        tuple(collector.requirements),
        problems=tuple(collector.problems),
        includes=tuple(collector.includes),
        indexes=tuple(collector.indexes),
        channels=tuple(_channels(root)),
        groups=GroupRelation(standalone=frozenset(r.group for r in collector.requirements)),
    )


def _channels(root: Mapping | None) -> Iterator[Channel]:
    for item in _listed(root.get("channels") if root is not None else None):
        if isinstance(item, Scalar) and not item.is_null:
            yield Channel(item.value, item.fragment.whole)


def _listed(value: Node | None) -> list[Node]:
    """Return the members of a list; a value that is none stands for a list of one."""
    if isinstance(value, Sequence):
        return value.items
    return [] if value is None or (isinstance(value, Scalar) and value.is_null) else [value]


class _Reader:
    """Goes through the sets of one file."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.numbers: dict[str, int] = {}

    def set(self, name: str, value: Mapping) -> None:
        """Read what all of a set's files hold, and what each choice of a matrix adds."""
        for entry in _listed(value.get("common")):
            if isinstance(entry, Mapping):
                self._packages(name, entry.get("output_types"), entry.get("packages"), "")
        for entry in _listed(value.get("specific")):
            if not isinstance(entry, Mapping):
                continue
            for choice in _listed(entry.get("matrices")):
                if isinstance(choice, Mapping):
                    label = self._label(name, choice.get("matrix"))
                    packages = choice.get("packages")
                    self._packages(name, entry.get("output_types"), packages, label)

    def _label(self, name: str, matrix: Node | None) -> str:
        """Return what tells one choice of a matrix from all others of its set."""
        pairs = matrix.entries() if isinstance(matrix, Mapping) else ()
        said = ",".join(f"{k}={v.value}" for k, _, v in pairs if isinstance(v, Scalar))
        label = f" {said[:80] or 'otherwise'}"
        self.numbers[name + label] = number = self.numbers.get(name + label, 0) + 1
        return label if number == 1 else f"{label} ({number})"

    def _packages(self, name: str, outputs: Node | None, packages: Node | None, label: str) -> None:
        types = {item.value for item in _listed(outputs) if isinstance(item, Scalar)}
        pip = name if types != {"pyproject"} else f"{name} pyproject"
        conda = group_key(GROUP, f"{name} conda{label}") if CONDA in types else ""
        pypi = group_key(GROUP, pip + label) if types.intersection(_PIP) else ""
        for item in _listed(packages):
            if isinstance(item, Scalar) and not item.is_null:
                self._package(item, conda, pypi)
            elif isinstance(item, Mapping):
                self.collector.group = conda or pypi
                for line in _listed(item.get("pip")):
                    if isinstance(line, Scalar) and self.collector.group:
                        read_entry(line.fragment, self.collector)

    def _package(self, item: Scalar, conda: str, pypi: str) -> None:
        """Read one package for each ecosystem that its list is for and whose form it has."""
        fragment = item.fragment
        plain = not fragment.text.lstrip().startswith("-")
        both = bool(conda and pypi) and plain
        if pypi and (not both or self._is_for(item, PYPI) or not self._is_for(item, CONDA)):
            self.collector.group = pypi
            read_entry(fragment, self.collector)
        if conda and plain and (not both or self._is_for(item, CONDA)):
            self.collector.group = conda
            add_spec(fragment, self.collector)

    @staticmethod
    def _is_for(item: Scalar, ecosystem: str) -> bool:
        found = (read_match_spec if ecosystem == CONDA else read_requirement)(item.fragment)
        return isinstance(found, Requirement)
