"""Topic ``cuda-build``: parts of one environment that are built for different versions of CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.knowledge.indexes import is_label
from mlenv.knowledge.torch import cuda_of_label
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.requirement import CONDA, CONSTRAINT
from mlenv.model.target import MACOS
from mlenv.model.text import Span
from mlenv.phrases import listed
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.setting import IMAGE, Setting
from mlenv.reasoning.torch_build import CONDA as BY_CONDA
from mlenv.reasoning.torch_build import INDEX, TORCH, TorchBuild, torch_build
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.rules.installed import lacks_symbols

_COMPANIONS = ("torchvision", "torchaudio", "xformers", "torchcodec")
_PAIRED = ("torchvision", "torchaudio")
"""Those that PyPI holds for the same CUDA as torch."""
_NVIDIA = r"nvidia-(?P<part>[a-z0-9-]+)-cu(?P<major>\d{2})"
_SAME_FILES = {
    "cudnn": "libcudnn",
    "nccl": "libnccl.so.2",
    "cusparselt": "libcusparseLt.so.0",
    "nvshmem": "libnvshmem_host.so.3",
}
"""Libraries whose file names do not change with CUDA, so that one overwrites the other."""
_JAX_EXTRA = r"cuda(\d{2})(?:[-_]pip)?"
_RAPIDS = r"(?:cudf|cuml|cugraph|rmm|cuvs|raft-dask|pylibraft)-cu(\d{2})"
_CONDA_CUDA = ("cudatoolkit", "pytorch-cuda", "cuda-version", "cuda-toolkit", "cuda-nvcc")
_COMPILERS = ("cuda-toolkit", "cuda-nvcc")
_FIRST_WITHOUT_MINOR = {"torchvision": (0, 16), "torchaudio": (2, 12)}
"""The first release of each that no longer compares the minor version of CUDA with torch's."""
_FIRST_WITH_PACKAGES = (11, 7)
"""From this CUDA on torch's wheels bring its libraries along as packages of their own."""


@rule(
    "CUB003",
    "companion-with-other-label",
    topic="cuda-build",
    severity=Severity.ERROR,
    facts=("torch", "companions"),
)
def companion_with_other_label(setting: Setting) -> Iterator[Finding]:
    """torchvision, torchaudio or xformers with another CUDA label than torch.

    Their compiled parts are linked to torch's own libraries. torchvision and torchaudio refuse to
    be imported where the CUDA is another one; a build for the CPU beside one with CUDA lacks its
    operators on the GPU. torchvision before 0.16 and torchaudio compare the minor version as well;
    a warning where neither does.

    Messages that users see: "Detected that PyTorch and torchvision were compiled with different
    CUDA versions", "RuntimeError: operator torchvision::nms does not exist", "Could not run
    'torchvision::nms' with arguments from the 'CUDA' backend".

    Bad:
        torch==2.3.1+cu121
        torchvision==0.18.1+cu118

    Good:
        torch==2.3.1+cu121
        torchvision==0.18.1+cu121
    """
    build = torch_build(setting)
    if build is None or build.cuda is None or build.certainty is not Certainty.CERTAIN:
        return
    for name in _COMPANIONS:
        choice = setting.choices.get(name)
        if choice is None or choice.is_conda or choice.is_direct or build.known_by == BY_CONDA:
            continue
        if setting.live is not None and lacks_symbols(setting.live, name):
            continue  # CMP004 says that it is for another torch
        version = choice.exact
        label = ".".join(version.local) if version is not None else ""
        if not label and name in _PAIRED:
            label = _label_elsewhere(setting, name, build)
        cuda = cuda_of_label(label) if is_label(label) else None
        if cuda is not None and cuda != build.cuda:
            shown = f"{name} {version}" if version is not None else name
            yield _other_label(choice, build, shown, cuda)


def _label_elsewhere(setting: Setting, name: str, build: TorchBuild) -> str:
    """Return the label of a companion that another command takes from another place."""
    if setting.kind != IMAGE or build.known_by != INDEX or build.version is None:
        return ""
    from mlenv.reasoning.torch_index import place_of  # few installations are images

    place = place_of(setting, name)
    if place is not None:
        return place.label
    if not _is_named(setting, name):
        return ""
    release = setting.knowledge.torch.release(build.version)
    return release.default("linux_x86_64") if release is not None else ""


def _is_named(setting: Setting, name: str) -> bool:
    """Whether a command of the image names it, so that it is known where that looks."""
    source = setting.source
    return source is not None and any(r.name == name for r in source.requirements)


def _other_label(choice: Choice, build: TorchBuild, shown: str, cuda: str) -> Finding:
    same_major = cuda.partition(".")[0] == (build.cuda or "").partition(".")[0]
    compares = choice.name in _PAIRED and choice.exact is not None and bool(cuda and build.cuda)
    refuses = compares and (not same_major or _compares_minor(choice))
    mild = choice.name == "xformers" or (same_major and not refuses)
    own = f"for CUDA {cuda}" if cuda else "without CUDA"
    beside = f"for CUDA {build.cuda}" if build.cuda else "without CUDA"
    effect = "it refuses to be imported" if refuses else "its compiled parts do not fit"
    return Finding(
        f"{shown} is built {own} and {build.text} {beside}: {effect}",
        choice.span,
        (choice.name, TORCH),
        Severity.WARNING if mild else None,
        help=f"take both with one label, such as +{build.label}" if build.label else "",
        related=(Related(build.span, build.text),) if build.span != choice.span else (),
        evidence=(
            build.evidence,
            Evidence(
                "torchvision and torchaudio compare their CUDA with torch's when imported: "
                "torchvision from 0.16 on its major version, torchaudio before 2.12 and older "
                "torchvision the minor one as well",
                "_check_cuda_version in the wheels of torchvision 0.15.2 and 0.16.0, and of "
                "torchaudio 2.1.0 and 2.5.1; pytorch/audio pull request 4226",
            ),
        ),
        batch="label",
        batch_message="{count} companions of torch have another CUDA than "
        + build.text
        + ": {packages}",
    )


def _compares_minor(choice: Choice) -> bool:
    """Whether a companion refuses a torch for another minor version of CUDA."""
    first = _FIRST_WITHOUT_MINOR.get(choice.name)
    return first is not None and choice.exact is not None and choice.exact.release < first


@dataclass(frozen=True, slots=True, eq=False)
class _Libraries:
    """Something that brings CUDA libraries along as packages.

    Attributes:
        major: The major version of CUDA.
        shown: How messages call it.
        name: The distribution.
        span: Where it stands.
    """

    major: str
    shown: str
    name: str
    span: Span


@rule(
    "CUB004",
    "two-cuda-majors",
    topic="cuda-build",
    severity=Severity.NOTE,
    facts=("torch", "companions"),
)
def two_cuda_majors(setting: Setting) -> Iterator[Finding]:
    """Packages that bring CUDA libraries of two major versions into one environment.

    Most of these libraries have the major version in their file names and lie side by side: it
    costs gigabytes and works. cuDNN, NCCL and cuSPARSELt do not: the package that is installed
    last writes over the other one, and whatever needed that one loads a library for another CUDA.
    A warning where both of such a pair are there.

    Messages that users see: "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED", "undefined symbol:
    ncclCommRegister".

    Bad:
        nvidia-nccl-cu11==2.21.5
        nvidia-nccl-cu12==2.21.5

    Good:
        nvidia-nccl-cu12==2.21.5
    """
    if setting.target is not None and setting.target.system == MACOS:
        return
    found = list(_libraries(setting))
    majors = dict.fromkeys(one.major for one in found)
    if len(majors) < 2:
        return
    clashes = _clashes(setting)
    if clashes and setting.live is not None:
        return  # ENV020 tells whose copies lie there
    if clashes:
        yield _clash(clashes)
        return
    first = found[0]
    other = next(one for one in found if one.major != first.major)
    yield Finding(
        f"{other.shown} brings libraries of CUDA {other.major} beside those of CUDA {first.major} "
        f"for {first.shown}: they lie side by side, and each package must load its own",
        other.span,
        tuple(dict.fromkeys((other.name, first.name))),
        certainty=Certainty.POSSIBLE,
        help=f"take {other.name} for CUDA {first.major}, or leave it out",
        related=(Related(first.span, first.shown),) if first.span != other.span else (),
        evidence=(
            Evidence(
                "most CUDA libraries have the major version in their file names",
                "the files of the nvidia-* packages on PyPI",
            ),
        ),
        batch="majors",
    )


def _libraries(setting: Setting) -> Iterator[_Libraries]:
    """Yield what brings CUDA libraries along, torch first."""
    build = torch_build(setting)
    if build is not None and build.cuda and build.certainty is not Certainty.POSSIBLE:
        numbers = tuple(int(part) for part in build.cuda.split("."))
        if numbers[:2] >= _FIRST_WITH_PACKAGES and build.known_by != BY_CONDA:
            yield _Libraries(str(numbers[0]), build.text, TORCH, build.span)
    for name in filter(_may_bring, setting.choices):
        choice = setting.choices[name]
        if not choice.is_conda and _is_installed(choice):
            major, shown = _major_of(setting, name, choice)
            if major:
                yield _Libraries(major, shown, name, choice.span)


def _may_bring(name: str) -> bool:
    """Whether the name of a distribution is one of those that bring CUDA libraries along."""
    return "-cu" in name or name in ("jax", "tensorflow")


def _major_of(setting: Setting, name: str, choice: Choice) -> tuple[str, str]:
    """Return the major version of the CUDA that a distribution brings along, and its name."""
    match = re.fullmatch(_NVIDIA, name) or re.fullmatch(_RAPIDS, name)
    if match is not None:
        return match[match.lastindex or 1], name
    if name == "jax":
        found = [m for extra in choice.extras if (m := re.fullmatch(_JAX_EXTRA, extra))]
        return (found[0][1], f"jax[{found[0][0]}]") if found else ("", "")
    pick = setting.pick(name) if name == "tensorflow" and "and-cuda" in choice.extras else None
    known = setting.knowledge.companions.cuda_build(name, pick.version) if pick else None
    return (known.cuda.partition(".")[0], "tensorflow[and-cuda]") if known else ("", "")


def _is_installed(choice: Choice) -> bool:
    return not choice.requirements or any(r.kind != CONSTRAINT for r in choice.requirements)


def _clashes(setting: Setting) -> list[tuple[Choice, Choice, str]]:
    """Return the pairs of packages that write a library of one name."""
    by_part: dict[str, list[tuple[str, Choice]]] = {}
    for name in filter(_may_bring, setting.choices):
        match, choice = re.fullmatch(_NVIDIA, name), setting.choices[name]
        if match and match["part"] in _SAME_FILES and _is_installed(choice):
            by_part.setdefault(match["part"], []).append((match["major"], choice))
    found = []
    for part, members in by_part.items():
        if len(members) < 2:
            continue
        (_, first), (_, second) = members[:2]
        if part == "cudnn" and _major(first) != _major(second):
            continue
        found.append((first, second, _SAME_FILES[part]))
    return found


def _major(choice: Choice) -> int | None:
    return choice.exact.release[0] if choice.exact is not None else None


def _clash(clashes: list[tuple[Choice, Choice, str]]) -> Finding:
    first, second, file = clashes[0]
    pairs = listed([f"{one.name} and {other.name}" for one, other, _ in clashes], 2)
    return Finding(
        f"{pairs} write files of the same names ({file}): the one installed last is used for both",
        second.span,
        tuple(name for one, other, _ in clashes for name in (one.name, other.name)),
        Severity.WARNING,
        help="keep the ones for the CUDA of torch, and take the other packages for that CUDA too",
        related=(Related(first.span, first.name),),
        evidence=(
            Evidence(
                f"{file} has the same name for every CUDA",
                "the files of the nvidia-* packages on PyPI",
            ),
        ),
    )


@rule(
    "CUB005",
    "conda-cuda-beside-pip-torch",
    topic="cuda-build",
    severity=Severity.NOTE,
    facts=("torch", "conda"),
)
def conda_cuda_beside_pip_torch(setting: Setting) -> Iterator[Finding]:
    """A CUDA from conda for another version than the torch that pip installs.

    pip's torch brings its own CUDA and does not look at conda's: ``cudatoolkit`` and
    ``pytorch-cuda`` select nothing there. A warning where conda brings the compiler as well and
    the major versions differ, since extensions are then compiled for the wrong one.

    Messages that users see: "The detected CUDA version (11.8) mismatches the version that was used
    to compile PyTorch (12.1)".

    Bad:
        dependencies:
          - cudatoolkit=11.3
          - pip:
            - torch==2.1.0

    Good:
        dependencies:
          - pip:
            - torch==2.1.0
    """
    build = torch_build(setting)
    choice = setting.choices.get(TORCH)
    if build is None or choice is None or choice.is_conda or not build.cuda:
        return
    if build.certainty is Certainty.POSSIBLE:
        return
    if any(r.ecosystem == CONDA for r in choice.requirements):
        return  # two builds of torch are the worse mistake, and said elsewhere
    for requirement in setting.requirements:
        if requirement.ecosystem != CONDA or requirement.name not in _CONDA_CUDA:
            continue
        cuda = setting.knowledge.cuda.only(requirement.versions)
        if cuda is None or cuda == build.cuda:
            continue
        differs = cuda.partition(".")[0] != build.cuda.partition(".")[0]
        compiles = requirement.name in _COMPILERS or _builds_extensions(setting)
        yield Finding(
            f"{requirement.written} stands for CUDA {cuda}, and pip installs {build.text}, which "
            "brings its own and does not look at conda's",
            requirement.span,
            (requirement.name, TORCH),
            Severity.WARNING if differs and compiles else None,
            build.certainty,
            help=f"leave {requirement.written} out, or take torch for CUDA {cuda}",
            related=(Related(build.span, "from pip"),),
            evidence=(
                build.evidence,
                Evidence(
                    "PyTorch's wheels bring the CUDA libraries that they use",
                    "PyTorch's installation page; metadata of torch's wheels",
                ),
            ),
        )
        return


def _builds_extensions(setting: Setting) -> bool:
    return setting.target is not None and setting.target.builds_extensions
