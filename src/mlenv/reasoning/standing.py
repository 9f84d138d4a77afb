"""What stands on a machine, and a line of facts for each rung of the ladder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlenv.knowledge.torch import cuda_of_label
from mlenv.model import ladder as rungs
from mlenv.model.machine import NO_DRIVER
from mlenv.phrases import listed
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge import Knowledge
    from mlenv.model.environment import Environment
    from mlenv.model.machine import GpuState, Machine
    from mlenv.model.report import Reported
    from mlenv.model.target import Gpu, Target

COMPANIONS = (
    *("torchvision", "torchaudio", "triton", "xformers", "flash-attn", "bitsandbytes", "vllm"),
    *("deepspeed", "torchao", "torchtext", "torchdata", "jax", "jaxlib", "tensorflow"),
    *("onnxruntime-gpu", "onnxruntime", "cupy-cuda13x", "cupy-cuda12x", "tensorrt", "transformers"),
)
"""What is built for a torch or a CUDA, or works with one, in the order of how telling it is."""
_CONDA_NAMES = {"pytorch": "torch"}
_SPOKEN_OF = ("torch", "numpy", *COMPANIONS)
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
    def is_whole(self) -> bool:
        """Whether all that is installed is known, so that nothing else is there."""
        installed = self.target.installed
        return installed is not None and (self.environment is not None or installed.complete)

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


def facts(standing: Standing) -> dict[str, tuple[str, str]]:
    """Return for each rung how it is before any rule spoke, and what is there."""
    return {
        rungs.GPU: _gpu(standing),
        rungs.DRIVER: _driver(standing),
        rungs.CUDA: _cuda(standing),
        rungs.TORCH: _torch(standing),
        rungs.COMPANIONS: _companions(standing),
        rungs.NUMPY: _numpy(standing),
        rungs.PACKAGES: _packages(standing),
        rungs.PYTHON: _python(standing),
    }


def title(standing: Standing) -> Iterator[str]:
    """Yield what is looked at in a few words each: the environment, then the machine."""
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
        return (rungs.OK if machine.visible else rungs.ABSENT), _of_gpus(machine)
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
    hidden = "some" if machine.visible else "all"
    return "; ".join(said) + (
        f"; CUDA_VISIBLE_DEVICES hides {hidden}" if machine.hidden_gpus else ""
    )


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
        return _not_there(standing)
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


def _not_there(standing: Standing) -> tuple[str, str]:
    return (rungs.ABSENT, "not installed") if standing.is_whole else (rungs.UNKNOWN, "not known")


def _number_of(name: str) -> tuple[bool, int, str]:
    digits = "".join(character for character in name if character.isdecimal())
    return not name.startswith("sm_"), int(digits or 0), name


def _companions(standing: Standing) -> tuple[str, str]:
    packages = standing.packages
    found = [f"{name} {packages[name]}" for name in COMPANIONS if name in packages]
    if found:
        return rungs.OK, listed(found, _MOST_COMPANIONS)
    return (rungs.ABSENT, "none") if standing.is_whole else _not_there(standing)


def _numpy(standing: Standing) -> tuple[str, str]:
    version = standing.packages.get("numpy", "")
    if not version:
        return _not_there(standing)
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
    shown = {"venv": "virtual environment", "system": "no virtual environment"}
    return rungs.OK, ", ".join(filter(None, (version, kind, shown.get(managed, managed))))


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
