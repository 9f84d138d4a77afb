"""bentofile.yaml to the model: what a service is packed with, and the image that it runs in.

Source: BentoML's documentation, "Bento build options".
"""

from __future__ import annotations

from mlenv.model.requirement import Requirement
from mlenv.model.source import IMAGE, Channel, Include, Index, Source, Statement
from mlenv.project.collect import Collector
from mlenv.project.context.system_packages import system_install
from mlenv.project.images.references import stage
from mlenv.project.manifests.requirement_options import read_entry
from mlenv.project.matchspec import read_match_spec
from mlenv.project.pipelines.commands import in_order
from mlenv.project.yaml_nodes import Node, read_yaml
from mlenv.project.yaml_values import is_true, member, scalar, scalars, version_statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText

_INDEXES = {
    "index_url": "index",
    "extra_index_url": "extra",
    "find_links": "find-links",
    "trusted_host": "trusted-host",
}


def read(text: SourceText) -> Source:
    """Read the file; never fails."""
    document = read_yaml(text)
    root = document.mapping
    collector = Collector()
    _python(member(root, "python"), collector)
    conda = member(root, "conda")
    _conda(conda, collector)
    docker = member(root, "docker")
    for subject in ("python", "cuda"):
        value = scalar(member(docker, f"{subject}_version"))
        if value is not None:
            collector.statements.append(version_statement(subject, value))
    base = scalar(member(docker, "base_image"))
    system = scalars(member(docker, "system_packages"))
    return Source(
        text,
        "bentofile",
        IMAGE,
        requirements=tuple(collector.requirements),
        problems=in_order(document.problems, collector.problems),
        includes=tuple(collector.includes),
        indexes=tuple(collector.indexes),
        channels=tuple(
            Channel(item.value, item.fragment.whole) for item in scalars(member(conda, "channels"))
        ),
        statements=tuple(collector.statements),
        stages=(stage(base.value, base.fragment.whole, {}),) if base is not None else (),
        commands=(system_install([item.fragment for item in system]),) if system else (),
    )


def _python(python: Node | None, collector: Collector) -> None:
    for item in scalars(member(python, "packages")):
        read_entry(item.fragment, collector)
    for item in scalars(member(python, "wheels")):
        read_entry(item.fragment, collector)
    _include(member(python, "requirements_txt"), collector)
    for name, kind in _INDEXES.items():
        for item in scalars(member(python, name)):
            collector.indexes.append(Index(kind, item.value, item.fragment.whole))
    none = scalar(member(python, "no_index"))
    if none is not None and is_true(none):
        collector.indexes.append(Index("none", "", none.span))


def _conda(conda: Node | None, collector: Collector) -> None:
    _include(member(conda, "environment_yml"), collector)
    for item in scalars(member(conda, "dependencies")):
        found = read_match_spec(item.fragment)
        if not isinstance(found, Requirement):
            collector.refuse(item.fragment, found)
            continue
        collector.requirements.append(found)
        if found.name == "python" and not found.versions.is_any:
            at = found.specifier_span or found.span
            collector.statements.append(Statement("python", at.text, at, found.versions))
    for item in scalars(member(conda, "pip")):
        read_entry(item.fragment, collector)


def _include(node: Node | None, collector: Collector) -> None:
    named = scalar(node)
    if named is not None:
        collector.includes.append(Include(named.value, named.fragment.whole, anywhere=True))
