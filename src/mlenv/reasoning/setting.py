"""One installation on one machine: what it consists of, and what an installer would make of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from mlenv.knowledge import Knowledge
from mlenv.model.requirement import OVERRIDE, Requirement
from mlenv.model.source import Source
from mlenv.model.target import Target
from mlenv.model.text import Span
from mlenv.reasoning.choice import Choice, Pick
from mlenv.reasoning.interpreter import PythonInUse, environment_of
from mlenv.reasoning.memory import Memory, Metadata
from mlenv.versions.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Environment as Live
    from mlenv.model.marker import Environment
    from mlenv.model.project import InstallSet, Project
    from mlenv.reasoning.builds_only import BuildsOnly
    from mlenv.reasoning.resolve import Resolution
    from mlenv.versions.version_set import VersionSet

REQUIREMENTS = "requirements"
LOCK = "lock"
IMAGE = "image"
INSTALLED = "installed"
"""What an installation is read from; see :class:`Setting`."""


class Setting:
    """What gets installed together, on one machine, on one day.

    Attributes:
        kind: ``requirements`` (a manifest with all that it includes), ``lock``, ``image`` (a stage
            of a recipe) or ``installed`` (what a snapshot has).
        title: How a message calls it.
        source: The file that it is read from; None for a snapshot.
        install_set: Its requirements as the project has them; None for locks and snapshots.
        requirements: Those of its statements that hold on the machine, whatever their ecosystem,
            conda's names for Python and CUDA among them.
        target: The machine; None where none is named, and then it is Linux on x86_64.
        day: The day that is judged by, as ``YYYY-MM-DD``.
        python: The interpreter.
        choices: Every distribution that it states, by canonical name on PyPI.
        knowledge: The records.
        complete: Whether nothing else is installed: a lock, or a snapshot that says so.
        memory: What the installations of one audit share.
        required: What was found that a release requires there, by its name, version and extras.
        holding: Which markers were found to hold there, by their text and the extras asked for.
        project: What surrounds it; None where it stands alone.
        live: The environment that it is, where its own metadata and files were read: they are
            judged themselves, and records have nothing to say of what they tell.
    """

    def __init__(  # noqa: PLR0913 - the parts of one installation
        self,
        kind: str,
        title: str,
        *,
        source: Source | None,
        choices: Mapping[str, Choice],
        knowledge: Knowledge,
        day: str,
        python: PythonInUse,
        target: Target | None = None,
        install_set: InstallSet | None = None,
        requirements: tuple[Requirement, ...] = (),
        complete: bool = False,
        memory: Memory | None = None,
        project: Project | None = None,
        live: Live | None = None,
    ) -> None:
        self.kind = kind
        self.title = title
        self.source = source
        self.install_set = install_set
        self.requirements = requirements
        self.target = target
        self.day = day
        self.python = python
        self.choices = choices
        self.knowledge = knowledge
        self.complete = complete
        self.project = project
        self.live = live
        self.memory = memory or Memory()
        self._domains: dict[str, tuple[Version, ...] | None] = {}
        # what metadata say depends on the interpreter and the platform alone
        shared = self.memory.metadata.setdefault((python.version.text, self.platform), Metadata())
        self.required = shared.required
        self.holding = shared.holding

    @cached_property
    def environment(self) -> Environment:
        """PEP 508's variables there."""
        return environment_of(self.target, self.python.version)

    @property
    def is_reported(self) -> bool:
        """Whether a snapshot alone says what is installed, and no file there can be asked."""
        return self.kind == INSTALLED and self.live is None

    @property
    def is_recorded(self) -> bool:
        """Whether it is what somebody has, so that no installer picks anything."""
        return self.kind in (LOCK, INSTALLED)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every distribution that it states or that an installer would bring along."""
        # of what somebody has, all is stated
        picked = () if self.is_recorded else self.resolution.picks
        return frozenset((*self.choices, *picked))

    @property
    def platform(self) -> str:
        """The platform as the records call it."""
        return self.target.platform if self.target else "linux_x86_64"

    def domain(self, name: str) -> tuple[Version, ...] | None:
        """Return the known versions that a distribution may be, newest first.

        What the metadata of pinned neighbours rules out is left out. None where that is not
        known: there are no records of it, or what is asked for is newer than they are.
        """
        if name not in self._domains:
            from mlenv.reasoning.domains import domain_of

            self._domains[name] = domain_of(self, name)
        return self._domains[name]

    def is_hidden(self, name: str) -> bool:
        """Whether nobody knows which releases are offered: an index of builds replaces PyPI."""
        return self._builds_only.holds(name) and not self.knowledge.indexes.serves(name)

    @cached_property
    def _builds_only(self) -> BuildsOnly:
        from mlenv.reasoning.builds_only import builds_only

        return builds_only(self)

    @cached_property
    def bounds(self) -> Mapping[str, VersionSet]:
        """What the metadata of pinned distributions asks of the others, by name."""
        from mlenv.reasoning.domains import bounds_of

        return bounds_of(self)

    @cached_property
    def imposed(self) -> Mapping[str, VersionSet]:
        """What constraints and overrides leave of distributions that nothing declares, by name."""
        from mlenv.reasoning.domains import imposed_by

        return imposed_by(self.requirements, self.choices)

    @cached_property
    def replaced(self) -> frozenset[str]:
        """The distributions of which an override replaces what everything else asks."""
        return frozenset(one.name for one in self.requirements if one.kind == OVERRIDE)

    @cached_property
    def resolution(self) -> Resolution:
        """What an installer would pick on the day."""
        from mlenv.reasoning.resolve import resolve

        return resolve(self)

    def stated(self, name: str) -> Version | None:
        """Return the version of a distribution where it is stated that it is this one."""
        choice = self.choices.get(name)
        return choice.exact if choice is not None else None

    def pick(self, name: str) -> Pick | None:
        """Return the version that a distribution gets, be it stated or picked; None if unknown."""
        version = self.stated(name)
        if version is not None:
            return Pick(version)
        return None if self.is_recorded else self.resolution.picks.get(name)

    def place_of(self, name: str) -> Span | None:
        """Return the place that stands for a distribution: its own, or that of what brings it."""
        choice = self.choices.get(name)
        if choice is not None:
            return choice.span
        pick = self.resolution.picks.get(name)
        return self.place_of(pick.chain[0]) if pick is not None and pick.chain else None
