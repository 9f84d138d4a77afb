"""Topic ``system-libraries``: what a release of the operating system has, and its C library."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.knowledge.releases import Release
from mlenv.knowledge.system_libraries import NO_MUSL
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.image import InstallCommand, Stage, stage_group
from mlenv.model.project import Project
from mlenv.model.source import IMAGE, Source
from mlenv.model.text import Span
from mlenv.reasoning.base_image import first_stage, stage_of
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.setting import IMAGE as IMAGES
from mlenv.reasoning.setting import LOCK, REQUIREMENTS, Setting
from mlenv.reasoning.wheel_support import WHEEL, support
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.versions.version import Version, parse_version

_WORKFLOW = "github-workflow"
_DOCKERFILE = "dockerfile"
_UNMANAGED = (
    r"(?i)break[-_]system[-_]packages|EXTERNALLY-MANAGED|venv|virtual_?env|pip\.conf|PIP_CONFIG_FILE"
    r"|PIP_TARGET|PIP_PREFIX|(?:--target|--prefix|--root|[ \t]-t)[= ]|get-pip|ensurepip"
)
"""What lets pip install there, or elsewhere, or brings another one."""
_RUNNER = r"(?m)^[ \t]*(?:-[ \t]*)?runs-on:[ \t]*[\"']?([^\s\"'#]+)"
_NOBLE_RUNNERS = frozenset(("ubuntu-latest", "ubuntu-24.04"))
_LATEST_IS_NOBLE = "2025-01-17"
_NOBLE = "ubuntu 24.04"
_PATCH = r"3\.\d+\.\d+"
_TAGS = "the platform tags of the wheels on PyPI"


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """The operating system that a command runs on: ``debian 13``, and how sure that is."""

    name: str
    floats: bool
    place: Span | None


@rule(
    "SYS002",
    "no-such-system-package",
    topic="system-libraries",
    severity=Severity.ERROR,
    facts=("system_packages", "bases"),
)
def no_such_system_package(project: Project, knowledge: Knowledge, today: str) -> Iterator[Finding]:
    """A package that the distribution's release no longer has.

    Debian and Ubuntu drop packages between releases, and images move to the next release under the
    same tag: ``python:3.11-slim`` was Debian 12 until August 2025 and is Debian 13 since. apt-get
    stops, and so does the build. A warning where packages may come from another source, and in
    pipelines.

    Messages that users see: "E: Package 'libgl1-mesa-glx' has no installation candidate",
    "E: Unable to locate package".

    Bad:
        FROM python:3.11-slim-trixie
        RUN apt-get update && apt-get install -y libgl1-mesa-glx

    Good:
        FROM python:3.11-slim-trixie
        RUN apt-get update && apt-get install -y libgl1
    """
    for source in project.sources.values():
        if source.role != IMAGE and source.kind != _WORKFLOW:
            continue
        for command in source.commands:
            if command.tool != "apt" or _has_a_second_chance(command):
                continue
            system = _system_of(source, command, knowledge, today)
            if system is not None:
                yield from _gone(source, command, system, knowledge)


def _gone(
    source: Source, command: InstallCommand, system: _System, knowledge: Knowledge
) -> Iterator[Finding]:
    from mlenv.reasoning.image_contents import has_own_sources

    is_sure = source.role == IMAGE and not has_own_sources(source)
    for package in command.system_packages:
        gone = knowledge.system_packages.gone(package.name)
        if gone is None or system.name not in gone.releases:
            continue
        title, tag = system.name.title(), system.place.text if system.place else "this tag"
        yield Finding(
            f"{title} has no package {package.name}"
            + (f", and {tag} is {title} now" if system.floats else ""),
            package.span,
            (package.name,),
            None if is_sure else Severity.WARNING,
            help=f"install {gone.instead}" if gone.instead else "leave it out",
            related=(Related(system.place, f"{title} comes from here"),) if system.place else (),
            evidence=(gone.evidence,),
        )


def _has_a_second_chance(command: InstallCommand) -> bool:
    """Whether the script goes on where a command fails."""
    text = command.span.source.text
    return re.match(r"[^\n]*\|\|", text[command.span.end : command.span.end + 200]) is not None


def _system_of(
    source: Source, command: InstallCommand, knowledge: Knowledge, today: str
) -> _System | None:
    if source.kind == _WORKFLOW:
        runners = re.findall(_RUNNER, source.text.text)
        is_noble = bool(runners) and _NOBLE_RUNNERS.issuperset(runners) and not source.stages
        return _System(_NOBLE, True, None) if is_noble and today >= _LATEST_IS_NOBLE else None
    stage = first_stage(source, command.group)
    return _of_stage(stage, knowledge, today) if stage is not None else None


def _of_stage(stage: Stage, knowledge: Knowledge, today: str) -> _System | None:
    """Return the system of a base image.

    A tag with a Python of three numbers is not built again once there is another patch, and none
    once the fixes of its Python have ended.
    """
    match = re.match(r"2|3\.\d+", stage.tag)
    ends = {one.version: one.eol for one in knowledge.interpreters.known}
    last = ends.get("2.7" if match[0] == "2" else match[0], today) if match else today
    day = min(today, f"{last}-28"[:10])
    base = knowledge.bases.of(stage, day)
    if base is None or not base.system:
        return None
    if base.system_floats and re.match(_PATCH, stage.tag):
        return None
    return _System(base.system, base.system_floats, stage.span)


@rule(
    "SYS005",
    "externally-managed-python",
    topic="system-libraries",
    severity=Severity.ERROR,
    facts=("system_packages", "bases"),
)
def externally_managed_python(
    project: Project, knowledge: Knowledge, today: str
) -> Iterator[Finding]:
    """Packages that pip is to install into a Python which belongs to the operating system.

    Debian since 12 and Ubuntu since 23.04 mark their own Python as managed by apt. pip stops there
    unless it is told otherwise, in images too: recipes for ``ubuntu22.04`` fail with
    ``ubuntu24.04``. It takes a virtual environment, ``--break-system-packages`` (in an image that
    does no harm) or ``PIP_BREAK_SYSTEM_PACKAGES=1``. Nothing is said where something else may
    bring a Python.

    Messages that users see: "error: externally-managed-environment", "This environment is
    externally managed".

    Bad:
        FROM nvidia/cuda:12.6.3-runtime-ubuntu24.04
        RUN apt-get update && apt-get install -y python3-pip
        RUN pip install torch==2.6.0

    Good:
        FROM nvidia/cuda:12.6.3-runtime-ubuntu24.04
        RUN apt-get update && apt-get install -y python3-pip
        RUN pip install --break-system-packages torch==2.6.0
    """
    for source in project.sources.values():
        if source.kind != _DOCKERFILE or re.search(_UNMANAGED, source.text.text):
            continue
        judged: set[str] = set()
        for command in source.commands:
            stage = stage_group(command.group)
            if command.tool != "pip" or stage in judged:
                continue
            judged.add(stage)
            found = _into_the_system(source, command, knowledge, today)
            if found is not None and not _has_a_second_chance(command):
                yield found


def _into_the_system(
    source: Source, command: InstallCommand, knowledge: Knowledge, today: str
) -> Finding | None:
    stage = first_stage(source, command.group)
    system = _of_stage(stage, knowledge, today) if stage is not None else None
    evidence = knowledge.system_packages.managed(system.name) if system is not None else None
    if stage is None or system is None or evidence is None:
        return None
    packages = {one.name for each in source.commands for one in each.system_packages}
    if "python3-pip" not in packages:
        return None
    from mlenv.reasoning.image_contents import python_of_base

    if python_of_base(source, command.group, knowledge, today) is None:
        return None
    return Finding(
        f"pip refuses to install into the Python of {system.name.title()}, which apt manages",
        command.span,
        ("pip", *(one.name for one in command.requirements if one.name)),
        Severity.WARNING if stage_group(command.group) != command.group else None,
        help="install into a virtual environment, or with --break-system-packages",
        related=(Related(stage.span, f"{system.name.title()} comes from here"),),
        evidence=(evidence,),
    )


@rule(
    "SYS004",
    "wheel-needs-newer-libc",
    topic="system-libraries",
    severity=Severity.ERROR,
    facts=("releases", "system_libraries", "system_packages", "bases"),
    only=(REQUIREMENTS, LOCK, IMAGES, "is_reported"),
)
def wheel_needs_newer_libc(setting: Setting) -> Iterator[Finding]:
    """A version whose wheels do not fit the C library of the target or the image.

    A wheel for Linux names the oldest glibc that it runs on; installers pass over those that ask
    for a newer one. Without a source distribution nothing is left; with one, the newest release is
    compiled, though older ones have wheels that fit. Alpine has musl instead, for which torch,
    TensorFlow and JAX have no wheels at all. A warning where a source build is left, an error in
    an image without a compiler.

    Messages that users see: "No matching distribution found for torch", "version `GLIBC_2.28' not
    found".

    Bad:
        FROM python:3.11-alpine
        RUN pip install torch==2.4.0

    Good:
        FROM python:3.11-slim
        RUN pip install torch==2.4.0
    """
    if not setting.platform.startswith("linux"):
        return
    libc = _libc_of(setting)
    if libc is None:
        return
    picks = () if libc.is_musl or setting.complete else tuple(setting.resolution.picks)
    for name in dict.fromkeys((*setting.choices, *picks)):
        choice = setting.choices.get(name)
        if choice is not None and (
            choice.is_conda
            or choice.is_direct
            or any(r.index or r.is_direct for r in choice.requirements)
        ):
            continue
        found = None
        if not libc.is_musl:
            found = _older(setting, name, libc)
        elif choice is not None:
            found = _for_musl(setting, choice, libc)
        if found is not None:
            yield found


@dataclass(frozen=True, slots=True, eq=False)
class _Libc:
    """The C library of an installation: whose it is, its version, and where that is stated."""

    owner: str
    version: Version | None
    place: Span
    is_musl: bool = False


def _libc_of(setting: Setting) -> _Libc | None:
    if setting.kind == IMAGES:
        stage = stage_of(setting)
        base = setting.knowledge.bases.of(stage, setting.day) if stage is not None else None
        if stage is None or base is None:
            return None
        if base.is_musl:
            return _Libc(stage.image, None, stage.span, is_musl=True)
        version = parse_version(base.glibc) if not base.system_floats else None
        return _Libc(stage.image, version, stage.span) if version is not None else None
    target = setting.target
    version = parse_version(target.glibc) if target is not None and target.glibc else None
    if target is None or version is None:
        return None
    return _Libc(target.name, version, target.where("glibc"))


def _for_musl(setting: Setting, choice: Choice, libc: _Libc) -> Finding | None:
    need = next(setting.knowledge.system_libraries.needs_of(choice.name, NO_MUSL), None)
    if need is None:
        return None
    return Finding(
        f"{choice.name} has no wheel for {libc.owner}, whose C library is musl, and no source "
        "distribution",
        choice.span,
        (choice.name,),
        help="use a base image with glibc, such as python's slim variant",
        related=(Related(libc.place, "the base image"),),
        evidence=(need.evidence,),
        batch="musl",
        batch_message=f"{{count}} packages have no wheel for {libc.owner}, whose C library is "
        "musl: {packages}",
    )


def _older(setting: Setting, name: str, libc: _Libc) -> Finding | None:
    """Return what there is to say where wheels ask for a newer glibc."""
    assert libc.version is not None
    judged = _judged(setting, name)
    place = setting.place_of(name)
    needed = [_glibc(one, setting.platform) for one in judged]
    if not needed or any(one is None or not libc.version < one for one in needed):
        return None
    newest = max(judged, key=lambda one: one.version)
    glibc = _glibc(newest, setting.platform)
    choice = setting.choices.get(name)
    is_pinned = choice is not None and choice.exact is not None
    if newest.files.has_sdist:
        from mlenv.reasoning.image_contents import without_compiler

        without = without_compiler(setting, name)
        severity = Severity.WARNING if without is None else Severity.ERROR
        rest = "has to be compiled there" + (", without a compiler" if without is not None else "")
    else:
        severity, rest = Severity.ERROR, "has no source distribution either"
    fitting = _fitting(setting, name, libc.version)
    evidence = Evidence(f"{name} {newest.version} needs glibc {glibc}", _TAGS)
    return Finding(
        f"{_brought(setting, name, newest)} has wheels for glibc {glibc} and newer, {libc.owner} "
        f"has {libc.version}, and it {rest}",
        place or libc.place,
        (name, "glibc"),
        severity,
        Certainty.CERTAIN if is_pinned or len(judged) > 1 else Certainty.FRESH_INSTALL,
        help=f"{name} up to {fitting} has wheels for it" if fitting else "",
        related=(Related(libc.place, f"glibc {libc.version} comes from here"),),
        evidence=(evidence,),
        batch=f"glibc {severity.value} {libc.owner}",
        batch_message=f"{{count}} packages have wheels for a newer glibc than {libc.owner} has, "
        f"which is {libc.version}: {{packages}}",
    )


def _judged(setting: Setting, name: str) -> list[Release]:
    """Return the releases all of which have to ask for a newer glibc for one to be found wanting.

    That is the pinned one. Of an open choice it is the one that an installer picks where that has
    a source distribution, for this is a file that fits; else all that are admitted, unless one of
    them has one.
    """
    releases = setting.knowledge.releases
    choice, pick = setting.choices.get(name), setting.pick(name)
    if choice is not None and choice.exact is not None:
        release = releases.find(name, choice.exact)
        return [release] if release is not None else []
    if choice is not None and (not choice.versions.understood or choice.locked):
        return []
    picked = releases.find(name, pick.version) if pick is not None else None
    if choice is None or (picked is not None and picked.files.has_sdist):
        return [picked] if picked is not None and picked.files.has_sdist else []
    out = {one.version: one for one in releases.of(name) if one.date <= setting.day}
    admitted = [out[version] for version in choice.versions.over(out)]
    return [] if any(one.files.has_sdist for one in admitted) else admitted


def _fitting(setting: Setting, name: str, glibc: Version) -> Version | None:
    """Return the newest release with a wheel for a glibc and for the Python."""
    python, platform = setting.python.version, setting.platform
    found = [
        one.version
        for one in setting.knowledge.releases.of(name)
        if (asked := _glibc(one, platform)) is not None
        and not glibc < asked
        and one.date <= setting.day
        and not one.yanked
        and not one.version.is_prerelease
        and support(one, python, platform) == WHEEL
    ]
    return found[-1] if found else None


def _brought(setting: Setting, name: str, release: Release) -> str:
    """Return a release, with what brings it along."""
    pick = setting.pick(name)
    shown = f"{name} {release.version}"
    if name in setting.choices or pick is None or not pick.chain:
        return shown
    return f"{shown} (brought by {pick.chain[-1]})"


def _glibc(release: Release, platform: str) -> Version | None:
    """Return the glibc that the wheels of a release ask for; None where none is named."""
    wheels = release.files.platforms.get(platform)
    if release.files.is_pure or wheels is None or not wheels.glibc:
        return None
    return parse_version(wheels.glibc)
