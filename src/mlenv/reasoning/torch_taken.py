"""Which build of torch comes of what is declared, locked or listed."""

from __future__ import annotations

import re

from mlenv.knowledge.torch import CPU, cuda_of_label, label_of_cuda
from mlenv.model.finding import Certainty, Evidence
from mlenv.model.text import Span
from mlenv.reasoning.base_image import first_stage
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.setting import IMAGE, INSTALLED, LOCK, Setting
from mlenv.reasoning.torch_build import (
    BACKEND,
    BASE_IMAGE,
    CONDA,
    DEFAULT,
    INDEX,
    LABEL,
    REPORTED,
    RUNTIME,
    TORCH,
    UNKNOWN,
    TorchBuild,
)
from mlenv.reasoning.torch_conda import conda_build, serves_from
from mlenv.reasoning.torch_index import Place, place_of
from mlenv.reasoning.torch_pick import (
    label_for_driver,
    newest_built,
    picked_version,
    platform_text,
)
from mlenv.versions.version import Version, parse_version

_RUNTIME = r"nvidia-cuda-runtime(?:-cu\d+)?|cuda-toolkit"
_IMAGE_TAG = r"(\d+\.\d+(?:\.\d+)?)-cuda(\d+\.\d+)"
_PARTS = r"(?:^|/)whl/(?:\w+/)?(cu\d{2,3}|cpu)/"


def taken(setting: Setting, choice: Choice | None) -> TorchBuild | None:
    """Return the build of torch that an installation takes; None where it takes none.

    Args:
        setting: The installation.
        choice: The torch that it states; None where it states none.
    """
    if setting.kind == IMAGE and (choice is None or (not choice.is_conda and not choice.exact)):
        brought = _of_base(setting, choice)
        if brought is not None:
            return brought
    if choice is None:
        return _brought_along(setting)
    if choice.is_conda:
        return _of_conda(setting, choice)
    return _of_pypi(setting, choice, choice.exact, choice.span)


def _of_base(setting: Setting, choice: Choice | None) -> TorchBuild | None:
    """Return the torch of the image that a stage starts from: pip keeps what satisfies it."""
    installed = setting.install_set
    stage = first_stage(installed.home, installed.group) if installed is not None else None
    if stage is None or stage.repository.rpartition("/")[2] != "pytorch":
        return None
    match = re.match(_IMAGE_TAG, stage.tag)
    if match is None or not stage.repository.endswith("pytorch/pytorch"):
        evidence = Evidence(f"the image {stage.image} holds torch", setting.title)
        return TorchBuild(None, "", None, Certainty.CERTAIN, UNKNOWN, evidence, stage.span)
    version = parse_version(match[1])
    if version is None or (choice is not None and not choice.versions.admits(version)):
        return None
    evidence = Evidence(f"the image {stage.image} holds torch {match[1]}", "the image's tag")
    label = label_of_cuda(match[2])
    return TorchBuild(version, label, match[2], Certainty.CERTAIN, BASE_IMAGE, evidence, stage.span)


def _brought_along(setting: Setting) -> TorchBuild | None:
    pick = setting.resolution.picks.get(TORCH)
    span = setting.place_of(TORCH)
    if pick is None or span is None or not pick.chain:
        return None

    return _on_place(setting, pick.version, place_of(setting, pick.chain[0]), span, pick.chain)


def _of_conda(setting: Setting, choice: Choice) -> TorchBuild:

    channel = serves_from(setting)
    version = choice.exact or _on_channel(setting, choice, channel)
    settled = choice.exact is not None or len(setting.domain(TORCH) or ()) == 1
    certainty = Certainty.CERTAIN if settled else Certainty.FRESH_INSTALL
    if len(choice.locked) > 1:
        certainty = Certainty.POSSIBLE  # for several environments, each with its own
    found = conda_build(setting, version)
    if found is None:
        evidence = Evidence("nothing says which of conda's builds is meant", setting.title)
        return TorchBuild(
            version, "", None, certainty, UNKNOWN, evidence, choice.span, channel=channel
        )
    label = "" if found.cuda is None else label_of_cuda(found.cuda) if found.cuda else CPU
    where = found.span.path
    return TorchBuild(
        version,
        label,
        found.cuda,
        certainty,
        CONDA,
        Evidence(found.how, where),
        choice.span,
        channel=channel,
    )


def _on_channel(setting: Setting, choice: Choice, channel: str) -> Version | None:
    """Return the version that conda picks on the day, no later than a channel's last release."""
    picked = picked_version(setting)
    last = setting.knowledge.last_release(channel, "pytorch") if channel else None
    if picked is None or last is None or not last.version < picked:
        return picked
    return choice.versions.newest(
        one.version
        for one in setting.knowledge.torch.releases
        if not last.version < one.version and one.released <= setting.day
    )


def _of_pypi(
    setting: Setting, choice: Choice, exact: Version | None, span: Span
) -> TorchBuild | None:
    """Return the build of a torch that pip, uv or Poetry installs."""
    local = ".".join(exact.local) if exact is not None else ""
    if local and exact is not None:
        label = local.removesuffix(".cxx11.abi").removesuffix(".with.pypi.cudnn")
        evidence = Evidence(f"+{local} names the build", "PyTorch's installation page")
        return TorchBuild(
            exact, label, cuda_of_label(label), Certainty.CERTAIN, LABEL, evidence, span
        )
    kept = _kept(choice, span)
    if kept is not None:
        return kept
    if choice.is_direct or any(r.url for r in choice.requirements):
        return _of_address(choice, exact, span)
    if setting.kind in (LOCK, INSTALLED) or choice.locked:
        return _recorded(setting, choice, exact, span)

    place = place_of(setting)
    return _on_place(setting, exact, place, span, ())


def _kept(choice: Choice, span: Span) -> TorchBuild | None:
    """Return what the machine has already, where that satisfies what is asked for.

    It is judged where it is installed, so that it is only possible here.
    """
    version = parse_version(choice.installed) if choice.installed else None
    if version is None or choice.exact is not None or not choice.versions.admits(version):
        return None
    label = ".".join(version.local)
    evidence = Evidence(f"torch {version} is installed and satisfies it", "the target")
    cuda = cuda_of_label(label) if label else None
    return TorchBuild(version, label, cuda, Certainty.POSSIBLE, REPORTED, evidence, span)


def _of_address(choice: Choice, exact: Version | None, span: Span) -> TorchBuild:
    """Return the build at a direct address, which its folder may name."""
    match = next((m for r in choice.requirements if (m := re.search(_PARTS, r.url))), None)
    label = match[1] if match else ""
    evidence = Evidence("it is installed from an address of its own", span.path)
    return TorchBuild(
        exact,
        label,
        cuda_of_label(label) if label else None,
        Certainty.CERTAIN,
        INDEX if label else UNKNOWN,
        evidence,
        span,
    )


def _recorded(
    setting: Setting, choice: Choice, exact: Version | None, span: Span
) -> TorchBuild | None:
    """Return the build that a lock or a snapshot holds: by its index, by the CUDA beside it."""
    from mlenv.knowledge.indexes import wheel_index

    for package in choice.locked:
        wheels = wheel_index(package.origin)
        if wheels is not None and wheels.label and len(choice.locked) == 1:
            how = f"it is locked from the {wheels.label} index"
            return _labelled(setting, exact, wheels.label, INDEX, how, span)
    if choice.locked and exact is None:
        evidence = Evidence("the lock holds several versions of it", span.path)
        return TorchBuild(None, "", None, Certainty.POSSIBLE, UNKNOWN, evidence, span)
    for name in setting.choices:
        other = setting.stated(name) if re.fullmatch(_RUNTIME, name) else None
        if other is not None and len(other.release) > 1:
            cuda = other.minor_line
            how = f"{name} {other} lies beside it"
            return _labelled(setting, exact, label_of_cuda(cuda), RUNTIME, how, span)
    installed = setting.target.installed if setting.target is not None else None
    if setting.kind == INSTALLED and installed is not None and installed.manager == "conda":
        evidence = Evidence("a conda environment holds it", setting.title)
        return TorchBuild(exact, "", None, Certainty.CERTAIN, UNKNOWN, evidence, span)
    return _default(setting, exact, span, ())


def _labelled(
    setting: Setting,
    version: Version | None,
    label: str,
    known_by: str,
    how: str,
    span: Span,
    chain: tuple[str, ...] = (),
    said: Span | None = None,
) -> TorchBuild:
    pinned = setting.choices.get(TORCH)
    certain = pinned is not None and pinned.exact is not None
    return TorchBuild(
        version,
        label,
        cuda_of_label(label),
        Certainty.CERTAIN if certain else Certainty.FRESH_INSTALL,
        known_by,
        Evidence(how, (said or span).path),
        span,
        chain,
    )


def _on_place(
    setting: Setting,
    exact: Version | None,
    place: Place | None,
    span: Span,
    chain: tuple[str, ...],
) -> TorchBuild | None:
    """Return the build that an installer takes from where it looks."""
    if place is None:
        if _backend_stated(setting):
            evidence = Evidence("torch-backend is set, which uv pip follows alone", span.path)
            certainty = Certainty.POSSIBLE
            return TorchBuild(exact, "", None, certainty, UNKNOWN, evidence, span, chain)
        return _default(setting, exact, span, chain)
    label = label_for_driver(setting, exact) if place.is_by_driver else place.label
    if not label:
        evidence = Evidence(place.how, place.span.path)
        return TorchBuild(exact, "", None, Certainty.POSSIBLE, UNKNOWN, evidence, span, chain)
    known_by = BACKEND if place.how.startswith("--torch-backend") else INDEX
    if place.nightly:
        return _labelled(setting, None, label, known_by, place.how, span, chain, place.span)
    version = exact if exact is not None and not chain else newest_built(setting, label)
    if place.beside_pypi and label != CPU:
        newest = exact or picked_version(setting)
        release = setting.knowledge.torch.release(newest) if newest is not None else None
        if release is None or label not in release.labels:
            return _default(setting, exact, span, chain)
        version = newest
    return _labelled(setting, version, label, known_by, place.how, span, chain, place.span)


def _default(
    setting: Setting, exact: Version | None, span: Span, chain: tuple[str, ...]
) -> TorchBuild | None:
    """Return what PyPI holds for the platform."""
    version = exact or picked_version(setting)
    release = setting.knowledge.torch.release(version) if version is not None else None
    label = release.default(setting.platform) if release is not None else ""
    if release is None or not label:
        known = setting.platform.startswith(("win", "macos"))
        evidence = Evidence("its builds are not on record", span.path)
        return TorchBuild(
            version,
            CPU if known and version is not None else "",
            "" if known and version is not None else None,
            Certainty.POSSIBLE,
            UNKNOWN,
            evidence,
            span,
            chain,
        )
    fact = f"PyPI holds the {label} build of torch {release.version} for {platform_text(setting)}"
    pinned = exact is not None and not chain
    return TorchBuild(
        version,
        label,
        cuda_of_label(label),
        Certainty.CERTAIN if pinned else Certainty.FRESH_INSTALL,
        DEFAULT,
        Evidence(fact, "the metadata of torch's wheels on PyPI"),
        span,
        chain,
    )


def _backend_stated(setting: Setting) -> bool:
    source = setting.source
    return source is not None and any(s.subject == "torch-backend" for s in source.statements)
