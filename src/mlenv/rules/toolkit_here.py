"""Topic ``cuda-toolkit``: the CUDA of this machine's own folders against that of the wheels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlenv.model.binary import Binary
from mlenv.model.environment import Environment
from mlenv.model.finding import Certainty, Evidence, Finding, Severity
from mlenv.model.machine import LibraryFolder, Machine
from mlenv.model.machine_text import where
from mlenv.model.requirement import canonical_name
from mlenv.model.target import Target
from mlenv.phrases import listed
from mlenv.reasoning.gpu_wanted import is_meant_here
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import pep440

_MOST_NAMED = 3
_REQUIRES = re.compile(r"([A-Za-z0-9._-]{1,100})\s{0,4}\(?([^;)]{0,200})")
_BRINGS = {
    "libcudart": "cuda-runtime",
    "libcublas": "cublas",
    "libcublasLt": "cublas",
    "libcudnn": "cudnn",
    "libnccl": "nccl",
    "libcufft": "cufft",
    "libcusparse": "cusparse",
    "libcusparseLt": "cusparselt",
    "libcusolver": "cusolver",
    "libcurand": "curand",
    "libnvrtc": "cuda-nvrtc",
    "libnvJitLink": "nvjitlink",
}
"""Libraries, and what follows ``nvidia-`` in the names of the wheels that bring them."""
_NAMED_BY_MAJOR = {"cublas", "cuda-runtime", "cuda-nvrtc", "nvjitlink"}
"""Wheels whose libraries have the major version of CUDA in their sonames."""
_LOADER = Evidence(
    "the loader looks into the folders of DT_RPATH, then of LD_LIBRARY_PATH, then of DT_RUNPATH; "
    "DT_RPATH does not count beside DT_RUNPATH",
    "ld.so(8)",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Clash:
    """A library in a folder of ``LD_LIBRARY_PATH`` that a wheel brings too, in another version.

    Attributes:
        soname: The library.
        there: Its version in the folder.
        wheel: The distribution that brings it.
        version: That one's version.
        exposed: The distributions whose binaries get the folder's; empty where none was seen.
        is_sure: Whether they get it whatever is imported before.
        asked: What one of them asks for that the folder's version is not; may be empty.
        at: The number of the folder among those that count.
    """

    soname: str
    there: Version
    wheel: str
    version: Version
    exposed: tuple[str, ...]
    is_sure: bool
    asked: str
    at: int


@rule("CTK005", "library-path-before-wheels", topic="cuda-toolkit", severity=Severity.WARNING)
def library_path_before_wheels(
    machine: Machine, environment: Environment | None, targets: Sequence[Target]
) -> Iterator[Finding]:
    """A folder of ``LD_LIBRARY_PATH`` with a CUDA library that goes before that of the wheels.

    The wheels bring cuDNN, cuBLAS and the others in the version that they were built for. A folder
    in ``LD_LIBRARY_PATH`` goes before them for every binary that has no ``DT_RPATH``; an older
    library there lacks functions, and cuDNN refuses parts of another version. torch's own binaries
    have a ``DT_RPATH`` and take the wheels' libraries in any case; those of other packages mostly
    have none. A warning where a binary gets the folder's library for sure and its package asks for
    another version; else a note: where torch may have loaded that of the wheel before, where the
    package says nothing of versions, or where the binaries were not looked at.

    Messages that users see: "cuDNN version incompatibility: PyTorch was compiled against (8, 7, 0)
    but found runtime version (8, 2, 4)", "Loaded runtime CuDNN library: 8.5.0 but source was
    compiled with: 8.6.0", "undefined symbol: cublasLtGetStatusString, version libcublasLt.so.11",
    "CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH".

    Bad:
        # LD_LIBRARY_PATH=/usr/local/cuda/lib64 with libcudnn.so.9.1.0
        jax[cuda12]==0.5.3
        nvidia-cudnn-cu12==9.8.0.87

    Good:
        # LD_LIBRARY_PATH is not set
        jax[cuda12]==0.5.3
        nvidia-cudnn-cu12==9.8.0.87
    """
    if environment is None or not is_meant_here(targets):
        return
    seen: set[str] = set()
    for at, folder in enumerate(machine.library_folders):
        # of two folders with one library the first is used
        first = [soname for soname in folder.libraries if soname not in seen]
        seen.update(first)
        for clash in _clashes(environment, folder, first, at):
            yield _before_wheels(machine, folder, clash)


def _clashes(
    environment: Environment, folder: LibraryFolder, sonames: Sequence[str], at: int
) -> Iterator[_Clash]:
    for soname in sonames:
        there = parse_version(folder.version_of(soname))
        wheel = _wheel_of(environment, soname)
        version = parse_version(environment.distributions[wheel].version) if wheel else None
        if there is None or version is None or _same(there, version):
            continue
        if environment.binaries is None:
            if there < version and not _is_torch_alone(environment):
                yield _Clash(soname, there, wheel, version, (), is_sure=False, asked="", at=at)
            continue
        users = [one for one in environment.binaries.files if soname in one.needed]
        by_torch = any(one.owner == "torch" and _is_safe(one) for one in users)
        exposed = _exposed(environment, users, by_torch=by_torch)
        if exposed:
            asked = _asked(environment, exposed, wheel, there)
            is_sure = not by_torch
            yield _Clash(
                soname, there, wheel, version, exposed, is_sure=is_sure, asked=asked, at=at
            )


def _same(there: Version, version: Version) -> bool:
    """Whether a file's version is that of a wheel, which may have one number more."""
    shorter = min(len(there.release), len(version.release))
    return there.release[:shorter] == version.release[:shorter]


def _wheel_of(environment: Environment, soname: str) -> str:
    """Return the distribution that brings a library of exactly this soname; empty for none.

    From CUDA 13 on the names of the wheels end without a suffix, or with that of the major version.
    """
    stem, _, major = soname.partition(".so.")
    part = _BRINGS.get(stem, "")
    pattern = re.compile(rf"nvidia-{re.escape(part)}(?:-cu(\d+))?")
    for name in environment.distributions if part else ():
        match = pattern.fullmatch(name)
        if match is None:
            continue
        version = environment.distributions[name].version
        cuda = match[1] or version.partition(".")[0]
        own = cuda if part in _NAMED_BY_MAJOR else version.partition(".")[0]
        if own == major:
            return name
    return ""


def _is_torch_alone(environment: Environment) -> bool:
    """Whether nothing but torch is known to use the wheels: it is safe by its DT_RPATH."""
    others = r"jax-cuda\d+-plugin|tensorflow|onnxruntime-gpu|cupy-cuda\d+x?|tensorrt.*"
    return not any(re.fullmatch(others, name) for name in environment.distributions)


def _exposed(
    environment: Environment, users: Sequence[Binary], *, by_torch: bool
) -> tuple[str, ...]:
    """Return the distributions whose binaries would get a library from ``LD_LIBRARY_PATH``."""
    owners = dict.fromkeys(
        one.owner
        for one in users
        if not _is_safe(one) and one.owner and not one.owner.startswith("nvidia-")
    )
    # what torch has loaded stays loaded, and its extensions import it first
    return tuple(name for name in owners if not (by_torch and _needs_torch(environment, name)))


def _asked(environment: Environment, names: Sequence[str], wheel: str, there: Version) -> str:
    """Return which distribution asks for another version of a wheel than one; else nothing."""
    found = (environment.distributions.get(name) for name in names)
    lines = ((one, line) for one in found if one is not None for line in one.requires)
    for one, line in lines:
        match = _REQUIRES.match(line)
        if match is None or canonical_name(match[1]) != wheel:
            continue
        admitted = pep440(match[2].strip())
        if admitted is not None and not admitted.admits(there, prereleases=True):
            return f"{one.written} asks for {wheel}{match[2].strip()}"
    return ""


def _is_safe(binary: Binary) -> bool:
    return bool(binary.rpath) and not binary.runpath


def _needs_torch(environment: Environment, name: str) -> bool:
    one = environment.distributions.get(name)
    lines = one.requires if one is not None else ()
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines)
    return name == "torch" or any(match and canonical_name(match[0]) == "torch" for match in names)


def _before_wheels(machine: Machine, folder: LibraryFolder, clash: _Clash) -> Finding:
    is_bad = bool(clash.asked) and clash.is_sure
    asked = (Evidence(clash.asked, "its metadata"),) if clash.asked else ()
    gets = (
        f"{listed(clash.exposed, _MOST_NAMED)} would load it"
        if clash.exposed
        else "what has no DT_RPATH would load it"
    )
    return Finding(
        f"{folder.path} in LD_LIBRARY_PATH holds {clash.soname} of version {clash.there}: {gets} "
        f"in place of that of {clash.wheel} {clash.version}",
        where(machine, f"LD_LIBRARY_PATH {clash.at}"),
        (clash.wheel, *clash.exposed),
        Severity.WARNING if is_bad else Severity.NOTE,
        Certainty.CERTAIN if clash.is_sure else Certainty.POSSIBLE,
        help=f"take {folder.path} out of LD_LIBRARY_PATH where Python runs",
        evidence=(
            _LOADER,
            Evidence(f"the file of {clash.soname} is named for version {clash.there}", folder.path),
            *asked,
        ),
        batch=f"folder {clash.at}",
        batch_message=(
            f"{folder.path} in LD_LIBRARY_PATH holds other versions of the libraries of "
            "{packages}, and goes before them"
        ),
    )


@rule("CTK006", "cuda-home-disagrees", topic="cuda-toolkit", severity=Severity.NOTE)
def cuda_home_disagrees(machine: Machine, targets: Sequence[Target]) -> Iterator[Finding]:
    """``CUDA_HOME`` names another CUDA than the nvcc on ``PATH``, or one without nvcc.

    torch compiles extensions with the nvcc in ``CUDA_HOME``; CMake and setup scripts of their own
    take that on ``PATH``. Where the two differ, parts of one build are compiled for different CUDA
    versions; where ``CUDA_HOME`` holds no nvcc, torch's builds end though ``PATH`` has one. It
    matters only where something is compiled.

    Messages that users see: "The detected CUDA version (11.8) mismatches the version that was used
    to compile PyTorch (12.4)", "error: [Errno 2] No such file or directory:
    '/usr/local/cuda/bin/nvcc'".

    Bad:
        CUDA_HOME=/usr/local/cuda-11.8
        PATH=/usr/local/cuda-12.4/bin:/usr/bin

    Good:
        CUDA_HOME=/usr/local/cuda-12.4
        PATH=/usr/local/cuda-12.4/bin:/usr/bin
    """
    if not is_meant_here(targets):
        return
    home, path = machine.home_nvcc, machine.path_nvcc
    span = where(machine, "CUDA_HOME")
    source = Evidence(
        "torch takes the nvcc in CUDA_HOME, and looks on PATH only where it is not set",
        "_find_cuda_home in torch.utils.cpp_extension",
    )
    if machine.cuda_home and home is None:
        yield Finding(
            f"CUDA_HOME is {machine.cuda_home}, which holds no nvcc"
            + (f"; PATH leads to that in {path.folder}" if path else ""),
            span,
            help=f"set CUDA_HOME to {path.folder}, or unset it" if path else "unset CUDA_HOME",
            evidence=(source,),
        )
    elif home and path and home.version and path.version and _differ(home.version, path.version):
        yield Finding(
            f"CUDA_HOME holds nvcc {home.version}, and PATH leads to nvcc {path.version}",
            span,
            help="let CUDA_HOME and PATH name the same CUDA, that which torch was built with",
            evidence=(source, Evidence(f"{path.folder} goes first on PATH", "this machine")),
        )


def _differ(version: str, other: str) -> bool:
    return version.split(".")[:2] != other.split(".")[:2]
