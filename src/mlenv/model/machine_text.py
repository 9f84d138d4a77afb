"""A machine as a text with a line for each fact, in which findings have their places."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.machine import GpuState, Machine
from mlenv.model.text import SourceText, Span
from mlenv.phrases import counted

NAME = "this machine"


def where(machine: Machine, *keys: str) -> Span:
    """Return the line of the first of some facts that is told; else the first line.

    Args:
        machine: The machine.
        keys: As :func:`facts` has them.
    """
    told = list(facts(machine))
    # a path of the project never begins so, and suppressions, baselines and sorting go by paths
    text = "\n".join(f"{key} {_line(words)}" for key, words in told)
    source = SourceText(f"target {NAME}", text, target=NAME)
    names = [key for key, _ in told]
    return source.line_span(next((names.index(key) + 1 for key in keys if key in names), 1))


def facts(machine: Machine) -> Iterator[tuple[str, str]]:
    """Yield what is known of a machine: the name of each fact, and the fact in words.

    Args:
        machine: The machine.
    """
    driver = machine.driver
    told = (
        ("system", machine.release or machine.os or "not known"),
        ("driver", _driver(machine)),
        *((f"gpu {at}", gpu_words(gpu)) for at, gpu in enumerate(machine.gpus)),
        *((f"silent gpu {at}", words) for at, words in enumerate(driver.silent)),
        ("CUDA_VISIBLE_DEVICES", _shown(machine.visible_devices)),
        ("nvcc", _with_folder(machine.toolkit or "there", machine.toolkit_folder)),
        ("CUDA_HOME", machine.cuda_home),
        ("nvcc on PATH", machine.path_nvcc.folder if machine.path_nvcc else ""),
        ("forward compatibility", _with_folder(machine.compat_version, machine.compat_folder)),
        *(
            (f"LD_LIBRARY_PATH {at}", f"{folder.path} with {', '.join(folder.libraries)}")
            for at, folder in enumerate(machine.library_folders)
        ),
        ("container", machine.container),
        ("WSL", machine.wsl),
        ("ROCm", machine.rocm),
    )
    yield from ((key, words) for key, words in told if words)


def gpu_words(gpu: GpuState) -> str:
    """Return a GPU in a few words.

    Args:
        gpu: The GPU.
    """
    capability = ".".join(map(str, gpu.capability)) if gpu.capability else ""
    said = [f"compute capability {capability}"] if capability else []
    if gpu.memory:
        said.append(f"{gpu.memory / (1 << 30):.0f} GiB")
    if gpu.mig:
        said.append(f"MIG with {counted(gpu.instances, 'instance')}")
    if gpu.ecc_errors:
        said.append(f"{gpu.ecc_errors} uncorrected memory errors")
    if gpu.retired:
        said.append("memory rows to be replaced")
    return ", ".join((gpu.name or "GPU", *said))


def _driver(machine: Machine) -> str:
    driver = machine.driver
    if not driver.problem:
        return f"{driver.version}, CUDA {driver.cuda}" if driver.cuda else driver.version
    known = (
        ("kernel module", driver.kernel_version),
        ("library", driver.library_version),
        ("says", driver.said),
    )
    said = ", ".join(f"{what} {words}" for what, words in known if words)
    return said or "none"


def _shown(value: str | None) -> str:
    return "" if value is None else value or "(empty)"


def _with_folder(version: str, folder: str) -> str:
    return f"{version} in {folder}".strip() if folder else ""


def _line(words: str) -> str:
    return " ".join(words.split())
