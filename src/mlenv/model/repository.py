"""What the version control around a project keeps, and what it leaves out."""

from __future__ import annotations

from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText, Span


@dataclass(frozen=True, slots=True, eq=False)
class EnvironmentFolder:
    """An installed environment that lies in the tree.

    Attributes:
        path: The folder, relative to the root.
        marker: The file that gives it away: ``pyvenv.cfg``, or ``conda-meta/history``.
        ignored: Whether .gitignore leaves it out.
        tracked: Whether the repository keeps files of it; None where that is not known.
    """

    path: str
    marker: SourceText
    ignored: bool
    tracked: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class IgnoredLock:
    """A lock that lies beside its manifest and that .gitignore leaves out.

    Attributes:
        path: The lock, relative to the root.
        kind: Its format.
        span: The pattern that leaves it out.
        tracked: Whether the repository keeps it all the same; None where that is not known.
    """

    path: str
    kind: str
    span: Span
    tracked: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Repository:
    """The version control around a project.

    Attributes:
        is_git: Whether there is a git repository.
        environments: Installed environments in the tree, in order of path.
        ignored_locks: Locks that are left out, in order of path.
    """

    is_git: bool = False
    environments: tuple[EnvironmentFolder, ...] = ()
    ignored_locks: tuple[IgnoredLock, ...] = ()
