"""cog.yaml to the model: the recipe of an image that serves a model.

Source: Replicate's documentation of Cog, "cog.yaml reference".
"""

from __future__ import annotations

import re

from mlenv.model.image import InstallCommand
from mlenv.model.source import IMAGE, Include, Source, Statement
from mlenv.project.collect import Collector
from mlenv.project.context.system_packages import system_install
from mlenv.project.manifests.requirement_options import read_entry
from mlenv.project.pipelines.commands import Commands, in_order
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence, read_yaml
from mlenv.project.yaml_values import member, scalar, scalars, version_statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Fragment, SourceText

_OPTIONS = r"\s(?=--(?:extra-index-url|index-url|find-links)\b|-[fi]\s)"


def read(text: SourceText) -> Source:
    """Read the recipe; never fails.

    Cog honours options for indexes behind a requirement, which pip drops.
    """
    document = read_yaml(text)
    build = member(document.mapping, "build")
    collector = Collector()
    commands = Commands()
    system: list[InstallCommand] = []
    _statements(build, collector)
    for item in scalars(member(build, "python_packages")):
        _package(item.fragment, collector)
    listed = scalar(member(build, "python_requirements"))
    if listed is not None:
        collector.includes.append(Include(listed.value, listed.fragment.whole))
    packages = scalars(member(build, "system_packages"))
    if packages:
        system.append(system_install([item.fragment for item in packages]))
    for script in _scripts(member(build, "run")):
        commands.read_value(script)
    requirements = [r for command in commands.found for r in command.requirements]
    return Source(
        text,
        "cog",
        IMAGE,
        requirements=(*collector.requirements, *requirements),
        problems=in_order(document.problems, collector.problems, commands.problems),
        includes=(*collector.includes, *commands.includes),
        indexes=(*collector.indexes, *(i for c in commands.found for i in c.indexes)),
        statements=tuple(collector.statements),
        commands=(*system, *commands.found),
    )


def _statements(build: Node | None, collector: Collector) -> None:
    python = scalar(member(build, "python_version"))
    if python is not None:
        collector.statements.append(version_statement("python", python))
    gpu = scalar(member(build, "gpu"))
    if gpu is not None:
        collector.statements.append(Statement("gpu", gpu.value, gpu.fragment.whole))
    for name in ("cuda", "cudnn"):
        value = scalar(member(build, name))
        if value is not None:
            collector.statements.append(version_statement(name, value))


def _package(entry: Fragment, collector: Collector) -> None:
    options = re.search(_OPTIONS, entry.text)
    if options is None:
        read_entry(entry, collector)
        return
    read_entry(entry.part(0, options.start()), collector)
    read_entry(entry.part(options.end(), len(entry.text)), collector)


def _scripts(node: Node | None) -> list[Scalar]:
    """Return the commands of ``run``: each a string, or a mapping with mounts beside it."""
    items = node.items if isinstance(node, Sequence) else [node]
    found: list[Scalar] = []
    for item in items:
        found += scalars(member(item, "command") if isinstance(item, Mapping) else item)
    return found
