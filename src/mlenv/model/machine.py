"""This machine as it was found: GPUs, driver, toolkits, and what surrounds the process."""

from __future__ import annotations

from mlenv.model.target import Capability
from mlenv.records import dataclass

NO_DRIVER = "no-driver"
MISMATCH = "driver-library-mismatch"
HANGS = "hangs"
NO_PERMISSION = "no-permission"
CRASHED = "crashed"
NOT_ASKED = "not-asked"
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
        recent_ecc_errors: Those since the driver was loaded; None where it does not count them.
        is_failing: Whether a memory row could not be replaced.
    """

    name: str
    capability: Capability | None = None
    memory: int = 0
    memory_used: int = 0
    mig: bool | None = None
    instances: int = 0
    ecc_errors: int | None = None
    retired: bool = False
    recent_ecc_errors: int | None = None
    is_failing: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Driver:
    """NVIDIA's driver.

    Attributes:
        version: Such as ``535.104.05``; empty where it is not known.
        cuda: The CUDA version that it offers, such as ``12.2``; empty where it is not known.
        kernel_version: The version of the kernel's module, where its file tells; a container sees
            that of its host, though it may have been given no GPU.
        library_version: The version of the user's library, by the name of its file.
        problem: One of the constants above where it does not answer; empty where it does.
        said: What it says then, or what was seen.
        silent: What it says of each GPU that it counts and cannot reach.
    """

    version: str = ""
    cuda: str = ""
    kernel_version: str = ""
    library_version: str = ""
    problem: str = NO_DRIVER
    said: str = ""
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Toolkit:
    """A CUDA toolkit that has nvcc.

    Attributes:
        folder: Where it lies.
        version: Its version; empty where its files do not tell.
    """

    folder: str
    version: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LibraryFolder:
    """A folder of ``LD_LIBRARY_PATH`` that holds CUDA libraries.

    Attributes:
        path: As it stands there.
        libraries: The sonames in it that wheels bring as well (``libcudnn.so.9``).
        versions: For each of them the version in the name of its file (``9.1.0``); may be empty.
    """

    path: str
    libraries: tuple[str, ...]
    versions: tuple[str, ...] = ()

    def version_of(self, soname: str) -> str:
        """Return the version of one of the libraries; empty where its file does not tell."""
        return dict(zip(self.libraries, self.versions, strict=False)).get(soname, "")


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
        home_nvcc: The nvcc in it; None where there is none.
        path_nvcc: The nvcc that ``PATH`` leads to first; None where there is none.
        library_folders: The folders of ``LD_LIBRARY_PATH`` that go before the wheels' libraries.
        compat_folder: The folder of a newer libcuda (forward compatibility) that goes before the
            driver's own; empty for none.
        compat_version: The version of that libcuda; may be empty.
        wsl: ``1`` or ``2`` in the Windows Subsystem for Linux; empty elsewhere.
        container: ``docker``, ``kubernetes``, ``podman``, ``lxc`` …; empty where it is none.
        rocm: The version of ROCm, or ``yes``; empty for none.
        amd_gpus: What AMD's driver shows (``gfx942``).
        apple_gpu: Whether Apple's GPU is there, so that torch has MPS.

    In its folders ``~`` stands for the user's home, whose name is nobody else's business.
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
    home_nvcc: Toolkit | None = None
    path_nvcc: Toolkit | None = None
    compat_folder: str = ""
    compat_version: str = ""
    library_folders: tuple[LibraryFolder, ...] = ()
    wsl: str = ""
    container: str = ""
    rocm: str = ""
    amd_gpus: tuple[str, ...] = ()
    apple_gpu: bool = False

    @property
    def visible(self) -> tuple[GpuState, ...]:
        """The GPUs that ``CUDA_VISIBLE_DEVICES`` leaves to a program.

        Which GPU a UUID names is not known here, so one that names them so hides none.

        Source: NVIDIA, "CUDA C++ Programming Guide", CUDA environment variables.
        """
        if self.visible_devices is None:
            return self.gpus
        left: list[GpuState] = []
        for word in map(str.strip, self.visible_devices.split(",")):
            if word.startswith(("GPU-", "MIG-")):
                return self.gpus
            # what follows a number that names no GPU does not count
            if not (word.isascii() and word.isdecimal()) or int(word[:9]) >= len(self.gpus):
                break
            left.append(self.gpus[int(word[:9])])
        return tuple(left)
