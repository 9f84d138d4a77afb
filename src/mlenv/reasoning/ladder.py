"""From what is there and what rules found to a ladder: a rung for each thing, and the verdict.

No rung is judged here: what is wrong with it is what the audit's rules say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mlenv.knowledge.torch import label_of_cuda, read_architectures
from mlenv.model import ladder as rungs
from mlenv.model.finding import Evidence, Severity
from mlenv.model.ladder import Ladder, Rung, Verdict
from mlenv.model.target import MACOS
from mlenv.phrases import listed
from mlenv.reasoning.machine_fit import driver_runs
from mlenv.reasoning.standing import Standing, facts, title
from mlenv.versions.version import parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge import Knowledge
    from mlenv.knowledge.torch import Architectures
    from mlenv.model.report import Reported

_TOPICS = {
    "driver": rungs.DRIVER,
    "cuda-toolkit": rungs.CUDA,
    "cuda-build": rungs.TORCH,
    "gpu-arch": rungs.TORCH,
    "companions": rungs.COMPANIONS,
    "cohorts": rungs.COMPANIONS,
    "numpy2": rungs.NUMPY,
    "python": rungs.PYTHON,
}
"""The rung that a topic's findings speak of; the others speak of packages."""
_REQUIRING = ("ENV001", "ENV002")
"""The rules that name first what is required, and then who requires it."""
_GROUND = (rungs.DRIVER, rungs.GPU, rungs.PYTHON)
_OF_TORCH = (*_GROUND, rungs.TORCH, rungs.CUDA, rungs.NUMPY, rungs.COMPANIONS, rungs.PACKAGES)
"""The rungs whose errors may keep torch from running, the most telling first."""


def ladder_of(standing: Standing, knowledge: Knowledge) -> Ladder:
    """Return the ladder of a machine and an environment, with the verdict.

    Args:
        standing: The facts, and what the rules say.
        knowledge: The records; they tell only whether silence means something.
    """
    found = _by_rung(standing.findings)
    made = tuple(
        Rung(key, _state(state, found[key]), text, tuple(found[key]))
        for key, (state, text) in facts(standing).items()
    )
    return Ladder(tuple(title(standing)), made, _verdict(standing, made, knowledge))


def _by_rung(findings: Iterable[Reported]) -> dict[str, list[Reported]]:
    found: dict[str, list[Reported]] = {key: [] for key in rungs.RUNGS}
    for one in sorted(findings, key=lambda one: one.severity.rank):
        key = _TOPICS.get(one.topic, rungs.PACKAGES)
        # kernels, builds and clashes of something else than torch are its neighbours' affair
        if key == rungs.TORCH and one.packages and one.packages[0] != "torch":
            key = rungs.COMPANIONS
        if one.topic == "gpu-arch" and not one.packages:
            key = rungs.GPU
        # what speaks of the environment and of no package speaks of where Python looks
        if one.topic == "environment" and not one.packages:
            key = rungs.PYTHON
        found[key].append(one)
    return found


def _state(state: str, findings: list[Reported]) -> str:
    worst = findings[0].severity if findings else Severity.NOTE
    return {Severity.ERROR: rungs.ERROR, Severity.WARNING: rungs.WARNING}.get(worst, state)


def _verdict(standing: Standing, made: tuple[Rung, ...], knowledge: Knowledge) -> Verdict:
    found = {rung.key: rung for rung in made}
    if not standing.torch:
        others = [name for name in ("jax", "tensorflow") if name in standing.packages]
        but = f", but {listed(others, 2)}" if others else ""
        if standing.is_whole:
            return Verdict(*_aside(rungs.ABSENT, f"no PyTorch is installed{but}", made, ()))
        text = f"not known whether PyTorch is installed{but}"
        return Verdict(*_aside(rungs.UNKNOWN, text, made, ()))
    broken = [
        one
        for key in _OF_TORCH
        for one in found[key].findings
        if one.severity is Severity.ERROR and _is_of_torch(one, key)
    ]
    name = f"torch {standing.torch}"
    if broken:
        text = f"not as it is: {broken[0].message}"
        return Verdict(*_aside(rungs.ERROR, text, made, broken), broken[0].help)
    state, text = _without_errors(standing, found, name, knowledge)
    return Verdict(*_aside(state, text, made, ()))


def _is_of_torch(finding: Reported, key: str) -> bool:
    """Whether a finding speaks of torch itself, or of what everything stands on."""
    if finding.rule in _REQUIRING:
        return "torch" in finding.packages[1:]
    return "torch" in finding.packages[:1] or (not finding.packages and key in _GROUND)


def _aside(
    state: str, text: str, made: tuple[Rung, ...], told: Sequence[Reported]
) -> tuple[str, str]:
    """Return a verdict that counts the errors which it does not speak of."""
    count = sum(one.severity is Severity.ERROR for rung in made for one in rung.findings)
    count -= len(told)
    more = f"; {count} {'error' if count == 1 else 'errors'} elsewhere" if count else ""
    return (rungs.WARNING if more and state in (rungs.OK, rungs.ABSENT) else state), text + more


def _without_errors(
    standing: Standing, found: Mapping[str, Rung], name: str, knowledge: Knowledge
) -> tuple[str, str]:
    gpu, cuda = found[rungs.GPU], standing.torch_cuda
    machine = standing.machine
    if machine is not None and machine.apple_gpu:
        return rungs.OK, f"{name} runs on the CPU and Apple's GPU"
    if gpu.state == rungs.ABSENT:
        why = "no NVIDIA GPU"
        if machine is not None and machine.gpus:
            why = "CUDA_VISIBLE_DEVICES hides every GPU"
        return rungs.ABSENT, f"CPU only: {why}; {name} runs on the CPU"
    if gpu.state == rungs.UNKNOWN:
        return rungs.UNKNOWN, f"not known whether {name} can use the GPU: {gpu.text}"
    if cuda == "":
        return rungs.WARNING, f"CPU only: {name} was built without CUDA"
    count = sum(one.count for one in standing.target.gpus)
    if machine is not None and machine.gpus:
        count = len(machine.visible)
    here = "this GPU" if count == 1 else "these GPUs"
    if _is_informed(standing, knowledge):
        return rungs.OK, f"{name} can run on {here}"
    return rungs.UNKNOWN, f"nothing that is known speaks against {name} on {here}"


def _is_informed(standing: Standing, knowledge: Knowledge) -> bool:
    """Whether the rules knew enough of the build and the machine for their silence to count."""
    target, cuda = standing.target, standing.torch_cuda
    if not cuda or target.system == MACOS or driver_runs(target, cuda, knowledge) is None:
        return False
    listed_ = _architectures(standing, knowledge)
    known = [one.capability for one in target.gpus]
    return listed_ is not None and bool(known) and None not in known


def _architectures(standing: Standing, knowledge: Knowledge) -> Architectures | None:
    names = standing.architectures
    if names:
        return read_architectures(names, Evidence("", ""))
    version = parse_version(standing.torch)
    if version is None:
        return None
    label = standing.torch.partition("+")[2] or label_of_cuda(standing.torch_cuda or "")
    return knowledge.torch.architectures(version, label, standing.target.platform)
