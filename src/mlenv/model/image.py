"""What builds an image or runs a pipeline says: its base images, and the commands that install."""

from __future__ import annotations

from mlenv.model.requirement import MAIN, Requirement
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Include, Index
    from mlenv.model.text import Span

SYSTEM_TOOLS = frozenset(("apt", "apk", "yum", "dnf", "microdnf", "zypper"))
"""Package managers of operating systems, whose packages are no requirements."""
_CONDITION = " (condition "


def conditional_group(group: str, branch: int) -> str:
    """Return the group of what a stage installs only under a condition.

    Args:
        group: The stage's own.
        branch: Which of its conditions.
    """
    return f"{group}{_CONDITION}{branch})"


def stage_group(group: str) -> str:
    """Return the group of the stage itself, also for what it installs under a condition."""
    return group.partition(_CONDITION)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One base image that something is built or run on.

    Attributes:
        image: The reference with everything substituted that the file states, such as
            ``nvidia/cuda:12.4.1-devel-ubuntu22.04``; the placeholder stays where it states none.
        span: The reference as written.
        name: What later stages call it, in lower case; empty where it has no name.
        group: The group of the requirements that it installs, as in a requirement.
        parent: The position of the earlier stage that it continues; None for an image from
            elsewhere.
        platform: What ``--platform`` says, substituted; empty where it is not given.
        is_complete: Whether nothing of the reference is left open.
    """

    image: str
    span: Span
    name: str = ""
    group: str = MAIN
    parent: int | None = None
    platform: str = ""
    is_complete: bool = True

    @property
    def repository(self) -> str:
        """The image without its tag and digest."""
        name = self.image.partition("@")[0]
        head, colon, tail = name.rpartition(":")
        return head if colon and "/" not in tail else name

    @property
    def tag(self) -> str:
        """The tag; empty where none is given."""
        name = self.image.partition("@")[0]
        _, colon, tail = name.rpartition(":")
        return tail if colon and "/" not in tail else ""

    @property
    def digest(self) -> str:
        """The digest, as ``sha256:…``; empty where none is given."""
        return self.image.partition("@")[2]

    @property
    def is_empty(self) -> bool:
        """Whether it is the image that holds nothing."""
        return self.image == "scratch"


@dataclass(frozen=True, slots=True, eq=False)
class SystemPackage:
    """A package of the operating system.

    Attributes:
        name: As written.
        span: Where.
        version: As written behind ``=``; empty where none is.
    """

    name: str
    span: Span
    version: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class InstallCommand:
    """One command that installs, in an image's recipe or a pipeline.

    Attributes:
        tool: ``pip``, ``uv pip``, ``uv``, ``pipx``, ``conda``, ``mamba``, ``micromamba``,
            ``poetry``, ``pdm``, ``pipenv``, ``pixi``, ``conda-lock``, or one of
            :data:`SYSTEM_TOOLS` (``apt-get`` is ``apt``).
        action: What it does: ``install``, ``sync``, ``add``, ``create``, ``update`` …
        span: The whole command.
        group: The group of its requirements.
        requirements: What it names itself. In an image they are among the source's requirements.
        system_packages: What it installs of the operating system.
        files: The files that it installs from or is bounded by (``-r``, ``-c``, ``-f``), also
            among the source's includes.
        project: The local project that it installs (``.``, ``-e .[train]``), as written; empty
            where it installs none.
        indexes: The places that it names for packages.
        options: Its options as written, values left out.
        follows_lock: Whether the tool takes versions from a lock beside the manifest
            (``uv sync``, ``poetry install``, ``pipenv sync``, ``pixi install``).
        ignores_lock: Whether it is told not to (``pipenv install --skip-lock``).
        redirections: The stretches of unquoted ``>`` and ``<`` that the shell takes for a
            redirection though a version was meant, from the name to the version.
    """

    tool: str
    action: str
    span: Span
    group: str = MAIN
    requirements: tuple[Requirement, ...] = ()
    system_packages: tuple[SystemPackage, ...] = ()
    files: tuple[Include, ...] = ()
    project: str = ""
    indexes: tuple[Index, ...] = ()
    options: tuple[str, ...] = ()
    follows_lock: bool = False
    ignores_lock: bool = False
    redirections: tuple[Span, ...] = ()
