"""From what is there and what rules found to a ladder: a rung for each thing, and the verdict.

No rung is judged here: what is wrong with it is what the audit's rules say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mlenv.knowledge.torch import cuda_of_label
from mlenv.model import ladder as rungs
from mlenv.model.finding import Severity
from mlenv.model.ladder import Ladder, Rung, Verdict
from mlenv.model.machine import NO_DRIVER
from mlenv.model.target import MACOS
from mlenv.phrases import listed
from mlenv.reasoning.machine_fit import driver_runs
from mlenv.records import dataclass
from mlenv.versions.version import parse_version

if TYPE_CHECKING:
    from mlenv.knowledge import Knowledge
    from mlenv.knowledge.torch import Architectures
    from mlenv.model.environment import Environment
    from mlenv.model.machine import GpuState, Machine
    from mlenv.model.report import Reported
    from mlenv.model.target import Gpu, Target

_COMPANIONS = (
    *("torchvision", "torchaudio", "triton", "xformers", "flash-attn", "bitsandbytes", "vllm"),
    *("deepspeed", "torchao", "torchtext", "torchdata", "jax", "jaxlib", "tensorflow"),
    *("onnxruntime-gpu", "onnxruntime", "cupy-cuda13x", "cupy-cuda12x", "tensorrt", "transformers"),
)
"""What is built for a torch or a CUDA, or works with one, in the order of how telling it is."""
_CONDA_NAMES = {"pytorch": "torch"}
_SPOKEN_OF = ("torch", "numpy", *_COMPANIONS)
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
_MACHINE = (rungs.DRIVER, rungs.GPU)
_OF_TORCH = (*_MACHINE, rungs.TORCH, rungs.CUDA, rungs.NUMPY, rungs.COMPANIONS, rungs.PACKAGES)
"""The rungs whose errors may keep torch from running, the most telling first."""
_GIB = 1 << 30
_MOST_COMPANIONS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What a ladder is made of.

    Attributes:
        target: The machine that is judged for, with what is installed there.
        name: What that machine is called.
        machine: This machine as it was found; None where another one is judged for.
        environment: What is installed; None where only the target tells, or nothing does.
        findings: What the rules found.
    """

    target: Target
    name: str = ""
    machine: Machine | None = None
    environment: Environment | None = None
    findings: tuple[Reported, ...] = ()

    @property
    def packages(self) -> Mapping[str, str]:
        """Versions by canonical name, conda's where nothing else tells."""
        installed = self.target.installed
        if installed is None:
            return {}
        conda = installed.conda_packages
        known = {_CONDA_NAMES.get(name, name): conda[name] for name in conda}
        found = {name: known[name] for name in _SPOKEN_OF if name in known}
        return {**found, **installed.packages}

    @property
    def torch(self) -> str:
        """The version of torch, with the label of its build where that is known."""
        return self.packages.get("torch", "")

    @property
    def torch_cuda(self) -> str | None:
        """The CUDA that torch was built with; empty for a build without, None if not known."""
        stated = self.target.installed.torch_cuda if self.target.installed is not None else ""
        if stated:
            return "" if stated == "none" else stated
        return cuda_of_label(self.torch.partition("+")[2])

    @property
    def architectures(self) -> tuple[str, ...]:
        """What the installed torch says that it has kernels for, where that is known."""
        installed = self.target.installed
        return installed.torch_architectures if installed is not None else ()


def ladder_of(standing: Standing, knowledge: Knowledge) -> Ladder:
    """Return the ladder of a machine and an environment, with the verdict.

    Args:
        standing: The facts, and what the rules say.
        knowledge: The records; they tell only whether silence means something.
    """
    texts = {
        rungs.GPU: _gpu(standing),
        rungs.DRIVER: _driver(standing),
        rungs.CUDA: _cuda(standing),
        rungs.TORCH: _torch(standing),
        rungs.COMPANIONS: _companions(standing),
        rungs.NUMPY: _numpy(standing),
        rungs.PACKAGES: _packages(standing),
        rungs.PYTHON: _python(standing),
    }
    found = _by_rung(standing.findings)
    made = tuple(
        Rung(key, _state(state, found[key]), text, tuple(found[key]))
        for key, (state, text) in texts.items()
    )
    return Ladder(tuple(_title(standing)), made, _verdict(standing, made, knowledge))


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


def _title(standing: Standing) -> Iterable[str]:
    environment, machine = standing.environment, standing.machine
    if environment is not None:
        made = f" (made by {environment.made_by})" if environment.made_by else ""
        yield f"{environment.name}{made}"
    elif standing.target.installed is not None:
        yield standing.name
    else:
        yield "no environment"
    if machine is None:
        is_told = environment is None and standing.target.installed is not None
        said = ["" if is_told else standing.name, standing.target.os, standing.target.arch]
        said.append(f"glibc {standing.target.glibc}" if standing.target.glibc else "")
    else:
        release = machine.release.partition(" (")[0]
        said = [release or machine.os, machine.arch, machine.libc]
        said.append(f"WSL {machine.wsl}" if machine.wsl else "")
        said.append(f"in {machine.container}" if machine.container else "")
        said.append(f"{machine.cpus:g} CPUs" if machine.cpus else "")
        said.append(_memory(machine.memory))
    yield ", ".join(filter(None, said))


def _gpu(standing: Standing) -> tuple[str, str]:
    machine = standing.machine
    if machine is not None and machine.gpus:
        return rungs.OK, _of_gpus(machine)
    if standing.target.gpus:
        return rungs.OK, ", ".join(map(_of_kind, standing.target.gpus))
    if machine is None:
        return (rungs.ABSENT, "none") if _has_none(standing) else (rungs.UNKNOWN, "not stated")
    if machine.apple_gpu:
        return rungs.OK, "Apple's, which torch reaches through MPS"
    if machine.rocm or machine.amd_gpus:
        said = listed(machine.amd_gpus, 3) or "not named"
        return rungs.UNKNOWN, f"AMD's ({said}), and mlenv judges NVIDIA's only"
    if machine.driver.problem not in ("", NO_DRIVER):
        return rungs.UNKNOWN, "the driver does not answer"
    if machine.hidden_gpus or machine.visible_devices is not None:
        return rungs.ABSENT, "none is visible: CUDA_VISIBLE_DEVICES is set"
    return rungs.ABSENT, "none from NVIDIA"


def _of_kind(gpu: Gpu) -> str:
    memory = f", {gpu.memory} GiB" if gpu.memory else ""
    return (f"{gpu.count} x " if gpu.count > 1 else "") + gpu.label + memory


def _of_gpus(machine: Machine) -> str:
    kinds: dict[str, int] = {}
    for one in machine.gpus:
        kinds[_gpu_text(one)] = kinds.get(_gpu_text(one), 0) + 1
    said = [f"{count} x {text}" if count > 1 else text for text, count in kinds.items()]
    return "; ".join(said) + ("; CUDA_VISIBLE_DEVICES hides some" if machine.hidden_gpus else "")


def _gpu_text(gpu: GpuState) -> str:
    said = [gpu.name]
    if gpu.capability is not None:
        said.append("compute capability " + ".".join(map(str, gpu.capability)))
    said.append(_memory(gpu.memory))
    if gpu.mig:
        said.append(f"MIG in {gpu.instances} parts" if gpu.instances else "MIG")
    return ", ".join(filter(None, said))


def _driver(standing: Standing) -> tuple[str, str]:
    machine, target = standing.machine, standing.target
    version, cuda = target.driver, target.driver_cuda
    if machine is not None:
        driver = machine.driver
        version, cuda = version or driver.version, cuda or driver.cuda
        if driver.problem == NO_DRIVER and not version:
            return rungs.ABSENT, "no NVIDIA driver"
        if driver.problem:
            known = version or driver.kernel_version
            said = f"{known + ' ' if known else ''}does not answer: {driver.said or driver.problem}"
            return rungs.UNKNOWN, said
    offered = f"offers CUDA {cuda}" if cuda else ""
    said = ", ".join(filter(None, (version, offered)))
    if not said and _has_none(standing):
        return rungs.ABSENT, "none"
    return (rungs.OK, said) if said else (rungs.UNKNOWN, "not stated")


def _has_none(standing: Standing) -> bool:
    """Whether a target's file says that there is no GPU, by an empty list."""
    return "gpus" in standing.target.spans and not standing.target.gpus


def _cuda(standing: Standing) -> tuple[str, str]:
    machine, packages = standing.machine, standing.packages
    toolkit = standing.target.cuda_toolkit or (machine.toolkit if machine is not None else "")
    said = []
    for name, label in (("nvidia-cuda-runtime", "runtime"), ("nvidia-cudnn", "cuDNN")):
        found = [packages[key] for key in sorted(packages) if _is_build_of(key, name)]
        said += [f"{label} {listed(found, 2)}"] if found else []
    said[-1:] = [f"{one} from wheels" for one in said[-1:]]
    if standing.environment is not None:
        conda = standing.environment.conda
        held = [f"{one} {conda[one].version}" for one in _CONDA_CUDA if one in conda]
        said += [f"{listed(held, 2)} from conda"] if held else []
    if standing.target.cudnn:
        said.append(f"cuDNN {standing.target.cudnn} of the system")
    said.append(f"nvcc {toolkit}" if toolkit else "no nvcc" if machine is not None else "")
    text = ", ".join(filter(None, said))
    known = toolkit or len(said) > 1
    return (rungs.OK if known else rungs.ABSENT), text or "not stated"


_CONDA_CUDA = ("cuda-runtime", "cuda-cudart", "cudatoolkit", "cudnn")


def _is_build_of(name: str, family: str) -> bool:
    """Whether a distribution is NVIDIA's library of a family, be it for ``-cu12`` or newer."""
    return name == family or name.startswith(f"{family}-cu")


def _torch(standing: Standing) -> tuple[str, str]:
    if not standing.torch:
        return rungs.ABSENT, "not installed"
    truth = standing.environment.torch.get("torch") if standing.environment is not None else None
    cuda = standing.torch_cuda
    said = [standing.torch]
    if truth is not None and truth.hip:
        said.append(f"built for ROCm {truth.hip}")
    elif cuda is not None:
        said.append(f"built for CUDA {cuda}" if cuda else "built without CUDA")
    names = sorted(standing.architectures, key=_number_of)
    cubins = [name for name in names if name.startswith("sm_")]
    if cubins:
        shown = cubins if len(cubins) <= 3 else [cubins[0], "…", cubins[-1]]
        said.append(f"kernels {' '.join(shown)}{' and PTX' if len(names) > len(cubins) else ''}")
    return rungs.OK, ", ".join(said)


def _number_of(name: str) -> tuple[bool, int, str]:
    digits = "".join(character for character in name if character.isdecimal())
    return not name.startswith("sm_"), int(digits or 0), name


def _companions(standing: Standing) -> tuple[str, str]:
    packages = standing.packages
    found = [f"{name} {packages[name]}" for name in _COMPANIONS if name in packages]
    return (rungs.OK, listed(found, _MOST_COMPANIONS)) if found else (rungs.ABSENT, "none")


def _numpy(standing: Standing) -> tuple[str, str]:
    version = standing.packages.get("numpy", "")
    if not version:
        return rungs.ABSENT, "not installed"
    blas = standing.target.installed.blas if standing.target.installed is not None else ""
    return rungs.OK, f"{version}{blas and f', {blas}'}"


def _packages(standing: Standing) -> tuple[str, str]:
    environment, installed = standing.environment, standing.target.installed
    if installed is None:
        return rungs.UNKNOWN, "no environment was read"
    conda, count = len(installed.conda_packages), len(installed.packages)
    if environment is not None:
        conda, count = len(environment.conda), len(environment.distributions)
    text = f"{count} Python {'package' if count == 1 else 'packages'}"
    return rungs.OK, text + (f", {conda} from conda" if conda else "")


def _python(standing: Standing) -> tuple[str, str]:
    environment = standing.environment
    interpreter = environment.interpreter if environment is not None else None
    version = interpreter.version if interpreter is not None else standing.target.python
    if not version:
        return rungs.UNKNOWN, "not known"
    kind = "CPython"
    if interpreter is not None:
        kind = {"cpython": "CPython", "pypy": "PyPy"}.get(
            interpreter.implementation, interpreter.implementation
        )
        kind += ", free-threaded" if interpreter.free_threaded else ""
    managed = environment.manager if environment is not None else ""
    shown = {"venv": "virtual environment", "system": "no environment of its own"}
    return rungs.OK, ", ".join(filter(None, (version, kind, shown.get(managed, managed))))


def _verdict(standing: Standing, made: tuple[Rung, ...], knowledge: Knowledge) -> Verdict:
    found = {rung.key: rung for rung in made}
    if not standing.torch:
        others = [name for name in ("jax", "tensorflow") if name in standing.packages]
        text = f"no PyTorch is installed{', but ' + listed(others, 2) if others else ''}"
        return Verdict(*_aside(rungs.ABSENT, text, made, ()))
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
    """Whether a finding speaks of torch itself, or of the machine whatever runs there."""
    return "torch" in finding.packages[:1] or (not finding.packages and key in _MACHINE)


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
        return rungs.ABSENT, f"CPU only: no NVIDIA GPU; {name} runs on the CPU"
    if gpu.state == rungs.UNKNOWN:
        return rungs.UNKNOWN, f"not known whether {name} can use the GPU: {gpu.text}"
    if cuda == "":
        return rungs.WARNING, f"CPU only: {name} was built without CUDA"
    count = max(
        len(machine.gpus) if machine is not None else 0,
        sum(one.count for one in standing.target.gpus),
    )
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
    from mlenv.knowledge.torch import label_of_cuda, read_architectures
    from mlenv.model.finding import Evidence

    names = standing.architectures
    if names:
        return read_architectures(names, Evidence("", ""))
    version = parse_version(standing.torch)
    if version is None:
        return None
    label = standing.torch.partition("+")[2] or label_of_cuda(standing.torch_cuda or "")
    return knowledge.torch.architectures(version, label, standing.target.platform)


def _memory(size: int) -> str:
    return f"{size / _GIB:.0f} GiB" if size >= _GIB else ""


def packages_that_matter(packages: Mapping[str, str], knowledge: Knowledge) -> Mapping[str, str]:
    """Return the packages that a bug report is read for: those that decide what is computed.

    Args:
        packages: Versions by canonical name.
        knowledge: Tells frameworks.
    """
    first = [name for name in _SPOKEN_OF if name in packages]
    rest = [
        name
        for name in sorted(packages)
        if name not in first and (knowledge.is_framework(name) or name.startswith("nvidia-"))
    ]
    return {name: packages[name] for name in (*first, *rest)}
