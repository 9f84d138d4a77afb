"""The dependency model as a table for people: a block per file, a line per dependency."""

from __future__ import annotations

from mlenv.model.requirement import BUILD, MAIN, REQUIREMENT, LockedPackage, Requirement
from mlenv.phrases import counted
from mlenv.report.ansi import painter
from mlenv.report.columns import table, wrapped
from mlenv.report.deps_json import problem_message
from mlenv.report.escape import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.project import Project
    from mlenv.model.source import Source
    from mlenv.report.view import View

_INDENT = "  "


def render(project: Project, view: View) -> str:
    """Return what a project declares and locks as aligned lines within ``view.width``."""
    return "\n".join(_lines(project, view)) + "\n"


def _lines(project: Project, view: View) -> Iterator[str]:
    paint = painter(color=view.color)
    for source in project.sources.values():
        if source.requirements or source.locked or source.problems:
            for line in wrapped(f"{clean(view.prefix + source.path)} ({source.kind})", view.width):
                yield paint(line, "strong")
            yield from _source(source, view)
            yield ""
    for file in project.unread:
        text = f"not read: {clean(file.path)} ({clean(file.reason)})"
        yield from wrapped(text, view.width, "", _INDENT)
    declared = sum(len(source.requirements) for source in project.sources.values())
    locked = sum(len(source.locked) for source in project.sources.values())
    yield (
        f"{counted(declared, 'requirement')} and {counted(locked, 'locked package')} "
        f"in {counted(len(project.sources), 'file')}"
    )


def _source(source: Source, view: View) -> Iterator[str]:
    yield from table([_declared(one) for one in source.requirements], _INDENT, view.width)
    yield from table([_locked(one) for one in source.locked], _INDENT, view.width)
    for problem in source.problems:
        if problem.fatal:
            first = f"{_INDENT}line {problem.span.line}: "
            yield from wrapped(clean(problem_message(problem)), view.width, first, _INDENT * 2)


def _declared(requirement: Requirement) -> tuple[str, ...]:
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    name = requirement.name or requirement.path or requirement.url
    return (
        f"{requirement.span.line:>4}",
        clean(f"{name}{extras}"),
        clean(str(requirement.versions)) or "any",
        clean("; ".join(_particulars(requirement))),
    )


def _particulars(requirement: Requirement) -> Iterator[str]:
    """Say what else is known of a requirement, the most telling first."""
    if requirement.kind != REQUIREMENT:
        yield requirement.kind
    if requirement.group != MAIN:
        kind = requirement.group_kind
        yield requirement.group if kind == BUILD else f"{kind} {requirement.group_name}"
    if requirement.channel:
        yield f"channel {requirement.channel}"
    if requirement.build:
        yield f"build {requirement.build}"
    if requirement.url and requirement.name:
        yield requirement.url
    if requirement.marker:
        yield requirement.marker.text


def _locked(package: LockedPackage) -> tuple[str, ...]:
    return (
        f"{package.span.line:>4}",
        clean(package.name),
        clean(package.version) or "-",
        clean(package.origin),
    )
