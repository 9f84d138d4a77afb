"""From a project and the machines it is meant for to the installations that are judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from mlenv.knowledge import Knowledge
from mlenv.knowledge.releases import Release
from mlenv.model.marker import MarkerError, holds, parse_condition
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import (
    ALL_ENVIRONMENTS,
    BUILD,
    CONDA,
    OVERRIDE,
    PYPI,
    REQUIREMENT,
    LockedPackage,
    Requirement,
    canonical_name,
)
from mlenv.model.source import IMAGE, LOCK, MANIFEST, Source
from mlenv.model.target import Target
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.installed_choices import InstalledChoices
from mlenv.reasoning.interpreter import (
    PythonInUse,
    admitted_minors,
    environment_of,
    usual_minors,
)
from mlenv.reasoning.memory import Memory
from mlenv.reasoning.own_python import World, python_of_set, pythons_of, stated_python
from mlenv.reasoning.setting import IMAGE as IMAGES
from mlenv.reasoning.setting import INSTALLED, REQUIREMENTS, Setting
from mlenv.reasoning.setting import LOCK as LOCKED
from mlenv.records import replace
from mlenv.versions.version import Version, build
from mlenv.versions.version_set import (
    ANY,
    VersionSet,
    intersection,
    pep440,
    unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Environment

_WHEEL = r"([A-Za-z0-9._]+?)-([A-Za-z0-9._+!]+?)(?:-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl"
_USUAL = build("3.12", 0, (3, 12))
"""What stands for a Python of which nothing at all can be told."""
_MOST_PYTHONS = 3
"""How many of them are tried until an installer finds a solution."""
_MOST_ASKED = 200
"""So many distributions tell the Python that they were made for as well as all of them."""


def settings_of(
    project: Project,
    targets: Sequence[Target],
    knowledge: Knowledge,
    day: str,
    environment: Environment | None = None,
) -> Iterator[Setting]:
    """Yield every installation that the project describes, on each of the machines.

    What a lock records is judged as the lock has it; each stage of an image as its commands have
    it, one after the other. What nobody installs (records, data of tests) is left out.

    Args:
        project: What was read.
        targets: The machines; none for a Linux machine of which nothing is known.
        knowledge: The records.
        day: The day that is judged by, as ``YYYY-MM-DD``.
        environment: What is installed, which is judged on each of the machines as well.
    """
    memory = Memory()
    for target in targets or (None,):
        builder = _Builder(project, target, knowledge, day, memory)
        yield from builder.of_project()
        if environment is not None and environment.interpreter is not None:
            from mlenv.reasoning.installed import target_of  # most audits look at none

            machine = target_of(environment, target, with_origins=False)
            yield builder.of_installed(machine, environment)


class _Builder:
    """Makes the installations of one project on one machine."""

    def __init__(
        self,
        project: Project,
        target: Target | None,
        knowledge: Knowledge,
        day: str,
        memory: Memory,
    ) -> None:
        self._project = project
        self._target = target
        self._knowledge = knowledge
        self._day = day
        self._memory = memory

    def of_project(self) -> Iterator[Setting]:
        """Yield every installation that the project and the machine describe."""
        for install_set in self._project.install_sets:
            home = install_set.home
            if install_set.group == BUILD or home.is_record or install_set.lock:
                continue
            if home.role == MANIFEST or (home.role == LOCK and home.kind == "requirements"):
                yield self.of_set(REQUIREMENTS, install_set)
        for install_set in self._project.image_sets:
            if install_set.home.role == IMAGE and not install_set.home.is_record:
                yield self.of_set(IMAGES, install_set)
        for source in self._project.sources.values():
            if source.role == LOCK and source.locked and not source.is_record:
                yield self.of_lock(source)
        if self._target is not None and self._target.installed is not None:
            yield self.of_installed(self._target)

    def of_set(self, kind: str, install_set: InstallSet) -> Setting:
        """Return the installation of a set of requirements."""
        world = World(self._project, self._target, self._knowledge, self._day)
        python = python_of_set(install_set, world, in_image=kind == IMAGES)
        if python is not None:
            return self._of_set(kind, install_set, python)
        made = None
        for version in self._assumed(install_set)[:_MOST_PYTHONS]:
            one = self._of_set(kind, install_set, PythonInUse(version, stated=False))
            if one.resolution.is_solved:
                return one
            made = made or one
        assert made is not None
        return made

    def _of_set(self, kind: str, install_set: InstallSet, python: PythonInUse) -> Setting:
        requirements, choices = self._choices(install_set, python.version)
        return Setting(
            kind,
            install_set.name,
            source=install_set.home,
            choices=choices,
            knowledge=self._knowledge,
            day=self._day,
            python=python,
            target=self._target,
            memory=self._memory,
            project=self._project,
            install_set=install_set,
            requirements=requirements,
        )

    def of_lock(self, source: Source) -> Setting:
        """Return the installation that a lock records."""
        bits = pythons_of(source)
        python = stated_python(bits, self._target)
        python = python or PythonInUse(self._fitting(bits, {})[0], stated=False)
        environment = environment_of(self._target, python.version)
        found: dict[str, list[LockedPackage]] = {}
        for one in source.locked:
            if one.version and _is_meant(one, environment):
                for name in self._names(one.ecosystem, one.name):
                    found.setdefault(name, []).append(one)
        return Setting(
            LOCKED,
            source.path,
            source=source,
            choices={name: _of_lock(name, packages) for name, packages in found.items()},
            knowledge=self._knowledge,
            day=self._day,
            python=python,
            target=self._target,
            memory=self._memory,
            project=self._project,
            complete=True,
        )

    def of_installed(self, target: Target, live: Environment | None = None) -> Setting:
        """Return what a snapshot says is installed, or what an environment holds."""
        installed = target.installed
        assert installed is not None
        python = stated_python(ALL_ENVIRONMENTS, target)
        choices = InstalledChoices(target, installed, self._knowledge)
        if python is None:
            asked = {name: choice.versions for name, choice in choices.items()}
            python = PythonInUse(self._fitting(ALL_ENVIRONMENTS, asked)[0], stated=False)
        return Setting(
            INSTALLED,
            f"what is installed {'in' if live else 'on'} {target.name}",
            source=None,
            choices=choices,
            knowledge=self._knowledge,
            day=self._day,
            python=python,
            target=target,
            project=self._project,
            complete=installed.complete,
            live=live,
        )

    def _assumed(self, install_set: InstallSet) -> tuple[Version, ...]:
        """Return the Pythons that may be meant, the likeliest first."""
        # of conda's packages too: what PyPI's wheels were made for holds about as well for them
        asked = {
            name: r.versions
            for r in install_set.requirements
            if r.marker is None and r.versions.understood and r.name
            for name in self._names(r.ecosystem, r.name)
        }
        return self._fitting(install_set.pythons, asked)

    def _fitting(self, bits: int, asked: Mapping[str, VersionSet]) -> tuple[Version, ...]:
        """Return the usual Pythons; first the newest for which the fewest have no wheel."""
        known = [
            (name, versions)
            for name, versions in [*asked.items()][:_MOST_ASKED]
            if self._knowledge.releases.knows(name)
        ]
        unserved = {
            python: sum(not self._is_served(name, versions, python) for name, versions in known)
            for python in usual_minors(self._knowledge, self._day, admitted_minors(bits))
        }
        # sorting keeps the order of those that serve as many
        return tuple(sorted(unserved, key=lambda one: unserved[one])) or (_USUAL,)

    def _is_served(self, name: str, versions: VersionSet, python: Version) -> bool:
        key = (name, versions.text, python.text, self._target.platform if self._target else "")
        known = self._memory.served
        if key not in known:
            known[key] = self._serves(name, versions, python)
        return known[key]

    def _serves(self, name: str, versions: VersionSet, python: Version) -> bool:
        """Whether an admitted release that is out has a wheel; True where it is not on record."""
        platform = self._target.platform if self._target else "linux_x86_64"
        exact = versions.exact
        if exact is not None:
            found = self._knowledge.releases.find(name, exact)
            return found is None or _has_wheel(found, python, platform)
        return any(
            one.date <= self._day
            and versions.admits(one.version)
            and _has_wheel(one, python, platform)
            for one in reversed(self._knowledge.releases.of(name))
        )

    def _choices(
        self, install_set: InstallSet, python: Version
    ) -> tuple[tuple[Requirement, ...], dict[str, Choice]]:
        environment = environment_of(self._target, python)
        holding = tuple(
            r
            for r in install_set.requirements
            if r.marker is None or r.marker.holds_in(environment)
        )
        found: dict[str, list[Requirement]] = {}
        for requirement in holding:
            if requirement.name and not requirement.workspace:
                for name in self._names(requirement.ecosystem, requirement.name):
                    found.setdefault(name, []).append(requirement)
        choices = {}
        for name, statements in found.items():
            choice = _of_statements(name, statements)
            if choice is not None:
                choices[name] = self._with_installed(choice)
        return holding, choices

    def _with_installed(self, choice: Choice) -> Choice:
        installed = self._target.installed if self._target else None
        version = installed.packages.get(choice.name, "") if installed else ""
        return replace(choice, installed=version) if version else choice

    def _names(self, ecosystem: str, name: str) -> tuple[str, ...]:
        if ecosystem == CONDA:
            return self._knowledge.distributions_of(name)
        return (canonical_name(name),)


def _has_wheel(release: Release, python: Version, platform: str) -> bool:
    return release.files.admits(python) and release.files.has_wheel(python.release[1], platform)


def _of_statements(name: str, statements: list[Requirement]) -> Choice | None:
    """Return what the statements on a distribution come to; None where nothing installs it."""
    overrides = [r for r in statements if r.kind == OVERRIDE]
    asking = [r for r in statements if r.kind == REQUIREMENT]
    if not asking:
        return None
    from_pip = [r for r in asking if r.ecosystem == PYPI]
    first = (from_pip or asking)[0]
    # conda and pip each solve alone
    binding = overrides or [r for r in statements if r.ecosystem == first.ecosystem]
    versions = intersection(_versions(r) for r in binding)
    if versions.is_empty:
        versions = _versions(first)  # said elsewhere
    decisive = next((r for r in binding if _versions(r).is_exact), first)
    if decisive.kind != REQUIREMENT and not first.versions.is_any:
        decisive = first
    return Choice(
        name,
        first.written,
        (decisive if decisive.kind == REQUIREMENT else first).span,
        versions,
        (*asking, *(r for r in statements if r.kind != REQUIREMENT)),
        ecosystem=first.ecosystem,
        extras=tuple(dict.fromkeys(extra for r in asking for extra in r.extras)),
        is_direct=first.is_direct and not versions.is_exact,
        exact=versions.exact,
    )


def _versions(requirement: Requirement) -> VersionSet:
    """Return what a requirement admits; a wheel's address names its version."""
    if requirement.url and requirement.versions.is_any:
        import re
        from urllib.parse import unquote

        name = unquote(requirement.url.partition("#")[0].rpartition("/")[2])
        match = re.fullmatch(_WHEEL, name)
        if match:
            return pep440(f"=={match[2]}") or ANY
    return requirement.versions


@lru_cache(maxsize=16_384)
def _exactly(text: str) -> VersionSet:
    """Return the set of one version; locks of many projects hold the same ones."""
    return pep440(text) or unknown(text)


def _of_lock(name: str, packages: list[LockedPackage]) -> Choice:
    first = packages[0]
    text = f"=={first.version}" if len({one.version for one in packages}) == 1 else ""
    versions = _exactly(text) if text else ANY
    return Choice(
        name,
        first.written,
        first.span,
        versions,
        locked=tuple(packages),
        ecosystem=first.ecosystem,
        exact=versions.exact,
    )


def _is_meant(package: LockedPackage, environment: dict[str, str]) -> bool:
    """Whether a record of a lock is for an environment, so far as can be told."""
    if package.platform and not _is_platform(package.platform, environment):
        return False
    try:
        return not package.marker or holds(parse_condition(package.marker), environment)
    except MarkerError:
        return True


def _is_platform(subdir: str, environment: dict[str, str]) -> bool:
    """Whether conda's name for a platform means an environment's."""
    system, _, machine = subdir.partition("-")
    systems = {"linux": "linux", "osx": "darwin", "win": "win32"}
    machines = {"64": ("x86_64", "AMD64"), "aarch64": ("aarch64",), "arm64": ("arm64", "ARM64")}
    known = systems.get(system)
    if known is None or machine not in machines:
        return True
    return known == environment["sys_platform"] and (
        environment["platform_machine"] in machines[machine]
    )
