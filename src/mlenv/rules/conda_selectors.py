"""Topic ``cuda-build``: packages that are meant to select conda's build of torch, and do not."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.requirement import CONDA, Requirement
from mlenv.model.target import MACOS
from mlenv.reasoning.setting import IMAGE, REQUIREMENTS, Setting
from mlenv.reasoning.torch_build import TORCH, TorchBuild, torch_build
from mlenv.rules.base import rule
from mlenv.rules.torch_wording import is_for_other_hardware

_OLD, _NEW = "cudatoolkit", "pytorch-cuda"
_FIRST_WITH_NEW = (1, 13)
"""From this torch on pytorch-cuda selects the builds of the pytorch channel."""
_SELECTION = Evidence(
    "on the pytorch channel cudatoolkit selects the build of pytorch up to 1.12, pytorch-cuda from "
    "1.13 on",
    "PyTorch's installation page of previous versions; pytorch/builder, conda/pytorch-nightly",
)


@rule(
    "CUB006",
    "selector-without-effect",
    topic="cuda-build",
    severity=Severity.WARNING,
    facts=("torch", "conda"),
    only=(REQUIREMENTS, IMAGE),
)
def selector_without_effect(setting: Setting) -> Iterator[Finding]:
    """A conda package for another pytorch than the one whose build it is meant to select.

    On the pytorch channel ``cudatoolkit`` selects the build of pytorch up to 1.12 and
    ``pytorch-cuda`` that of 1.13 and newer. The other one lies beside it unused, and which build
    comes is left to the solver: one for another CUDA, or none for a GPU at all. A warning too where
    both are asked for with different versions of CUDA.

    Messages that users see: "torch.cuda.is_available()" being False, "The detected CUDA version
    (11.3) mismatches the version that was used to compile PyTorch (11.7)".

    Bad:
        channels: [pytorch, nvidia]
        dependencies: [python=3.10, pytorch=2.1.0, cudatoolkit=11.8]

    Good:
        channels: [pytorch, nvidia]
        dependencies: [python=3.10, pytorch=2.1.0, pytorch-cuda=11.8]
    """
    choice, target = setting.choices.get(TORCH), setting.target
    if choice is None or not choice.is_conda:
        return
    if (target is not None and target.system == MACOS) or is_for_other_hardware(setting):
        return
    build = torch_build(setting)
    if build is None or build.channel != "pytorch" or build.version is None:
        return
    stated = {one.name: one for one in setting.requirements if one.ecosystem == CONDA}
    if not stated.keys().isdisjoint(("cpuonly", "pytorch-cpu")) or _names_build(setting):
        return
    is_new = build.version.release[:2] >= _FIRST_WITH_NEW
    wrong, right = (_OLD, _NEW) if is_new else (_NEW, _OLD)
    if wrong not in stated:
        return
    if right in stated:
        yield from _two(setting, build, stated[wrong], stated[right])
    elif build.certainty is not Certainty.POSSIBLE:
        which = "from 1.13 on" if is_new else "before 1.13"
        yield _without_effect(build, stated[wrong], right, which)


def _names_build(setting: Setting) -> bool:
    """Whether the file names the build of pytorch itself."""
    return any(
        one.ecosystem == CONDA and one.name in ("pytorch", TORCH) and one.build
        for one in setting.requirements
    )


def _two(
    setting: Setting, build: TorchBuild, wrong: Requirement, right: Requirement
) -> Iterator[Finding]:
    cudas = setting.knowledge.cuda
    other, own = cudas.only(wrong.versions), cudas.only(right.versions)
    if other is None or own is None or other == own:
        return
    yield Finding(
        f"{wrong.written} stands for CUDA {other} and {right.written}, which selects the build of "
        f"pytorch, for CUDA {own}",
        wrong.span,
        (wrong.name, right.name, TORCH),
        certainty=build.certainty,
        help=f"leave {wrong.written} out",
        related=(Related(right.span, f"for CUDA {own}"),),
        evidence=(_SELECTION,),
    )


def _without_effect(build: TorchBuild, wrong: Requirement, right: str, which: str) -> Finding:
    return Finding(
        f"{wrong.written} selects no build of the pytorch channel {which}: {right} does",
        wrong.span,
        (wrong.name, TORCH),
        certainty=build.certainty,
        help=f"ask for {right} of the CUDA that is meant in its place",
        related=(Related(build.span, "pytorch stands here"),) if build.span != wrong.span else (),
        evidence=(_SELECTION,),
    )
