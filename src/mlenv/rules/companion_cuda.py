"""Topic ``companions``: what is built for another CUDA or cuDNN than the one that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlenv.knowledge.companions import BESIDE, MACHINE, TORCH_MINOR, CudaBuild
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.target import MACOS
from mlenv.reasoning.cuda_there import CUDA, CUDNN, Provider, providers
from mlenv.reasoning.domains import dependencies
from mlenv.reasoning.prebuilt import places_for_packages
from mlenv.reasoning.setting import IMAGE, Setting
from mlenv.reasoning.torch_there import TorchThere, torch_there
from mlenv.rules.base import rule
from mlenv.rules.companions import is_for_users, is_misbound
from mlenv.versions.version import Version, parse_version

_LINUX = "linux_x86_64"
_JAXLIB = "jaxlib"
_JAXLIB_LABEL = r"cuda(\d{2})\.?cudnn(\d)(\d)"
_FRAMEWORKS = ("torch", "jax", "jaxlib", "flax")


@rule(
    "CMP003",
    "companion-for-another-cuda",
    topic="companions",
    severity=Severity.WARNING,
    facts=("companions", "torch"),
)
def companion_for_another_cuda(setting: Setting) -> Iterator[Finding]:
    """A package whose wheels are built for another CUDA or cuDNN than the one that is there.

    onnxruntime-gpu, bitsandbytes, TensorFlow, vllm, xformers, cupy and paddle load CUDA libraries
    of one major version, by their file names. torch brings its own; where the package needs others
    and nothing brings those, it falls back to the CPU or is not imported. cuDNN must not be older
    than the one that the package was compiled with. A warning, since the machine may have libraries
    that nobody stated; a note on TensorFlow and its like beside torch or jax, where it may be meant
    for the CPU.

    Messages that users see: "libcublasLt.so.11: cannot open shared object file", "Could not load
    dynamic library 'libcudnn.so.7'", "Loaded runtime CuDNN library: 8.5.0 but source was compiled
    with: 8.6.0", "Required library version not found:
    libbitsandbytes_cuda122.so", "CUDAExecutionProvider is not in available provider names".

    Bad:
        --extra-index-url https://index.example/whl/cu121
        torch==2.2.2+cu121
        onnxruntime-gpu==1.18.0

    Good:
        --extra-index-url https://index.example/whl/cu121
        torch==2.4.1+cu121
        onnxruntime-gpu==1.20.1
    """
    target = setting.target
    if target is not None and (target.system == MACOS or target.wants_gpu is False):
        return
    companions, torch = setting.knowledge.companions, torch_there(setting)
    for name in sorted(setting.names & (companions.with_cuda | {_JAXLIB})):
        labelled = _labelled_jaxlib(setting) if name == _JAXLIB else None
        if labelled is not None:
            yield from _beside_libraries(setting, name, *labelled)
        version = _from_index(setting, name)
        placed = setting.place_of(name) is not None
        if version is None or not placed:
            continue
        build = companions.cuda_build(name, version)
        if _is_guess(setting, name, torch, build):
            continue
        if build is not None and not _brings_its_own(setting, name, build):
            if build.loads in (BESIDE, MACHINE):
                yield from _beside_libraries(setting, name, version, build)
            elif torch is not None:
                yield from _beside_torch(setting, name, version, build, torch)
        yield from _without_library(setting, name, version, torch)


def _from_index(setting: Setting, name: str) -> Version | None:
    """Return the version of a distribution that comes from PyPI as the records have it."""
    choice = setting.choices.get(name)
    if choice is not None and (choice.is_conda or choice.is_direct):
        return None
    pick = setting.pick(name)
    if pick is None or pick.version.local:
        return None
    if choice is None:
        return pick.version
    own = any(r.index or r.index_choices for r in choice.requirements)
    elsewhere = any(_may_hold(one.origin, name) for one in choice.locked)
    return None if own or elsewhere else pick.version


def _is_guess(
    setting: Setting, name: str, torch: TorchThere | None, build: CudaBuild | None
) -> bool:
    """Whether both sides are open and the Python is not stated, by which both are picked.

    What refuses torch of any other CUDA is judged all the same where both are asked for: the newest
    of both are for the same Pythons.
    """
    choice = setting.choices.get(name)
    settled = choice is not None and (choice.exact is not None or bool(choice.locked))
    if settled or (torch is not None and torch.certainty is Certainty.CERTAIN):
        return False
    if setting.kind == IMAGE:
        return True
    refuses = build is not None and build.loads == TORCH_MINOR
    both = choice is not None and torch is not None and torch.is_stated
    return not setting.python.stated and not (refuses and both)


def _brings_its_own(setting: Setting, name: str, build: CudaBuild) -> bool:
    choice = setting.choices.get(name)
    return choice is not None and not set(build.extras).isdisjoint(choice.extras)


def _beside_libraries(
    setting: Setting, name: str, version: Version, build: CudaBuild
) -> Iterator[Finding]:
    """Yield what finds no libraries of its CUDA or cuDNN among those that are stated."""
    if any(_may_hold(index.url, name) for index in places_for_packages(setting)):
        return
    there = providers(setting)
    extras = f", or {name}[{','.join(build.extras)}]" if build.extras else ""
    for what, needed, shown in ((CUDA, build.cuda, "CUDA"), (CUDNN, build.cudnn, "cuDNN")):
        counted = _unfit(what, needed, there, build)
        if not counted:
            continue
        first = counted[0]
        is_older = first.major == needed.partition(".")[0]
        least = needed if is_older else needed.partition(".")[0]
        other = f"an older {shown}" if is_older else f"{shown} {first.major}"
        yield _finding(
            setting,
            name,
            f"{name} {version} needs {shown} {least}{' or newer' if is_older else ''}, and "
            f"{first.shown}",
            build,
            counted,
            f"take a release of {name} that is built for {other}, or install {shown} {least}"
            + extras,
            severity=Severity.NOTE if _is_incidental(setting, name, build) else None,
        )
        return  # one of the two is enough to say


def _unfit(what: str, needed: str, there: Sequence[Provider], build: CudaBuild) -> list[Provider]:
    """Return what brings CUDA or cuDNN, where none of it is one that a build can use."""
    major = needed.partition(".")[0]
    brought = [one for one in there if one.what == what]
    counted = [one for one in brought if one.of_machine or build.loads == BESIDE]
    fitting = [one for one in brought if one.major in (major, "")]
    if not major or not counted:
        return []
    if fitting:
        # of one major version the newer cuDNN serves what was compiled with an older one
        return fitting if what == CUDNN and all(_is_older(one, needed) for one in fitting) else []
    return counted


def _is_older(provider: Provider, needed: str) -> bool:
    """Whether the machine's cuDNN is older than the one that a build was compiled with."""
    have, least = parse_version(provider.version), parse_version(needed)
    if not provider.of_machine or have is None or least is None or len(least.release) < 2:
        return False
    return len(have.release) > 1 and have.release[:2] < least.release[:2]


def _labelled_jaxlib(setting: Setting) -> tuple[Version, CudaBuild] | None:
    """Return the jaxlib whose local version names CUDA and cuDNN, as it did before the plugins."""
    choice = setting.choices.get(_JAXLIB)
    version = choice.exact if choice is not None and not choice.is_conda else None
    match = re.match(_JAXLIB_LABEL, ".".join(version.local)) if version is not None else None
    if version is None or match is None:
        return None
    cudnn = f"{match[2]}.{match[3]}"
    fact = f"jaxlib {version} is built for CUDA {match[1]} and cuDNN {cudnn}"
    source = "its local version; JAX's documentation, Installation"
    effect = "JAX's CUDA backend does not start and JAX computes on the CPU"
    evidence = (Evidence(fact, source),)
    return version, CudaBuild(match[1], cudnn, (), MACHINE, effect, evidence)


def _is_incidental(setting: Setting, name: str, build: CudaBuild) -> bool:
    """Whether another framework is asked for, so that this one may be meant for the CPU only."""
    if build.loads != MACHINE or name in _FRAMEWORKS:
        return False
    return not setting.choices.keys().isdisjoint(_FRAMEWORKS)


def _may_hold(address: str, name: str) -> bool:
    """Whether a place for packages is one of builds of a distribution, by its address."""
    return name.partition("-")[0] in address.lower()


def _beside_torch(
    setting: Setting, name: str, version: Version, build: CudaBuild, torch: TorchThere
) -> Iterator[Finding]:
    """Yield what is linked to a torch for another CUDA."""
    if setting.platform != _LINUX or torch.is_conda or not torch.is_stated or not torch.build.label:
        return
    if is_misbound(setting, name, version, torch) or _is_ruled_out(setting, name, version, torch):
        return  # for another torch altogether, which is said elsewhere
    from mlenv.reasoning.torch_index import place_of  # what is installed comes from no index

    served = setting.knowledge.indexes.serves(name) and place_of(setting, name) is not None
    if served and not (torch.build.is_cpu and build.loads != TORCH_MINOR):
        return  # PyTorch's index has builds of it that fit
    if any(_may_hold(index.url, name) for index in places_for_packages(setting)):
        return
    there, needed = torch.build.cuda, build.cuda
    if there is None:
        return
    if build.loads != TORCH_MINOR:
        there, needed = there.partition(".")[0], needed.partition(".")[0]
    elif not there:
        return
    if there == needed:
        return
    beside = f"for CUDA {torch.build.cuda}" if there else "without CUDA"
    gpu = setting.target is not None and setting.target.expects_gpu
    finding = _finding(
        setting,
        name,
        f"{name} {version} is built for CUDA {build.cuda}, and {torch.build.text} {beside}: "
        f"{build.effect}",
        build,
        (),
        f"take both for the same CUDA, such as torch for CUDA {build.cuda}",
        torch,
        Severity.ERROR if build.loads == TORCH_MINOR or (gpu and not there) else None,
    )
    yield finding


def _is_ruled_out(setting: Setting, name: str, version: Version, torch: TorchThere) -> bool:
    """Whether the metadata of a release do not admit the torch that is there."""
    return any(
        one.name == "torch" and not one.versions.admits(torch.version, prereleases=True)
        for one in dependencies(setting, name, version) or ()
    )


def _finding(
    setting: Setting,
    name: str,
    message: str,
    build: CudaBuild,
    others: Sequence[Provider],
    fix: str,
    torch: TorchThere | None = None,
    severity: Severity | None = None,
) -> Finding:
    span = setting.place_of(name)
    assert span is not None
    choice = setting.choices.get(name)
    settled = choice is not None and (choice.exact is not None or bool(choice.locked))
    of_torch = torch is not None or any(one.of_torch for one in others)
    if of_torch and torch is None:
        torch = torch_there(setting)
    fixed = torch is not None and torch.certainty is Certainty.CERTAIN
    certain = settled and (torch is None or fixed)
    if not settled and not fixed and is_for_users(setting):
        severity = Severity.NOTE
    places = {one.span: one.shown for one in others}
    if torch is not None:
        places.setdefault(torch.span, f"{torch.build.text} stands here")
    places.pop(span, None)
    evidence = [*build.evidence]
    if torch is not None:
        evidence.append(torch.build.evidence)
    tail = "" if build.effect in message else f": {build.effect}"
    return Finding(
        message + tail,
        span,
        (name, "torch") if torch is not None else (name,),
        severity,
        Certainty.CERTAIN if certain else Certainty.FRESH_INSTALL,
        help=fix,
        related=tuple(Related(where, said) for where, said in places.items()),
        evidence=tuple(evidence),
    )


def _without_library(
    setting: Setting, name: str, version: Version, torch: TorchThere | None
) -> Iterator[Finding]:
    """Yield what holds no library for the CUDA that it would load one for."""
    held = setting.knowledge.companions.libraries(name, version)
    span = setting.place_of(name)
    if held is None or span is None or setting.platform != _LINUX:
        return
    target = setting.target if setting.kind != IMAGE else None
    cuda, shown, where = "", "", span
    if held.by_system and target is not None and target.cuda_toolkit:
        cuda, where = target.cuda_toolkit, target.where("cuda_toolkit")
        shown = f"{target.name} has CUDA {cuda}"
    elif torch is not None and torch.is_stated:
        cuda, where = torch.build.cuda or "", torch.span
        shown = f"beside it is {torch.build.text}"
    minor = ".".join(cuda.split(".")[:2])
    if "." not in minor or minor in held.versions:
        return
    choice = setting.choices.get(name)
    settled = choice is not None and (choice.exact is not None or bool(choice.locked))
    by_torch = torch is not None and not held.by_system
    settled = settled and not (by_torch and torch and torch.certainty is not Certainty.CERTAIN)
    yield Finding(
        f"{name} {version} holds no library for CUDA {minor}, and {shown}",
        span,
        (name,) if torch is None else (name, "torch"),
        certainty=Certainty.CERTAIN if settled else Certainty.FRESH_INSTALL,
        help=f"take a release of {name} that holds one, or a CUDA of {', '.join(held.versions)}",
        related=() if where == span else (Related(where, shown),),
        evidence=held.evidence,
    )
