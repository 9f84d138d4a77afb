"""Topics ``companions`` and ``system-libraries``: wheels that say what they were built for."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge.torch import CPU, label_of_cuda
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.requirement import CONDA
from mlenv.reasoning.prebuilt import Prebuilt, prebuilts
from mlenv.reasoning.setting import IMAGE, Setting
from mlenv.reasoning.torch_build import DEFAULT
from mlenv.reasoning.torch_there import TorchThere, torch_there
from mlenv.records import replace
from mlenv.rules.base import rule
from mlenv.versions.version import parse_version

_TAGS = Evidence(
    "installers refuse a wheel whose tags do not fit the interpreter and the platform",
    "Python Packaging User Guide, Platform compatibility tags",
)
_ABI = Evidence(
    "PyTorch's own builds for Linux on x86_64 use the old C++ ABI up to torch 2.6 for CUDA 12.4, "
    "and the new one from 2.7 on",
    "Dao-AILab/flash-attention, publish.yml; PyTorch 2.6 release notes",
)
_KERNELS = Evidence(
    "extensions of torch are linked to its C++ libraries, which change with every minor release",
    "PyTorch's documentation, torch.utils.cpp_extension",
)
_OLD_ABI_BUILDS = frozenset(("", "cpu", "cu118", "cu124"))
"""The builds of torch 2.6 that still use the old C++ ABI."""
_GLIBC_FROM_TORCH = (2, 7)
"""Wheels for this torch and newer ones were made when Ubuntu 20.04 was gone from the builders."""


@rule(
    "CMP002",
    "prebuilt-for-another",
    topic="companions",
    severity=Severity.ERROR,
    facts=("companions", "torch"),
)
def prebuilt_for_another(setting: Setting) -> Iterator[Finding]:
    """A prebuilt wheel for another torch, Python, platform, CUDA or C++ ABI.

    The names of such wheels say what they were built for: ``flash_attn-2.5.6+cu122torch2.2``,
    ``torch_scatter-2.1.2+pt26cu124``, a page ``cu118/torch2.1``. Installers only look at Python
    and platform; beside another torch, CUDA major version or C++ ABI the import fails. Said of
    what is pinned, and of the torch that an installer picks today where it is left open. A warning
    for distributions of which only the name of the wheel is known, and for a build of PyG's that is
    on no list of theirs.

    Messages that users see: "undefined symbol: _ZN3c10…", "libcudart.so.11.0: cannot open shared
    object file", "is not a supported wheel on this platform", "Detected that PyTorch and
    torch_scatter were compiled with different CUDA versions".

    Bad:
        torch==2.4.0
        torch-scatter==2.1.2+pt22cu121

    Good:
        torch==2.4.0
        torch-scatter==2.1.2+pt24cu121
    """
    torch = torch_there(setting)
    for prebuilt in prebuilts(setting):
        found = _misfit_of_tags(setting, prebuilt) or _unknown_build(setting, prebuilt)
        if found is None and torch is not None and torch.is_stated and _tied(setting, prebuilt):
            found = _misfit_of_torch(prebuilt, torch) or _misfit_of_build(setting, prebuilt, torch)
            if found is not None and not _is_known(setting, prebuilt):
                found = replace(found, severity=Severity.WARNING)
        if found is not None:
            yield found


def _is_known(setting: Setting, prebuilt: Prebuilt) -> bool:
    """Whether it is on record that a distribution is linked to torch's C++ libraries."""
    companions, name = setting.knowledge.companions, prebuilt.name
    build = setting.knowledge.builds.of(name)
    on_record = build is not None and bool(build.torch)
    return on_record or bool(companions.page_marks(name) or companions.wheel_evidence(name))


def _tied(setting: Setting, prebuilt: Prebuilt) -> bool:
    """Whether a binary is an extension of torch."""
    if prebuilt.torches:
        return True
    build = setting.knowledge.builds.of(prebuilt.name)
    return build is not None and bool(build.torch)


def _misfit_of_tags(setting: Setting, prebuilt: Prebuilt) -> Finding | None:
    """Return that an installer refuses a wheel, so far as Python and platform are stated."""
    python, target = setting.python, setting.target
    if setting.kind == IMAGE and target is not None:
        return None  # an image has a Python and a system of its own
    own_python = any(r.name == "python" and r.ecosystem == CONDA for r in setting.requirements)
    if (
        python.stated
        and not (own_python and target is not None)
        and not prebuilt.serves_python(python.minor)
    ):
        what = f"Python {python.name}"
        fix = f"take the wheel for cp3{python.minor}"
    elif target is not None and target.os and not prebuilt.serves_platform(setting.platform):
        what = setting.platform
        fix = f"take the wheel for {setting.platform}, or give this one a marker"
    else:
        return None
    return Finding(
        f"{prebuilt.shown} is no wheel for {what}",
        prebuilt.span,
        (prebuilt.name,),
        help=fix,
        evidence=(_TAGS,),
        batch=f"tags-{what}",
        batch_message=f"{{count}} wheels are not for {what}: {{packages}}",
    )


def _unknown_build(setting: Setting, prebuilt: Prebuilt) -> Finding | None:
    """Return that a build of that torch and CUDA is on no list of those who make them."""
    if prebuilt.is_page or prebuilt.cuda is None:
        return None
    label = label_of_cuda(prebuilt.cuda) if prebuilt.cuda else CPU
    torch = next(iter(prebuilt.torches), "")
    labels, evidence = setting.knowledge.companions.page_builds(prebuilt.name, torch)
    if not labels or label in labels:
        return None
    return Finding(
        f"{prebuilt.shown} is a build for torch {torch} with {label}, of which none is listed",
        prebuilt.span,
        (prebuilt.name,),
        Severity.WARNING,
        help=f"take one of {', '.join(labels)}, with torch for the same CUDA",
        evidence=evidence,
        batch=f"unlisted {torch} {label}",
        batch_message=f"{{count}} builds for torch {torch} with {label} are on no list: "
        "{packages}",
    )


def _misfit_of_torch(prebuilt: Prebuilt, torch: TorchThere) -> Finding | None:
    if not prebuilt.torches or torch.minor in prebuilt.torches:
        return None
    built = prebuilt.torches[0]
    return _beside(
        prebuilt,
        torch,
        f"is built for torch {built}",
        f"torch {torch.version.public}",
        f"take the build for torch {torch.minor}, or torch {built}",
        _KERNELS,
        "torch",
    )


def _misfit_of_build(setting: Setting, prebuilt: Prebuilt, torch: TorchThere) -> Finding | None:
    if prebuilt.has_new_abi and _has_old_abi(setting, torch):
        return _beside(
            prebuilt,
            torch,
            "is built with the new C++ ABI",
            f"{torch.build.text}, which has the old one",
            "take the wheel with cxx11abiFALSE in its name",
            _ABI,
            "abi",
        )
    there, cuda = torch.cuda_major, prebuilt.cuda
    if there is None or cuda is None or there == cuda.partition(".")[0]:
        return None
    return _misfit_of_cuda(setting, prebuilt, torch)


def _misfit_of_cuda(setting: Setting, prebuilt: Prebuilt, torch: TorchThere) -> Finding | None:
    fit = torch.build.label or "cpu"
    if prebuilt.cuda:
        what = f"is built for CUDA {prebuilt.cuda}"
        # nothing says that torch is PyPI's own build: people install it from an index by hand
        assumed = torch.build.known_by == DEFAULT
        return _beside(
            prebuilt,
            torch,
            what,
            torch.build.text,
            f"take the build for {fit}, or torch for CUDA {prebuilt.cuda.partition('.')[0]}",
            torch.build.evidence,
            "cuda",
            Severity.WARNING if assumed else None,
        )
    if setting.target is None or not setting.target.expects_gpu:
        return None  # a build without CUDA works, on the CPU
    return _beside(
        prebuilt,
        torch,
        "is built without CUDA",
        torch.build.text,
        f"take the build for {fit}",
        torch.build.evidence,
        "cpu",
        Severity.WARNING,
    )


def _has_old_abi(setting: Setting, torch: TorchThere) -> bool:
    """Whether torch is one of PyTorch's builds with the C++ ABI from before C++11."""
    if setting.platform != "linux_x86_64" or torch.is_conda:
        return False
    label = torch.build.label
    if label not in ("", "cpu") and not label.startswith("cu"):
        return False  # a build of somebody else, or for ROCm
    if torch.version.release[:2] == (2, 6):
        return label in _OLD_ABI_BUILDS
    return not torch.version.is_prerelease and torch.version.release[:2] < (2, 6)


def _beside(
    prebuilt: Prebuilt,
    torch: TorchThere,
    what: str,
    beside: str,
    fix: str,
    evidence: Evidence,
    cause: str,
    severity: Severity | None = None,
) -> Finding:
    picked = torch.certainty is Certainty.FRESH_INSTALL
    verb = "an installer picks" if picked else "beside it is"
    related = () if torch.span == prebuilt.span else (Related(torch.span, "torch stands here"),)
    return Finding(
        f"{prebuilt.shown} {what}, and {verb} {beside}",
        prebuilt.span,
        (prebuilt.name,),
        severity,
        torch.certainty,
        help=fix,
        related=related,
        evidence=(evidence,),
        batch=f"{cause} {what} {beside}",
        batch_message=f"{{count}} distributions {{packages}}: {prebuilt.shown} {what}, and {verb} "
        f"{beside}",
    )


@rule(
    "SYS010",
    "prebuilt-needs-newer-glibc",
    topic="system-libraries",
    severity=Severity.WARNING,
    facts=("companions",),
)
def prebuilt_needs_newer_glibc(setting: Setting) -> Iterator[Finding]:
    """A prebuilt wheel outside PyPI that needs a newer C library than the target has.

    flash-attn takes a wheel from its releases on GitHub when it is installed. Those wheels carry
    the plain tag ``linux_x86_64``, by which no installer can tell which C library they need; from
    2.8 on, and for torch 2.7 and newer, it is that of Ubuntu 22.04. On Ubuntu 20.04 or RHEL 8 the
    import fails. A warning, since a build from source works there.

    Messages that users see: "version `GLIBC_2.32' not found (required by
    flash_attn_2_cuda.cpython-310-x86_64-linux-gnu.so)".

    Bad:
        flash-attn==2.8.3

    Good:
        flash-attn==2.7.4.post1
    """
    target = setting.target
    glibc = parse_version(target.glibc) if target is not None and target.glibc else None
    if target is None or glibc is None or setting.kind == IMAGE:
        return
    for name in sorted(setting.knowledge.companions.with_wheels & setting.choices.keys()):
        choice, needed = setting.choices[name], _glibc_of(setting, name)
        if needed and not choice.is_conda and glibc.release < _release(needed):
            pick = setting.pick(name)
            shown = f"{name} {pick.version}" if pick is not None else name
            certain = choice.exact is not None
            yield Finding(
                f"{shown} needs glibc {needed} where it takes its prebuilt wheel, and "
                f"{target.name} has {target.glibc}",
                choice.span,
                (name, "glibc"),
                certainty=Certainty.CERTAIN if certain else Certainty.FRESH_INSTALL,
                help="build it from source there, take a release whose wheels need an older glibc, "
                "or a newer system",
                related=(Related(target.where("glibc"), f"glibc {target.glibc}"),),
                evidence=setting.knowledge.companions.wheel_evidence(name),
            )


def _glibc_of(setting: Setting, name: str) -> str:
    """Return the C library that the prebuilt wheel of a distribution needs; empty if unknown."""
    companions, choice = setting.knowledge.companions, setting.choices[name]
    if any(r.is_vcs or r.is_local for r in choice.requirements):
        return ""
    pick = setting.pick(name)
    if pick is None:
        # nothing bounds it, and its releases are not on record: the newest one
        return companions.newest_glibc(name) if choice.versions.is_any else ""
    matrix = companions.wheels(name, pick.version)
    if matrix is not None and matrix.glibc:
        return matrix.glibc
    label = next((one for one in prebuilts(setting) if one.name == name), None)
    if label is not None and any(_release(one) >= _GLIBC_FROM_TORCH for one in label.torches):
        return companions.newest_glibc(name)
    return ""


def _release(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
