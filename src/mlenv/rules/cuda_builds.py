"""Topic ``cuda-build``: builds of torch that do not exist, and builds without CUDA under a GPU."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.knowledge.indexes import is_label
from mlenv.knowledge.torch import CPU, TorchRelease, cuda_of_label
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.requirement import CONSTRAINT
from mlenv.model.target import LINUX, MACOS, WINDOWS, Target
from mlenv.phrases import listed
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.machine_fit import is_newer
from mlenv.reasoning.setting import IMAGE, LOCK, REQUIREMENTS, Setting
from mlenv.reasoning.torch_build import DEFAULT, TORCH, TorchBuild, torch_build
from mlenv.reasoning.torch_index import Place, place_of
from mlenv.rules.base import rule
from mlenv.rules.common import is_auxiliary
from mlenv.rules.torch_wording import is_for_other_hardware, severity_of, subject, ways_out

_LABELLED = (TORCH, "torchvision", "torchaudio")
_NVIDIA = r"nvidia-[a-z0-9-]+-cu\d+"
_ONLY_LINUX = r"nvidia-(?:nccl|nvshmem|cufile)-cu\d+"
_FIRST_ON_AARCH64 = "12.4"
_FEWEST = "11.0"
"""Labels of older CUDAs are not judged: they were in use before the records begin."""
_MOST_LABELS = 6


@rule(
    "CUB001",
    "no-such-build",
    topic="cuda-build",
    severity=Severity.ERROR,
    facts=("torch",),
    only=(REQUIREMENTS, LOCK, IMAGE),
)
def no_such_build(setting: Setting) -> Iterator[Finding]:
    """A build of torch that was never made, or not for this release or platform.

    Each release is built for two or three versions of CUDA: there never was a build for CUDA 12.2,
    and a label that fits one release is missing for the next. Builds with CUDA are for Linux and
    Windows; macOS has none, nor wheels of NVIDIA's libraries. A warning where pip then takes
    PyPI's build without a word.

    Messages that users see: "Could not find a version that satisfies the requirement
    torch==2.2.0+cu122", "No matching distribution found for nvidia-cublas-cu12==12.4.5.8".

    Bad:
        --extra-index-url https://index.example/whl/cu122
        torch==2.2.0+cu122

    Good:
        --extra-index-url https://index.example/whl/cu121
        torch==2.2.0+cu121
    """
    labelled = False
    for name in _LABELLED:
        choice = setting.choices.get(name)
        if choice is None or choice.is_conda or not _is_asked(choice):
            continue
        found = _of_label(setting, name, choice)
        labelled = labelled or found is not None
        if found is not None:
            yield found
    if not labelled:
        yield from _of_index(setting)
    yield from _without_wheels(setting)


def _is_elsewhere(setting: Setting) -> bool:
    """Whether it is an image's, which runs Linux whatever the machine does."""
    return setting.kind == IMAGE and setting.target is not None and setting.target.system != LINUX


def _is_asked(choice: Choice) -> bool:
    """Whether something installs it, and is not only bounded by a file that names it."""
    return bool(choice.locked) or any(r.kind != CONSTRAINT for r in choice.requirements)


def _of_label(setting: Setting, name: str, choice: Choice) -> Finding | None:
    """Return the finding on a pin whose label its release was not built for."""
    version = choice.exact
    label = ".".join(version.local) if version is not None else ""
    if version is None or not is_label(label) or not cuda_of_label(label):
        return None
    target = setting.target
    system = LINUX if target is None or _is_elsewhere(setting) else target.system
    shown = f"{name} {version.public}+{label}"
    if system == MACOS:
        return _no_build(
            choice, label, f"{shown} does not exist for macOS: builds with CUDA are for Linux and "
            "Windows", (f"leave +{label} out on macOS",), target,
        )  # fmt: skip
    if setting.platform == "linux_aarch64" and is_newer(
        _FIRST_ON_AARCH64, cuda_of_label(label) or ""
    ):
        fix = "leave the label out, or take a build for CUDA 12.6 or newer"
        what = f"{shown} does not exist for Linux on aarch64"
        return _no_build(choice, label, what, (fix,), target)
    records = setting.knowledge.torch
    if name == TORCH and records.is_newer_than_known(version):
        return None
    if _never_built(setting, cuda_of_label(label) or "", label):
        release = records.release(version) if name == TORCH else None
        what = f"{shown} does not exist: PyTorch has never built for {label}"
        return _no_build(choice, label, what, _instead(release), release=release)
    release = records.release(version) if name == TORCH else None
    if release is None or release.has(label):
        return None
    what = f"{shown} does not exist: torch {version.public} was not built for {label}"
    return _no_build(choice, label, what, _instead(release), release=release)


def _never_built(setting: Setting, cuda: str, label: str) -> bool:
    """Whether a label lies within those on record, and no release was built with it."""
    records = setting.knowledge.torch
    within = is_newer(cuda, _FEWEST) and not is_newer(cuda, records.newest_cuda)
    return within and not records.may_exist(label)


def _instead(release: TorchRelease | None) -> tuple[str, ...]:
    if release is None:
        return ("take a label that PyTorch's installation page lists for this version",)
    labels = listed([*reversed(release.cuda_labels), CPU], _MOST_LABELS)
    return (f"take one of the labels that it was built with: {labels}",)


def _no_build(
    choice: Choice,
    label: str,
    what: str,
    fix: tuple[str, ...],
    target: Target | None = None,
    release: TorchRelease | None = None,
) -> Finding:
    source = "PyTorch's installation pages of present and previous versions"
    evidence = release.evidence if release is not None else Evidence(
        "builds with CUDA are made for two or three versions of it per release, for Linux and "
        "Windows", source,
    )  # fmt: skip
    return Finding(
        what,
        choice.span,
        (choice.name,),
        Severity.WARNING if release is not None and not release.is_sure else None,
        help=", or ".join(fix),
        related=(Related(target.where("os", "arch"), "the platform"),) if target else (),
        evidence=(evidence,),
        batch=f"no build {label}",
        batch_message="these {count} builds do not exist: {packages} for " + label,
    )


def _of_index(setting: Setting) -> Iterator[Finding]:
    """Judge the index that torch is taken from: whether it is there, and holds the version."""
    choice = setting.choices.get(TORCH)
    if choice is None or choice.is_conda or (choice.exact is not None and choice.exact.local):
        return
    place = place_of(setting)
    if place is None or place.nightly or place.is_by_driver or not place.label:
        return
    cuda = cuda_of_label(place.label)
    if not cuda or is_newer(_FEWEST, cuda):
        return
    target = setting.target
    on_mac = target is not None and target.system == MACOS and not _is_elsewhere(setting)
    if on_mac and not place.beside_pypi:
        yield _not_there(
            setting, choice, place, f"the {place.label} index holds no builds for macOS",
            "take PyPI's build on macOS, with a marker on the index or the requirement",
        )  # fmt: skip
    elif _never_built(setting, cuda, place.label):
        yield _not_there(
            setting, choice, place, f"there is no {place.label} index: PyTorch has never built "
            f"for CUDA {cuda}", "take an index that PyTorch's installation page lists",
        )  # fmt: skip
    elif choice.versions.understood:
        yield from _not_on_index(setting, choice, place)


def _not_on_index(setting: Setting, choice: Choice, place: Place) -> Iterator[Finding]:
    """Judge an index that is there: whether some admitted release was built with its label."""
    records = setting.knowledge.torch
    admitted = [
        one for one in records.releases if choice.versions.admits(one.version, prereleases=True)
    ]
    if admitted and not records.built_with(place.label):
        yield Finding(
            f"PyTorch has never announced builds for {place.label}: what its index holds may go",
            place.span,
            (TORCH,),
            Severity.NOTE,
            Certainty.POSSIBLE,
            help=_instead(admitted[-1])[0],
            evidence=(admitted[-1].evidence,),
        )
    if not admitted or any(one.has(place.label) for one in admitted):
        return
    if choice.exact is None and admitted[-1] is records.releases[-1]:
        return  # newer releases than those on record may be there
    which = f"torch{choice.versions.text}" if choice.exact is None else f"torch {choice.exact}"
    yield _not_there(
        setting,
        choice,
        place,
        f"the {place.label} index holds no build of {which}",
        _instead(admitted[-1])[0].replace("labels that it", "indexes that it"),
        admitted[-1],
    )


def _not_there(
    setting: Setting,
    choice: Choice,
    place: Place,
    what: str,
    fix: str,
    release: TorchRelease | None = None,
) -> Finding:
    message, severity = what, None
    if place.beside_pypi:
        message += ": pip takes PyPI's build and does not say so"
        severity = Severity.WARNING
    elif release is not None and not release.is_sure:
        severity = Severity.WARNING
    source = "PyTorch's installation pages of present and previous versions"
    return Finding(
        message,
        place.span,
        (TORCH,),
        severity or severity_of(setting, Certainty.CERTAIN),
        help=fix,
        related=(Related(choice.span, "asks for it"),) if choice.span != place.span else (),
        evidence=(
            release.evidence
            if release is not None
            else Evidence("no release of torch was built for it", source),
        ),
    )


def _without_wheels(setting: Setting) -> Iterator[Finding]:
    """Yield pins on NVIDIA's libraries that have no wheels for the machine's system."""
    target = setting.target
    if target is None or target.system not in (MACOS, WINDOWS) or setting.kind == LOCK:
        return
    if _is_elsewhere(setting):
        return
    pattern = _NVIDIA if target.system == MACOS else _ONLY_LINUX
    where = "macOS" if target.system == MACOS else "Windows"
    for name, choice in setting.choices.items():
        if choice.is_conda or not re.fullmatch(pattern, name) or not _is_asked(choice):
            continue
        yield Finding(
            f"{name} has no wheels for {where}, and no marker keeps it away from there",
            choice.span,
            (name,),
            help='give it a marker: ; sys_platform == "linux"',
            related=(Related(target.where("os"), "the system"),),
            evidence=(
                Evidence(
                    f"NVIDIA publishes no wheels of it for {where}",
                    f"the files of {name} on PyPI",
                ),
            ),
            batch=f"no wheels {where}",
            batch_message="{count} packages have no wheels for " + where + ", and no marker keeps "
            "them away from there: {packages}",
        )


@rule(
    "CUB002",
    "cpu-build-for-gpu",
    topic="cuda-build",
    severity=Severity.ERROR,
    facts=("torch",),
    only=("expects_gpu",),
)
def cpu_build_for_gpu(setting: Setting) -> Iterator[Finding]:
    """A build of torch that cannot use the machine's GPU.

    On Windows, and before 2.11 on Linux for aarch64, PyPI holds builds for the CPU only: a plain
    ``pip install torch`` finds no GPU there. So does a ``+cpu`` build, the cpu index, and conda's
    ``cpuonly``; those are a note where nothing but the presence of a GPU says that it is wanted.

    Messages that users see: "Torch not compiled with CUDA enabled", "AssertionError: Torch not
    compiled with CUDA enabled", "xFormers was built for PyTorch 2.1.2+cu121 (you have 2.1.2+cpu)".

    Bad:
        # on Windows, where a GPU is wanted
        torch==2.5.1

    Good:
        # on Windows, where a GPU is wanted
        --extra-index-url https://index.example/whl/cu124
        torch==2.5.1+cu124
    """
    target = setting.target
    if target is None or not target.expects_gpu or target.system == MACOS:
        return
    if is_for_other_hardware(setting) or _is_elsewhere(setting):
        return
    build = torch_build(setting)
    if build is None or build.certainty is Certainty.POSSIBLE or build.cuda != "":
        return
    foreign = not build.is_cpu
    if foreign and not target.has_nvidia:
        return
    chosen = build.known_by != DEFAULT and not foreign
    aside = setting.source is not None and is_auxiliary(setting.source.path, setting.title)
    mild = (chosen or aside) and target.wants_gpu is None
    severity = severity_of(setting, build.certainty) or (Severity.NOTE if mild else None)
    yield _without_gpu(setting, target, build, severity)


def _without_gpu(
    setting: Setting, target: Target, build: TorchBuild, severity: Severity | None
) -> Finding:
    what = "uses no NVIDIA GPU" if not build.is_cpu else "is built for the CPU and uses no GPU"
    if build.known_by == DEFAULT:
        where = {"win_amd64": "Windows", "linux_aarch64": "Linux on aarch64"}
        place = where.get(setting.platform, setting.platform)
        what = f"is the CPU build, the only one that PyPI holds for {place}: it uses no GPU"
    return Finding(
        f"{subject(build.text, build.certainty, build.chain)} {what}",
        build.span,
        (TORCH,),
        severity,
        build.certainty,
        help=", or ".join(ways_out(setting, build))
        or "take a build with CUDA from PyTorch's own index",
        related=(Related(target.where("wants_gpu", "gpus", "driver"), "a GPU is wanted"),),
        evidence=(build.evidence,),
    )
