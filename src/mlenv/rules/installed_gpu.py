"""Topic ``gpu-arch``: whether installed binaries hold code for the machine's GPUs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.torch import Architectures
from mlenv.model.binary import Binary
from mlenv.model.environment import Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.model.target import Gpu, Target
from mlenv.phrases import listed
from mlenv.reasoning.gpu_code import gpu_code
from mlenv.reasoning.machine_fit import driver_serves, is_newer, unserved_gpus
from mlenv.reasoning.setting import Setting
from mlenv.reasoning.torch_build import TORCH, torch_build
from mlenv.records import replace
from mlenv.rules.base import rule
from mlenv.rules.installed import shown
from mlenv.rules.torch_wording import ways_out

_MOST_NAMED = 3
_VENDOR = "nvidia-"
"""NVIDIA's own libraries pick and compile their code by rules of their own."""
_RULE = Evidence(
    "compiled code runs on GPUs of the same major version and a minor one that is not lower; "
    "intermediate code is compiled by the driver for newer GPUs",
    "NVIDIA, CUDA C++ Programming Guide, Binary Compatibility and PTX Compatibility",
)


@rule(
    "GPU003",
    "no-kernels-in-binary",
    topic="gpu-arch",
    severity=Severity.ERROR,
    facts=("gpu",),
    only=("binaries",),
)
def no_kernels_in_binary(
    environment: Environment, settings: Sequence[Setting], knowledge: Knowledge
) -> Iterator[Finding]:
    """An installed package whose binaries hold no code for a GPU of the machine.

    Read is what the binaries themselves hold: torch, torchvision, flash-attn, bitsandbytes and
    any other extension, those included that were built here. Every GPU of the machine counts.
    Where torch itself has no code for one, that is the cause and the others are named with it;
    a package beside a torch that runs is a warning, unless it is of no use without a GPU.

    Messages that users see: "CUDA error: no kernel image is available for execution on the
    device".

    Bad:
        # on a machine with a V100, compute capability 7.0
        torch 2.15.0, whose libtorch_cuda.so has code for 7.5 and newer

    Good:
        # on a machine with a V100, compute capability 7.0
        torch 2.7.1+cu126, whose libtorch_cuda.so has code for 5.0 to 9.0
    """
    found = _with_code(environment)
    for setting in settings if found else ():
        if setting.live is environment and setting.target is not None:
            yield from _on(environment, setting, setting.target, found, knowledge)


def _with_code(environment: Environment) -> dict[str, Architectures]:
    """Return what the binaries of each distribution hold code for."""
    binaries: dict[str, list[Binary]] = {}
    for one in environment.binaries.files if environment.binaries is not None else ():
        if one.kernels is not None and one.owner and not one.owner.startswith(_VENDOR):
            binaries.setdefault(one.owner, []).append(one)
    made = {name: gpu_code(files) for name, files in binaries.items()}
    return {name: code for name, code in made.items() if code is not None}


def _on(
    environment: Environment,
    setting: Setting,
    target: Target,
    found: Mapping[str, Architectures],
    knowledge: Knowledge,
) -> Iterator[Finding]:
    lacking = {name: gpus for name, code in found.items() if (gpus := unserved_gpus(target, code))}
    torch = lacking.get(TORCH)
    if torch:
        others = [name for name in lacking if name != TORCH]
        yield _finding(environment, setting, target, TORCH, torch, found[TORCH], others)
    elif TORCH in found:
        yield from _compiled_by_driver(environment, setting, target, found[TORCH], knowledge)
    for name, gpus in lacking.items():
        if name != TORCH and not (torch and set(gpus) <= set(torch)):
            finding = _finding(environment, setting, target, name, gpus, found[name], ())
            is_useless = knowledge.needs_gpu(name)
            yield finding if is_useless else replace(finding, severity=Severity.WARNING)


def _finding(
    environment: Environment,
    setting: Setting,
    target: Target,
    name: str,
    gpus: Sequence[Gpu],
    code: Architectures,
    others: Sequence[str],
) -> Finding:
    also = f"; {listed(others, _MOST_NAMED)} {'has' if len(others) == 1 else 'have'} none either"
    return Finding(
        f"{shown(environment, name)} has no code for {_shown(gpus)}: its binaries are built for "
        f"{code.text}{also if others else ''}",
        environment.where(name),
        (name, *others),
        help=_help(setting, name),
        related=(
            Related(target.where("gpus"), "the GPU"),
            *(Related(environment.where(one), one) for one in others),
        ),
        evidence=(code.evidence, _RULE),
    )


def _compiled_by_driver(
    environment: Environment,
    setting: Setting,
    target: Target,
    code: Architectures,
    knowledge: Knowledge,
) -> Iterator[Finding]:
    """Yield GPUs that only intermediate code serves, which an older driver does not compile."""
    only_so = unserved_gpus(target, replace(code, ptx=()))
    serves = driver_serves(target, knowledge)
    cuda = environment.torch[TORCH].cuda if TORCH in environment.torch else ""
    if only_so and serves and is_newer(cuda, serves):
        yield Finding(
            f"{shown(environment, TORCH)} serves {_shown(only_so)} by intermediate code only, "
            f"which a driver for CUDA {serves} does not compile",
            environment.where(TORCH),
            (TORCH,),
            help=f"update the driver to one for CUDA {cuda}, or {_help(setting, TORCH)}",
            related=(Related(target.where("gpus"), "the GPU"),),
            evidence=(code.evidence, _RULE),
        )


def _help(setting: Setting, name: str) -> str:
    build = torch_build(setting) if name == TORCH else None
    found = ways_out(setting, build) if build is not None else []
    if found:
        return ", or ".join(found)
    return f"take a build of {name} that is made for this GPU, or build it from source there"


def _shown(gpus: Sequence[Gpu]) -> str:
    return listed([gpu.label for gpu in gpus], _MOST_NAMED)
