"""Which release of torch an installer takes on the day, for a label or for a driver."""

from __future__ import annotations

from mlenv.knowledge.torch import CPU, cuda_of_label
from mlenv.model.target import MACOS
from mlenv.reasoning.setting import Setting
from mlenv.versions.version import Version

_TORCH = "torch"


def platform_text(setting: Setting) -> str:
    """Return an installation's platform in words: ``Linux on x86_64``."""
    system, _, machine = setting.platform.partition("_")
    shown = {"linux": "Linux", "win": "Windows", "macos": "macOS"}.get(system, system)
    return f"{shown} on {machine}"


def picked_version(setting: Setting) -> Version | None:
    """Return the version that an installer takes on the day."""
    pick = setting.pick(_TORCH)
    if pick is not None:
        return pick.version
    choice = setting.choices.get(_TORCH)
    if choice is None or not choice.versions.understood or choice.is_direct:
        return None
    if setting.knowledge.releases.knows(_TORCH):
        return None  # what fits the others is not known
    return setting.knowledge.torch.newest(choice.versions, day=setting.day)


def newest_built(setting: Setting, label: str) -> Version | None:
    """Return the newest release that fits and was built with a label."""
    picked = picked_version(setting)
    release = setting.knowledge.torch.release(picked) if picked is not None else None
    if release is not None and label in release.labels:
        return picked
    choice = setting.choices.get(_TORCH)
    if choice is None or not choice.versions.understood:
        return None
    return setting.knowledge.torch.newest(choice.versions, label, setting.day)


def label_for_driver(setting: Setting, exact: Version | None) -> str:
    """Return what ``--torch-backend=auto`` comes to; empty where no driver is known.

    Source: uv's documentation, Using uv with PyTorch; uv's source, the thresholds per index.
    """
    target = setting.target
    if target is None or not target.driver:
        return CPU if target is not None and target.system == MACOS else ""
    version = exact or picked_version(setting)
    release = setting.knowledge.torch.release(version) if version is not None else None
    if release is None:
        return ""
    for label in release.cuda_labels:
        if setting.knowledge.cuda.runs(target.driver, cuda_of_label(label) or "", target.system):
            return label
    return CPU
