"""Topic ``python``: whether what is asked for has files for the Python that it is to run on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.profile import LIBRARY
from mlenv.model.project import Project
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.image_contents import without_compiler
from mlenv.reasoning.setting import IMAGE, LOCK, REQUIREMENTS, Setting
from mlenv.reasoning.wheel_support import (
    EXCLUDED,
    NOTHING,
    SOURCE,
    WHEEL,
    has_wheels,
    is_unread,
    minor_version,
    minors_text,
    platform_text,
    release_like,
    served,
    support,
    usable_minors,
    wheel_minors,
)
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.rules.common import profile_of
from mlenv.rules.places import may_come_from_elsewhere
from mlenv.rules.stated_python import StatedPython, admitted_minors_of, stated_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge.releases import Release
    from mlenv.versions.version import Version

_FILES = "the files of the release on PyPI"
_PLATFORMS = ("linux_x86_64", "linux_aarch64", "macos_arm64", "macos_x86_64", "win_amd64")
_TOOLKIT = "nvidia-"
"""Distributions whose platforms are judged with the CUDA build."""


@rule(
    "PYV006",
    "no-wheel-for-python",
    topic="python",
    severity=Severity.ERROR,
    facts=("releases", "builds", "bases", "system_libraries", "system_packages"),
    only=(REQUIREMENTS, LOCK, IMAGE),
)
def no_wheel_for_python(setting: Setting, project: Project) -> Iterator[Finding]:
    """A version without a file that the stated Python can use.

    A wheel is built for certain Pythons. Where a release has none for the interpreter, pip builds
    it from source, which takes compilers and often fails; where there is no source either, or
    Requires-Python excludes the interpreter, nothing is found at all. That happens with Pythons
    that are newer than the release and with those that are older. Judged is the Python that the
    target, the project's files or the base image state; where none is stated, only pins that no
    Python serves together. An error where nothing can be installed, where the build is known to
    fail, and where an image has no compiler for it; a warning where a source build is left.

    Messages that users see: "No matching distribution found for torch==1.9.1", "Could not find a
    version that satisfies the requirement tensorflow (from versions: none)", "module 'pkgutil' has
    no attribute 'ImpImporter'".

    Bad:
        numpy==1.24.4 in requirements.txt, and python:3.12 in the Dockerfile

    Good:
        numpy==1.26.4 in requirements.txt, and python:3.12 in the Dockerfile
    """
    python = stated_python(setting, project)
    if python is None:
        yield from _without_common_python(setting, project)
        return
    if setting.kind == LOCK and not (setting.target and setting.target.python):
        return  # the tool that wrote it looked at the files
    judge = _Judge(setting, project, python)
    for choice in setting.choices.values():
        found = judge.finding(choice)
        if found is not None:
            yield found


class _Judge:
    """Looks at each distribution of an installation with the Python that is stated."""

    def __init__(self, setting: Setting, project: Project, python: StatedPython) -> None:
        self.setting = setting
        self.python = python
        self.platform = _platform(setting)
        source = setting.source
        self.is_library = source is not None and profile_of(source, project) == LIBRARY
        self.project = project

    def finding(self, choice: Choice) -> Finding | None:
        """Return what there is to say of a distribution on that Python."""
        if not _is_judged(choice, self.project):
            return None
        is_assumed = self.python.version.release[:2] != self.setting.python.version.release[:2]
        if is_assumed and any(r.marker is not None for r in choice.requirements):
            return None
        if choice.exact is None:
            return self._of_range(choice)
        release = release_like(self.setting.knowledge.releases.of(choice.name), choice.exact)
        if release is None:
            return self._of_other_index(choice, choice.exact)
        state = support(release, self.python.version, self.platform)
        return self._of_release(choice, release, state) if state != WHEEL else None

    def _of_range(self, choice: Choice) -> Finding | None:
        """Judge a version that is left open: what an installer would take, if anything."""
        releases = self.setting.knowledge.releases.of(choice.name)
        if not choice.versions.understood or choice.locked:
            return None
        out = {one.version: one for one in releases if one.date <= self.setting.day}
        admitted = [out[v] for v in sorted(choice.versions.over(out)) if not out[v].yanked]
        states = [self._support(one, releases) for one in admitted]
        usable = [at for at, state in enumerate(states) if state in (WHEEL, SOURCE)]
        if admitted and not usable:
            return self._nothing_admitted(choice, admitted[-1], states[-1])
        pick = self.setting.pick(choice.name)
        if self.is_library or pick is None or not usable or states[usable[-1]] != SOURCE:
            return None
        picked = admitted[usable[-1]]
        oldest = min(wheel_minors(picked, self.platform), default=0)
        if picked.version != pick.version or self.python.version.release[1] < oldest:
            return None  # others decide, or an older release is for that Python
        return self._of_release(choice, picked, SOURCE, Certainty.FRESH_INSTALL)

    def _support(self, release: Release, releases: Sequence[Release]) -> str:
        """Return what an admitted release has for the Python.

        The files of old releases were not all read. What came out before the Python has no wheel
        for it where later releases have one for each Python of their time.
        """
        if is_unread(release, releases[-1]):
            minor = self.python.name
            known = self.setting.knowledge.interpreters.known
            released = next((one.released for one in known if one.version == minor), "")
            if release.date < released:
                return SOURCE if releases[-1].files.has_sdist else NOTHING
        return support(release, self.python.version, self.platform)

    def _of_release(
        self,
        choice: Choice,
        release: Release,
        state: str,
        certainty: Certainty = Certainty.CERTAIN,
    ) -> Finding | None:
        shown = f"{choice.name} {release.version}"
        if certainty is Certainty.FRESH_INSTALL:
            shown = f"an installer picks {shown}, which"
        python = self.python.name
        if state == SOURCE:
            return self._built(choice, release, shown, certainty)
        text = f"{shown} {self._lacks(release, state)}"
        return self._finding(choice, text, release, Severity.ERROR, certainty, f"none {python}")

    def _built(
        self, choice: Choice, release: Release, shown: str, certainty: Certainty
    ) -> Finding | None:
        """Judge a release of which only the source fits."""
        python = self.python
        builds = self.setting.knowledge.builds
        failing = builds.failing(choice.name, release.version, python.version, self.setting.day)
        if failing is None and not has_wheels(release):
            return None  # it has none for anybody: another rule speaks of what it takes
        lacks = f"{shown} has no wheel for {self._where(release)}"
        without = without_compiler(self.setting, choice.name)
        evidence: tuple[Evidence, ...] = ()
        if failing is not None:
            text = f"{lacks}, and its source cannot be built there: {failing.effect}"
            severity, batch, evidence = Severity.ERROR, "", (failing.evidence,)
        elif without is not None:
            contents, need = without
            text = f"{lacks}, and {contents.stage.image} has no compiler for its source"
            severity, batch = Severity.ERROR, f"compiler {python.name}"
            evidence = need.evidence, contents.base.evidence
        else:
            text = f"{lacks}: an installer has to compile it"
            severity, batch = Severity.WARNING, f"source {python.name}"
        return self._finding(choice, text, release, severity, certainty, batch, evidence)

    def _nothing_admitted(self, choice: Choice, newest: Release, state: str) -> Finding:
        asked = choice.versions.text
        which = (
            f"no release that {choice.specifier} admits"
            if asked
            else (f"no release of {choice.name}")
        )
        day = self.setting.day
        text = f"{which}, up to {newest.version}, has a file for {self._where(newest)}"
        if not asked and day < self.setting.knowledge.releases.of(choice.name)[-1].date:
            text = f"no release of {choice.name} out on {day} has a file for {self._where(newest)}"
        if state == EXCLUDED and asked:
            text += f": Requires-Python is {newest.files.python.text}"
        is_bounded = choice.versions.has_upper_bound
        certainty = Certainty.CERTAIN if is_bounded else Certainty.FRESH_INSTALL
        batch = f"none {self.python.name}"
        return self._finding(choice, text, newest, Severity.ERROR, certainty, batch)

    def _of_other_index(self, choice: Choice, version: Version) -> Finding | None:
        """Judge a release that PyPI never held, where the records tell of it all the same."""
        elsewhere = self.setting.knowledge.builds.elsewhere(choice.name, version)
        minor = self.python.version.release[1]
        if elsewhere is None or minor in elsewhere.minors:
            return None
        text = (
            f"{choice.name} {version} has no wheel for Python {self.python.name}: only for "
            f"{minors_text(elsewhere.minors)}"
        )
        return Finding(
            text,
            choice.span,
            (choice.name,),
            Severity.ERROR,
            help=self._way_out(choice, elsewhere.minors),
            related=self._related(),
            evidence=(elsewhere.evidence,),
        )

    def _lacks(self, release: Release, state: str) -> str:
        python, files = self.python.name, release.files
        if state == EXCLUDED:
            return f"does not admit Python {python}: Requires-Python is {files.python.text}"
        return f"has no wheel for {self._where(release)} and no source distribution"

    def _where(self, release: Release) -> str:
        """Return the interpreter, with the platform where that is what decides."""
        python = f"Python {self.python.name}"
        minor = self.python.version.release[1]
        if self.platform and not has_wheels(release, self.platform):
            return platform_text(self.platform)
        decides = self.platform and release.files.has_wheel(minor, "")
        return f"{python} on {platform_text(self.platform)}" if decides else python

    def _finding(
        self,
        choice: Choice,
        text: str,
        release: Release,
        severity: Severity,
        certainty: Certainty,
        batch: str,
        evidence: tuple[Evidence, ...] = (),
    ) -> Finding:
        minors = wheel_minors(release, self.platform)
        if minors:
            fact = f"{choice.name} {release.version} has wheels for Python {minors_text(minors)}"
        else:
            fact = f"{choice.name} {release.version} has no wheel for that platform"
        what = "have no file" if batch.startswith("none") else "have no wheel"
        return Finding(
            text,
            choice.span,
            (choice.name,),
            severity,
            certainty,
            help=self._way_out(choice, minors),
            related=self._related(),
            evidence=(Evidence(fact, _FILES), *evidence),
            batch=batch,
            batch_message=f"{{count}} packages {what} for Python {self.python.name} in the version "
            "asked for: {packages}",
        )

    def _way_out(self, choice: Choice, minors: tuple[int, ...]) -> str:
        releases = self.setting.knowledge.releases.of(choice.name)
        fitting = served(releases, self.python.version, self.platform, self.setting.day)
        ways = []
        if fitting:
            span = f"{fitting[0]} to {fitting[-1]}" if len(fitting) > 1 else f"{fitting[0]}"
            ways.append(f"{choice.name} {span} has wheels for Python {self.python.name}")
        if minors:
            ways.append(
                f"or use Python {minors_text(minors)}"
                if ways
                else (f"use Python {minors_text(minors)}")
            )
        return ", ".join(ways)

    def _related(self) -> tuple[Related, ...]:
        if self.python.span is None:
            return ()
        return (Related(self.python.span, f"Python {self.python.name} is stated here"),)


def _platform(setting: Setting) -> str:
    """Return the platform that is known to be meant; empty where it may be any.

    Of platforms that the records do not tell of, nothing is concluded.
    """
    target = setting.target
    is_stated = target is not None and bool(target.os or target.has_nvidia)
    is_known = setting.platform in _PLATFORMS and (is_stated or setting.kind == IMAGE)
    return setting.platform if is_known else ""


def _is_judged(choice: Choice, project: Project) -> bool:
    """Whether PyPI decides what there is of a distribution."""
    if choice.is_conda or choice.is_direct or choice.name.startswith(_TOOLKIT):
        return False
    return not any(may_come_from_elsewhere(one, project) for one in choice.requirements)


@dataclass(frozen=True, slots=True, eq=False)
class _Pin:
    """A pinned release and the Pythons that it can be installed on."""

    choice: Choice
    release: Release
    minors: frozenset[int]


def _without_common_python(setting: Setting, project: Project) -> Iterator[Finding]:
    """Yield the pins that no Python serves: one alone, else the first two that share none."""
    if setting.kind == LOCK:
        return
    admitted = admitted_minors_of(setting)
    if not admitted:
        return  # it runs on another Python than 3
    pins = _pins(setting, project)
    alone = [pin for pin in pins if not pin.minors & admitted]
    yield from (_alone(pin, admitted, setting) for pin in alone)
    if alone:
        return
    for at, first in enumerate(pins):
        for second in pins[:at]:
            if not first.minors & second.minors & admitted:
                yield _together(first, second)
                return


def _pins(setting: Setting, project: Project) -> list[_Pin]:
    """Return what is pinned for every environment, one for each choice of Pythons."""
    found: dict[frozenset[int], _Pin] = {}
    platform = _platform(setting)
    builds = setting.knowledge.builds
    for choice in setting.choices.values():
        if choice.exact is None or not _is_judged(choice, project):
            continue
        if any(r.marker is not None for r in choice.requirements):
            continue
        release = release_like(setting.knowledge.releases.of(choice.name), choice.exact)
        if release is None:
            continue
        minors = frozenset(
            minor
            for minor in usable_minors(release, platform)
            if release.files.has_wheel(minor, platform)
            or not builds.failing(choice.name, release.version, minor_version(minor), setting.day)
        )
        if minors:
            found.setdefault(minors, _Pin(choice, release, minors))
    return [*found.values()]


def _alone(pin: _Pin, admitted: frozenset[int], setting: Setting) -> Finding:
    name = pin.choice.name
    oldest = minor_version(min(admitted))
    releases = setting.knowledge.releases.of(name)
    fitting = served(releases, oldest, _platform(setting), setting.day)
    return Finding(
        f"{name} {pin.release.version} has no file for any Python that the project admits: only "
        f"for {minors_text(pin.minors)}",
        pin.choice.span,
        (name,),
        Severity.ERROR,
        help=f"{name} {fitting[-1]} has wheels for Python {oldest.text}" if fitting else "",
        evidence=(_files_of(pin),),
    )


def _together(first: _Pin, second: _Pin) -> Finding:
    pins = sorted((first, second), key=lambda p: (p.choice.span.path, p.choice.span.start))
    shown = [f"{one.choice.name} {one.release.version}" for one in pins]
    return Finding(
        f"no Python has files for both {shown[0]} and {shown[1]}",
        pins[1].choice.span,
        tuple(one.choice.name for one in pins),
        Severity.ERROR,
        help="change one of the two: "
        + "; ".join(
            f"{text} is for Python {minors_text(one.minors)}"
            for text, one in zip(shown, pins, strict=True)
        ),
        related=(Related(pins[0].choice.span, f"{shown[0]} stands here"),),
        evidence=tuple(map(_files_of, pins)),
    )


def _files_of(pin: _Pin) -> Evidence:
    fact = f"{pin.choice.name} {pin.release.version} can be installed on {minors_text(pin.minors)}"
    return Evidence(fact, _FILES)
