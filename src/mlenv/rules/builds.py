"""Topic ``build``: what is built from source when it is installed, and what that takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from mlenv.knowledge.builds import IMPORTS, LATE, REQUIRES, SKIPS, Build
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.image import InstallCommand
from mlenv.model.profile import LIBRARY
from mlenv.model.project import Project
from mlenv.model.requirement import CONDA, REQUIREMENT, Requirement
from mlenv.model.source import CONTEXT, Source
from mlenv.model.target import WINDOWS
from mlenv.model.text import Span
from mlenv.reasoning.image_contents import ImageContents, image_contents
from mlenv.reasoning.includes import targets_of
from mlenv.reasoning.setting import IMAGE, REQUIREMENTS, Setting
from mlenv.rules.base import rule
from mlenv.rules.cloned import cloned_builds
from mlenv.rules.common import is_auxiliary, profile_of
from mlenv.rules.places import may_come_from_elsewhere, settings_over
from mlenv.rules.repository_names import repository_name

_TORCH = "torch"
_OFF = r"(?i)no[-_]build[-_]isolation|extra-build-dependencies|dependency-metadata"
"""How a file turns the isolation of builds off, or says what a build needs."""
_ISOLATION = Evidence(
    "an installer builds each source distribution in an environment of its own, with nothing in it "
    "but what the package lists as build requirements",
    "PEP 517; pip's documentation, --no-build-isolation",
)
_CUDA_IMAGE = r"cuda|nvidia"


@rule(
    "BLD001",
    "needs-torch-to-build",
    topic="build",
    severity=Severity.WARNING,
    facts=("builds",),
    only=(REQUIREMENTS, IMAGE),
)
def needs_torch_to_build(setting: Setting, project: Project) -> Iterator[Finding]:
    """A package whose build imports torch, installed without what makes that work.

    flash-attn, torch-scatter, pytorch3d and their like have no wheels on PyPI, and their setup.py
    imports torch. Builds are isolated, and in one command with torch, torch is not there yet. It
    takes torch installed first, then the package with --no-build-isolation; uv has
    no-build-isolation-package and extra-build-dependencies. An error where an image installs both
    with one command of pip, a note where torch comes from elsewhere, or where the build fetches a
    torch of its own.

    Messages that users see: "ModuleNotFoundError: No module named 'torch'".

    Bad:
        torch==2.6.0
        flash-attn==2.7.4.post1

    Good:
        torch==2.6.0
        # then: pip install --no-build-isolation flash-attn==2.7.4.post1
    """
    if setting.source is None:
        return
    for requirement, build in _built(setting, project):
        is_here = setting.kind == REQUIREMENTS or requirement.span.path == setting.source.path
        if not build.torch or not is_here or _is_isolation_off(requirement, build.name, project):
            continue
        if build.torch == REQUIRES:
            yield from _with_another_torch(setting, requirement, build)
        elif build.torch in (IMPORTS, SKIPS):
            yield _without_torch(setting, requirement, build, project)


def _without_torch(
    setting: Setting, requirement: Requirement, build: Build, project: Project
) -> Finding:
    is_failing = build.torch == IMPORTS
    is_certain = is_failing and _is_installed_at_once(requirement, project)
    torch = setting.choices.get(_TORCH)
    assert setting.source is not None
    is_extra = profile_of(setting.source, project) == LIBRARY
    is_aux = is_auxiliary(requirement.span.path, requirement.group)
    is_mild = torch is None or torch.is_conda or is_extra or is_aux or setting.kind == IMAGE
    effect = "imports torch" if is_failing else "leaves its compiled parts out without torch"
    if is_certain:
        where = "and one command installs both"
    else:
        where = "and an isolated build does not see it"
    ways = "install torch first, then this with --no-build-isolation"
    if build.wheel:
        ways += f", or take {build.wheel}"
    return Finding(
        f"the build of {build.name} {effect}, {where}",
        requirement.span,
        (build.name,),
        Severity.ERROR if is_certain else Severity.NOTE if is_mild else None,
        Certainty.CERTAIN if is_certain else Certainty.POSSIBLE,
        help=ways,
        related=(Related(torch.span, "torch stands here"),) if torch is not None else (),
        evidence=(build.evidence, _ISOLATION),
        batch=f"torch {is_certain} {is_mild}",
        batch_message=f"{{count}} packages: their builds need torch, {where}: {{packages}}",
    )


def _with_another_torch(
    setting: Setting, requirement: Requirement, build: Build
) -> Iterator[Finding]:
    torch = setting.choices.get(_TORCH)
    if torch is not None and torch.exact is not None and not torch.is_conda:
        yield Finding(
            f"an isolated build of {build.name} is compiled with a torch of its own, not with "
            f"{torch.specifier}",
            requirement.span,
            (build.name,),
            Severity.NOTE,
            Certainty.POSSIBLE,
            help="install torch first, then this with --no-build-isolation",
            related=(Related(torch.span, "torch stands here"),),
            evidence=(build.evidence, _ISOLATION),
        )


@rule(
    "BLD002",
    "no-compiler-in-image",
    topic="build",
    severity=Severity.WARNING,
    facts=("builds", "system_packages"),
    only=(IMAGE,),
)
def no_compiler_in_image(setting: Setting, project: Project) -> Iterator[Finding]:
    """A package that must be compiled, in an image without what that takes.

    Slim images have no compiler, and of CUDA's images only the devel flavor has nvcc; base and
    runtime are for running what was compiled elsewhere. Judged are images whose base is known not
    to hold it, with what their commands install. An error where PyPI has no wheel at all and the
    compiler or the headers are missing.

    Messages that users see: "error: command 'gcc' failed: No such file or directory", "nvcc: not
    found", "CUDA_HOME environment variable is not set", "CMake must be installed to build dlib".

    Bad:
        FROM nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04
        RUN pip install git+https://github.com/facebookresearch/detectron2.git

    Good:
        FROM nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04
        RUN pip install git+https://github.com/facebookresearch/detectron2.git
    """
    contents = image_contents(setting)
    if contents is None:
        return
    found = {
        build.name: (requirement.span, build) for requirement, build in _built(setting, project)
    }
    for cloned in cloned_builds(setting):
        found.setdefault(cloned.build.name, (cloned.span, cloned.build))
    for span, build in found.values():
        missing = _missing_tools(build, contents)
        if missing:
            yield _cannot_compile(span, build, missing, contents)


def _missing_tools(build: Build, contents: ImageContents) -> list[str]:
    missing = [one for one in (*build.programs, *build.headers) if contents.lacks(one)]
    is_for_cuda = re.search(_CUDA_IMAGE, contents.stage.image) is not None
    if build.nvcc and is_for_cuda and contents.lacks("nvcc"):
        missing.append("nvcc")
    return missing


def _cannot_compile(
    span: Span, build: Build, missing: list[str], contents: ImageContents
) -> Finding:
    image = contents.stage.image
    needs_apt = [one for one in missing if one != "nvcc"]
    ways = []
    if "nvcc" in missing:
        ways.append("stand on the devel flavor of the image")
    if needs_apt:
        ways.append(f"apt-get install -y {' '.join(needs_apt)} before this")
    if build.other:
        ways.append(f"use {build.other}")
    elif build.wheel:
        ways.append(f"take {build.wheel}")
    is_certain = contents.base.certain and not build.torch and build.only_source
    what = "looks for nvcc" if build.torch == LATE else "is compiled"
    return Finding(
        f"{build.name} {what} when it is installed, and {image} lacks {', '.join(missing)}",
        span,
        (build.name, contents.stage.repository),
        Severity.ERROR if is_certain else None,
        help=", or ".join(ways),
        related=(Related(contents.stage.span, "the base image"),),
        evidence=(build.evidence, contents.base.evidence),
    )


@rule(
    "BLD003",
    "compiled-on-platform",
    topic="build",
    severity=Severity.NOTE,
    facts=("builds",),
    only=(REQUIREMENTS,),
)
def compiled_on_platform(setting: Setting, project: Project) -> Iterator[Finding]:
    """A package that has to be compiled on a target with Windows.

    A package with CUDA code that is only a source distribution takes Visual Studio's compiler and
    the CUDA toolkit there, and some do not compile on Windows at all.

    Messages that users see: "Microsoft Visual C++ 14.0 or greater is required", "CUDA_HOME
    environment variable is not set".

    Bad:
        flash-attn==2.8.3, and a target with Windows

    Good:
        flash-attn==2.8.3; sys_platform == "linux"
    """
    target = setting.target
    if target is None or target.os != WINDOWS:
        return
    for requirement, build in _built(setting, project):
        if build.nvcc and build.only_source and build.torch != LATE:
            yield Finding(
                f"{build.name} has to be compiled on {target.name}, which takes Visual Studio's "
                "compiler and the CUDA toolkit",
                requirement.span,
                (build.name,),
                help=f"take {build.wheel}, where there is one for Windows" if build.wheel else "",
                evidence=(build.evidence,),
            )


def _built(setting: Setting, project: Project) -> Iterator[tuple[Requirement, Build]]:
    """Yield what an installation builds from source, with what is known of the build."""
    builds = setting.knowledge.builds
    for requirement in setting.requirements:
        if requirement.kind != REQUIREMENT or requirement.ecosystem == CONDA:
            continue
        build = builds.of(requirement.name or repository_name(requirement.url))
        if build is None or not _is_built(requirement, build, project):
            continue
        if build.versions.intersects(requirement.versions):
            yield requirement, build


def _is_built(requirement: Requirement, build: Build, project: Project) -> bool:
    if requirement.is_direct:
        return requirement.is_vcs
    if build.from_source:
        return False
    return build.only_source and not may_come_from_elsewhere(requirement, project)


def _is_isolation_off(requirement: Requirement, name: str, project: Project) -> bool:
    """Whether some file of the project says how a package is built, or where wheels of it are."""
    path = requirement.span.path
    settings = {path: None, **dict.fromkeys(one.path for one in settings_over(path, project))}
    words = re.escape(name).replace(r"\-", "[-_]")
    if any(
        _takes_wheel(command, name)
        for source in project.sources.values()
        for command in source.commands
    ):
        return True
    for source in _speaking_of_isolation(project):
        if source.path in settings or re.search(rf"(?i){words}", source.text.text):
            return True
        if any(_installs(source, command, path, project) for command in source.commands):
            return True
    return False


@lru_cache(maxsize=4)
def _speaking_of_isolation(project: Project) -> tuple[Source, ...]:
    """Return the files that say how something is built."""
    return tuple(one for one in project.sources.values() if re.search(_OFF, one.text.text))


def _takes_wheel(command: InstallCommand, name: str) -> bool:
    """Whether a command installs a package from a place with wheels."""
    return bool(command.indexes) and any(one.name == name for one in command.requirements)


def _installs(source: Source, command: InstallCommand, path: str, project: Project) -> bool:
    """Whether a command installs from a file; of what is only told, so far as the names agree."""
    for include in command.files:
        if include.constraint:
            continue
        told = source.role == CONTEXT and f"/{path}".endswith(
            f"/{include.target.removeprefix('./')}"
        )
        if told or path in targets_of(source.path, include, project):
            return True
    return False


def _is_installed_at_once(requirement: Requirement, project: Project) -> bool:
    """Whether an image installs a package and torch with one command, and no torch before."""
    path = requirement.span.path
    for install_set in project.image_sets:
        source = install_set.home
        stage = next((s for s in source.stages if s.group == install_set.group), None)
        if stage is None or stage.parent is not None or re.search("torch", stage.image):
            continue
        for command in source.commands:
            if command.group != stage.group or command.tool not in ("pip", "uv pip"):
                continue
            names = _named(source, command, project)
            is_meant = requirement.span in names.values() or _installs(
                source, command, path, project
            )
            if is_meant and _TORCH in names:
                return source not in _speaking_of_isolation(project)
            if _TORCH in names:
                break
    return False


def _named(source: Source, command: InstallCommand, project: Project) -> dict[str, object]:
    """Return what a command installs by name, in its files as well, with the places."""
    found: dict[str, object] = {one.name: one.span for one in command.requirements}
    for include in command.files:
        for target in targets_of(source.path, include, project):
            if not include.constraint and target in project.sources:
                found.update((one.name, one.span) for one in project.sources[target].requirements)
    return found
