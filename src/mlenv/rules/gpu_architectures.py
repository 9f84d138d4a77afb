"""Topic ``gpu-arch``: whether what is installed has kernels for the machine's GPUs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import EXTRA
from mlenv.model.target import Capability, Gpu, Target
from mlenv.phrases import listed
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.machine_fit import (
    architectures_of,
    driver_serves,
    is_newer,
    unserved_gpus,
)
from mlenv.reasoning.setting import Setting
from mlenv.reasoning.torch_build import CONDA, TORCH, TorchBuild, torch_build
from mlenv.reasoning.torch_doubts import is_doubtful
from mlenv.reasoning.verdict import Verdict, judge
from mlenv.records import replace
from mlenv.rules.base import rule
from mlenv.rules.torch_places import said_once
from mlenv.rules.torch_wording import is_for_other_hardware, severity_of, subject, ways_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge.gpu_needs import GpuNeed
    from mlenv.knowledge.torch import Architectures

_MOST_GPUS = 3
_FIRST_WITHOUT_CODE = "12.0"
"""From this CUDA on PyTorch's builds for conda hold no intermediate code."""


@rule(
    "GPU001",
    "no-kernels-for-gpu",
    topic="gpu-arch",
    severity=Severity.ERROR,
    facts=("torch", "gpu"),
    only=("gpus",),
)
def no_kernels_for_gpu(project: Project, settings: Sequence[Setting]) -> Iterator[Finding]:
    """A build of torch without kernels for a GPU of the machine.

    Kernels are compiled for one compute capability and run on GPUs of the same major version and
    a minor one that is not lower. A GPU that is newer than the build, or older than all that it
    was built for, runs nothing. Every GPU of the machine is judged; what torch itself lists in a
    snapshot goes before the records.

    Messages that users see: "no kernel image is available for execution on the device", "with CUDA
    capability sm_120 is not compatible with the current PyTorch installation".

    Bad:
        # on a machine with an RTX 5090
        torch==2.5.1+cu121

    Good:
        # on a machine with an RTX 5090
        torch==2.8.0
    """
    found = []
    for setting in settings:
        for finding in _without_kernels(setting):
            open_cause = (setting.target.name if setting.target else "", _picked(setting))
            found.append((open_cause, finding))
    yield from said_once(project, found)


def _picked(setting: Setting) -> str:
    build = torch_build(setting)
    return build.text if build is not None else ""


def _without_kernels(setting: Setting) -> Iterator[Finding]:
    target = setting.target
    build = torch_build(setting) if target is not None and target.gpus else None
    if target is None or build is None or not build.cuda or build.certainty is Certainty.POSSIBLE:
        return
    if is_for_other_hardware(setting) or is_doubtful(setting, build) or _is_read(setting, target):
        return
    known = architectures_of(setting, build)
    if known is None:
        yield from _by_toolkit(setting, target, build)
        return
    unserved = unserved_gpus(target, known)
    if unserved:
        yield _no_kernels(setting, target, build, known, unserved)
    else:
        yield from _by_intermediate_code(setting, target, build, known)


def _is_read(setting: Setting, target: Target) -> bool:
    """Whether it is an environment whose binaries tell what torch has, of which GPU003 speaks."""
    has_code = target.installed is not None and bool(target.installed.torch_architectures)
    return setting.live is not None and has_code


def _no_kernels(
    setting: Setting,
    target: Target,
    build: TorchBuild,
    known: Architectures,
    unserved: tuple[Gpu, ...],
) -> Finding:
    severity = severity_of(setting, build.certainty)
    if severity is None and not _is_certain(setting, build, known, unserved):
        severity = Severity.WARNING
    return _finding(
        setting,
        target,
        build,
        f"has no kernels for {_shown(unserved)}: it is built for {known.text}",
        severity,
        (known.evidence,),
    )


def _is_certain(
    setting: Setting, build: TorchBuild, known: Architectures, unserved: tuple[Gpu, ...]
) -> bool:
    """Whether the list is sure, or the toolkit could not even compile for these GPUs.

    PyTorch's own builds for conda are made for the same GPUs as its wheels, and up to CUDA 11.8
    with intermediate code besides, which newer GPUs may run.

    Source: pytorch/builder, conda/pytorch-nightly/build.sh.
    """
    if build.known_by == CONDA and not _is_known_of_conda(build, known, unserved):
        return False
    toolkit = setting.knowledge.cuda.toolkit(build.cuda or "")
    return known.is_sure or (
        toolkit is not None
        and any(
            gpu.capability is not None
            and not toolkit.lowest <= gpu.capability <= (toolkit.highest[0], 9)
            for gpu in unserved
        )
    )


def _is_known_of_conda(build: TorchBuild, known: Architectures, unserved: tuple[Gpu, ...]) -> bool:
    """Whether a build from conda leaves a GPU out for sure."""
    if build.channel != "pytorch":
        return False
    if not is_newer(_FIRST_WITHOUT_CODE, build.cuda or ""):
        return True
    oldest = min(known.cubins, default=(0, 0))
    return any(gpu.capability is not None and gpu.capability < oldest for gpu in unserved)


def _by_toolkit(setting: Setting, target: Target, build: TorchBuild) -> Iterator[Finding]:
    """Judge a build whose list is not known by what its CUDA can compile for."""
    toolkit = setting.knowledge.cuda.toolkit(build.cuda or "")
    if toolkit is None or build.channel == "conda-forge":
        return
    unserved = tuple(
        gpu
        for gpu in target.gpus
        if gpu.capability is not None
        and not toolkit.lowest <= gpu.capability <= (toolkit.highest[0], 9)
    )
    if unserved:
        ends = f"{_dotted(toolkit.lowest)} to {_dotted(toolkit.highest)}"
        yield _finding(
            setting,
            target,
            build,
            f"can hold no kernels for {_shown(unserved)}: CUDA {toolkit.version} compiles for "
            f"{ends}",
            severity_of(setting, build.certainty) or Severity.WARNING,
            (
                Evidence(
                    f"CUDA {toolkit.version} compiles for compute capability {ends}",
                    "NVIDIA, CUDA Toolkit release notes; CMake, CMakeCUDAArchitecturesAll",
                ),
            ),
        )


def _by_intermediate_code(
    setting: Setting, target: Target, build: TorchBuild, known: Architectures
) -> Iterator[Finding]:
    """Judge GPUs that only intermediate code serves, which an older driver does not compile."""
    serves = driver_serves(target, setting.knowledge)
    compiled = replace(known, ptx=())
    only_so = unserved_gpus(target, compiled)
    if only_so and serves and is_newer(build.cuda or "", serves):
        yield _finding(
            setting,
            target,
            build,
            f"serves {_shown(only_so)} by intermediate code only, which a driver for CUDA {serves} "
            "does not compile",
            severity_of(setting, build.certainty) or Severity.WARNING,
            (known.evidence,),
        )


def _finding(
    setting: Setting,
    target: Target,
    build: TorchBuild,
    what: str,
    severity: Severity | None,
    evidence: tuple[Evidence, ...],
) -> Finding:
    found = ways_out(setting, build)
    if not found:
        found = [
            "no build of PyTorch's has kernels for all GPUs of this machine: build from source"
        ]
    return Finding(
        f"{subject(build.text, build.certainty, build.chain)} {what}",
        build.span,
        (TORCH,),
        severity,
        build.certainty,
        help=", or ".join(found),
        related=(Related(target.where("gpus"), "the GPU"),),
        evidence=(*evidence, build.evidence),
    )


def _shown(gpus: tuple[Gpu, ...]) -> str:
    return listed([gpu.label for gpu in gpus], _MOST_GPUS)


def _dotted(capability: Capability) -> str:
    return ".".join(map(str, capability))


@rule(
    "GPU002",
    "gpu-below-minimum",
    topic="gpu-arch",
    severity=Severity.ERROR,
    facts=("gpu_needs", "gpu"),
    only=("gpus",),
)
def gpu_below_minimum(setting: Setting) -> Iterator[Finding]:
    """A package that asks for a newer GPU than the machine has.

    FlashAttention 2 has kernels for Ampere and newer only, vLLM for Volta and newer, jax and CuPy
    for CUDA 13 for Turing and newer. A note where only one feature of a package is missing.

    Messages that users see: "FlashAttention only supports Ampere GPUs or newer.", "no kernel image
    is available for execution on the device".

    Bad:
        # on a machine with a T4 (compute capability 7.5)
        flash-attn==2.7.4.post1

    Good:
        # on a machine with an L4 (compute capability 8.9)
        flash-attn==2.7.4.post1
    """
    target = setting.target
    capabilities = [] if target is None else [gpu.capability for gpu in target.gpus]
    known = [one for one in capabilities if one is not None]
    if target is None or not known:
        return
    lowest = min(known)
    for name in _installed_names(setting):
        for need in setting.knowledge.gpu_needs.about(name):
            found = _below(setting, target, name, need) if lowest < need.least else None
            if found is not None:
                yield found
                break


def _installed_names(setting: Setting) -> tuple[str, ...]:
    build = torch_build(setting)
    of_torch = build is not None and bool(build.cuda)  # then its own kernels are judged
    names = [
        name
        for name, choice in setting.choices.items()
        if not choice.is_conda and not (of_torch and name.startswith("nvidia-"))
    ]
    jax = setting.choices.get("jax")
    if jax is not None:
        names += [f"jax-{extra[:6]}-plugin" for extra in jax.extras if extra[:4] == "cuda"]
    return tuple(dict.fromkeys(names))


def _named(choice: Choice, name: str, verdict: Verdict) -> str:
    """Return a distribution with its version, or with what is asked for where that is open."""
    pick = verdict.picks.get(name)
    settled = choice.exact is not None or choice.locked
    if pick is None or not (settled or verdict.certainty is Certainty.FRESH_INSTALL):
        return choice.specifier
    return f"{name} {pick.version}"


def _below(setting: Setting, target: Target, name: str, need: GpuNeed) -> Finding | None:
    plugin = name not in setting.choices
    asked = "jax" if plugin else name
    choice = setting.choices[asked]
    certainty = Certainty.CERTAIN
    shown = choice.written
    if not need.versions.is_any:
        verdict = judge(setting, {name: need.versions})
        if verdict is None or verdict.certainty is Certainty.POSSIBLE:
            return None
        certainty = verdict.certainty
        shown = _named(choice, name, verdict)
    below = tuple(g for g in target.gpus if g.capability is not None and g.capability < need.least)
    severity = severity_of(setting, certainty) or need.severity
    if severity is Severity.ERROR and _is_optional(choice):
        severity = Severity.WARNING
    return Finding(
        f"{subject(shown, certainty)} does not run on {_shown(below)}: {need.effect}"
        if need.severity is not Severity.NOTE
        else f"{shown} on {_shown(below)}: {need.effect}",
        choice.span,
        (asked,),
        severity,
        certainty,
        help=", or ".join(need.fix),
        related=(Related(target.where("gpus"), "the GPU"),),
        evidence=need.evidence,
    )


def _is_optional(choice: Choice) -> bool:
    """Whether only extras ask for it, which nobody need install on that machine."""
    kinds = {requirement.group_kind for requirement in choice.requirements}
    return kinds == {EXTRA}
