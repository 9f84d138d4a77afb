"""What a build of torch meets on a machine: driver and GPUs; and which builds would do there."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.knowledge.torch import Architectures, cuda_of_label, read_architectures
from mlenv.model.finding import Evidence
from mlenv.model.target import LINUX, MACOS, Gpu, Target
from mlenv.reasoning.setting import INSTALLED, Setting
from mlenv.reasoning.torch_build import TorchBuild
from mlenv.records import dataclass
from mlenv.versions.version import Version


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A build that would do.

    Attributes:
        version: Its version.
        label: Its label.
        is_default: Whether PyPI holds it for the platform.
    """

    version: Version
    label: str
    is_default: bool

    @property
    def text(self) -> str:
        """What to install, as a phrase."""
        if self.is_default:
            return f"install torch=={self.version.public}, for {cuda_text(self.label)}"
        label = self.label
        return f"install torch=={self.version.public}+{label} from PyTorch's {label} index"


def cuda_text(label: str) -> str:
    """Return a label in words: ``CUDA 12.1`` for ``cu121``."""
    cuda = cuda_of_label(label)
    return f"CUDA {cuda}" if cuda else label


def driver_text(target: Target) -> str:
    """Return a machine's driver in words: ``driver 470.82``, ``a driver for CUDA 11.4``."""
    return f"driver {target.driver}" if target.driver else f"a driver for CUDA {target.driver_cuda}"


def driver_runs(target: Target, cuda: str, knowledge: Knowledge) -> bool | None:
    """Return whether a machine's driver runs what was built with a CUDA version.

    What the driver reports counts where that is more: a container may bring newer libraries of
    the driver along (forward compatibility).

    Args:
        target: The machine.
        cuda: Major and minor.
        knowledge: The records.

    Returns:
        None where the machine names no driver, or the CUDA is not on record.
    """
    if target.system == MACOS:
        return None
    reported = _numbers(target.driver_cuda)
    asked = _numbers(cuda)
    if not asked:
        return None
    if reported and (reported[0] >= asked[0] if asked[0] >= 11 else reported >= asked):
        return True
    if target.driver:
        return knowledge.cuda.runs(target.driver, cuda, target.system)
    return False if reported else None


def driver_serves(target: Target, knowledge: Knowledge) -> str:
    """Return the newest CUDA that a machine's driver serves in full; empty where not known."""
    return target.driver_cuda or (knowledge.cuda.newest_for(target.driver) if target.driver else "")


def is_newer(cuda: str, other: str) -> bool:
    """Whether a CUDA version is newer than another one, minor versions counted."""
    return _numbers(cuda)[:2] > _numbers(other)[:2]


def _numbers(cuda: str) -> tuple[int, ...]:
    return tuple(int(part) for part in cuda.split(".") if part.isdecimal())


def may_use_forward(target: Target, knowledge: Knowledge) -> bool:
    """Whether a newer CUDA may run on a machine's driver through cuda-compat packages."""
    known = [gpu for gpu in target.gpus if gpu.name]
    return target.system == LINUX and all(knowledge.gpus.is_data_center(g.name) for g in known)


def unserved_gpus(target: Target, architectures: Architectures) -> tuple[Gpu, ...]:
    """Return the GPUs of a machine that nothing of some architectures runs on.

    Args:
        target: The machine; a GPU whose capability is not known is left out.
        architectures: What there is code for.
    """
    return tuple(
        gpu
        for gpu in target.gpus
        if gpu.capability is not None and not architectures.serve(gpu.capability)
    )


def architectures_of(setting: Setting, build: TorchBuild) -> Architectures | None:
    """Return the GPUs that a build has kernels for; what torch itself lists goes first."""
    installed = setting.target.installed if setting.target is not None else None
    if setting.kind == INSTALLED and installed is not None and installed.torch_architectures:
        assert setting.target is not None
        listed = ", ".join(installed.torch_architectures)
        return read_architectures(
            installed.torch_architectures,
            Evidence(f"torch says that it has kernels for {listed}", setting.target.name),
        )
    if build.version is None or not build.cuda or build.channel == "conda-forge":
        return None
    return _listed(setting, build.version, build.label)


def _listed(setting: Setting, version: Version, label: str) -> Architectures | None:
    """Return the records' list; for Windows that of Linux where it has none of its own."""
    records, platform = setting.knowledge.torch, setting.platform
    found = records.architectures(version, label, platform)
    if found is None and platform == "win_amd64":
        return records.architectures(version, label, "linux_x86_64")
    return found


def ways(setting: Setting, version: Version | None, gpus: tuple[Gpu, ...]) -> list[Way]:
    """Return the builds that would do on a machine, as near to a version as there are.

    That is one of the same version; else the last patch of the nearest newer minor, and the newest
    of the older ones where no newer one does.

    Args:
        setting: The installation.
        version: The version that is meant; None for any.
        gpus: The GPUs that it must run on, those of unknown kind left out.
    """
    nearest: Way | None = None
    for way in _fitting(setting, gpus):
        release = way.version.release
        if version is None or release == version.release:
            return [way]
        if release < version.release:
            return [nearest or way]
        if nearest is None or release[:2] != nearest.version.release[:2]:
            nearest = way
    return [nearest] if nearest is not None else []


def _fitting(setting: Setting, gpus: tuple[Gpu, ...]) -> Iterator[Way]:
    records = setting.knowledge.torch
    for release in reversed(records.releases):
        if release.released > setting.day or not _has_wheel(setting, release.version):
            continue
        labels = sorted(
            release.cuda_labels, key=lambda one: one != release.default(setting.platform)
        )
        for label in labels:
            if _does(setting, release.version, label, gpus):
                is_default = release.default(setting.platform) == label
                yield Way(release.version, label, is_default)


def _does(setting: Setting, version: Version, label: str, gpus: tuple[Gpu, ...]) -> bool:
    target = setting.target
    if target is not None and (target.driver or target.driver_cuda):
        cuda = cuda_of_label(label) or ""
        if driver_runs(target, cuda, setting.knowledge) is False:
            return False
    listed = _listed(setting, version, label)
    known = [gpu.capability for gpu in gpus if gpu.capability is not None]
    if listed is None:
        return not known
    return all(listed.serve(capability) for capability in known)


def _has_wheel(setting: Setting, version: Version) -> bool:
    """Whether there is a wheel for the Python; taken for granted where that is not known."""
    if not setting.python.stated:
        return True
    release = setting.knowledge.releases.find("torch", version)
    if release is None:
        return True
    return release.files.has_wheel(setting.python.minor, "linux_x86_64")
