"""Topic ``images``: what a base image holds against what is installed on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.knowledge.bases import CUDA, NGC, PLAIN, PYTHON, PYTORCH, BaseImage
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.image import Stage, stage_group
from mlenv.model.project import Project
from mlenv.model.source import IMAGE as RECIPE
from mlenv.model.source import Source, Statement
from mlenv.model.text import Span
from mlenv.reasoning.base_image import base_of, stage_of
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.domains import dependencies
from mlenv.reasoning.setting import IMAGE, Setting
from mlenv.reasoning.torch_there import has_release_for
from mlenv.rules.base import rule
from mlenv.rules.torch_wording import is_for_other_hardware
from mlenv.versions.version import Version, parse_version

_FIRST_JUDGED = (11, 0)
"""Tags for older toolkits followed other schemes."""
_OF_PYTORCH_IMAGES = ("torchvision", "torchaudio")
"""What PyTorch's images hold beside torch, in the release that goes with it."""
_PRECISE = 3
"""How many numbers tags of nvidia/cuda have."""
_CUDNN_9 = (2, 4)
"""The first torch whose images hold cuDNN 9."""
_NEEDING_LIBRARIES = ("onnxruntime-gpu", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")
_LIBRARY_EXTRAS = frozenset(("cuda", "cudnn", "ctk"))
_LIBRARY_PREFIXES = ("nvidia-", "cuda-toolkit")
_CUDA_FOLDER = r"(?:.*/)?cuda(?:-?\d[\d.]*)?(?:/.*)?"
_CUDA_EXTRA = r"cuda(\d\d)(?:[-_]pip)?"
_FIRST_EXTRA = (2, 14)
"""The first TensorFlow with the extra ``and-cuda``."""


@rule(
    "IMG006",
    "no-such-image",
    topic="images",
    severity=Severity.ERROR,
    facts=("bases", "torch"),
)
def no_such_image(project: Project, knowledge: Knowledge, today: str) -> Iterator[Finding]:
    """A tag that was never published.

    Tags of ``nvidia/cuda`` name cuDNN in three ways: ``cudnn8`` up to CUDA 12.2.2, ``cudnn9`` for
    12.3.2, and ``cudnn`` alone from 12.4 on. ``pytorch/pytorch`` has images for those CUDA versions
    only that a release of torch is built for, with cuDNN 8 up to torch 2.3 and 9 since. The pull
    fails before anything is built.

    Messages that users see: "manifest unknown", "not found: manifest unknown".

    Bad:
        FROM nvidia/cuda:12.4.1-cudnn8-runtime-ubuntu22.04

    Good:
        FROM nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04
    """
    for source in project.sources.values():
        for stage in source.stages if source.role == RECIPE else ():
            base = knowledge.bases.of(stage, today)
            said = _impossible(base, knowledge) if base is not None else ""
            if said:
                yield Finding(
                    f"{stage.image} was never published: {said}",
                    stage.span,
                    (stage.repository,),
                    help="take a tag that the image's page lists",
                    evidence=(knowledge.bases.evidence("cudnn" if _is_cuda(base) else ""),),
                )


def _is_cuda(base: BaseImage | None) -> bool:
    return base is not None and base.family == CUDA


def _impossible(base: BaseImage, knowledge: Knowledge) -> str:
    """Return why there is no image of such a tag; empty where there may be one."""
    cuda = parse_version(base.cuda)
    if cuda is None:
        return ""
    if base.family == CUDA:
        return _impossible_cudnn(base, cuda, knowledge)
    if base.family == PYTORCH and base.torch is not None:
        known = knowledge.bases.pytorch_cudas(str(base.torch))
        if known and base.cuda not in known:
            return f"its images of torch {base.torch} are for CUDA {', '.join(known)}"
        major = "9" if base.torch.release[:2] >= _CUDNN_9 else "8"
        if known and base.cudnn != major:
            return f"its images of torch {base.torch} hold cuDNN {major}"
    return ""


def _impossible_cudnn(base: BaseImage, cuda: Version, knowledge: Knowledge) -> str:
    if not base.cudnn or len(cuda.release) < _PRECISE or cuda.release[:2] < _FIRST_JUDGED:
        return ""
    label = knowledge.bases.cudnn_label(cuda)
    said = "" if base.cudnn == "any" else base.cudnn
    if label is None or said == label:
        return ""
    return f"the images of CUDA {base.cuda} with cuDNN are tagged cudnn{label}"


@rule(
    "IMG007",
    "torch-of-base-replaced",
    topic="images",
    severity=Severity.WARNING,
    facts=("bases", "requires"),
    only=(IMAGE,),
)
def torch_of_base_replaced(setting: Setting) -> Iterator[Finding]:
    """An image with torch in it, over which another torch is installed.

    The base was taken for its torch, and pip replaces it: by the pin of another version, or since
    something requires one. The image grows by gigabytes, and torchvision, torchaudio and whatever
    was compiled against the old torch stay behind and fail at import. NVIDIA's images hold
    pre-releases such as 2.6.0a0, which are lower than 2.6.0: ``torch>=2.6`` replaces them.

    Messages that users see: "operator torchvision::nms does not exist", "undefined symbol".

    Bad:
        FROM pytorch/pytorch:2.4.1-cuda12.4-cudnn9-runtime
        RUN pip install torch==2.3.0

    Good:
        FROM pytorch/pytorch:2.4.1-cuda12.4-cudnn9-runtime
        RUN pip install transformers==4.46.3
    """
    stage, base = stage_of(setting), base_of(setting)
    if stage is None or base is None or base.torch is None:
        return
    for span, what, names in _replacing(setting, base.torch):
        pre = "a pre-release, lower than the release of its number: " if base.family == NGC else ""
        yield Finding(
            f"{what} replaces torch {base.torch} of the base image",
            span,
            names,
            certainty=Certainty.FRESH_INSTALL,
            help=f"take a base with the torch that is wanted, or keep what it has: {pre}bound "
            f"the rest so that it fits torch {base.torch}",
            related=(Related(stage.span, f"holds torch {base.torch}"),),
            evidence=(setting.knowledge.bases.evidence(),),
            batch="replaced",
        )


def _replacing(setting: Setting, held: Version) -> Iterator[tuple[Span, str, tuple[str, ...]]]:
    """Yield what asks for another torch than the one that is there."""
    choice = setting.choices.get("torch")
    if choice is not None and not choice.is_conda and not choice.is_direct:
        exact = choice.exact
        asked = choice.versions
        other_build = exact is not None and bool(exact.local) and exact.public == held.public
        if other_build or (asked.understood and not asked.admits(held, prereleases=True)):
            yield choice.span, choice.specifier, ("torch",)
            return
    base = base_of(setting)
    is_pytorch = base is not None and base.family == PYTORCH
    for name, other in setting.choices.items():
        pick = setting.pick(name)
        if pick is None or other.is_conda or name == "torch":
            continue
        if name in _OF_PYTORCH_IMAGES and is_pytorch and has_release_for(setting, other, held):
            continue
        for one in dependencies(setting, name, pick.version, other.extras) or ():
            if one.name == "torch" and not one.versions.admits(held, prereleases=True):
                what = f"{name} {pick.version}, which requires torch{one.text},"
                yield other.span, what, (name, "torch")


@rule(
    "IMG008",
    "cpu-torch-in-cuda-image",
    topic="images",
    severity=Severity.WARNING,
    facts=("bases", "torch"),
    only=(IMAGE,),
)
def cpu_torch_in_cuda_image(setting: Setting) -> Iterator[Finding]:
    """A build of torch without CUDA in an image that is there for CUDA.

    The image brings gigabytes of CUDA that nothing uses, or the build is a mistake: a ``cpu``
    index or label left over from a test.

    Messages that users see: "Torch not compiled with CUDA enabled".

    Bad:
        FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04
        RUN pip install torch==2.5.1+cpu --extra-index-url https://index.example/whl/cpu

    Good:
        FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04
        RUN pip install torch==2.5.1
    """
    from mlenv.reasoning.torch_build import torch_build

    stage, base = stage_of(setting), base_of(setting)
    if stage is None or base is None or base.family != CUDA or is_for_other_hardware(setting):
        return
    build = torch_build(setting)
    if build is None or not build.is_cpu or build.certainty is not Certainty.CERTAIN:
        return
    yield Finding(
        f"this is a build of torch without CUDA, in an image for CUDA {base.cuda}",
        build.span,
        ("torch",),
        help="leave the label or the cpu index out, or take a base image without CUDA",
        related=(Related(stage.span, f"holds CUDA {base.cuda}"),),
        evidence=(build.evidence,),
    )


@rule(
    "IMG009",
    "cuda-libraries-missing",
    topic="images",
    severity=Severity.WARNING,
    facts=("bases",),
    only=(IMAGE,),
)
def cuda_libraries_missing(setting: Setting) -> Iterator[Finding]:
    """A GPU package that brings no CUDA libraries, in an image that has none.

    ``onnxruntime-gpu`` and CuPy are built against CUDA and do not bring it: without an image that
    holds it, their extras, or another package that installs NVIDIA's wheels, they run on the CPU
    or fail at the first call. The host's driver does not bring these libraries either. TensorFlow
    and JAX bring them by an extra only; of these it is said where the target has a GPU.

    Messages that users see: "libcublasLt.so.12: cannot open shared object file", "Failed to create
    CUDAExecutionProvider".

    Bad:
        FROM python:3.11-slim
        RUN pip install onnxruntime-gpu==1.20.1

    Good:
        FROM nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04
        RUN pip install onnxruntime-gpu==1.20.1
    """
    stage, base = stage_of(setting), base_of(setting)
    if stage is None or base is None or base.family not in (PYTHON, PLAIN):
        return
    if _brings_libraries(setting) or setting.source is None or _installs_cuda(setting.source):
        return
    if setting.target is not None and setting.target.expects_gpu:
        yield from _on_the_processor(setting, stage)
    for name in _NEEDING_LIBRARIES:
        choice = setting.choices.get(name)
        if choice is None or choice.is_conda or _LIBRARY_EXTRAS.intersection(choice.extras):
            continue
        yield Finding(
            f"{name} needs CUDA libraries that neither it nor {stage.image} brings",
            choice.span,
            (name,),
            help="take an nvidia/cuda runtime image as the base, or the extras that bring them "
            "(onnxruntime-gpu[cuda,cudnn], cupy[ctk])",
            related=(Related(stage.span, "has no CUDA"),),
            evidence=(Evidence(f"{name} requires no nvidia-* package", "its wheels' metadata"),),
        )


def _on_the_processor(setting: Setting, stage: Stage) -> Iterator[Finding]:
    """Yield the frameworks that find no CUDA there, though the machine has a GPU."""
    for name in ("tensorflow", "jax"):
        choice, pick = setting.choices.get(name), setting.pick(name)
        if choice is None or choice.is_conda or choice.is_direct or choice.extras or pick is None:
            continue
        if name == "jax":
            way = "jax[cuda12] or jax[cuda13], which bring them"
        elif pick.version.release[:2] >= _FIRST_EXTRA:
            way = "tensorflow[and-cuda], which brings them"
        else:
            way = "an nvidia/cuda image with cuDNN as the base"
        yield Finding(
            f"{name} {pick.version} finds no CUDA libraries in {stage.image}, and computes on the "
            "CPU though the machine has a GPU",
            choice.span,
            (name,),
            certainty=Certainty.CERTAIN if choice.exact else Certainty.FRESH_INSTALL,
            help=f"take {way}",
            related=(Related(stage.span, "has no CUDA"),),
            evidence=(Evidence(f"{name} alone requires no nvidia-* package", "its metadata"),),
        )


def _brings_libraries(setting: Setting) -> bool:
    names = setting.names
    return any(name.startswith(_LIBRARY_PREFIXES) for name in names) or "torch" in names


def _installs_cuda(source: Source) -> bool:
    return any(
        "cuda" in package.name or "cudnn" in package.name
        for command in source.commands
        for package in command.system_packages
    )


@rule(
    "IMG010",
    "library-path-over-wheels",
    topic="images",
    severity=Severity.NOTE,
    facts=("bases", "companions"),
    only=(IMAGE,),
)
def library_path_over_wheels(setting: Setting) -> Iterator[Finding]:
    """LD_LIBRARY_PATH puts the image's CUDA before the libraries that wheels bring.

    ``jax[cuda12]`` and ``tensorflow[and-cuda]`` bring CUDA as wheels and find it by themselves. A
    folder in LD_LIBRARY_PATH goes first: libraries of the same major version are taken from the
    image, whatever the wheels were built with. A warning where those are known to be older. The
    wheels of torch look beside themselves first, so nothing is said of them.

    Messages that users see: "Unable to load cuSPARSE. Is it installed?", "CUDA backend failed to
    initialize".

    Bad:
        FROM nvidia/cuda:12.1.1-runtime-ubuntu22.04
        ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64
        RUN pip install jax[cuda12]==0.4.35

    Good:
        FROM nvidia/cuda:12.1.1-base-ubuntu22.04
        RUN pip install jax[cuda12]==0.4.35
    """
    stage, base, said = stage_of(setting), base_of(setting), _library_path(setting)
    if stage is None or base is None or said is None or base.family != CUDA:
        return
    held = parse_version(base.cuda)
    if held is None or base.flavor == "base":
        return
    for name in ("jax", "tensorflow"):
        choice = setting.choices.get(name)
        wanted = _cuda_of_extra(setting, choice) if choice is not None else None
        if choice is None or wanted is None or wanted.release[0] != held.release[0]:
            continue
        if len(wanted.release) > 1 and not held < wanted:
            continue
        yield Finding(
            f"LD_LIBRARY_PATH puts CUDA {held} of {stage.image} before CUDA {wanted}, which "
            f"{name}[{choice.extras[0]}] brings",
            said.span,
            (name,),
            Severity.WARNING if len(wanted.release) > 1 else None,
            Certainty.POSSIBLE,
            help="leave the folder out of LD_LIBRARY_PATH, or take the base variant of the image",
            related=(Related(choice.span, f"{name} stands here"),),
            evidence=(
                Evidence(
                    "what LD_LIBRARY_PATH names goes before the CUDA libraries that wheels bring",
                    "JAX's documentation, Installation: pip installation, NVIDIA GPU",
                ),
            ),
        )


def _library_path(setting: Setting) -> Statement | None:
    """Return the last LD_LIBRARY_PATH of an image that names a folder of CUDA."""
    source, install_set = setting.source, setting.install_set
    if setting.kind != IMAGE or source is None or install_set is None:
        return None
    group = stage_group(install_set.group)
    groups = {group}
    stage = next((one for one in source.stages if one.group == group), None)
    while stage is not None and stage.parent is not None:
        stage = source.stages[stage.parent]
        groups.add(stage.group)
    found = [s for s in source.statements if s.subject == "library-path" and s.group in groups]
    is_cuda = found and any(re.fullmatch(_CUDA_FOLDER, one) for one in found[-1].value.split(":"))
    return found[-1] if is_cuda else None


def _cuda_of_extra(setting: Setting, choice: Choice) -> Version | None:
    """Return the CUDA that a framework brings by an extra, as far down as that is known."""
    if choice.name == "jax":
        match = next((m for e in choice.extras if (m := re.fullmatch(_CUDA_EXTRA, e))), None)
        return parse_version(match[1]) if match is not None else None
    pick = setting.pick(choice.name)
    if pick is None or "and-cuda" not in choice.extras:
        return None
    known = setting.knowledge.companions.cuda_build(choice.name, pick.version)
    return parse_version(known.cuda) if known is not None else None
