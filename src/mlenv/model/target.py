"""The machine that a project must run on, and what is installed there so far as that is stated."""

from __future__ import annotations

from collections.abc import Mapping

from mlenv.model.text import Span
from mlenv.records import dataclass, field
from mlenv.versions.version import Version, parse_version

LINUX = "linux"
WINDOWS = "windows"
MACOS = "macos"
SYSTEMS = (LINUX, WINDOWS, MACOS)

LOCAL = "local"
"""The name of this machine as a target."""

Capability = tuple[int, int]
"""A compute capability: major, minor."""


def parse_capability(text: str) -> Capability | None:
    """Return a compute capability such as ``8.6``; None where the text is none."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal() and len(major) < 4 and len(minor) < 3):
        return None
    return int(major), int(minor)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One kind of GPU in a machine.

    Attributes:
        name: As its vendor or the user calls it; empty where only the capability is stated.
        capability: The compute capability; None where it is not known (or not NVIDIA's).
        count: How many of them.
        memory: Of each, in GiB; 0 where it is not known.
    """

    name: str
    capability: Capability | None = None
    count: int = 1
    memory: int = 0

    @property
    def label(self) -> str:
        """The name with the capability, as messages show it."""
        shown = ".".join(map(str, self.capability)) if self.capability else ""
        if not self.name or not shown:
            return self.name or f"compute capability {shown}"
        return f"{self.name} (compute capability {shown})"


@dataclass(frozen=True, slots=True, eq=False)
class Installed:
    """What is installed on a machine, so far as a snapshot tells.

    Attributes:
        packages: Versions by canonical name, as pip shows them.
        conda_packages: Versions of conda's packages by name.
        complete: Whether this is all; else nothing may be called missing.
        manager: ``venv``, ``conda`` or ``system``; empty where it is not stated.
        torch_cuda: The CUDA version that torch itself says it was built with; empty where
            it is not known, ``none`` for a build without.
        torch_architectures: What torch itself says it was built for (``sm_80``, ``compute_90``).
        blas: What NumPy computes with, such as ``scipy-openblas 0.3.29``; empty if not known.
        origins: For packages from no index, how they came, by canonical name: ``editable``,
            ``local``, ``url``, or ``git`` with the beginning of the commit.
        spans: Where each package stands, by canonical name; empty where there is no file.
    """

    packages: Mapping[str, str] = field(default_factory=dict)
    conda_packages: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    manager: str = ""
    torch_cuda: str = ""
    torch_architectures: tuple[str, ...] = ()
    blas: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A machine, and what is installed there. What is not stated is empty or None: not known.

    Attributes:
        name: How messages call it: ``local``, a name of the configuration, a file's name, or the
            inline text.
        span: Where it is stated as a whole; of a text of its own where that is no file.
        os: One of :data:`SYSTEMS`; empty where it is not stated.
        arch: ``x86_64``, ``aarch64``, ``arm64`` (macOS) …; empty where it is not stated.
        glibc: The C library's version.
        python: The interpreter's version, be it ``3.10`` or ``3.10.12``.
        driver: NVIDIA's driver, such as ``535.104.05``; a branch such as ``535`` will do.
        driver_cuda: The CUDA version that the driver reports.
        cuda_toolkit: The version of nvcc, where one is installed.
        cudnn: A system-wide cuDNN.
        image_cuda: The CUDA version of the container image in use.
        wants_gpu: Whether the work is meant for a GPU; None where that is not stated.
        builds_extensions: Whether CUDA or C++ code is compiled there.
        missing_libraries: Sonames known to be absent.
        gpus: Every kind of GPU in it.
        installed: What is installed; None where nothing is stated.
        spans: Where each key is stated (``driver``, ``gpus`` …), for those that are.
    """

    name: str
    span: Span
    os: str = ""
    arch: str = ""
    glibc: str = ""
    python: str = ""
    driver: str = ""
    driver_cuda: str = ""
    cuda_toolkit: str = ""
    cudnn: str = ""
    image_cuda: str = ""
    wants_gpu: bool | None = None
    builds_extensions: bool = False
    missing_libraries: tuple[str, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    installed: Installed | None = None
    spans: Mapping[str, Span] = field(default_factory=dict)

    @property
    def has_nvidia(self) -> bool:
        """Whether it has an NVIDIA GPU or its driver."""
        return bool(self.driver or self.driver_cuda) or any(gpu.capability for gpu in self.gpus)

    @property
    def expects_gpu(self) -> bool:
        """Whether a build without CUDA is a mistake there, so far as that is stated."""
        return self.has_nvidia if self.wants_gpu is None else self.wants_gpu

    @property
    def system(self) -> str:
        """The operating system; Linux where an NVIDIA GPU says nothing else."""
        return self.os or LINUX

    @property
    def machine(self) -> str:
        """The processor's architecture as PEP 508 has it on that system; a guess where open."""
        arch = {"amd64": "x86_64", "x64": "x86_64"}.get(self.arch.lower(), self.arch.lower())
        if self.system == MACOS:
            return {"aarch64": "arm64", "": "arm64"}.get(arch, arch)
        if self.system == WINDOWS:
            return {"x86_64": "AMD64", "": "AMD64", "aarch64": "ARM64", "arm64": "ARM64"}.get(
                arch, arch
            )
        return {"arm64": "aarch64", "": "x86_64"}.get(arch, arch)

    @property
    def platform(self) -> str:
        """The platform as the records call it: ``linux_x86_64``, ``macos_arm64``, ``win_amd64``."""
        prefix = {LINUX: "linux", MACOS: "macos", WINDOWS: "win"}[self.system]
        return f"{prefix}_{self.machine.lower()}"

    @property
    def python_version(self) -> Version | None:
        """The interpreter's version, where it is stated."""
        return parse_version(self.python) if self.python else None

    def where(self, *keys: str) -> Span:
        """Return the place of the first of some keys that is stated; else that of the whole."""
        return next((self.spans[key] for key in keys if key in self.spans), self.span)
