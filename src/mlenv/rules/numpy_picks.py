"""Whether it can be told which NumPy an installer would take in an installation."""

from __future__ import annotations

import re

from mlenv.reasoning.base_image import first_stage
from mlenv.reasoning.domains import candidates, dependencies
from mlenv.reasoning.setting import IMAGE, LOCK
from mlenv.versions.version_set import ANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.setting import Setting
    from mlenv.reasoning.verdict import Verdict

_NUMPY = "numpy"
_TAG = r".*-cp3(\d+)-[^/]*\.whl"
_WITHOUT_NUMPY = frozenset(("python", "pip", "setuptools", "wheel", "uv", "ipython", "jupyter"))
"""What conda installs without bringing NumPy along."""
_BARE_IMAGES = frozenset(
    ("python", "debian", "ubuntu", "cuda", "uv", "alpine", "buildpack-deps", "amazonlinux")
) | frozenset(("centos", "rockylinux", "almalinux", "fedora", "miniconda3", "micromamba"))
"""Images in which no NumPy is installed; of others that is not known."""


def is_foreseeable(setting: Setting, package: str, verdict: Verdict) -> bool:
    """Return whether what an installer picks is known well enough to be reported.

    Args:
        setting: The installation.
        package: The distribution that is judged beside NumPy.
        verdict: How they meet.
    """
    if setting.kind == LOCK or not _is_served(setting, package, verdict):
        return False
    if package in verdict.opened and _is_behind(setting, package):
        return False
    if _NUMPY not in verdict.opened:
        return True
    if _may_have_numpy(setting) or _is_held(setting) or _goes_back(setting):
        return False
    numpy = setting.choices.get(_NUMPY)
    if numpy is None or not numpy.is_conda:
        return True
    # what conda pins beside it may hold it back
    return not any(
        choice.is_conda and choice.versions.has_upper_bound
        for name, choice in setting.choices.items()
        if name not in _WITHOUT_NUMPY and name != _NUMPY
    )


def has_unknown_pins(setting: Setting, *, exact: bool = False) -> bool:
    """Return whether a pinned package may cap NumPy, since nothing is known of its metadata.

    Args:
        setting: The installation.
        exact: Whether only one version counts as a pin, and not an upper bound.
    """
    knowledge = setting.knowledge
    return any(
        (choice.exact is not None if exact else choice.versions.has_upper_bound)
        and not choice.is_conda
        and not knowledge.is_tool(name)
        and not knowledge.is_development_tool(name)
        and not knowledge.numpy2.is_known(name)
        and not knowledge.releases.knows(name)
        for name, choice in setting.choices.items()
    )


def _is_behind(setting: Setting, package: str) -> bool:
    """Whether a package comes in an older release than its declaration admits.

    Something makes it give way, and then a gap in the records would explain it as well.
    """
    picked = setting.pick(package)
    domain = setting.domain(package)
    if package not in setting.choices:
        domain = candidates(setting, package, ANY)
    return not domain or picked is None or picked.version != domain[0]


def _is_served(setting: Setting, package: str, verdict: Verdict) -> bool:
    """Whether the Python that is assumed is one that the pins are for."""
    minor = setting.python.minor
    for choice in setting.choices.values():
        for requirement in choice.requirements:
            tag = re.match(_TAG, requirement.url) if requirement.url else None
            if tag is not None and int(tag[1]) != minor:
                return False
    pick, releases = verdict.picks.get(package), setting.knowledge.releases
    if not releases.knows(package):
        return True
    if pick is None:
        return not setting.python.stated
    release = releases.find(package, pick.version)
    return release is not None and release.files.has_wheel(minor, setting.platform)


def _is_held(setting: Setting) -> bool:
    """Whether a package that is known to cap NumPy is there, though its metadata are not."""
    capping = setting.knowledge.numpy2.capping
    return any(
        name in capping and not choice.is_conda and not setting.knowledge.releases.knows(name)
        for name, choice in setting.choices.items()
    )


def _goes_back(setting: Setting) -> bool:
    """Whether a declared package gives way to the NumPy that is picked.

    Then NumPy may as well give way to the package, and installers differ in which of them does.
    """
    pick = setting.pick(_NUMPY)
    if pick is None:
        return True
    for name in setting.choices:
        domain = setting.domain(name)
        picked = setting.resolution.picks.get(name)
        if not domain or picked is None or picked.version == domain[0]:
            continue
        if any(
            one.name == _NUMPY and not one.versions.admits(pick.version, prereleases=True)
            for one in dependencies(setting, name, domain[0]) or ()
        ):
            return True
    return False


def _may_have_numpy(setting: Setting) -> bool:
    """Whether a NumPy may be there before pip installs: from the image, from conda, by a file."""
    if setting.kind == IMAGE and not (setting.python.stated and _starts_bare(setting)):
        return True
    numpy = setting.choices.get(_NUMPY)
    if numpy is not None and numpy.is_conda:
        return False
    if numpy is None and _is_held_elsewhere(setting):
        return True
    return any(
        choice.is_conda and name not in _WITHOUT_NUMPY for name, choice in setting.choices.items()
    )


def _is_held_elsewhere(setting: Setting) -> bool:
    """Whether another file of the project, installed beside this one, may keep NumPy old."""
    sets = setting.project.install_sets if setting.project is not None else ()
    return any(
        requirement.name == _NUMPY and requirement.versions.has_upper_bound
        for one in sets
        if one is not setting.install_set
        for requirement in one.requirements
    )


def _starts_bare(setting: Setting) -> bool:
    if setting.source is None or setting.install_set is None:
        return True
    stage = first_stage(setting.source, setting.install_set.group)
    if stage is None:
        return not setting.source.stages
    return stage.repository.rpartition("/")[2] in _BARE_IMAGES
