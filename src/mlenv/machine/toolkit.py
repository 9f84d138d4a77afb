"""CUDA's compiler, and the folders whose CUDA libraries go before those of the wheels."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from mlenv.machine.driver import NUMBER
from mlenv.machine.root import Root
from mlenv.model.machine import LibraryFolder, Toolkit

_USUAL = "/usr/local/cuda"
_NVCC = ("nvcc", "nvcc.exe")
_SHARED = re.compile(
    r"lib(?:cudart|cublas|cublasLt|cudnn[a-z_]*|nccl|cufft|cufftw|cusparse|cusparseLt|cusolver"
    r"|cusolverMg|curand|nvrtc|nvrtc-builtins|nvJitLink|cupti|nvshmem_host|nvToolsExt|cufile)"
    rf"\.so\.[0-9]{{1,4}}(?:\.{NUMBER}|\.[0-9]{{1,6}})?"
)
"""The libraries that the wheels named nvidia-* bring as well."""
_LIBCUDA = "libcuda.so.1"
_MOST_FOLDERS = 64
_MOST_CONFIGURED = 200


def toolkits(
    variables: Mapping[str, str], root: Root
) -> tuple[Toolkit | None, Toolkit | None, Toolkit | None]:
    """Return the toolkit that counts, the one in ``CUDA_HOME`` and the one on ``PATH``.

    The one that counts is that in ``CUDA_HOME``, then ``CUDA_PATH``, then on ``PATH``, then
    the usual folder, as torch looks for it.

    Args:
        variables: Of the process.
        root: The files of the machine.

    Source: ``_find_cuda_home`` in torch.utils.cpp_extension.
    """
    home = _toolkit(cuda_home(variables), root)
    paths = variables.get("PATH", "").split(os.pathsep)[:_MOST_FOLDERS]
    folders = [os.path.dirname(one) for one in paths if os.path.basename(one) == "bin"]
    on_path = next(filter(None, (_toolkit(folder, root) for folder in folders)), None)
    other = _toolkit(variables.get("CUDA_PATH", ""), root)
    return home or other or on_path or _toolkit(_USUAL, root), home, on_path


def cuda_home(variables: Mapping[str, str]) -> str:
    """Return the folder that the environment names as CUDA's; empty where it names none."""
    return variables.get("CUDA_HOME", "") or variables.get("CUDA_PATH", "")


def _toolkit(folder: str, root: Root) -> Toolkit | None:
    has_compiler = any(root.is_file(os.path.join(folder, "bin", name)) for name in _NVCC)
    return Toolkit(folder, _version(folder, root)) if folder and has_compiler else None


def _version(folder: str, root: Root) -> str:
    """Return the version of a toolkit by the files that come with it: nothing is run.

    Source: ``version.json`` from CUDA 11.1 on, ``version.txt`` before; conda's records.
    """
    text = root.read(os.path.join(folder, "version.json"))
    found = re.search(rf'"cuda"\s*:\s*\{{[^}}]*"version"\s*:\s*"({NUMBER})', text)
    text = root.read(os.path.join(folder, "version.txt"))
    found = found or re.search(rf"CUDA Version ({NUMBER})", text)
    if found:
        return found[1]
    names = ("cuda-nvcc", "cudatoolkit-dev")
    return next(filter(None, (conda_version(folder, name, root) for name in names)), "")


def conda_version(folder: str, package: str, root: Root) -> str:
    """Return the version of a package in conda's environment, by the name of its record.

    Args:
        folder: The environment.
        package: The package.
        root: The files of the machine.
    """
    pattern = rf"{re.escape(package)}-({NUMBER})-[^-]+\.json"
    names = root.names(os.path.join(folder, "conda-meta")) if folder else ()
    found = (re.fullmatch(pattern, name) for name in names)
    return next((match[1] for match in found if match), "")


def library_folders(variables: Mapping[str, str], root: Root) -> Iterator[LibraryFolder]:
    """Yield the folders of ``LD_LIBRARY_PATH`` that hold CUDA's libraries, in their order.

    Args:
        variables: Of the process.
        root: The files of the machine.

    Source: ld.so(8).
    """
    for folder in _stated(variables):
        found: dict[str, str] = {}
        for name in filter(_SHARED.fullmatch, root.names(folder)):
            stem, _, number = name.partition(".so.")
            whole = root.last_link(os.path.join(folder, name)).partition(".so.")[2]
            soname = f"{stem}.so.{number.partition('.')[0]}"
            # the name with most numbers tells most: libcudnn.so.9 leads to libcudnn.so.9.1.0
            best = max(number, whole, found.get(soname, ""), key=lambda text: text.count("."))
            found[soname] = best if "." in best else ""
        if found:
            yield LibraryFolder(folder, tuple(found), tuple(found.values()))


def forward_compatibility(variables: Mapping[str, str], root: Root) -> tuple[str, str]:
    """Return the folder of a libcuda that goes before the driver's own, and its version.

    Args:
        variables: Of the process.
        root: The files of the machine.

    Source: NVIDIA, "CUDA Compatibility": the package installs into a folder ``compat``.
    """
    configured: list[str] = []
    home = "/etc/ld.so.conf.d"
    for name in root.names(home)[:_MOST_CONFIGURED]:
        if name.endswith(".conf"):
            configured += root.read(os.path.join(home, name)).split()
    for folder in (*_stated(variables), *configured):
        path = os.path.join(folder, _LIBCUDA)
        if "compat" in folder.split("/") and root.is_file(path):
            match = re.fullmatch(rf"libcuda\.so\.({NUMBER})", root.last_link(path))
            return folder, match[1] if match else ""
    return "", ""


def _stated(variables: Mapping[str, str]) -> list[str]:
    return variables.get("LD_LIBRARY_PATH", "").split(os.pathsep)[:_MOST_FOLDERS]
