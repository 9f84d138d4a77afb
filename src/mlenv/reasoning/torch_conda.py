"""Which CUDA conda's torch is built for: by its build, its selectors, or what lies beside it."""

from __future__ import annotations

import re

from mlenv.model.requirement import CONDA
from mlenv.model.text import Span
from mlenv.reasoning.setting import INSTALLED, LOCK
from mlenv.records import dataclass
from mlenv.versions.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.setting import Setting

_CUDA_IN_BUILD = r"cuda_?(\d{1,2})\.?(\d)(?!\d{2})"
_SELECTORS = ("pytorch-cuda", "cudatoolkit", "cuda-version")
_RUNTIMES = ("pytorch-cuda", "cuda-version", "cudatoolkit", "cuda-cudart")
_NAMES = ("pytorch", "pytorch-gpu", "pytorch-cpu", "torch")
_LAST_WITH_CUDATOOLKIT = (1, 12)
"""The last torch of the pytorch channel that ``cudatoolkit`` selects the build of."""


@dataclass(frozen=True, slots=True, eq=False)
class CondaBuild:
    """What selects conda's build.

    Attributes:
        cuda: ``11.8``; empty for a build without CUDA; None where that is not known.
        span: What says so.
        how: The same in words.
    """

    cuda: str | None
    span: Span
    how: str


def conda_build(setting: Setting, version: Version | None) -> CondaBuild | None:
    """Return what is said of the build of conda's torch; None where nothing is.

    Args:
        setting: An installation in which conda installs torch.
        version: Its version, where that is known.
    """
    if setting.kind in (LOCK, INSTALLED):
        return _recorded(setting)
    found = _by_build(setting)
    if found is not None:
        return found
    stated = {r.name: r for r in setting.requirements if r.ecosystem == CONDA}
    for name in ("cpuonly", "pytorch-cpu"):
        if name in stated:
            return CondaBuild("", stated[name].span, f"{name} selects the build without CUDA")
    for name in _SELECTORS:
        if name in stated and _selects(setting, name, version):
            cuda = setting.knowledge.cuda.only(stated[name].versions)
            return CondaBuild(cuda, stated[name].span, f"{name} selects the build")
    return None


def serves_from(setting: Setting) -> str:
    """Return the channel that conda takes torch from, so far as the file tells; else empty."""
    for requirement in setting.requirements:
        if requirement.ecosystem == CONDA and requirement.name in _NAMES and requirement.channel:
            return _name_of(requirement.channel)
    channels = setting.source.channels if setting.source is not None else ()
    names = [_name_of(one.name) for one in channels]
    return next((name for name in names if name in ("pytorch", "conda-forge", "defaults")), "")


def _name_of(channel: str) -> str:
    return channel.rstrip("/").rpartition("/")[2]


def _by_build(setting: Setting) -> CondaBuild | None:
    for requirement in setting.requirements:
        if (
            requirement.ecosystem != CONDA
            or requirement.name not in _NAMES
            or not requirement.build
        ):
            continue
        build = requirement.build.lower()
        match = re.search(_CUDA_IN_BUILD, build)
        how = f"the build {requirement.build} says so"
        if match:
            return CondaBuild(f"{match[1]}.{match[2]}", requirement.span, how)
        if "cpu" in build:
            return CondaBuild("", requirement.span, how)
        if "cuda" in build or "gpu" in build:
            return CondaBuild(None, requirement.span, how)
    return None


def _selects(setting: Setting, name: str, version: Version | None) -> bool:
    """Whether a package selects the build, on the channel that torch is from."""
    channel = serves_from(setting)
    if name == "pytorch-cuda":
        return channel in ("pytorch", "")
    if name == "cudatoolkit" and channel == "pytorch":
        return version is not None and version.release[:2] <= _LAST_WITH_CUDATOOLKIT
    return True


def _recorded(setting: Setting) -> CondaBuild | None:
    """Return what lies beside torch in a lock or a snapshot."""
    if setting.source is not None:
        packages = [
            (one.name, one.version, one.span)
            for one in setting.source.locked
            if one.ecosystem == CONDA
        ]
    else:
        target = setting.target
        installed = target.installed if target is not None else None
        if target is None or installed is None:
            return None
        packages = [
            (name, version, installed.spans.get(name, target.span))
            for name, version in installed.conda_packages.items()
        ]
    found: dict[str, tuple[set[str], Span]] = {}
    for name, version, span in packages:
        if name in _RUNTIMES or name == "cpuonly":
            found.setdefault(name, (set(), span))[0].add(".".join(version.split(".")[:2]))
    for name in ("cpuonly", *_RUNTIMES):
        if name in found and len(found[name][0]) == 1:
            versions, span = found[name]
            cuda = "" if name == "cpuonly" else versions.pop()
            return CondaBuild(cuda, span, f"{name} lies beside it")
    return None
