"""Topic ``python``: which interpreter a project runs on, and whether its files agree on that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.profile import APPLICATION, LIBRARY
from mlenv.model.project import Project
from mlenv.model.source import LOCK, MANIFEST, Source
from mlenv.model.target import Target
from mlenv.model.text import Span
from mlenv.rules.base import rule
from mlenv.rules.common import is_aside, is_auxiliary, profile_of
from mlenv.rules.python_statements import (
    FILES,
    Said,
    dockerfile_pythons,
    is_open,
    project_folders,
    requires_python,
    said_pythons,
)
from mlenv.versions.version_set import pep440

_MINOR = 2
"""How many numbers a minor release has."""
_ORDER = ("pyproject", "requirements", "conda-env", "pipfile", "pixi", "setup-cfg", "setup-py")
_WORKFLOW = "github-workflow"
_REFUSED = ("python-version", "tool-versions")
_NAMED = r"(?:^|[^a-z])py(?:thon)?[-_.]?3[-_.]?\d"
"""How the name of a file tells the Python that it is for."""
_REFUSED_BY_INSTALLERS = Evidence(
    "installers refuse a project on a Python outside its requires-python",
    "the core metadata specification, Requires-Python",
)
_SETUP_PYTHON = Evidence(
    "without quotes YAML reads 3.10 as the number 3.1",
    "the documentation of actions/setup-python; YAML 1.2, floating point",
)


@rule("PYV001", "no-python-stated", topic="python", severity=Severity.NOTE)
def no_python_stated(project: Project) -> Iterator[Finding]:
    """A project that says nowhere which Python it runs on.

    Which wheels an installer finds depends on the interpreter first of all: pins of three years
    ago have none for today's Python. Reported once, where no manifest, image, workflow, README or
    .python-version names a version. Libraries are left out: they run on the Pythons of
    their users.

    Messages that users see: "Could not find a version that satisfies the requirement", "Failed
    building wheel".

    Bad:
        requirements.txt alone, with torch==1.13.1

    Good:
        requires-python = ">=3.10,<3.12" in pyproject.toml, or a .python-version beside the file
    """
    if project.profile == LIBRARY or any(map(_speaks_of_python, project.sources.values())):
        return
    candidates = [
        source
        for source in project.sources.values()
        if source.role in (MANIFEST, LOCK)
        and (source.requirements or source.includes)
        and source.kind in _ORDER
        and not source.is_contested
        and not (is_auxiliary(source.path) or is_aside(source.path))
    ]
    if not candidates:
        return
    main = min(candidates, key=_prominence)
    yield Finding(
        "no file says which Python this project runs on",
        min(_spans(main), key=lambda span: span.start),
        help="state the Python that you tested with: requires-python in pyproject.toml, or a "
        ".python-version file",
        batch="no python",
    )


def _prominence(source: Source) -> tuple[int, int, int, str]:
    """A key that sorts the manifest which stands for the project first."""
    path = source.path
    return path.count("/"), _ORDER.index(source.kind), len(path), path


def _spans(source: Source) -> list[Span]:
    """Return where a file asks for something."""
    return [*(one.span for one in source.requirements), *(one.span for one in source.includes)]


def _speaks_of_python(source: Source) -> bool:
    """Whether a file names a Python in any way, be it by an image that holds one."""
    return (
        re.search(_NAMED, source.path.lower()) is not None
        or any(statement.subject == "python" for statement in source.statements)
        or any(r.name == "python" and r.ecosystem == "conda" for r in source.requirements)
        or any(package.name == "python" for package in source.locked)
        or any(not stage.is_empty and stage.tag for stage in source.stages)
        or any(r.name == "python" for command in source.commands for r in command.requirements)
    )


@rule("PYV002", "python-left-open", topic="python", severity=Severity.NOTE)
def python_left_open(project: Project) -> Iterator[Finding]:
    """A Python whose minor release is open where an environment is made from it.

    ``python:3-slim``, ``python`` or ``python>=3.8`` in a conda environment, ``3`` in a
    .python-version: the next build runs on a new minor release, for which half of the pinned
    packages have no wheels. A warning in applications, a note elsewhere; in runtime.txt, which
    some hosts want down to the patch, a minor release is a note in applications.

    A minor release without its patch is right elsewhere, and nothing is said of it: patches bring
    security fixes and change neither wheels nor results.

    Bad:
        FROM python:3-slim

    Good:
        FROM python:3.11-slim
    """
    found: dict[tuple[str, str], list[Said]] = {}
    for said in said_pythons(project):
        source = said.source
        if source.path in project.covered or not said.makes_environment or not said.is_main:
            continue
        if source.kind == "runtime-txt" and said.numbers == _MINOR:
            if profile_of(source, project) == APPLICATION:
                found.setdefault(("patch release", said.value), []).append(said)
        elif is_open(said.versions):
            found.setdefault(("minor release", said.value), []).append(said)
    for (what, value), places in found.items():
        first, *others = _worst_first(places, project)
        worse = what == "minor release" and _matters(first, project)
        yield Finding(
            f"the {what} of this Python is open: {value or 'any will do'}",
            first.span,
            ("python",),
            Severity.WARNING if worse else None,
            help=f"name the {what} that you tested",
            related=tuple(Related(one.span, "as open") for one in others),
        )


@rule("PYV003", "pythons-disagree", topic="python", severity=Severity.WARNING)
def pythons_disagree(project: Project) -> Iterator[Finding]:
    """Statements on Python of which not all can hold.

    A .python-version that requires-python rules out stops uv, pip and Poetry: an error. So does an
    image that installs the project with pip on a Python which the project refuses. An
    environment, a Pipfile or workflows for another Python than the project admits are a warning:
    they are for something that is no longer installed. What a README says is a note. Environments
    for several Pythons are normal and are not compared with each other.

    Messages that users see: "Package requires a different Python", "The Python request from
    `.python-version` resolved to Python 3.8, which is incompatible with the project's Python
    requirement".

    Bad:
        requires-python = ">=3.10" in pyproject.toml, and 3.8 in .python-version

    Good:
        requires-python = ">=3.10", and 3.10 in .python-version
    """
    stated = list(said_pythons(project))
    anchors = list(requires_python(project))
    for anchor in anchors:
        against = [
            (one, severity)
            for one, severity in _comparable(anchor, stated, project, anchors)
            if not one.versions.intersects(anchor.versions)
        ]
        if against:
            yield _disagreement(anchor, against)


def _comparable(
    anchor: Said, stated: list[Said], project: Project, anchors: list[Said]
) -> Iterator[tuple[Said, Severity]]:
    """Yield what must agree with what a project requires, and how bad it is if it does not."""
    folder = anchor.source.directory
    required = anchor.source.kind != "pipfile"
    others = [one for one in stated if one.is_main and one.source is not anchor.source]
    for one in others:
        severity = _of_file(one, required)
        if severity is not None and one.source.directory == folder:
            yield one, severity
    if not required:
        return
    folders = project_folders(project)
    lone = len(folders) == 1
    # with several projects nobody can tell which of them an image or a workflow installs
    others_open = len(anchors) < len(folders)
    for one, refused in dockerfile_pythons(anchor, project):
        if lone or not (others_open or _some_fits(anchors, one)):
            yield one, Severity.ERROR if refused and lone else Severity.WARNING
    workflows = [
        one
        for one in others
        if one.source.kind == _WORKFLOW
        and not folder
        and (lone or not (others_open or _some_fits(anchors, one)))
    ]
    if _are_understood(project) and not _some_fits(workflows, anchor):
        yield from ((one, _of_workflow(one)) for one in workflows)
    readmes = [one for one in others if one.source.kind == "readme" and not folder]
    if not _some_fits(readmes, anchor):
        yield from ((one, Severity.NOTE) for one in readmes)


def _of_file(said: Said, required: bool) -> Severity | None:
    """Return how bad it is if a file says another Python than the manifest beside it."""
    kind = said.source.kind
    if kind in FILES:
        return Severity.ERROR if required and kind in _REFUSED else Severity.WARNING
    if not required or not said.makes_environment or kind == "dockerfile":
        return None
    return Severity.NOTE if is_auxiliary(said.source.path) else Severity.WARNING


def _some_fits(said: list[Said], anchor: Said) -> bool:
    return any(one.versions.intersects(anchor.versions) for one in said)


def _are_understood(project: Project) -> bool:
    """Whether every Python that a workflow names could be read."""
    return all(
        statement.versions is not None and statement.versions.understood
        for source in project.sources.values()
        if source.kind == _WORKFLOW
        for statement in source.statements
        if statement.subject == "python"
    )


def _of_workflow(said: Said) -> Severity:
    """Whether a workflow installs the project, and does not only look after the repository."""
    installs = any(one.project or one.follows_lock for one in said.source.commands)
    return Severity.WARNING if installs else Severity.NOTE


def _disagreement(anchor: Said, against: list[tuple[Said, Severity]]) -> Finding:
    places: dict[Span, tuple[Said, Severity]] = {}
    for pair in sorted(against, key=lambda pair: (pair[1].rank, pair[0].span.order)):
        places.setdefault(pair[0].span, pair)  # a stage may be the base of several that install
    (first, severity), *others = places.values()
    return Finding(
        f"this is Python {first.value}, and {anchor.source.path} admits {anchor.value} only",
        first.span,
        ("python",),
        severity,
        help="change one of the two, so that they name a Python in common",
        related=(
            Related(anchor.span, f"admits {anchor.value}"),
            *(Related(one.span, f"is Python {one.value}") for one, _ in others),
        ),
        evidence=(_REFUSED_BY_INSTALLERS,),
    )


@rule("PYV004", "python-end-of-life", topic="python", severity=Severity.NOTE, facts=("python",))
def python_end_of_life(project: Project, knowledge: Knowledge, today: str) -> Iterator[Finding]:
    """A Python that gets no more fixes, not even for security.

    New releases of NumPy, torch and the rest no longer have wheels for it, so that nothing beside
    it can be updated either. A warning in applications, a note elsewhere. Only what admits no
    later Python counts: ``>=3.8`` is fine. Once for each Python.

    Bad:
        FROM python:3.8-slim

    Good:
        FROM python:3.12-slim
    """
    found: dict[str, list[Said]] = {}
    for said in (*requires_python(project), *said_pythons(project)):
        if said.makes_environment or said.source.role == MANIFEST:
            past = knowledge.interpreters.past(said.versions, today)
            if past is not None:
                found.setdefault(past.version, []).append(said)
    for interpreter in knowledge.interpreters.known if found else ():
        places = {one.span: one for one in found.get(interpreter.version, ())}.values()
        if not places:
            continue
        first, *others = sorted(
            places, key=lambda one: (not _matters(one, project), one.span.order)
        )
        is_range = not first.versions.implies(interpreter.versions)
        newest = ", the newest that this admits," if is_range else ""
        yield Finding(
            f"Python {interpreter.version}{newest} has had no security fixes since "
            f"{interpreter.eol[:7]}",
            first.span,
            ("python",),
            Severity.WARNING if _matters(first, project) else None,
            help="move to a Python that gets fixes, and test with it",
            related=tuple(Related(one.span, f"Python {one.value}") for one in others),
            evidence=(knowledge.interpreters.evidence(interpreter),),
        )


def _worst_first(places: Iterable[Said], project: Project) -> list[Said]:
    return sorted(places, key=lambda one: (not _matters(one, project), one.span.order))


def _matters(said: Said, project: Project) -> bool:
    path = said.source.path
    aside = is_aside(path) or is_auxiliary(path)
    return profile_of(said.source, project) == APPLICATION and not aside


@rule("PYV005", "python-version-is-a-number", topic="python", severity=Severity.ERROR)
def python_version_is_a_number(project: Project) -> Iterator[Finding]:
    """``3.10`` without quotes in a workflow, which YAML reads as 3.1.

    The action looks for Python 3.1 and the job fails before its first test.

    Messages that users see: "The version '3.1' with architecture 'x64' was not found".

    Bad:
        python-version: [3.9, 3.10]

    Good:
        python-version: ["3.9", "3.10"]
    """
    for source in project.sources.values():
        if source.kind != _WORKFLOW:
            continue
        for statement in source.statements:
            if statement.subject != "python" or statement.versions is not None:
                continue
            if re.fullmatch(r"\d\.\d+0", statement.span.text) and not _is_quoted(statement.span):
                number = statement.span.text.rstrip("0")
                yield Finding(
                    f"without quotes this is the number {number}: the job looks for Python "
                    f"{number}",
                    statement.span,
                    ("python",),
                    certainty=Certainty.CERTAIN,
                    help=f'write "{statement.span.text}" with quotes',
                    evidence=(_SETUP_PYTHON,),
                    batch="number",
                    batch_message="{count} versions of Python without quotes are read as numbers "
                    f"such as {number}",
                )


def _is_quoted(span: Span) -> bool:
    text = span.source.text
    return text[span.start - 1 : span.start] in ("'", '"')


@rule("PYV007", "machine-python-refused", topic="python", severity=Severity.ERROR)
def machine_python_refused(project: Project, targets: Sequence[Target]) -> Iterator[Finding]:
    """A machine whose Python the project refuses.

    Installers stop at once: ``requires-python`` leaves the interpreter of the machine out.

    Messages that users see: "Package requires a different Python", "requires Python >=3.11".

    Bad:
        requires-python = ">=3.11", for a machine with Python 3.10

    Good:
        requires-python = ">=3.10", for a machine with Python 3.10
    """
    for target in targets:
        python = target.python_version
        if python is None:
            continue
        minor = python.minor_line
        there = pep440(f"=={minor}.*" if len(python.release) <= _MINOR else f"=={target.python}")
        for said in requires_python(project):
            if said.source.kind == "pipfile":
                continue  # Pipenv brings that Python along
            if (
                there is not None
                and said.versions.understood
                and not said.versions.intersects(there)
            ):
                yield Finding(
                    f"this asks for Python {said.value}, and {target.name} has {target.python}",
                    said.span,
                    ("python",),
                    help="install a Python that is admitted on the machine, or widen the range "
                    "where the project works with less",
                    related=(Related(target.where("python"), "the machine's Python"),),
                    evidence=(_REFUSED_BY_INSTALLERS,),
                )
