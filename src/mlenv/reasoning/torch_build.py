"""Which build of torch an installation gets: for which CUDA, how sure that is, and what says so."""

from __future__ import annotations

from functools import lru_cache

from mlenv.knowledge.torch import CPU, label_of_cuda
from mlenv.model.finding import Certainty, Evidence
from mlenv.model.text import Span
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.setting import INSTALLED, Setting
from mlenv.records import dataclass
from mlenv.versions.version import Version

TORCH = "torch"

LABEL = "label"
INDEX = "index"
BACKEND = "backend"
CONDA = "conda"
REPORTED = "reported"
RUNTIME = "runtime"
BASE_IMAGE = "image"
DEFAULT = "default"
UNKNOWN = "unknown"
"""What tells the build; see :class:`TorchBuild`."""


@dataclass(frozen=True, slots=True, eq=False)
class TorchBuild:
    """The build of torch in an installation.

    Attributes:
        version: Its version; None where that is not known.
        label: ``cu121``, ``cpu``, ``rocm6.4``; empty where it is not known.
        cuda: The CUDA that it was built with, such as ``12.1``; empty for a build without; None
            where that is not known.
        certainty: Whether the installation says so, or an installer picks it on the day.
        known_by: What tells it: ``label`` (its version has one), ``index``, ``backend`` (uv's
            option), ``conda``, ``reported`` (torch itself), ``runtime`` (the CUDA runtime that is
            locked beside it), ``image`` (the base image has it), ``default`` (PyPI's build) or
            ``unknown``.
        evidence: The same as a sentence.
        span: The place that stands for it.
        chain: From what is declared to what brings it along; empty where it is declared itself.
        channel: conda's channel, where conda installs it and the file tells.
    """

    version: Version | None
    label: str
    cuda: str | None
    certainty: Certainty
    known_by: str
    evidence: Evidence
    span: Span
    chain: tuple[str, ...] = ()
    channel: str = ""

    @property
    def is_cpu(self) -> bool:
        """Whether it is the build that uses no GPU."""
        return self.label == CPU or (self.cuda == "" and not self.label)

    @property
    def text(self) -> str:
        """The build as messages show it: ``torch 2.1.0+cu118``, ``torch 2.1.0 (CUDA 12.1)``."""
        named = TORCH if self.version is None else f"{TORCH} {self.version.public}"
        if self.known_by == LABEL:
            return f"{named}+{self.label}"
        if self.cuda:
            return f"{named} (CUDA {self.cuda})"
        if self.is_cpu:
            return f"{named} (CPU)"
        return f"{named} ({self.label})" if self.label else named


@lru_cache(maxsize=256)
def torch_build(setting: Setting) -> TorchBuild | None:
    """Return the build of torch that an installation gets, or None where it has no torch.

    Its version comes from the pin, the lock or the snapshot, else from what an installer picks on
    the day; the build from the label, the index, conda's selectors, the CUDA runtime beside it, or
    from what PyPI holds for the platform.
    """
    choice = setting.choices.get(TORCH)
    reported = _reported(setting, choice)
    if reported is not None:
        return reported
    # what is installed mostly says it itself
    from mlenv.reasoning.torch_taken import taken

    return taken(setting, choice)


def _reported(setting: Setting, choice: Choice | None) -> TorchBuild | None:
    """Return what torch itself says on the target, where that is what is judged."""
    installed = setting.target.installed if setting.target is not None else None
    if setting.kind != INSTALLED or installed is None or not installed.torch_cuda:
        return None
    assert setting.target is not None
    none = installed.torch_cuda.lower() == "none"
    cuda = "" if none else ".".join(installed.torch_cuda.split(".")[:2])
    version = choice.exact if choice is not None else None
    label = ".".join(version.local) if version is not None and version.local else ""
    if not label:
        label = CPU if none else label_of_cuda(cuda)
    said = "without CUDA" if none else f"with CUDA {cuda}"
    return TorchBuild(
        version,
        label,
        cuda,
        Certainty.CERTAIN,
        REPORTED,
        Evidence(f"torch says that it was built {said}", setting.target.name),
        choice.span if choice is not None else setting.target.span,
    )
