"""How findings on torch's build are worded, and how severe they are where an installer picks it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlenv.model.finding import Certainty, Severity
from mlenv.model.profile import LIBRARY
from mlenv.model.target import LINUX, MACOS, WINDOWS
from mlenv.reasoning.domains import dependencies
from mlenv.reasoning.machine_fit import Way, ways
from mlenv.reasoning.setting import IMAGE, Setting
from mlenv.reasoning.torch_build import TORCH, TorchBuild

_OTHER_HARDWARE = (
    r"(?:^|[^a-z0-9])(?:cpu|rocm|amd|intel|xpu|hpu|gaudi|npu|ascend|mps|metal|neuron|tpu|dml)"
    r"(?:[^a-z]|$)"
)
_OF_SYSTEM = {
    MACOS: r"(?:^|[^a-z0-9])(?:mac|macos|osx|darwin|apple)(?:[^a-z]|$)",
    WINDOWS: r"(?:^|[^a-z0-9])(?:win|win32|win64|windows)(?:[^a-z]|$)",
}


def is_for_other_hardware(setting: Setting) -> bool:
    """Whether a file, group or environment is named for machines without NVIDIA's GPUs.

    So is what is named for another system than the machine's.
    """
    target, source = setting.target, setting.source
    said = [setting.title, *([source.path] if source is not None else [])]
    if source is not None and setting.kind != IMAGE:
        said += [one.value for one in source.statements if one.subject == "environment"]
    text = "\n".join(said).lower()
    if re.search(_OTHER_HARDWARE, text) or re.search(_OF_SYSTEM[MACOS], text):
        return True
    system = target.system if target is not None else ""
    return system == LINUX and re.search(_OF_SYSTEM[WINDOWS], text) is not None


def subject(shown: str, certainty: Certainty, chain: Sequence[str] = ()) -> str:
    """Return the subject of a sentence on something that is pinned or picked.

    Args:
        shown: What it is about, such as ``torch 2.1.0 (CUDA 12.1)``.
        certainty: How sure it is that this one is installed.
        chain: From what is declared to what brings it along.
    """
    if certainty is not Certainty.FRESH_INSTALL:
        return shown
    return f"an installer picks {shown}{f' for {chain[0]}' if chain else ''}, which"


def ways_out(setting: Setting, build: TorchBuild) -> list[str]:
    """Return which builds of torch would do on the machine, as phrases.

    Where what brings torch along asks for another version, it is that which is to be changed.
    """
    target = setting.target
    found = ways(setting, build.version, target.gpus if target else ())
    if not build.chain or not found:
        return [way.text for way in found]
    fitting = [way for way in found if _is_admitted(setting, build.chain[-1], way)]
    if fitting:
        return [f"beside it {way.text}" for way in fitting]
    is_newer = build.version is not None and build.version < found[-1].version
    other = "a newer" if is_newer else "an older"
    return [f"take a release of {build.chain[0]} for {other} torch ({found[-1].text})"]


def _is_admitted(setting: Setting, name: str, way: Way) -> bool:
    """Whether what brings torch along admits a version of it."""
    pick = setting.pick(name)
    asked = dependencies(setting, name, pick.version) if pick is not None else None
    bounds = [one.versions for one in asked or () if one.name == TORCH]
    return bool(bounds) and all(one.admits(way.version, prereleases=True) for one in bounds)


def severity_of(setting: Setting, certainty: Certainty) -> Severity | None:
    """Return how severe a mistake is; None for the rule's own.

    What a library leaves open is left to those who install it.
    """
    source, project = setting.source, setting.project
    if certainty is not Certainty.FRESH_INSTALL or source is None or project is None:
        return None
    return Severity.NOTE if project.profiles.get(source.path) == LIBRARY else None
