"""One distribution of an installation: what asks for it, and which versions it may be."""

from __future__ import annotations

from mlenv.model.requirement import CONDA, OVERRIDE, PYPI, LockedPackage, Requirement
from mlenv.model.text import Span
from mlenv.records import dataclass
from mlenv.versions.version import Version
from mlenv.versions.version_set import ANY, VersionSet


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A distribution that something asks for, records or has installed.

    Attributes:
        name: Canonical name on PyPI.
        written: As its first statement has it.
        span: The primary place: where its version is stated, else where its name is.
        versions: What all statements admit together.
        requirements: The statements on it, those that install it first; none where only a lock or
            a snapshot speaks of it.
        locked: The records of a lock; several where a lock is for several platforms.
        installed: Its version on the target, as stated; empty where nothing is.
        ecosystem: ``pypi`` or ``conda``: who installs it.
        extras: The extras that are asked for.
        is_direct: Whether it comes from a URL, a repository or a folder, so that no index decides
            its version.
        exact: The one version that ``versions`` admits, with its local part where one is stated;
            None where there are several. Kept, since every rule asks for it.
    """

    name: str
    written: str
    span: Span
    versions: VersionSet = ANY
    requirements: tuple[Requirement, ...] = ()
    locked: tuple[LockedPackage, ...] = ()
    installed: str = ""
    ecosystem: str = PYPI
    extras: tuple[str, ...] = ()
    is_direct: bool = False
    exact: Version | None = None

    @property
    def is_overridden(self) -> bool:
        """Whether the project replaces what everything else asks of it (an override of uv's)."""
        return any(one.kind == OVERRIDE for one in self.requirements)

    @property
    def is_conda(self) -> bool:
        """Whether conda installs it."""
        return self.ecosystem == CONDA

    @property
    def specifier(self) -> str:
        """What is asked for, as text: ``torch==2.1.0``, ``numpy>=1.22``, ``numpy``."""
        return f"{self.written}{self.versions.text}"


@dataclass(frozen=True, slots=True, eq=False)
class Pick:
    """The version of a distribution that an installer would take.

    Attributes:
        version: The version.
        chain: From what is declared to what brings it along, by name; empty where it is declared
            itself.
    """

    version: Version
    chain: tuple[str, ...] = ()
