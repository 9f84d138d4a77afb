"""Topic ``driver``: whether the machine's NVIDIA driver runs the CUDA that is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.bases import CUDA, DEVEL, NGC, PYTORCH, BaseImage
from mlenv.knowledge.torch import cuda_of_label
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.profile import LIBRARY
from mlenv.model.project import Project
from mlenv.model.source import IMAGE as RECIPE
from mlenv.model.target import MACOS, Target
from mlenv.model.text import Span
from mlenv.reasoning.base_image import first_stage
from mlenv.reasoning.cuda_users import QUIET, RUNTIME, CudaUser, cuda_users
from mlenv.reasoning.machine_fit import (
    driver_runs,
    driver_serves,
    driver_text,
    is_newer,
    may_use_forward,
)
from mlenv.reasoning.setting import IMAGE, LOCK, REQUIREMENTS, Setting
from mlenv.reasoning.torch_build import DEFAULT, TORCH, torch_build
from mlenv.rules.base import rule
from mlenv.rules.common import is_aside, is_auxiliary
from mlenv.rules.torch_places import said_once
from mlenv.rules.torch_wording import is_for_other_hardware, severity_of, subject, ways_out

_COMPILES_AT_RUN_TIME = frozenset(
    (
        *("numba", "numba-cuda", "lmdeploy", "vllm", "sglang", "flashinfer-python", "deepspeed"),
        *("tensorrt-llm", "warp-lang", "pycuda", "nvidia-cuda-nvrtc-cu11", "pynvjitlink-cu12"),
    )
)
"""What hands the driver intermediate code of its own CUDA, or uses the newest calls of it."""
_NEW_MAJOR = 13
_MATRIX = "rapids-dependencies"
"""The format whose groups are alternatives, such as one for each CUDA."""
_CUDA_IN_NAME = r"(?:^|[^a-z0-9])cu(?:da)?[-_]?\d"


@rule(
    "DRV001",
    "driver-too-old",
    topic="driver",
    severity=Severity.ERROR,
    facts=("cuda", "torch"),
    only=("driver", "driver_cuda"),
)
def driver_too_old(project: Project, settings: Sequence[Setting]) -> Iterator[Finding]:
    """A build whose CUDA the machine's driver cannot run.

    One driver runs everything that was built with its own major version of CUDA or an older one:
    525 and newer run all of CUDA 12, 580 and newer all of CUDA 13. Below that, nothing that uses
    the GPU works. Judged for each machine that is named, for what is pinned and for what an
    installer picks on the day: a torch without an upper bound needs a newer driver one day.

    Messages that users see: "The NVIDIA driver on your system is too old (found version 11040)",
    "CUDA driver version is insufficient for CUDA runtime version", "torch.cuda.is_available()"
    being False.

    Bad:
        # on a machine with driver 470.82
        torch==2.4.0

    Good:
        # on a machine with driver 535
        torch==2.4.0
    """
    alternatives = _served_matrices(settings)
    found = []
    for setting in settings:
        target, need = setting.target, _beyond_driver(setting)
        if target is None or need is None or _matrix_of(setting) in alternatives:
            continue
        open_cause = (target.name, need.shown)
        found.append((open_cause, _too_old(setting, target, need)))
    yield from said_once(project, found)


def _beyond_driver(setting: Setting) -> CudaUser | None:
    """Return the first thing of an installation that the machine's driver does not run."""
    target = setting.target
    if target is None or not (target.driver or target.driver_cuda):
        return None
    if is_for_other_hardware(setting):
        return None
    for need in cuda_users(setting):
        if driver_runs(target, need.cuda, setting.knowledge) is False:
            return need
    return None


def _matrix_of(setting: Setting) -> tuple[str, str]:
    """Return what the choices of a matrix share, and their machine; nothing for all else.

    They are groups of one file, or files and groups whose names differ in the CUDA they name.
    """
    source, target = setting.source, setting.target
    if source is None or target is None:
        return "", ""
    if source.kind == _MATRIX:
        return source.path, target.name
    if re.search(_CUDA_IN_NAME, setting.title.lower()):
        return re.sub(r"\d+", "#", setting.title), target.name
    return "", ""


def _served_matrices(settings: Sequence[Setting]) -> frozenset[tuple[str, str]]:
    """Return those matrices of which the machine's driver runs some choice."""
    return frozenset(
        _matrix_of(setting)
        for setting in settings
        if setting.target is not None
        and any(_matrix_of(setting))
        and any(
            driver_runs(setting.target, need.cuda, setting.knowledge)
            for need in cuda_users(setting)
        )
    )


def _too_old(setting: Setting, target: Target, need: CudaUser) -> Finding:
    floor = setting.knowledge.cuda.floor(need.cuda, target.system)
    needed = f", and needs {floor.text} or newer" if floor is not None else ""
    where = target.where("driver", "driver_cuda")
    shown = need.shown if "CUDA" in need.shown else f"{need.shown} (CUDA {need.cuda})"
    who = subject(shown, need.certainty, need.chain)
    message = f"{who} does not run on {driver_text(target)}{needed}"
    evidence = [*need.evidence, *([floor.evidence] if floor is not None else [])]
    if may_use_forward(target, setting.knowledge):
        evidence.append(setting.knowledge.cuda.forward)
    return Finding(
        message,
        need.span,
        (need.name,),
        _severity(setting, need),
        need.certainty,
        help=", or ".join(_ways_out(setting, target, need, floor.text if floor else "")),
        related=(Related(where, "the driver"),),
        evidence=tuple(evidence),
    )


def _severity(setting: Setting, need: CudaUser) -> Severity | None:
    return Severity.WARNING if need.name in QUIET else severity_of(setting, need.certainty)


def _ways_out(setting: Setting, target: Target, need: CudaUser, floor: str) -> Sequence[str]:
    found = [f"update the driver to {floor} or newer"] if floor else ["update the driver"]
    if need.name == TORCH:
        build = torch_build(setting)
        found += ways_out(setting, build) if build is not None else []
    if may_use_forward(target, setting.knowledge):
        major = need.cuda.partition(".")[0]
        named = next((gpu.name for gpu in target.gpus if gpu.name), "")
        which = f"since its {named} is one for data centers" if named else "if its GPU is one for "
        which += "" if named else "data centers"
        found.append(
            f"install cuda-compat for CUDA {major} on the machine or in the container, {which}"
        )
    return found


@rule(
    "DRV002",
    "newer-minor-than-driver",
    topic="driver",
    severity=Severity.NOTE,
    facts=("cuda", "torch"),
    only=("driver", "driver_cuda"),
)
def newer_minor_than_driver(setting: Setting) -> Iterator[Finding]:
    """A build for a newer minor version of CUDA than the driver's own, where that may matter.

    That is allowed: a driver runs every toolkit of its major version. What is compiled on the
    machine at run time is not covered by it, nor are functions that only the newer driver has.
    Said where something is installed that does so, or where the CUDA runtime is pinned by itself.

    Messages that users see: "the provided PTX was compiled with an unsupported toolchain",
    "CUDA driver version is insufficient for CUDA runtime version".

    Bad:
        # on a machine with driver 515.43 (CUDA 11.7)
        nvidia-cuda-runtime-cu11==11.8.89

    Good:
        # on a machine with driver 520.61 (CUDA 11.8)
        nvidia-cuda-runtime-cu11==11.8.89
    """
    target = setting.target
    if target is None:
        return
    serves = driver_serves(target, setting.knowledge)
    compiling = next((name for name in setting.choices if name in _COMPILES_AT_RUN_TIME), "")
    for need in cuda_users(setting) if serves else ():
        pinned = re.fullmatch(RUNTIME, need.name) is not None and setting.kind != LOCK
        if not (compiling or pinned) or not is_newer(need.cuda, serves):
            continue
        if driver_runs(target, need.cuda, setting.knowledge):
            yield _newer_minor(setting, target, need, compiling, serves)
        return


def _newer_minor(
    setting: Setting, target: Target, need: CudaUser, compiling: str, serves: str
) -> Finding:
    what = f"{compiling} may" if compiling else "what is compiled at run time may"
    span = setting.choices[compiling].span if compiling else need.span
    return Finding(
        f"{need.shown} is for CUDA {need.cuda} and {driver_text(target)} serves {serves}: it runs, "
        f"but {what} need the newer driver",
        need.span,
        tuple(dict.fromkeys(one for one in (need.name, compiling) if one)),
        certainty=Certainty.POSSIBLE,
        help=f"update the driver to one for CUDA {need.cuda}, or take a build for CUDA {serves}",
        related=(Related(target.where("driver", "driver_cuda"), "the driver"), Related(span)),
        evidence=(
            *need.evidence,
            Evidence(
                "within a major version, code that the driver compiles must not be newer than it",
                "NVIDIA, CUDA Compatibility, minor version compatibility",
            ),
        ),
    )


@rule(
    "DRV003",
    "newest-needs-newer-driver",
    topic="driver",
    severity=Severity.NOTE,
    facts=("cuda", "torch"),
    only=(REQUIREMENTS, IMAGE),
)
def newest_needs_newer_driver(
    project: Project, settings: Sequence[Setting], targets: Sequence[Target]
) -> Iterator[Finding]:
    """An open torch whose newest release needs a newer driver than the ones before it.

    From 2.11 on PyPI's builds for Linux are made with CUDA 13, which no driver below 580 runs.
    Said once for a project, and only where no machine is named: with one it is judged.

    Messages that users see: "The NVIDIA driver on your system is too old".

    Bad:
        torch>=2.0

    Good:
        torch>=2.0,<2.11
    """
    if targets:
        return
    for setting in settings:
        choice = setting.choices.get(TORCH)
        source = setting.source
        if (
            choice is None
            or source is None
            or setting.kind not in (REQUIREMENTS, IMAGE)
            or choice.exact is not None
            or project.profiles.get(source.path) == LIBRARY
            or is_auxiliary(source.path)
            or is_aside(source.path)
        ):
            continue
        build = torch_build(setting)
        if build is None or build.known_by != DEFAULT or not build.cuda:
            continue
        if int(build.cuda.partition(".")[0]) >= _NEW_MAJOR:
            yield _time_bomb(setting, build.text, build.cuda, choice.span)
            return


def _time_bomb(setting: Setting, shown: str, cuda: str, span: Span) -> Finding:
    floor = setting.knowledge.cuda.floor(cuda, "linux")
    last = next(
        one
        for one in reversed(setting.knowledge.torch.releases)
        if (cuda_of_label(one.default("linux_x86_64")) or "").startswith(f"{_NEW_MAJOR - 1}.")
    )
    return Finding(
        f"torch is open: an installer picks {shown}, which needs driver "
        f"{floor.text if floor else ''} or newer",
        span,
        (TORCH,),
        certainty=Certainty.POSSIBLE,
        help=f"bound it where drivers are older (PyPI's last build for CUDA {_NEW_MAJOR - 1} is "
        f"{last.version.public}), or name the machine with --target",
        evidence=(floor.evidence,) if floor is not None else (),
    )


@rule(
    "DRV004",
    "toolkit-newer-than-driver",
    topic="driver",
    severity=Severity.WARNING,
    facts=("cuda", "bases"),
    only=("driver", "driver_cuda"),
)
def toolkit_newer_than_driver(
    project: Project, knowledge: Knowledge, targets: Sequence[Target], today: str
) -> Iterator[Finding]:
    """A CUDA image, or a toolkit that compiles extensions, newer than the machine's driver.

    NVIDIA's images and those built on them refuse to start on a driver that does not serve their
    CUDA; for data center GPUs they allow older ones, which is a note then. What nvcc leaves as
    intermediate code is compiled by the driver, which takes none of a newer CUDA than its own. An
    error where the driver runs nothing of the image's major version, unless the GPU is one for data
    centers.

    Messages that users see: "requirement error: unsatisfied condition: cuda>=12.8", "the provided
    PTX was compiled with an unsupported toolchain".

    Bad:
        # on a machine with driver 550.144 (CUDA 12.4)
        FROM nvidia/cuda:12.8.0-runtime-ubuntu24.04

    Good:
        # on a machine with driver 570.26 (CUDA 12.8)
        FROM nvidia/cuda:12.8.0-runtime-ubuntu24.04
    """
    for target in targets:
        serves = driver_serves(target, knowledge)
        if not serves or target.system == MACOS:
            continue
        where = target.where("driver", "driver_cuda")
        for cuda, span in _images(project, target, knowledge, today):
            if is_newer(cuda, serves):
                severity = _of_image(target, cuda, knowledge)
                yield _newer_image(target, cuda, serves, span, where, severity)
        compiles = target.builds_extensions and target.cuda_toolkit
        if compiles and is_newer(target.cuda_toolkit, serves):
            yield _newer_toolkit(target, serves, where)


def _images(
    project: Project, target: Target, knowledge: Knowledge, today: str
) -> Iterator[tuple[str, Span]]:
    """Yield the CUDA of the images in use: the one stated, and those that the project builds on."""
    if target.image_cuda:
        yield target.image_cuda, target.where("image_cuda")
    for source in project.sources.values():
        if source.role != RECIPE or source.is_record or not source.stages:
            continue
        stage = first_stage(source, source.stages[-1].group)
        base = knowledge.bases.of(stage, today) if stage is not None else None
        if stage is not None and base is not None and _asks_for_driver(base) and base.cuda:
            yield ".".join(base.cuda.split(".")[:2]), stage.span


def _asks_for_driver(base: BaseImage) -> bool:
    """Whether an image states the driver that it needs; PyTorch's runtime images do not."""
    return base.family in (CUDA, NGC) or (base.family == PYTORCH and base.flavor == DEVEL)


def _of_image(target: Target, cuda: str, knowledge: Knowledge) -> Severity:
    """Return how bad a newer image is: the images allow older drivers for data center GPUs."""
    runs = driver_runs(target, cuda, knowledge)
    named = any(gpu.name for gpu in target.gpus)
    if named and may_use_forward(target, knowledge):
        listed = bool(target.driver) and knowledge.cuda.image_admits(target.driver, cuda)
        return Severity.NOTE if runs or listed else Severity.WARNING
    return Severity.ERROR if runs is False else Severity.WARNING


def _newer_image(
    target: Target, cuda: str, serves: str, span: Span, where: Span, severity: Severity
) -> Finding:
    may = "refuses" if severity is Severity.ERROR else "may refuse"
    return Finding(
        f"the image's CUDA {cuda} is newer than what {driver_text(target)} serves ({serves}): the "
        f"NVIDIA driver {may} to start it",
        span,
        ("nvidia-driver",),
        severity,
        help=f"take an image for CUDA {serves} or older, or update the driver to one for {cuda}",
        related=(Related(where, "the driver"),) if where != span else (),
        evidence=(
            Evidence(
                "the images ask for a driver that serves their CUDA (NVIDIA_REQUIRE_CUDA)",
                "NVIDIA Container Toolkit, specialized configurations",
            ),
        ),
    )


def _newer_toolkit(target: Target, serves: str, where: Span) -> Finding:
    return Finding(
        f"extensions are compiled with CUDA {target.cuda_toolkit}, and the NVIDIA driver "
        f"({driver_text(target)}) serves {serves}: it refuses intermediate code of a newer CUDA",
        target.where("cuda_toolkit"),
        ("nvidia-driver", "cuda-toolkit"),
        certainty=Certainty.POSSIBLE,
        help=f"compile with CUDA {serves} or older, name the GPU in TORCH_CUDA_ARCH_LIST, or "
        "update the driver",
        related=(Related(where, "the driver"),),
        evidence=(
            Evidence(
                "within a major version, code that the driver compiles must not be newer than it",
                "NVIDIA, CUDA Compatibility, minor version compatibility",
            ),
        ),
    )
