"""A directory tree and everything that was read in it."""

from __future__ import annotations

from mlenv.model.repository import Repository
from mlenv.model.requirement import Requirement
from mlenv.model.source import CONTEXT, Include, Source
from mlenv.model.text import Span
from mlenv.model.usage import NO_CODE, Code
from mlenv.records import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Unread:
    """A file that looks like it speaks of the environment and was not read.

    Attributes:
        path: The file, relative to the root.
        reason: Why, in a few words.
        span: The place that asked for it, where one did.
        kind: A problem kind of :mod:`mlenv.model.source` where the reason is worth a finding.
    """

    path: str
    reason: str
    span: Span | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedInclude:
    """An include and the file that it leads to.

    Attributes:
        origin: The path of the file that includes.
        include: What it says.
        target: The path of the included file, relative to the root.
    """

    origin: str
    include: Include
    target: str


@dataclass(frozen=True, slots=True, eq=False)
class InstallSet:
    """What gets installed together; conflicts exist only within one.

    Attributes:
        name: How a message calls it, such as ``requirements.txt`` or ``pyproject.toml [dev]``.
        home: The file that declares it.
        group: The group of that file that it stands for.
        requirements: What is installed, constraints and overrides among them.
        pythons: The environments of the Pythons that its files admit, as a bit set.
        sources: The paths of the files that it is made of, ``home`` first.
        lock: The path of the lock that records it; empty where there is none.
    """

    name: str
    home: Source
    group: str
    requirements: tuple[Requirement, ...]
    pythons: int
    sources: tuple[str, ...]
    lock: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """A directory tree and what was found in it.

    Attributes:
        root: The root as the caller named it.
        sources: The files read, by their path relative to the root, in order of path.
        includes: The includes that lead to a file that was read.
        unread: The files that were not read, each with its reason.
        install_sets: What gets installed together.
        profiles: For each source's path the profile that its advice follows.
        profile: The profile of the project as a whole.
        covered: For each manifest that a lock records, the path of that lock.
        membership: For each file the positions of the install sets that it is part of.
        image_sets: What each stage of an image's recipe installs, one command after the other, so
            that the last one counts.
        repository: What the version control tells.
        index_note: Where a file that nothing is installed from speaks of an index; only looked for
            where a manifest asks for a build that PyPI cannot hold.
        inputs: For each compiled requirements file the manifests that it names as its inputs.
        code: Its own Python files and notebooks, read when a rule asks about them.
    """

    root: str
    sources: dict[str, Source]
    includes: tuple[ResolvedInclude, ...] = ()
    unread: tuple[Unread, ...] = ()
    install_sets: tuple[InstallSet, ...] = ()
    profiles: dict[str, str] = field(default_factory=dict)
    profile: str = "research"
    covered: dict[str, str] = field(default_factory=dict)
    membership: dict[str, tuple[int, ...]] = field(default_factory=dict)
    image_sets: tuple[InstallSet, ...] = ()
    repository: Repository = field(default_factory=Repository)
    index_note: Span | None = None
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    code: Code = NO_CODE

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it declares, locks or builds an environment."""
        return all(source.role == CONTEXT for source in self.sources.values())

    @property
    def has_code(self) -> bool:
        """Whether there are Python files or notebooks in it."""
        return bool(self.code.paths)

    def sets_with(self, path: str) -> tuple[InstallSet, ...]:
        """Return the install sets that a file is part of."""
        return tuple(self.install_sets[at] for at in self.membership.get(path, ()))
