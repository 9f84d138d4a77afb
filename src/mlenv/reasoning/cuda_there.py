"""Which CUDA and cuDNN libraries an installation and its machine have, and who brings them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.requirement import CONDA
from mlenv.reasoning.base_image import first_stage
from mlenv.reasoning.setting import IMAGE
from mlenv.reasoning.torch_there import torch_there
from mlenv.records import dataclass
from mlenv.versions.version import parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Span
    from mlenv.reasoning.setting import Setting

CUDA = "cuda"
CUDNN = "cudnn"
_NVIDIA = "nvidia-"
_WHEEL = rf"{_NVIDIA}(cudnn|cuda-runtime|cublas|cuda-nvrtc)(?:-cu(\d+))?"
_CONDA = frozenset(("cudatoolkit", "cuda-version", "pytorch-cuda", "cuda-toolkit", "cuda-runtime"))
_IMAGE_TAG = r"(\d+)\.\d+(?:\.\d+)?(?:-cudnn(\d*))?"


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """Something that brings CUDA or cuDNN.

    Attributes:
        what: :data:`CUDA` or :data:`CUDNN`.
        major: The major version; empty where it brings one that is not known.
        shown: Who brings which, as messages show it.
        span: Where that stands.
        of_machine: Whether the machine has it, and not the installation.
        of_torch: Whether torch brings it.
        version: Its version, where the machine states it.
    """

    what: str
    major: str
    shown: str
    span: Span
    of_machine: bool = False
    of_torch: bool = False
    version: str = ""


def providers(setting: Setting) -> tuple[Provider, ...]:
    """Return what brings CUDA and cuDNN there, so far as that is stated."""
    return (
        *_of_machine(setting),
        *_of_torch(setting),
        *_of_wheels(setting),
        *_of_conda(setting),
        *_of_image(setting),
    )


def _of_machine(setting: Setting) -> Iterator[Provider]:
    target = setting.target
    if target is None or setting.kind == IMAGE:
        return  # an image does not see what its host has installed
    for key, what, name in (
        ("cuda_toolkit", CUDA, "CUDA"),
        ("image_cuda", CUDA, "CUDA"),
        ("cudnn", CUDNN, "cuDNN"),
    ):
        version = getattr(target, key)
        if parse_version(version) is not None:
            major = version.partition(".")[0]
            shown = f"{target.name} has {name} {version}"
            span = target.where(key)
            yield Provider(what, major, shown, span, of_machine=True, version=version)


def _of_torch(setting: Setting) -> Iterator[Provider]:
    torch = torch_there(setting)
    if torch is None or torch.cuda_major == "":
        return
    build = torch.build
    shown = f"{build.text} brings CUDA {build.cuda}"
    yield Provider(CUDA, torch.cuda_major or "", shown, torch.span, of_torch=True)
    cudnn = setting.knowledge.torch.cudnn(torch.version, build.label)
    if cudnn:
        major, shown = cudnn.partition(".")[0], f"{build.text} brings cuDNN {cudnn}"
        yield Provider(CUDNN, major, shown, torch.span, of_torch=True)


def _of_wheels(setting: Setting) -> Iterator[Provider]:
    for name in setting.choices:
        match = re.fullmatch(_WHEEL, name) if name.startswith(_NVIDIA) else None
        if match is None:
            continue
        choice = setting.choices[name]
        if choice.is_conda:
            continue
        if match[2]:
            yield Provider(CUDA, match[2], f"{name} brings CUDA {match[2]}", choice.span)
        pick = setting.pick(name)
        number = str(pick.version.release[0]) if pick is not None else ""
        if match[1] == CUDNN:
            shown = f"{name} brings cuDNN{f' {number}' if number else ''}"
            yield Provider(CUDNN, number, shown, choice.span)
        elif not match[2]:
            yield Provider(CUDA, number, f"{name} brings CUDA {number}", choice.span)


def _of_conda(setting: Setting) -> Iterator[Provider]:
    for requirement in setting.requirements:
        if requirement.ecosystem != CONDA:
            continue
        what = CUDA if requirement.name in _CONDA else CUDNN if requirement.name == CUDNN else ""
        if what:
            match = re.search(r"\d+", requirement.versions.text)
            shown = f"{requirement.written}{requirement.versions.text} brings it"
            yield Provider(what, match[0] if match else "", shown, requirement.span)


def _of_image(setting: Setting) -> Iterator[Provider]:
    """Yield what the base image of a stage brings; one that is not NVIDIA's may bring all."""
    if setting.kind != IMAGE or setting.install_set is None:
        return
    stage = first_stage(setting.install_set.home, setting.install_set.group)
    if stage is None or stage.repository.rpartition("/")[2] == "python":
        return
    match = re.match(_IMAGE_TAG, stage.tag)
    if match is None or not stage.repository.endswith("nvidia/cuda"):
        for what in (CUDA, CUDNN):
            yield Provider(what, "", f"{stage.image} may bring some", stage.span)
        return
    yield Provider(CUDA, match[1], f"{stage.image} brings CUDA {match[1]}", stage.span, True)
    if match[2] is not None:
        yield Provider(CUDNN, match[2], f"{stage.image} brings cuDNN", stage.span, True)
