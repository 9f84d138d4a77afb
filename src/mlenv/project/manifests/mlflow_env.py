"""python_env.yaml, which MLflow writes beside a model and reads for a project.

Source: MLflow's documentation, "MLflow Projects", python_env.
"""

from __future__ import annotations

from mlenv.model.requirement import BUILD, MAIN
from mlenv.model.source import UNREADABLE_LINE, GroupRelation, Problem, Source, Statement
from mlenv.project.collect import Collector
from mlenv.project.manifests.requirement_options import read_entry
from mlenv.project.yaml_nodes import Node, Scalar, Sequence, read_yaml
from mlenv.versions.version_set import pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText

KIND = "mlflow-python-env"
_LISTS = {"dependencies": MAIN, "build_dependencies": BUILD}


def read(text: SourceText) -> Source:
    """Read a python_env.yaml; never fails. One that names channels is read as conda's."""
    document = read_yaml(text)
    root = document.mapping
    if root is not None and root.get("channels") is not None:
        from mlenv.project.manifests import conda_env

        return conda_env.read(text)
    collector = Collector(problems=list(document.problems))
    for name, _, value in root.entries() if root is not None else ():
        if name == "python" and isinstance(value, Scalar) and not value.is_null:
            collector.statements.append(_python(value))
        elif name in _LISTS:
            collector.group = _LISTS[name]
            _entries(value, collector)
    return Source(
        text,
        KIND,
        requirements=tuple(collector.requirements),
        problems=tuple(collector.problems),
        includes=tuple(collector.includes),
        indexes=tuple(collector.indexes),
        statements=tuple(collector.statements),
        groups=GroupRelation(standalone=frozenset((BUILD,))),
    )


def _python(value: Scalar) -> Statement:
    """Return what is said of Python: a version, of which one or two numbers stand for all."""
    text = value.value.strip()
    whole = f"=={text}" if text.count(".") > 1 else f"=={text}.*"
    return Statement(
        "python", text, value.span, pep440(text) if text[:1] in "<>=!~" else pep440(whole)
    )


def _entries(value: Node, collector: Collector) -> None:
    if isinstance(value, Scalar) and value.is_null:
        return
    for item in value.items if isinstance(value, Sequence) else [value]:
        if isinstance(item, Scalar):
            if not item.is_null:
                read_entry(item.fragment, collector)
        else:
            detail = "MLflow takes one line of a requirements file here"
            collector.problems.append(Problem(UNREADABLE_LINE, item.span, detail))
