"""What surrounds the process: system, WSL, containers and their limits, and GPUs not NVIDIA's."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping

from mlenv.machine.driver import NUMBER
from mlenv.machine.root import Root

_MOST_NODES = 256
_MOST_DEPTH = 32
_CONTROLS = "/sys/fs/cgroup"
_ENOUGH = 1 << 60
"""The first version of cgroups writes a number near 2**63 where there is no limit."""
_MARKS = (
    ("kubernetes", "kubepods"),
    ("podman", "libpod"),
    ("lxc", "/lxc/"),
    ("lxc", "/lxc.payload"),
    ("docker", "/docker"),
    ("containerd", "/containerd"),
)
"""Names of containers, and what the names of their cgroups hold."""


def system_name(root: Root) -> str:
    """Return the system in words, such as ``Debian GNU/Linux 12 (bookworm)``; empty if not known.

    Source: os-release(5); Apple's SystemVersion.plist.
    """
    if sys.platform == "win32":
        version = sys.getwindowsversion()
        return f"Windows {version.major}.{version.minor}.{version.build}"
    text = root.read("/etc/os-release") or root.read("/usr/lib/os-release")
    match = re.search(r"(?m)^PRETTY_NAME=[\"']?([^\"'\n]{1,100})", text)
    if match:
        return " ".join(match[1].split())
    plist = root.read("/System/Library/CoreServices/SystemVersion.plist")
    match = re.search(rf"<key>ProductVersion</key>\s*<string>({NUMBER})</string>", plist)
    return f"macOS {match[1]}" if match else ""


def kernel_name(root: Root) -> str:
    """Return the kernel's release; empty where it is not known."""
    return root.read("/proc/sys/kernel/osrelease").strip()[:100]


def wsl_version(root: Root) -> str:
    """Return ``1`` or ``2`` in the Windows Subsystem for Linux, else nothing.

    Source: its kernels' names: ``5.15.153.1-microsoft-standard-WSL2``, ``4.4.0-19041-Microsoft``.
    """
    name = kernel_name(root).lower()
    if "microsoft" not in name:
        return ""
    return "2" if "wsl2" in name or "microsoft-standard" in name else "1"


def container_name(variables: Mapping[str, str], root: Root) -> str:
    """Return what kind of container the process is in; empty for none.

    Args:
        variables: Of the process.
        root: The files of the machine.

    Source: systemd, "Container Interface"; what Docker, Podman, Kubernetes and Apptainer create.
    """
    if "KUBERNETES_SERVICE_HOST" in variables or root.has("/run/secrets/kubernetes.io"):
        return "kubernetes"
    if root.has("/.singularity.d") or "APPTAINER_CONTAINER" in variables:
        return "apptainer"
    if root.has("/run/.containerenv"):
        return "podman"
    groups = root.read("/proc/self/cgroup") + root.read("/proc/1/cgroup")
    known = next((name for name, mark in _MARKS if mark in groups), "")
    if known or root.has("/.dockerenv"):
        return known or "docker"
    stated = variables.get("container", "") or root.read("/run/systemd/container")
    match = re.match(r"[a-z][a-z0-9-]{1,30}", stated)
    return match[0] if match else ""


def processors(root: Root) -> float:
    """Return how many processors the process may use, with the limit of its cgroup; 0 for unknown.

    Source: proc_pid_status(5); Linux, "Control Group v2", cpu.max, and "CFS Bandwidth Control".
    """
    status = root.read("/proc/self/status")
    match = re.search(r"(?m)^Cpus_allowed_list:\s*([0-9,-]{1,4000})$", status)
    count = sum(map(_length, match[1].split(","))) if match else os.cpu_count() or 0
    quotas = [quota for quota in _processor_limits(root) if quota > 0]
    return min([float(count), *quotas]) if count else 0.0


def _length(part: str) -> int:
    first, _, last = part.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        return 0
    return max(0, int((last or first)[:9]) - int(first[:9]) + 1)


def _processor_limits(root: Root) -> Iterator[float]:
    for folder in _groups(root, "cpu"):
        quota, _, period = root.read(f"{folder}/cpu.max").strip().partition(" ")
        if not quota:
            quota = root.read(f"{folder}/cpu.cfs_quota_us").strip()
            period = root.read(f"{folder}/cpu.cfs_period_us").strip()
        if quota.isdecimal() and period.isdecimal() and int(period[:18]):
            yield round(int(quota[:18]) / int(period[:18]), 2)


def memory_limit(root: Root) -> int:
    """Return how many bytes the process may use, with the limit of its cgroup; 0 for unknown.

    Source: proc_meminfo(5); Linux, "Control Group v2" and "Memory Resource Controller".
    """
    match = re.search(r"(?m)^MemTotal:\s*([0-9]{1,15}) kB", root.read("/proc/meminfo"))
    total = int(match[1]) * 1024 if match else _memory_of_system()
    texts = [
        root.read(f"{folder}/{name}").strip()
        for folder in _groups(root, "memory")
        for name in ("memory.max", "memory.limit_in_bytes")
    ]
    limits = [int(text[:20]) for text in texts if text.isdecimal()]
    return min([total, *(limit for limit in limits if limit < _ENOUGH)]) if total else 0


def _memory_of_system() -> int:
    if not hasattr(os, "sysconf"):
        return 0
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _groups(root: Root, controller: str) -> Iterator[str]:
    """Yield the folders of the process's cgroup and of those above it, for one controller.

    In a container the names are often those of the host, and its own group lies at the top.
    """
    for line in root.read("/proc/self/cgroup").splitlines()[:_MOST_DEPTH]:
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if names and controller not in names.split(","):
            continue
        top = f"{_CONTROLS}/{controller}" if names else _CONTROLS
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        for depth in range(min(len(parts), _MOST_DEPTH), -1, -1):
            yield "/".join((top, *parts[:depth]))


def rocm_version(variables: Mapping[str, str], root: Root) -> str:
    """Return the version of AMD's ROCm, ``yes`` where its files do not tell; empty for none.

    Args:
        variables: Of the process.
        root: The files of the machine.
    """
    for folder in (variables.get("ROCM_PATH", ""), "/opt/rocm"):
        match = re.match(NUMBER, root.read(f"{folder}/.info/version")) if folder else None
        if match:
            return match[0]
    return "yes" if root.has("/opt/rocm/lib") else ""


def amd_gpus(root: Root) -> tuple[str, ...]:
    """Return the GPUs that AMD's driver shows, such as ``gfx942``.

    Source: Linux, ``kfd_topology.c``: ``gfx_target_version`` is major, minor and step in two
    decimals each; LLVM writes the step as a hexadecimal digit.
    """
    top = "/sys/class/kfd/kfd/topology/nodes"
    found = []
    for node in root.names(top)[:_MOST_NODES]:
        text = root.read(f"{top}/{node}/properties")
        match = re.search(r"(?m)^gfx_target_version ([0-9]{1,9})$", text)
        number = int(match[1]) if match else 0
        if number:
            major, minor, step = number // 10_000, number // 100 % 100, number % 100
            found.append(f"gfx{major}{minor:x}{step:x}")
    return tuple(found)
