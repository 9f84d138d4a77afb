"""Topic ``hygiene``: what a repository keeps, mixes or leaves unsaid about its environment."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Certainty, Finding, Related, Severity
from mlenv.model.profile import APPLICATION, LIBRARY
from mlenv.model.project import Project
from mlenv.model.requirement import MAIN, Requirement
from mlenv.model.source import LOCK, MANIFEST, Source
from mlenv.rules.base import rule
from mlenv.rules.common import declared, is_aside, is_auxiliary, profile_of

_FORMATS = ("requirements", "pyproject", "setup-py", "setup-cfg", "pipfile")


@rule("HYG002", "committed-environment", topic="hygiene", severity=Severity.WARNING)
def committed_environment(project: Project) -> Iterator[Finding]:
    """A virtual environment whose files are in the repository.

    It holds the paths and compiled files of one machine and works on no other; it makes every
    clone and every diff larger.

    Bad:
        .venv/pyvenv.cfg in the repository

    Good:
        .venv/ in .gitignore, and a lock that makes the environment again
    """
    for folder in project.repository.environments:
        if folder.tracked:
            yield Finding(
                f"the repository holds an installed environment: {folder.path}",
                folder.marker.line_span(1),
                help=f"run git rm -r --cached {folder.path}, and add {folder.path}/ to .gitignore",
            )


@rule("HYG003", "environment-not-ignored", topic="hygiene", severity=Severity.NOTE)
def environment_not_ignored(project: Project) -> Iterator[Finding]:
    """A virtual environment in the folder of a repository that git does not ignore.

    The next ``git add .`` commits thousands of files of one machine.

    Bad:
        venv/ beside .git, and no pattern for it in .gitignore

    Good:
        venv/ in .gitignore
    """
    for folder in project.repository.environments:
        if project.repository.is_git and not folder.tracked and not folder.ignored:
            yield Finding(
                f"git does not ignore the environment in {folder.path}",
                folder.marker.line_span(1),
                help=f"add {folder.path}/ to .gitignore",
            )


@rule("HYG004", "tools-among-requirements", topic="hygiene", severity=Severity.NOTE)
def tools_among_requirements(
    source: Source, project: Project, knowledge: Knowledge
) -> Iterator[Finding]:
    """Tools of development among what every installation needs.

    Test runners, linters and notebooks in the main requirements reach every image and every user
    of a library, with all that they need. A warning for libraries, whose users cannot leave them
    out; a note for applications. Research code that is worked on where it runs is left alone.

    Bad:
        dependencies = ["torch", "pytest", "black"]

    Good:
        pytest and black in [dependency-groups] dev
    """
    profile = profile_of(source, project)
    if source.kind not in _FORMATS or is_auxiliary(source.path) or is_aside(source.path):
        return
    if profile not in (APPLICATION, LIBRARY) or (profile == LIBRARY and _is_loose(source)):
        return
    for requirement in declared(source):
        if requirement.group == MAIN and knowledge.is_development_tool(requirement.name):
            yield Finding(
                f"{requirement.written} serves the work on the project and is installed everywhere",
                requirement.name_span or requirement.span,
                (requirement.name,),
                Severity.WARNING if profile == LIBRARY else None,
                help="move it to a development group or file",
                batch="tools",
                batch_message="{count} tools serve the work on the project and are installed "
                "everywhere: {packages}",
            )


def _is_loose(source: Source) -> bool:
    """Whether a file beside a library is what its developers install, and not its metadata."""
    return source.kind in ("requirements", "pipfile")


@rule("HYG005", "training-and-serving", topic="hygiene", severity=Severity.NOTE)
def training_and_serving(
    source: Source, project: Project, knowledge: Knowledge
) -> Iterator[Finding]:
    """One list of requirements for training and for serving.

    What only trains (experiment trackers, distributed trainers) makes the serving image larger,
    slower to start and harder to patch; what only serves ties the hands of those who train.

    Bad:
        deepspeed, wandb, fastapi and uvicorn in one requirements.txt

    Good:
        requirements/train.txt and requirements/serve.txt, or two extras
    """
    if source.role != MANIFEST or profile_of(source, project) != APPLICATION:
        return
    if is_auxiliary(source.path) or is_aside(source.path):
        return
    main = [r for r in declared(source) if r.group == MAIN]
    training = [r for r in main if knowledge.trains(r.name)]
    serving = [r for r in main if knowledge.serves(r.name)]
    if not training or not serving or _has_groups(source):
        return
    first, other = training[0], serving[0]
    yield Finding(
        f"training ({_names(training)}) and serving ({_names(serving)}) share one list",
        first.name_span or first.span,
        tuple(r.name for r in (*training, *serving)),
        certainty=Certainty.POSSIBLE,
        help="give each its own file, extra or group, so that the image that serves holds less",
        related=(Related(other.name_span or other.span, "serves"),),
        batch="training and serving",
    )


def _names(requirements: list[Requirement]) -> str:
    return ", ".join(dict.fromkeys(r.written for r in requirements[:3]))


def _has_groups(source: Source) -> bool:
    return any(r.group != MAIN and r.group_kind == "extra" for r in source.requirements)


@rule("HYG006", "silent-readme", topic="hygiene", severity=Severity.NOTE)
def silent_readme(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A README that names no Python, or no CUDA, in a project that needs a GPU.

    The first thing a new user must know is what the machine has to offer. Nothing is reported
    where a manifest, an image or a pipeline says it: then the README may leave it to them.

    Bad:
        a README that says "pip install -r requirements.txt", and flash-attn among the requirements

    Good:
        "Python 3.10, CUDA 12.1 or newer"
    """
    readme = next((s for s in project.sources.values() if s.kind == "readme"), None)
    if readme is None or not readme.text.text.strip():
        return
    witness = _needs_gpu(project, knowledge)
    if witness is None:
        return
    said = {s.subject for source in project.sources.values() for s in source.statements}
    missing = [label for label, key in (("Python", "python"), ("CUDA", "cuda")) if key not in said]
    if not missing:
        return
    yield Finding(
        f"the README does not say which {' and '.join(missing)} this project needs",
        readme.text.line_span(1),
        (witness.name,),
        help=f"name the {' and '.join(missing)} that you tested with",
        related=(Related(witness.span, "needs a GPU"),),
    )


def _needs_gpu(project: Project, knowledge: Knowledge) -> Requirement | None:
    """Return the first requirement that is of no use without a GPU, or None."""
    for source in project.sources.values():
        if source.role in (MANIFEST, LOCK) and not is_auxiliary(source.path):
            for requirement in source.requirements:
                if requirement.group == MAIN and knowledge.needs_gpu(requirement.name):
                    return requirement
    return None


@rule("HYG007", "exported-prefix", topic="hygiene", severity=Severity.NOTE)
def exported_prefix(source: Source) -> Iterator[Finding]:
    """The ``prefix:`` that ``conda env export`` writes.

    It is the folder of the environment on the machine that exported it, with the name of its user;
    conda ignores it when it makes an environment.

    Bad:
        prefix: /home/me/miniconda3/envs/train

    Good:
        the line deleted
    """
    for statement in source.statements:
        if statement.subject == "prefix":
            yield Finding(
                "the prefix is a folder of the machine that exported this file",
                statement.span,
                help="delete the line; conda ignores it",
            )
