"""One file that was read, and everything it says about the environment."""

from __future__ import annotations

from mlenv.model.image import InstallCommand, Stage
from mlenv.model.requirement import MAIN, LockedPackage, Requirement
from mlenv.model.text import SourceText, Span
from mlenv.records import dataclass, field
from mlenv.versions.version_set import VersionSet

MANIFEST = "manifest"
LOCK = "lock"
IMAGE = "image"
CONTEXT = "context"


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Something that a reader met and that its readers should hear of; a rule words it.

    Attributes:
        kind: What it is: one of the constants below.
        span: Where.
        detail: The particulars: what was refused, and by whose account.
        subject: The name of the distribution in question, where there is one.
        help: What would mend it, where the reader can tell.
        related: Other places that belong to it, each with what stands there.
        fatal: Whether an installer stops at it.
    """

    kind: str
    span: Span
    detail: str = ""
    subject: str = ""
    help: str = ""
    related: tuple[tuple[Span, str], ...] = ()
    fatal: bool = True


UNREADABLE_FILE = "unreadable-file"
UNREADABLE_LINE = "unreadable-line"
MERGE_CONFLICT = "merge-conflict"
NOT_A_MANIFEST = "not-a-manifest"
TEMPLATE = "template"
DROPPED_OPTION = "dropped-option"
DROPPED_REQUIREMENT = "dropped-requirement"
DROPPED_SECTION = "dropped-section"
UNKNOWN_GROUP = "unknown-group"
MISSING_INCLUDE = "missing-include"
OUTSIDE_ROOT = "outside-root"
INCLUDE_CYCLE = "include-cycle"


@dataclass(frozen=True, slots=True, eq=False)
class Include:
    """A file that a manifest pulls in.

    Attributes:
        target: The path as written, relative to the file that names it.
        span: Where it is named.
        constraint: Whether the file only constrains.
        group: The group that its requirements join, as in a requirement.
        anywhere: Whether the file cannot tell what the path is relative to (a build context, a
            working folder): it is looked for in the file's folder and then in each one above,
            and is no problem where it is nowhere.
    """

    target: str
    span: Span
    constraint: bool = False
    group: str = MAIN
    anywhere: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """A place that packages may come from.

    Attributes:
        kind: ``index`` (replaces the default), ``extra``, ``find-links``, ``explicit`` (only for
            what names it), ``none`` (``--no-index``) or ``trusted-host``.
        url: As written and unmasked; a host for ``trusted-host``.
        span: Where it is named.
        name: The name by which requirements refer to it.
    """

    kind: str
    url: str
    span: Span
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One of conda's channels, in the order in which they are asked.

    Attributes:
        name: As written (``conda-forge``, ``nodefaults``, a URL).
        span: Where.
    """

    name: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """What a file says of the interpreter or the machine.

    Attributes:
        subject: ``python``, ``cuda``, ``cudnn``, ``gpu``, ``platform``, ``torch-backend``,
            ``environment`` (a conda environment's name), ``prefix`` or ``library-path`` (where an
            image's programs look for libraries first).
        value: As written.
        span: Where.
        versions: The versions admitted, where the subject has versions.
        binding: Whether tools act on it; a comment only tells the intent.
        group: The group that it holds for; ``main`` for all of the file.
    """

    subject: str
    value: str
    span: Span
    versions: VersionSet | None = None
    binding: bool = True
    group: str = MAIN


@dataclass(frozen=True, slots=True, eq=False)
class GroupRelation:
    """How groups of one file are installed together; each is named as in a requirement.

    Attributes:
        includes: For each group the groups that it brings along.
        standalone: Groups that are installed without ``main``.
        conflicts: Sets of groups that are never installed together (``tool.uv.conflicts``).
    """

    includes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    standalone: frozenset[str] = frozenset()
    conflicts: tuple[frozenset[str], ...] = ()

    def excludes(self, groups: frozenset[str]) -> bool:
        """Return whether some of the groups are never installed together."""
        return any(len(one & groups) > 1 for one in self.conflicts)


@dataclass(frozen=True, slots=True, eq=False)
class Packaging:
    """What a file says of the project as a distribution.

    Attributes:
        name: Its canonical name; empty where the file states none.
        span: Where the name stands.
        published: Whether it is built to be published as a library, so far as the file tells: it
            has a build backend and metadata for an index.
        manager: The tool that the file is written for (``uv``, ``poetry``, ``pdm``, ``hatch``,
            ``pixi``); empty where it is none in particular.
        workspace: Globs of the members of a workspace, relative to the file.
        outside: Globs of the folders that are no members though ``workspace`` covers them.
        tools: Every tool that the file has tables for.
    """

    name: str = ""
    span: Span | None = None
    published: bool = False
    manager: str = ""
    workspace: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One file that was read.

    Attributes:
        text: Its text.
        kind: Its format, such as ``requirements``, ``conda-env``, ``pyproject`` or ``uv-lock``.
        role: ``manifest``, ``lock``, ``image`` or ``context``.
        requirements: What it declares, in the order of the file.
        locked: What it records as chosen.
        problems: What could not be read, or is dropped by the tools that read it.
        includes: Files that it pulls in.
        indexes: Places that packages come from, in the order of the file.
        channels: conda's channels in their order.
        statements: What it says of Python, CUDA and the platform.
        groups: How its groups are installed together.
        packaging: What it says of the project as a distribution.
        generated_by: The tool that wrote it (``pip-compile``, ``uv``, ``pip freeze``,
            ``conda env export`` …); empty where a person did.
        compiled_from: The files that it was compiled from, as it names them.
        platform: The platform that it is bound to; empty where it is not.
        stages: The base images that it names, in order.
        commands: The commands in it that install, in order.
        is_record: Whether nobody installs from it: a run left it there, or it is data of a test.
    """

    text: SourceText
    kind: str
    role: str = MANIFEST
    requirements: tuple[Requirement, ...] = ()
    locked: tuple[LockedPackage, ...] = ()
    problems: tuple[Problem, ...] = ()
    includes: tuple[Include, ...] = ()
    indexes: tuple[Index, ...] = ()
    channels: tuple[Channel, ...] = ()
    statements: tuple[Statement, ...] = ()
    groups: GroupRelation = field(default_factory=GroupRelation)
    packaging: Packaging | None = None
    generated_by: str = ""
    compiled_from: tuple[str, ...] = ()
    platform: str = ""
    stages: tuple[Stage, ...] = ()
    commands: tuple[InstallCommand, ...] = ()
    is_record: bool = False

    @property
    def path(self) -> str:
        """The file, relative to the root."""
        return self.text.path

    @property
    def is_contested(self) -> bool:
        """Whether it holds a merge conflict, so that its two sides contradict each other."""
        return any(problem.kind == MERGE_CONFLICT for problem in self.problems)

    @property
    def directory(self) -> str:
        """The folder that it lies in, relative to the root; empty for the root."""
        return self.path.rpartition("/")[0]
