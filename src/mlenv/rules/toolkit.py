"""Topic ``cuda-toolkit``: the compiler for CUDA against torch and the GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.builds import LATE, Build
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import CONDA, PYPI, REQUIREMENT, Requirement
from mlenv.model.target import Target
from mlenv.model.text import Span
from mlenv.reasoning.base_image import first_stage
from mlenv.reasoning.prebuilt import prebuilts
from mlenv.reasoning.setting import IMAGE, INSTALLED, LOCK, Setting
from mlenv.reasoning.torch_build import TorchBuild, torch_build
from mlenv.reasoning.torch_there import torch_there
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.rules.cloned import cloned_builds
from mlenv.rules.repository_names import repository_name
from mlenv.versions.version import Version, parse_version

_CHECK = Evidence(
    "torch stops the build of an extension where nvcc's CUDA has another major version than its "
    "own, and warns where only the minor version differs",
    "_check_cuda_version in torch.utils.cpp_extension",
)
_LATE_COMPILERS = ("deepspeed",)
"""What compiles its operators when they are first used, with torch's own check of nvcc."""
_LATE = ", when it is used,"
_OTHER_TOOLKIT = (
    r"cuda-(?:toolkit|nvcc|compiler|minimal-build)|nvidia-cuda-toolkit|cuda_\d[^\s]*\.run"
)
"""What else brings nvcc into an image."""
_UNCHECKED = "check_cuda_torch_binary"
"""The check in apex's setup.py, which recipes take out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Nvcc:
    """The CUDA compiler of an installation.

    Attributes:
        version: As ``11.8``.
        span: What says so.
        is_sure: Whether it is known to be there: an image may lack the compiler of its CUDA.
    """

    version: str
    span: Span
    is_sure: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Compiled:
    """What compiles CUDA code.

    Attributes:
        what: The subject of a sentence.
        span: Where it is asked for; None where only the machine says so.
        name: The distribution; empty where only the machine says so.
        is_late: Whether it compiles when it is used.
        compares_minor: Whether its setup.py stops where the minor version differs.
    """

    what: str
    span: Span | None = None
    name: str = ""
    is_late: bool = False
    compares_minor: bool = False


@rule(
    "CTK001",
    "nvcc-for-another-cuda",
    topic="cuda-toolkit",
    severity=Severity.ERROR,
    facts=("torch", "builds", "companions", "bases"),
    only=(IMAGE, "cuda_toolkit", "image_cuda"),
)
def nvcc_for_another_cuda(setting: Setting) -> Iterator[Finding]:
    """A CUDA compiler of another version than torch was built with, where CUDA code is compiled.

    Extensions are compiled with the machine's nvcc and linked to torch, so both need the same major
    version of CUDA; torch checks that and stops. What compiles is what the target says
    (``builds_extensions``), or packages that have no wheels: those taken from a repository, those
    that an image clones and builds, and those that PyPI holds only as source. An image with nvcc
    (``devel``) is judged by its own. A warning where only the target says so and torch is open,
    where the target states its image alone, and for DeepSpeed, which compiles when it is used; a
    difference in the minor version is a note.

    Messages that users see: "The detected CUDA version (11.8) mismatches the version that was used
    to compile PyTorch (12.1). Please make sure to use the same CUDA versions."

    Bad:
        # on a machine with nvcc 11.8
        torch==2.3.0
        detectron2 @ git+https://git.example/facebookresearch/detectron2.git

    Good:
        # on a machine with nvcc 12.4
        torch==2.3.0
        detectron2 @ git+https://git.example/facebookresearch/detectron2.git
    """
    compiler, build = _nvcc(setting), torch_build(setting)
    if compiler is None or build is None or not build.cuda or _is_assumed(setting):
        return
    compiled = _compiled(setting, build)
    nvcc, cuda = (text.split(".")[:2] for text in (compiler.version, build.cuda))
    if compiled is None or nvcc == cuda:
        return
    differs = nvcc[0] != cuda[0] or compiled.compares_minor
    is_sure = build.certainty is Certainty.CERTAIN and compiler.is_sure
    if differs or (compiled.span is None and is_sure):
        yield _mismatch(compiler, build, compiled, differs)


def _nvcc(setting: Setting) -> _Nvcc | None:
    """Return the compiler that an installation finds; None where none is known."""
    if setting.kind == IMAGE:
        return _nvcc_of_image(setting)
    target = setting.target
    if target is None or setting.kind == LOCK or _is_said_of_snapshot(setting, target):
        return None
    if parse_version(target.cuda_toolkit) is not None:
        return _Nvcc(target.cuda_toolkit, target.where("cuda_toolkit"))
    if parse_version(target.image_cuda) is not None:
        return _Nvcc(target.image_cuda, target.where("image_cuda"), is_sure=False)
    return None


def _nvcc_of_image(setting: Setting) -> _Nvcc | None:
    source = setting.source
    if source is None or setting.install_set is None:
        return None
    stage = first_stage(source, setting.install_set.group)
    base = setting.knowledge.bases.of(stage, setting.day) if stage is not None else None
    if stage is None or base is None or not base.has_nvcc or not base.cuda:
        return None
    if re.search(_OTHER_TOOLKIT, source.text.text):
        return None
    if any(r.ecosystem == CONDA and r.name.startswith("cuda") for r in setting.requirements):
        return None
    return _Nvcc(base.cuda, stage.span)


def _mismatch(compiler: _Nvcc, build: TorchBuild, compiled: _Compiled, differs: bool) -> Finding:
    nvcc = ".".join(compiler.version.split(".")[:2])
    torch = f"torch {build.version.public}" if build.version is not None else "torch"
    is_major = nvcc.partition(".")[0] != (build.cuda or "").partition(".")[0]
    outcome = "torch only warns, as the major is the same"
    if differs:
        outcome = f"{'torch' if is_major else 'its setup.py'} stops the build"
    packages = [*([compiled.name] if compiled.name else ()), "torch", "cuda-toolkit"]
    span = compiled.span or compiler.span
    # a requirement that compiles does so on its way into the environment, or fails
    assumed = compiled.span is None and build.certainty is not Certainty.CERTAIN
    mild = assumed or compiled.is_late or not compiler.is_sure
    places = {
        build.span: f"{build.text} stands here",
        compiler.span: f"nvcc {compiler.version}",
    }
    places.pop(span, None)
    return Finding(
        f"{compiled.what} compiles with nvcc {nvcc}, and {torch} is built for CUDA {build.cuda}: "
        f"{outcome}",
        span,
        tuple(packages),
        Severity.NOTE if not differs else Severity.WARNING if mild else None,
        build.certainty,
        help=f"install the CUDA {build.cuda} toolkit there, or torch for CUDA "
        f"{nvcc if not is_major else nvcc.partition('.')[0]}",
        related=tuple(Related(where, said) for where, said in places.items()),
        evidence=(_CHECK, build.evidence),
        batch=f"{compiled.what} {differs}",
        batch_message=f"{compiled.what} compiles with nvcc {nvcc}, and several installations have "
        f"torch for another CUDA: {outcome}",
    )


def _is_assumed(setting: Setting) -> bool:
    """Whether torch is only brought along, so that another one may be there already."""
    torch = torch_there(setting)
    return torch is not None and not torch.is_stated


def _is_said_of_snapshot(setting: Setting, target: Target) -> bool:
    """Whether the torch that is installed there is the one that extensions are linked to."""
    installed = target.installed
    if setting.kind == INSTALLED or installed is None or not target.builds_extensions:
        return False
    return "torch" in installed.packages or bool(installed.torch_cuda)


def _compiled(setting: Setting, build: TorchBuild) -> _Compiled | None:
    """Return what compiles CUDA code there; None where nothing is known to."""
    target = setting.target
    said = target if target is not None and target.builds_extensions else None
    if said is not None and setting.kind != IMAGE:
        return _Compiled(said.name)
    text = setting.source.text.text if setting.source is not None else ""
    for known, span in (*_asked(setting, build), *_cloned(setting)):
        is_on = known.switch in text
        if is_on or said is not None:
            strict = known.compares_minor and is_on and _UNCHECKED not in text
            return _Compiled(known.name, span, known.name, compares_minor=strict)
    for name in _LATE_COMPILERS:
        choice = setting.choices.get(name)
        if choice is not None and choice.requirements:
            return _Compiled(f"{name}{_LATE}", choice.requirements[0].span, name, is_late=True)
    return _Compiled(said.name) if said is not None else None


def _asked(setting: Setting, build: TorchBuild) -> Iterator[tuple[Build, Span]]:
    """Yield the requirements that are compiled, with what is known of their builds."""
    labelled = {one.name for one in prebuilts(setting)}
    for requirement in setting.requirements:
        known = _compiles(setting.knowledge, requirement)
        if known is None or known.name in labelled:
            continue
        if requirement.is_direct or not _has_wheel(setting, known.name, build):
            yield known, requirement.span


def _cloned(setting: Setting) -> Iterator[tuple[Build, Span]]:
    for cloned in cloned_builds(setting):
        if cloned.build.nvcc and cloned.build.torch not in ("", LATE):
            yield cloned.build, cloned.span


def _compiles(knowledge: Knowledge, requirement: Requirement) -> Build | None:
    """Return the build of a requirement that is compiled with torch's help wherever it goes."""
    if requirement.ecosystem != PYPI or requirement.kind != REQUIREMENT:
        return None
    build = knowledge.builds.of(requirement.name or repository_name(requirement.url))
    if build is None or build.torch in ("", LATE) or ".whl" in requirement.url:
        return None
    if requirement.is_vcs or requirement.is_local:
        return build if build.nvcc else None
    if requirement.is_direct or build.from_source or build.torch != "imports":
        return None
    is_source = build.only_source and build.versions.intersects(requirement.versions)
    return build if is_source else None


def _has_wheel(setting: Setting, name: str, build: TorchBuild) -> bool:
    """Whether the setup of a distribution finds a wheel for torch and Python, so far as known."""
    pick = setting.pick(name)
    if not setting.knowledge.companions.wheel_evidence(name):
        return False
    matrix = setting.knowledge.companions.wheels(name, pick.version) if pick else None
    if matrix is None or build.version is None:
        return True  # perhaps
    minor = build.version.minor_line
    low, high = matrix.pythons
    return minor in matrix.torches and low <= setting.python.minor <= high


@rule(
    "CTK002",
    "nvcc-without-the-gpu",
    topic="cuda-toolkit",
    severity=Severity.ERROR,
    facts=("gpu", "builds"),
    only=("cuda_toolkit",),
)
def nvcc_without_the_gpu(
    project: Project, knowledge: Knowledge, targets: Sequence[Target]
) -> Iterator[Finding]:
    """A CUDA compiler that does not know the GPU that it compiles for.

    Each CUDA toolkit compiles for a range of compute capabilities: 11.8 ends before Blackwell
    (RTX 50, B200), and 13.0 no longer knows Volta and older ones (V100, P100, GTX 10). Code that
    is compiled on such a machine stops at nvcc, or has no kernels for the GPU. An error where the
    target says that it compiles (``builds_extensions``), a warning where only a requirement that
    has to be built from source says so.

    Messages that users see: "nvcc fatal: Unsupported gpu architecture 'compute_120'", "no kernel
    image is available for execution on the device".

    Bad:
        # nvcc 11.8 on a machine with an RTX 5090
        pytorch3d @ git+https://git.example/facebookresearch/pytorch3d.git

    Good:
        # nvcc 12.8 on a machine with an RTX 5090
        pytorch3d @ git+https://git.example/facebookresearch/pytorch3d.git
    """
    for target in targets:
        version = parse_version(target.cuda_toolkit) if target.cuda_toolkit else None
        if version is None:
            continue
        requirement = None if target.builds_extensions else _compiled_in(project, knowledge)
        if target.builds_extensions or requirement is not None:
            yield from _unknown_gpus(target, version, requirement, knowledge)


def _compiled_in(project: Project, knowledge: Knowledge) -> Requirement | None:
    return next(
        (
            requirement
            for install_set in project.install_sets
            for requirement in install_set.requirements
            if (requirement.is_vcs or requirement.is_local)
            and _compiles(knowledge, requirement) is not None
        ),
        None,
    )


def _unknown_gpus(
    target: Target, nvcc: Version, requirement: Requirement | None, knowledge: Knowledge
) -> Iterator[Finding]:
    for gpu in target.gpus:
        architecture = knowledge.gpus.architecture(gpu.capability) if gpu.capability else None
        if architecture is None or architecture.is_known_to(nvcc):
            continue
        first, last = architecture.first_cuda, architecture.last_cuda
        is_new = first is not None and nvcc.release < first.release
        fix = f"CUDA {first} or newer" if is_new else f"CUDA {last} or older"
        shown = nvcc.minor_line
        who = requirement.name if requirement is not None else target.name
        span = requirement.span if requirement is not None else target.where("cuda_toolkit")
        yield Finding(
            f"{who} compiles with nvcc {shown}, which does not know the {gpu.label}",
            span,
            (*((requirement.name,) if requirement is not None else ()), "cuda-toolkit"),
            Severity.WARNING if requirement is not None else None,
            help=f"install {fix} there",
            related=(Related(target.where("gpus"), gpu.label),),
            evidence=(architecture.evidence,),
        )
