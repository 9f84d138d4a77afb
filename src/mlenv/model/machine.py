"""This machine as it was found: GPUs, driver, toolkits, and what surrounds the process."""

from __future__ import annotations

from mlenv.model.target import Capability
from mlenv.records import dataclass

NO_DRIVER = "no-driver"
MISMATCH = "driver-library-mismatch"
HANGS = "hangs"
NO_PERMISSION = "no-permission"
CRASHED = "crashed"
LOST = "gpu-lost"
OTHER = "other"
"""Why a driver does not answer; see :class:`Driver`."""


@dataclass(frozen=True, slots=True, eq=False)
class GpuState:
    """One GPU as its driver describes it.

    Attributes:
        name: As its driver calls it.
        capability: The compute capability; None where it is not known.
        memory: In bytes; 0 where it is not known.
        memory_used: In bytes.
        mig: Whether it is divided (MIG); None where it cannot be.
        instances: How many parts it is divided into.
        ecc_errors: Uncorrected memory errors since it was made; None where it does not count them.
        retired: Whether memory rows wait for a restart to be replaced.
    """

    name: str
    capability: Capability | None = None
    memory: int = 0
    memory_used: int = 0
    mig: bool | None = None
    instances: int = 0
    ecc_errors: int | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Driver:
    """NVIDIA's driver.

    Attributes:
        version: Such as ``535.104.05``; empty where it is not known.
        cuda: The CUDA version that it offers, such as ``12.2``; empty where it is not known.
        kernel_version: The version of the kernel's module, where its file tells.
        library_version: The version of the user's library, by the name of its file.
        problem: One of the constants above where it does not answer; empty where it does.
        said: What it says then, or what was seen.
    """

    version: str = ""
    cuda: str = ""
    kernel_version: str = ""
    library_version: str = ""
    problem: str = NO_DRIVER
    said: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LibraryFolder:
    """A folder of ``LD_LIBRARY_PATH`` that holds CUDA libraries.

    Attributes:
        path: As it stands there.
        libraries: The sonames in it that wheels bring as well (``libcudnn.so.9``).
    """

    path: str
    libraries: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """What this machine is.

    Attributes:
        os: One of :data:`mlenv.model.target.SYSTEMS`.
        release: The system in words (``Debian GNU/Linux 12``); empty where nothing tells.
        kernel: The kernel's version.
        arch: The processor's architecture.
        libc: ``glibc 2.36``; empty where it is not known.
        cpus: How many processors the process may use, a container's limit counted in.
        memory: What the process may use, in bytes, a container's limit counted in.
        driver: NVIDIA's driver.
        gpus: The GPUs that it shows.
        hidden_gpus: Whether ``CUDA_VISIBLE_DEVICES`` hides some.
        visible_devices: The value of ``CUDA_VISIBLE_DEVICES``; None where it is not set.
        toolkit: The version of nvcc; empty for none.
        toolkit_folder: Where it lies.
        cuda_home: ``CUDA_HOME`` or ``CUDA_PATH``; empty where neither is set.
        library_folders: The folders of ``LD_LIBRARY_PATH`` that go before the wheels' libraries.
        wsl: ``1`` or ``2`` in the Windows Subsystem for Linux; empty elsewhere.
        container: ``docker``, ``kubernetes``, ``podman``, ``lxc`` …; empty where it is none.
        rocm: The version of ROCm, or ``yes``; empty for none.
        amd_gpus: What AMD's driver shows (``gfx942``).
        apple_gpu: Whether Apple's GPU is there, so that torch has MPS.
    """

    os: str
    release: str = ""
    kernel: str = ""
    arch: str = ""
    libc: str = ""
    cpus: float = 0.0
    memory: int = 0
    driver: Driver = Driver()
    gpus: tuple[GpuState, ...] = ()
    hidden_gpus: bool = False
    visible_devices: str | None = None
    toolkit: str = ""
    toolkit_folder: str = ""
    cuda_home: str = ""
    library_folders: tuple[LibraryFolder, ...] = ()
    wsl: str = ""
    container: str = ""
    rocm: str = ""
    amd_gpus: tuple[str, ...] = ()
    apple_gpu: bool = False
