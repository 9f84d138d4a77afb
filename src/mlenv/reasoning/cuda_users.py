"""What of an installation is built with a CUDA, which the machine's driver must then run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.knowledge.companions import MACHINE
from mlenv.model.finding import Certainty, Evidence
from mlenv.model.requirement import CONDA
from mlenv.model.text import Span
from mlenv.reasoning.setting import Setting
from mlenv.reasoning.torch_build import TORCH, torch_build
from mlenv.reasoning.torch_doubts import is_doubtful
from mlenv.records import dataclass

RUNTIME = r"nvidia-cuda-runtime(?:-cu(\d+))?"
_CUPY = r"cupy-cuda(\d{2})(?:x|(\d))"
_JAX_PLUGIN = r"jax-cuda(\d+)-(?:plugin|pjrt)"
_JAX_EXTRA = r"cuda(\d{2})(?:[-_](?:pip|local))?"
_CONDA_CUDA = ("cudatoolkit", "cuda-version", "cuda-toolkit", "cuda-runtime")
QUIET = frozenset(("tensorflow", "tensorflow-gpu", "onnxruntime-gpu"))
"""What computes on the CPU where it finds no GPU that it can use."""


@dataclass(frozen=True, slots=True, eq=False)
class CudaUser:
    """Something that is built with a CUDA.

    Attributes:
        name: The distribution.
        shown: As messages call it.
        cuda: Major and minor.
        span: Where it stands.
        certainty: How sure it is.
        evidence: Who says so.
        chain: From what is declared to what brings it along.
    """

    name: str
    shown: str
    cuda: str
    span: Span
    certainty: Certainty
    evidence: tuple[Evidence, ...]
    chain: tuple[str, ...] = ()


def cuda_users(setting: Setting) -> Iterator[CudaUser]:
    """Yield what is built with a CUDA: torch, else whatever else uses a GPU.

    Args:
        setting: The installation.
    """
    build = torch_build(setting)
    if build is not None and is_doubtful(setting, build):
        return
    if build is not None and build.cuda and build.certainty is not Certainty.POSSIBLE:
        yield CudaUser(
            TORCH,
            build.text,
            build.cuda,
            build.span,
            build.certainty,
            (build.evidence,),
            build.chain,
        )
        return
    yield from _of_conda(setting)
    for name, choice in setting.choices.items():
        found = _cuda_of(setting, name)
        if found is not None and not choice.is_conda:
            cuda, evidence = found
            pick = setting.pick(name)
            certain = choice.exact is not None or not evidence
            # what a name tells holds for every version: none is called the one
            named = pick is not None and (choice.exact is not None or not certain)
            shown = f"{name} {pick.version}" if pick is not None and named else name
            certainty = Certainty.CERTAIN if certain else Certainty.FRESH_INSTALL
            yield CudaUser(name, shown, cuda, choice.span, certainty, evidence)


def _cuda_of(setting: Setting, name: str) -> tuple[str, tuple[Evidence, ...]] | None:
    """Return the CUDA that a distribution other than torch is built with, by name or records."""
    choice = setting.choices[name]
    match = re.fullmatch(RUNTIME, name)
    if match:
        exact = choice.exact
        if exact is not None and len(exact.release) > 1:
            return exact.minor_line, ()
        return (f"{match[1]}.0", ()) if match[1] else None
    match = re.fullmatch(_CUPY, name) or re.match(_JAX_PLUGIN, name)
    if match:
        minor = match[2] if match.lastindex == 2 and match[2] else "0"
        return f"{match[1]}.{minor}", ()
    if name == "jax":
        extras = [m for extra in choice.extras if (m := re.fullmatch(_JAX_EXTRA, extra))]
        return (f"{extras[0][1]}.0", ()) if extras else None
    return _cuda_on_record(setting, name)


def _cuda_on_record(setting: Setting, name: str) -> tuple[str, tuple[Evidence, ...]] | None:
    if name not in QUIET and name != "vllm":
        return None
    pick = setting.pick(name)
    known = setting.knowledge.companions.cuda_build(name, pick.version) if pick else None
    if known is None or not known.cuda:
        return None
    choice = setting.choices[name]
    if known.loads == MACHINE and not set(known.extras) & set(choice.extras):
        return None  # the machine's own CUDA is used, and judged elsewhere
    cuda = known.cuda if "." in known.cuda else f"{known.cuda}.0"
    return cuda, known.evidence


def _of_conda(setting: Setting) -> Iterator[CudaUser]:
    """Yield the CUDA that a conda environment asks for by itself."""
    for requirement in setting.requirements:
        if requirement.ecosystem == CONDA and requirement.name in _CONDA_CUDA:
            cuda = setting.knowledge.cuda.only(requirement.versions)
            if cuda is not None:
                shown = f"{requirement.name} {cuda}"
                yield CudaUser(
                    requirement.name, shown, cuda, requirement.span, Certainty.CERTAIN, ()
                )
