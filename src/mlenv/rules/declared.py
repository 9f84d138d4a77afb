"""The rules that judge what a project declares; an audit of nothing else loads no others.

A new topic is one more line here, or in the registry where it judges what is installed.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlenv.rules import (
    base_images,
    builds,
    channels,
    cohorts,
    companion_cuda,
    companions,
    conda_selectors,
    conflicts,
    context,
    contradictions,
    cuda_builds,
    cuda_mixing,
    drivers,
    duplicates,
    forbidden,
    gpu_architectures,
    hygiene,
    images,
    indexes,
    local_builds,
    locks,
    mixing,
    names,
    numpy2,
    numpy_bounds,
    overlaps,
    parse,
    pins,
    pixi_machines,
    prebuilts,
    pythons,
    references,
    removed_interfaces,
    repositories,
    security,
    staleness,
    system_libraries,
    system_releases,
    toolkit,
    wheels,
)
from mlenv.rules.base import Rule, rules_in

DECLARED: tuple[Rule, ...] = rules_in(
    base_images,
    builds,
    channels,
    cohorts,
    companion_cuda,
    companions,
    conda_selectors,
    conflicts,
    context,
    contradictions,
    cuda_builds,
    cuda_mixing,
    drivers,
    duplicates,
    forbidden,
    gpu_architectures,
    hygiene,
    images,
    indexes,
    local_builds,
    locks,
    mixing,
    names,
    numpy2,
    numpy_bounds,
    overlaps,
    parse,
    pins,
    pixi_machines,
    prebuilts,
    pythons,
    references,
    removed_interfaces,
    repositories,
    security,
    staleness,
    system_libraries,
    system_releases,
    toolkit,
    wheels,
)

_OTHERS = {
    "cuda-toolkit": ("CTK005", "CTK006"),
    "driver": ("DRV006", "DRV007", "DRV008", "DRV009"),
    "gpu-arch": ("GPU003", "GPU004"),
    "numpy2": ("NPY005", "NPY006"),
    "companions": ("CMP004",),
    "system-libraries": ("SYS006", "SYS007"),
    "environment": (
        "ENV001", "ENV002", "ENV003", "ENV004", "ENV005", "ENV006", "ENV007", "ENV008",
        "ENV009", "ENV010", "ENV011", "ENV012", "ENV013", "ENV014", "ENV015", "ENV016",
        "ENV017", "ENV018", "ENV020", "ENV021", "ENV022", "ENV023", "ENV030", "ENV040",
        "ENV043",
    ),
}  # fmt: skip
OTHERS: Mapping[str, str] = {code: topic for topic in _OTHERS for code in _OTHERS[topic]}
"""The topics of the rules that judge an environment or this machine, by code: comments and the
configuration may name these wherever an audit looks."""
