"""Topic ``images``: what the recipe of an image, or a pipeline, installs, and from what."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Evidence, Finding, Severity
from mlenv.model.image import SYSTEM_TOOLS, InstallCommand, Stage
from mlenv.model.profile import LIBRARY
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import Requirement
from mlenv.model.source import CONTEXT, IMAGE, LOCK, Source
from mlenv.paths import folders_above
from mlenv.reasoning.includes import targets_of
from mlenv.rules.base import rule
from mlenv.rules.common import distributions, is_aside, is_auxiliary

_PIP = ("pip", "uv pip")
_PIPELINES = ("github-workflow", "gitlab-ci")


@rule("IMG001", "floating-image", topic="images", severity=Severity.NOTE, facts=("images",))
def floating_image(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A base image without a tag, or with ``latest``.

    The next build stands on another system. Where the tag decides the Python, the CUDA or the
    framework, a rebuild changes all three at once: a warning for such images, a note for others.

    Bad:
        FROM pytorch/pytorch

    Good:
        FROM pytorch/pytorch:2.4.1-cuda12.4-cudnn9-runtime
    """
    for source in project.sources.values():
        for stage in source.stages:
            if not _floats(stage):
                continue
            name = stage.repository.rpartition("/")[2]
            decides = source.role == IMAGE and knowledge.is_environment_image(name)
            matters = decides and not is_aside(source.path) and not is_auxiliary(source.path)
            what = "the tag latest" if stage.tag else "no tag"
            yield Finding(
                f"{stage.image} has {what}: each build may stand on another image",
                stage.span,
                (stage.repository,),
                Severity.WARNING if matters else None,
                help="name the version that you tested as the tag",
                batch=f"floating {stage.image}",
            )


def _floats(stage: Stage) -> bool:
    if stage.parent is not None or stage.is_empty or not stage.is_complete or stage.digest:
        return False
    return stage.tag in ("", "latest") and bool(stage.image)


@rule("IMG002", "unpinned-in-image", topic="images", severity=Severity.NOTE)
def unpinned_in_image(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """An image that installs a package in whatever version there is on the day.

    Two builds of one commit give two images. A warning for frameworks, a note for the rest.
    Reported once per file; what a constraint file bounds, what a requirements file of the same
    stage pins, what comes from a folder alone (--no-index), and what only installs or builds (pip,
    setuptools, cmake) is left out.

    Bad:
        RUN pip install torch transformers

    Good:
        RUN pip install -r requirements.txt
    """
    by_group: dict[tuple[str, str], list[InstallCommand]] = {}
    for source in project.sources.values():
        for command in source.commands:
            by_group.setdefault((source.path, command.group), []).append(command)
    for install_set in project.image_sets:
        source = install_set.home
        pinned = _pinned(install_set, knowledge)
        aside = is_aside(source.path) or is_auxiliary(source.path)
        for command in by_group.get((source.path, install_set.group), ()):
            built_here = any(index.kind == "none" for index in command.indexes)
            if built_here or any(one.constraint for one in command.files):
                continue
            redirected = {span.start for span in command.redirections}
            for requirement in command.requirements:
                if requirement.span.start in redirected:
                    continue  # IMG004 says it
                versions = requirement.versions
                if not versions.is_any or requirement.is_direct or not requirement.name:
                    continue
                if requirement.name in pinned or _serves_the_work(requirement.name, knowledge):
                    continue
                framework = any(
                    knowledge.is_framework(name) for name in distributions(requirement, knowledge)
                )
                yield Finding(
                    f"{requirement.written} has no version: each build may install another one",
                    requirement.name_span or requirement.span,
                    (requirement.name,),
                    Severity.WARNING if framework and not aside else None,
                    help="pin it, or install from a file that does",
                    batch="unpinned",
                    batch_message="{count} packages have no version, so each build may install "
                    "others: {packages}",
                )


def _pinned(install_set: InstallSet, knowledge: Knowledge) -> set[str]:
    """Return what a stage pins, with the companions that fit one version of it only."""
    pins = [r for r in install_set.requirements if r.versions.is_exact or _names_variable(r)]
    direct = {r.name for r in install_set.requirements if r.is_direct}
    names = {name for r in pins for name in (r.name, *distributions(r, knowledge))}
    return direct.union(names, *(knowledge.companions_of(name) for name in names))


def _names_variable(requirement: Requirement) -> bool:
    """Whether the version is that of a variable, which whoever builds the image states."""
    span = requirement.specifier_span or requirement.span
    return "==$" in span.text.replace(" ", "")


def _serves_the_work(name: str, knowledge: Knowledge) -> bool:
    return name == "python" or knowledge.is_tool(name) or knowledge.is_toolkit_part(name)


@rule("IMG003", "lock-not-used", topic="images", severity=Severity.WARNING)
def lock_not_used(project: Project) -> Iterator[Finding]:
    """An image or a pipeline that installs from a manifest though a lock records it.

    The lock says what was tested; what is deployed was resolved on the day of the build. A
    warning for images, a note for pipelines, which may test the newest versions on purpose. The
    pipelines of a library are left alone: its users install without its lock.

    Bad:
        uv.lock in the repository, and RUN pip install . in the Dockerfile

    Good:
        RUN uv sync --locked
    """
    for source in project.sources.values():
        tests = source.kind in _PIPELINES and project.profile != LIBRARY
        if source.role != IMAGE and not tests:
            continue
        serves = source.role == IMAGE and not is_auxiliary(source.path)
        locked = {
            command.group
            for command in source.commands
            if command.follows_lock or _is_lock(source, command, project)
        }
        for command in source.commands:
            lock = _passed_over(source, command, locked, project)
            if lock:
                yield Finding(
                    f"this does not install what {lock} records, but resolves anew",
                    command.span,
                    severity=None if serves and not is_aside(source.path) else Severity.NOTE,
                    help=f"install from {lock}",
                    batch=f"passed over {lock}",
                    batch_message=f"{{count}} commands do not install what {lock} records, but "
                    "resolve anew",
                )


def _passed_over(
    source: Source, command: InstallCommand, locked: Collection[str], project: Project
) -> str:
    """Return the lock that a command does not use; empty where there is none, or it does.

    Args:
        source: The file that holds the command.
        command: What installs.
        locked: The groups of the file that something installs from a lock.
        project: What surrounds it.
    """
    if command.tool not in _PIP or command.action != "install":
        return "Pipfile.lock" if command.ignores_lock and _has(project, "pipfile-lock") else ""
    if "--no-deps" in command.options:
        return ""  # what it needs was installed before, perhaps from the lock
    for include in command.files:
        for target in () if include.constraint else targets_of(source.path, include, project):
            lock = project.covered.get(target, "")
            if lock and project.sources[target].role != LOCK:
                return lock
    return "" if command.group in locked else _of_project(source, command, project)


def _of_project(source: Source, command: InstallCommand, project: Project) -> str:
    """Return the lock of the local project that a command installs without it."""
    path = command.project.partition("[")[0].rstrip("/")
    if path != ".":
        return ""
    manifests = (f"{folder}/pyproject.toml".lstrip("/") for folder in folders_above(source.path))
    manifest = next((path for path in manifests if path in project.sources), "")
    lock = project.covered.get(manifest, "")
    is_tool_lock = lock in project.sources and project.sources[lock].kind != "requirements"
    return lock if is_tool_lock else ""


def _is_lock(source: Source, command: InstallCommand, project: Project) -> bool:
    """Whether a command installs from a lock or an export of one before the project itself."""
    if command.tool in SYSTEM_TOOLS:
        return False
    return any(
        project.sources[target].role == LOCK
        for include in command.files
        for target in targets_of(source.path, include, project)
    )


def _has(project: Project, kind: str) -> bool:
    return any(source.kind == kind for source in project.sources.values())


@rule("IMG004", "version-is-redirected", topic="images", severity=Severity.ERROR)
def version_is_redirected(project: Project) -> Iterator[Finding]:
    """An unquoted ``>`` or ``<`` in a version, which the shell takes for a redirection.

    ``pip install torch>=2.1`` installs torch in any version and writes what pip prints to a file
    named ``=2.1``. With ``<`` the command fails unless a file of that name exists. The command
    line of an image, a pipeline or a README is read by a shell.

    Bad:
        RUN pip install numpy>=1.24 pandas

    Good:
        RUN pip install "numpy>=1.24" pandas
    """
    for source in project.sources.values():
        for command in source.commands:
            for span in command.redirections:
                yield Finding(
                    f"the shell takes {span.text} for a redirection: the version is dropped",
                    span,
                    severity=Severity.WARNING if source.role == CONTEXT else None,
                    help=f'quote it: "{span.text}"',
                    evidence=(
                        Evidence(
                            "an unquoted > or < opens a file", "POSIX, Shell Command Language 2.7"
                        ),
                    ),
                )


@rule("IMG005", "lock-not-checked", topic="images", severity=Severity.NOTE)
def lock_not_checked(project: Project) -> Iterator[Finding]:
    """An image that runs ``uv sync`` without ``--locked`` or ``--frozen``.

    Where the lock is older than the manifest, ``uv sync`` resolves anew and says nothing: the
    image holds versions that no lock records. UV_LOCKED and UV_FROZEN do the same as the options.

    Bad:
        RUN uv sync --no-dev

    Good:
        RUN uv sync --locked --no-dev
    """
    for source in project.sources.values():
        if source.role != IMAGE or is_auxiliary(source.path):
            continue
        if re.search(r"(?m)^[^#\n]*\bUV_(?:LOCKED|FROZEN)\b", source.text.text):
            continue
        for command in source.commands:
            checks = {"--locked", "--frozen", "--no-sync", "--check"} & set(command.options)
            if command.tool == "uv" and command.action == "sync" and not checks:
                yield Finding(
                    "uv sync locks anew where the lock is out of date, and says nothing",
                    command.span,
                    help="add --locked",
                    batch="not checked",
                    batch_message="{count} times uv sync locks anew where the lock is out of "
                    "date, and says nothing",
                    evidence=(
                        Evidence(
                            "--locked asserts that the lock is up to date; --frozen takes it as "
                            "it is",
                            "uv's documentation, Locking and syncing",
                        ),
                    ),
                )
