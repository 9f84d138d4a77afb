"""What is installed under one prefix, as its files tell it; nothing of it was run."""

from __future__ import annotations

from collections.abc import Mapping

from mlenv.model.earlier import Earlier, NothingEarlier
from mlenv.model.installed_files import Files, NoFiles
from mlenv.model.text import SourceText, Span
from mlenv.protocols import Protocol
from mlenv.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.binary import Binaries

VENV = "venv"
CONDA = "conda"
SYSTEM = "system"
"""What manages an environment; see :class:`Environment`."""

DIST_INFO = "dist-info"
EGG_INFO = "egg-info"
EGG_LINK = "egg-link"
"""The forms of a distribution's metadata."""


@dataclass(frozen=True, slots=True, eq=False)
class Interpreter:
    """The Python of an environment, told by files.

    Attributes:
        version: ``3.11.7``, or ``3.11`` where the patch is not known; empty where nothing is.
        system: One of :data:`mlenv.model.target.SYSTEMS`.
        machine: The processor's architecture as PEP 508 has it on that system; may be empty.
        implementation: ``cpython`` or ``pypy``.
        free_threaded: Whether it is a build without the global lock.
        libc: ``glibc`` or ``musl``, on Linux; empty where it is not known.
        libc_version: The C library's version; empty where it is not known.
    """

    version: str
    system: str
    machine: str = ""
    implementation: str = "cpython"
    free_threaded: bool = False
    libc: str = ""
    libc_version: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where a distribution was installed from, where that was no index. Source: PEP 610.

    Attributes:
        url: As recorded, unmasked.
        editable: Whether it is used where it lies.
        commit: The revision of a repository.
        is_local: Whether it lies on a disk.
        exists: Whether that place is there; None where it is not on this disk.
    """

    url: str
    editable: bool = False
    commit: str = ""
    is_local: bool = False
    exists: bool | None = None


class Marks(Protocol):
    """What an installer noted beside a distribution's metadata; read when first asked for."""

    @property
    def installer(self) -> str:
        """Who installed it (``pip``, ``uv``, ``conda`` …); empty where nothing says so."""

    @property
    def requested(self) -> bool | None:
        """Whether somebody asked for it by name; None where nothing tells."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its wheel, such as ``cp311-cp311-manylinux_2_17_x86_64``."""

    @property
    def origin(self) -> Origin | None:
        """Where it is from, if not from an index."""

    @property
    def installed_at(self) -> float:
        """When its metadata were written, in seconds of the epoch; 0 where not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Noted:
    """Marks that are known already; each as in :class:`Marks`."""

    installer: str = ""
    requested: bool | None = None
    tags: tuple[str, ...] = ()
    origin: Origin | None = None
    installed_at: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """One installed distribution.

    Attributes:
        name: Canonical name.
        written: As its metadata have it.
        version: As its metadata have it; empty where they do not.
        span: Its line in the environment's text.
        location: Its metadata, relative to the prefix, with ``/``.
        site: The folder that it is installed in, relative to the prefix, with ``/``.
        form: ``dist-info``, ``egg-info`` or ``egg-link``.
        requires: Its ``Requires-Dist`` lines as they stand.
        requires_python: Its ``Requires-Python``; empty where there is none.
        extras: What it provides, as written.
        marks: What its installer noted.
    """

    name: str
    written: str
    version: str
    span: Span
    location: str
    site: str
    form: str = DIST_INFO
    requires: tuple[str, ...] = ()
    requires_python: str = ""
    extras: tuple[str, ...] = ()
    marks: Marks = Noted()

    @property
    def installer(self) -> str:
        """See :class:`Marks`."""
        return self.marks.installer

    @property
    def requested(self) -> bool | None:
        """See :class:`Marks`."""
        return self.marks.requested

    @property
    def tags(self) -> tuple[str, ...]:
        """See :class:`Marks`."""
        return self.marks.tags

    @property
    def origin(self) -> Origin | None:
        """See :class:`Marks`."""
        return self.marks.origin

    @property
    def installed_at(self) -> float:
        """See :class:`Marks`."""
        return self.marks.installed_at


@dataclass(frozen=True, slots=True, eq=False)
class CondaPackage:
    """One package of conda, as ``conda-meta`` records it.

    Attributes:
        name: Its name.
        version: Its version.
        build: Its build string.
        channel: Where it is from, without credentials.
        depends: What it requires, as match specifications.
        files: Its files, relative to the prefix, with ``/``.
        span: Its line in the environment's text.
        installed_at: When its record was written, in seconds of the epoch.
    """

    name: str
    version: str
    build: str
    channel: str
    depends: tuple[str, ...]
    files: tuple[str, ...]
    span: Span
    installed_at: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class CondaChange:
    """One change that conda made to an environment, as its history has it.

    Attributes:
        at: Date and time as written, of a clock whose zone is not known.
        added: The names of the packages that it installed.
        removed: The names of those that it removed.
    """

    at: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Oddity:
    """Something in an environment that is not as it should be; a rule words it.

    Attributes:
        kind: One of the constants below.
        span: Where the environment's text speaks of it.
        path: The file or folder, relative to the prefix where it lies in it, with ``/``.
        detail: The particulars.
        subject: The canonical name of the distribution in question; may be empty.
    """

    kind: str
    span: Span
    path: str
    detail: str = ""
    subject: str = ""


DAMAGED_METADATA = "damaged-metadata"
LEFTOVER = "leftover"
"""What a broken installation left: ``~umpy``, or metadata without files."""
TWICE = "twice"
"""A distribution with two sets of metadata in one folder."""
SHADOWED = "shadowed"
"""A distribution that another folder on the path holds in another version."""
BROKEN_PTH = "broken-pth"
"""A ``.pth`` file that names a folder which is not there, or cannot be read."""
MISSING_EDITABLE = "missing-editable"
USER_SITE = "user-site"
"""The user's own packages are on the path, and hold what the environment holds too."""
SYSTEM_SITE = "system-site"
"""The environment takes the base interpreter's packages as well."""
BROKEN_BASE = "broken-base"
"""The Python that a virtual environment was made from is not there any more."""
PYTHON_PATH = "python-path"
"""``PYTHONPATH`` puts folders before the environment's."""
OTHER_PYTHON = "other-python"
"""A folder of packages for a Python that is not the environment's."""
MANAGED = "externally-managed"
"""The system keeps the interpreter for itself, and says so in a file."""


@dataclass(frozen=True, slots=True, eq=False)
class TorchTruth:
    """What the installed torch, or a companion, says of itself in its ``version.py``.

    Attributes:
        version: With the label of its build, such as ``2.9.1+cu128``.
        cuda: ``12.8``; ``none`` for a build without; empty where it does not say.
        hip: The version of ROCm that it was built for; empty for none.
        location: The file, relative to the prefix.
    """

    version: str
    cuda: str = ""
    hip: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Environment:
    """What is installed under one prefix.

    Attributes:
        prefix: The folder, as it is opened; no output shows it.
        name: How messages call it: ``.venv``, ``conda environment base`` …
        text: A line for each fact and distribution, which findings show; see :func:`line_of`.
        manager: ``venv``, ``conda`` or ``system``.
        made_by: ``uv``, ``virtualenv``, ``venv``, ``pixi`` …; empty where nothing tells.
        interpreter: Its Python; None where it has none.
        sites: The folders that packages lie in, in the order in which imports look, relative to
            the prefix where they lie in it.
        distributions: By canonical name, those that an import finds.
        hidden: Further metadata of the same names.
        conda: conda's packages by name.
        oddities: What is not as it should be.
        torch: What torch and its companions say of themselves, by canonical name.
        blas: What NumPy computes with, such as ``scipy-openblas 0.3.29``; empty if not known.
        files: What the records tell of files.
        binaries: What the compiled files tell; None where they were not looked at.
        is_project: Whether it belongs to the project that is audited: it lies in it, or the user
            named it.
        root: The folder that stands for ``/`` where it runs; empty for this machine's own. No
            output shows it.
        conda_changes: What conda did to it, in that order.
        home: The folder that ``~`` stands for in places outside of the prefix, with a separator at
            its end; empty where that is not known. No output shows it.
        earlier: What an earlier run worked out of the same metadata.
    """

    prefix: str
    name: str
    text: SourceText
    manager: str
    interpreter: Interpreter | None
    made_by: str = ""
    sites: tuple[str, ...] = ()
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    hidden: tuple[Distribution, ...] = ()
    conda: Mapping[str, CondaPackage] = field(default_factory=dict)
    oddities: tuple[Oddity, ...] = ()
    torch: Mapping[str, TorchTruth] = field(default_factory=dict)
    blas: str = ""
    files: Files = field(default_factory=NoFiles)
    binaries: Binaries | None = None
    is_project: bool = False
    root: str = ""
    conda_changes: tuple[CondaChange, ...] = ()
    home: str = ""
    earlier: Earlier = NothingEarlier()

    @property
    def span(self) -> Span:
        """The line that stands for the whole."""
        return self.text.line_span(1)

    def version_of(self, name: str) -> str:
        """Return the version of what is installed, be it from conda; empty where it is not there.

        What torch and its companions say of themselves goes first: it names the build as well.
        """
        truth = self.torch.get(name)
        if truth is not None and truth.version:
            return truth.version
        one = self.distributions.get(name) or self.conda.get(name)
        return one.version if one is not None else ""

    def where(self, name: str) -> Span:
        """Return the line of a distribution or a package of conda; else that of the whole."""
        one = self.distributions.get(name) or self.conda.get(name)
        return one.span if one is not None else self.span
