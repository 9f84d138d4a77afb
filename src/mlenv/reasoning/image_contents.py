"""What an image holds of the operating system: its base, and what its commands add to that."""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.knowledge import Knowledge
from mlenv.knowledge.bases import PYTHON, BaseImage
from mlenv.knowledge.system_libraries import COMPILER, Need
from mlenv.knowledge.system_packages import Lacking
from mlenv.model.image import SYSTEM_TOOLS, InstallCommand, Stage, stage_group
from mlenv.model.source import Source
from mlenv.reasoning.base_image import first_stage, positions
from mlenv.reasoning.interpreter import newest_minor
from mlenv.reasoning.setting import IMAGE, Setting
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version

_DOCKERFILE = "dockerfile"
_CONDA = frozenset(("conda", "mamba", "micromamba", "pixi", "conda-lock"))
_PROGRAMS = {
    "ffmpeg": "ffmpeg",
    "tesseract-ocr": "tesseract",
    "poppler-utils": "poppler",
    "openmpi-bin": "mpi",
    "pkg-config": "",
    "libexpat1": "",
}
"""Debian's packages that the lists of images know under another name; empty for none."""
_OPAQUE = (
    r"(?im)^[ \t]*(?:COPY|ADD)\b[^\n]{0,200}--from=(?!\S*/uv\b|\S*/uv:)"
    r"|\bdpkg\b[^\n]{0,80} -i\b|\.deb\b|\bmake\b[^\n]{0,80} install\b"
    r"|\b(?:ba|z)?sh [^-\s]\S{0,200}\.sh\b|(?:^|[\s;&|])\.?/\S{0,200}\.sh\b"
    r"|\bsource \S{0,200}\.sh\b"
    r"|\bxargs\b|\bplaywright\b|\bspack\b|\bbrew\b|\bnix-"
    r"|\b(?:apt|apt-get|aptitude) [^\n$&;|]{0,2000}\$"
)
"""What may bring things that the commands do not name."""
_NAMED_PYTHON = r"(?i)python[=@ :v\"']{0,3}3\.(\d{1,2})"
"""A Python that a command or a base image names."""
_OTHER_PYTHONS = r"(?i)conda|mamba|pyenv|deadsnakes|\buv python\b|Python-3"
"""What brings another Python than the one that is there."""
_MAY_BRING_OTHERS = r"(?i)\buv\b|virtualenv|make\b|from=|\bsh\b"
"""What may bring one where the base has none of its own."""
_SYSTEM_PYTHONS = frozenset(("python3", "python3-pip", "python3-dev"))
_ADDED_SOURCES = r"add-apt-repository|sources\.list|apt-key|keyrings|signed-by="


@dataclass(frozen=True, slots=True, eq=False)
class ImageContents:
    """What is known of the operating system in an image.

    Attributes:
        stage: The stage that it begins with, whose base is from elsewhere.
        base: What that is known not to hold.
        brought: What the commands add, as the lists of images call it.
        is_clear: Whether nothing else can add to it, so far as the recipe tells.
        commands: What installs in the stage and in those that it continues.
    """

    stage: Stage
    base: Lacking
    brought: frozenset[str]
    is_clear: bool
    commands: tuple[InstallCommand, ...]

    def lacks(self, package: str) -> bool | None:
        """Return whether something is absent; None where that is not known.

        Args:
            package: The Debian package that holds it.
        """
        thing = _PROGRAMS.get(package, package)
        if thing in self.brought or package in self.brought:
            return False
        if thing not in self.base.things:
            return None
        return True if self.is_clear else None


def image_contents(setting: Setting, *, building: bool = False) -> ImageContents | None:
    """Return what an image holds; None where its base is unknown, or it is no Dockerfile's.

    A stage that others continue or copy from is not judged: what it lacks may be added there.

    Args:
        setting: The installation in the image.
        building: Whether only what is there while it is built counts: then no later stage does.
    """
    source = setting.source
    if setting.kind != IMAGE or source is None or source.kind != _DOCKERFILE:
        return None
    if setting.install_set is None:
        return None
    group = stage_group(setting.install_set.group)
    stages = source.stages
    at = positions(source).get(group)
    if at is None or (not building and at in _used_later(source)):
        return None
    chain = [at]
    while (parent := stages[chain[-1]].parent) is not None and parent < chain[-1]:
        chain.append(parent)
    first = stages[chain[-1]]
    if not first.is_complete or first.parent is not None:
        return None
    base = setting.knowledge.system_packages.lacking(first.repository, first.tag)
    return _contents(setting, first, base, chain) if base is not None else None


def without_compiler(setting: Setting, name: str) -> tuple[ImageContents, Need] | None:
    """Return the image in which the source of a distribution cannot be compiled, and why.

    None where it holds a compiler, may hold one, or the source may do without.
    """
    need = next(setting.knowledge.system_libraries.needs_of(name, COMPILER), None)
    contents = image_contents(setting, building=True) if need is not None else None
    if need is None or contents is None or not contents.base.certain:
        return None
    return (contents, need) if contents.lacks("gcc") else None


def names_other_python(source: Source, version: Version) -> bool:
    """Whether a recipe speaks of another Python 3 than the one given."""
    return not _named_pythons(source) <= {str(version.release[1])}


def python_of_base(source: Source, group: str, knowledge: Knowledge, day: str) -> Version | None:
    """Return the Python that a stage has from its base, where the tag does not name its minor.

    That is the newest one where the tag leaves it to the day, and that of the operating system's
    packages where they are installed. None where it is not known, or something brings another.

    Args:
        source: The recipe.
        group: The group of what is installed.
        knowledge: The records.
        day: The day of the build.
    """
    stage = first_stage(source, group)
    base = knowledge.bases.of(stage, day) if stage is not None else None
    if base is None or _speaks_of(source, _OTHER_PYTHONS):
        return None
    if base.family == PYTHON and base.python_floats and base.python == "3":
        version = newest_minor(knowledge, day)
    else:
        version = _python_of_system(source, base, knowledge)
    return version if version is not None and not names_other_python(source, version) else None


def _python_of_system(source: Source, base: BaseImage, knowledge: Knowledge) -> Version | None:
    if not base.distribution_python or _speaks_of(source, _MAY_BRING_OTHERS):
        return None
    commands = [one for one in source.commands if one.tool == "apt"]
    packages = {package.name for one in commands for package in one.system_packages}
    if _SYSTEM_PYTHONS.isdisjoint(packages):
        return None
    return parse_version(knowledge.bases.python_of(base.system))


def has_own_sources(source: Source) -> bool:
    """Whether an image adds places to those that its distribution's packages come from."""
    return _speaks_of(source, _ADDED_SOURCES)


def _contents(setting: Setting, first: Stage, base: Lacking, chain: list[int]) -> ImageContents:
    source = setting.source
    assert source is not None
    groups = {source.stages[at].group for at in chain}
    text = "\n".join(_texts(source)[at] for at in chain)
    commands = tuple(c for c in source.commands if stage_group(c.group) in groups)
    brought: set[str] = set()
    is_clear = re.search(_OPAQUE, text) is None
    for command in commands:
        if command.tool in _CONDA:
            is_clear = False
        elif command.tool in SYSTEM_TOOLS:
            found = _brought(command, setting)
            brought |= found or set()
            is_clear &= found is not None
    return ImageContents(first, base, frozenset(brought), is_clear, commands)


def _brought(command: InstallCommand, setting: Setting) -> set[str] | None:
    """Return what a command of a package manager adds; None where some of it is not known."""
    if command.tool != "apt":
        return None
    packages = setting.knowledge.system_packages
    recommended = "--no-install-recommends" not in command.options
    found: set[str] = set()
    for package in command.system_packages:
        brings = packages.brought_by(package.name, recommended=recommended)
        if brings is None:
            return None
        name = package.name.partition(":")[0].removesuffix("t64")
        found |= {*brings, name}
    return found


@lru_cache(maxsize=64)
def _speaks_of(source: Source, pattern: str) -> bool:
    """Whether a recipe holds a text, looked for once for all of its stages."""
    return re.search(pattern, source.text.text) is not None


@lru_cache(maxsize=16)
def _named_pythons(source: Source) -> frozenset[str]:
    return frozenset(match[1] for match in re.finditer(_NAMED_PYTHON, source.text.text))


@lru_cache(maxsize=16)
def _texts(source: Source) -> tuple[str, ...]:
    """Return the text of each stage."""
    text = source.text.text
    starts = [stage.span.start for stage in source.stages]
    return tuple(
        re.sub(r"\\\r?\n", " ", text[start:end])
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True)
    )


@lru_cache(maxsize=16)
def _used_later(source: Source) -> frozenset[int]:
    """Return the stages that another one continues or copies from."""
    stages = source.stages
    used = {stage.parent for stage in stages if stage.parent is not None}
    names = {stage.name: at for at, stage in enumerate(stages) if stage.name}
    for match in re.finditer(r"(?i)--from=([\w.-]+)|\bfrom=([\w.-]+)", source.text.text):
        name = (match[1] or match[2]).lower()
        at = names.get(name, int(name) if name.isdecimal() and len(name) < 4 else None)
        if at is not None:
            used.add(at)
    return frozenset(used)
