"""What a manifest declares and what a lock records, each with the place where it stands."""

from __future__ import annotations

import re

from mlenv.model.text import Span
from mlenv.records import dataclass
from mlenv.versions.version_set import ANY, VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.marker import Marker  # most requirements have none

ALL_ENVIRONMENTS = -1
"""Every bit of a set of environments; see :mod:`mlenv.model.marker`."""

PYPI = "pypi"
CONDA = "conda"
MAIN = "main"
"""The group of what is always installed."""
BUILD = "build"
"""The group of what builds the project and is not installed beside it."""

EXTRA = "extra"
GROUP = "group"
"""A dependency group of PEP 735, or of a tool that had such groups before."""
ENV = "env"
"""An environment that a tool makes: one of Hatch's or pixi's."""
FEATURE = "feature"
"""A part of pixi's environments, never installed by itself."""
STAGE = "stage"
"""What one stage of an image's recipe installs."""

REQUIREMENT = "requirement"
CONSTRAINT = "constraint"
"""Bounds a version where something else asks for the distribution; installs nothing."""
OVERRIDE = "override"
"""Replaces every other statement on the distribution (``tool.uv.override-dependencies``)."""

_COMMIT = r"(?i)[0-9a-f]{7,64}"
_VCS = r"(?i)(git|hg|svn|bzr)(?:\+|(?=://))"


def is_commit(revision: str) -> bool:
    """Whether a revision is the hash of a commit, which cannot move."""
    return re.fullmatch(_COMMIT, revision) is not None


def canonical_name(name: str) -> str:
    """Return a distribution's name as indexes compare it. Source: PEP 503."""
    found = name.lower().replace("_", "-").replace(".", "-")
    while "--" in found:
        found = found.replace("--", "-")
    return found


def group_key(kind: str, name: str) -> str:
    """Return what stands for a group in the model, where an extra and a group may share a name.

    Args:
        kind: ``extra``, ``group``, ``env``, ``feature`` or ``stage``.
        name: The name as its own kind compares it.
    """
    return f"{kind}:{name}"


def group_name(key: str) -> str:
    """Return the name of a group as its file has it."""
    return key.partition(":")[2] or key


def group_kind(key: str) -> str:
    """Return what a group is: ``main``, ``build``, ``extra``, ``stage`` and the like."""
    kind, colon, _ = key.partition(":")
    return kind if colon or key in (MAIN, BUILD) else GROUP


@dataclass(frozen=True, slots=True, eq=False)
class Requirement:
    """One dependency, declared at one place.

    Attributes:
        name: Canonical name in its ecosystem; empty where only an installer could tell (a bare
            path or URL).
        written: The name as it was written.
        ecosystem: ``pypi`` or ``conda``.
        span: The whole declaration.
        name_span: The name; None where the text does not hold it as such (an escaped string).
        specifier_span: The version constraint, without blanks; None where there is none.
        versions: The versions that it admits.
        extras: Canonical names, sorted.
        marker: The environments that it is for; None means all.
        url: A direct reference (wheel, archive, VCS, file), as written and unmasked.
        path: A local directory or file; empty elsewhere.
        group: The set of requirements that it is installed with: ``main``, ``build``, or a key of
            :func:`group_key`.
        kind: ``requirement``, ``constraint`` or ``override``.
        index: The index that it must come from: a name or URL; empty where none is stated. Where
            that depends on the environment, the one for Linux on x86_64.
        channel: conda's channel; empty where none is stated.
        build: conda's build string or glob; empty where none is stated.
        hashes: ``algorithm:digest``, in the order written.
        editable: Whether it is installed in place.
        commit: The revision of a VCS reference that is given outside its URL (Poetry, uv, pixi).
        floating: The branch or tag of such a reference.
        workspace: Whether a workspace member provides it.
        index_choices: Where the index depends on the environment, every choice with its marker;
            an empty name where a choice is no index.
    """

    name: str
    written: str
    ecosystem: str
    span: Span
    name_span: Span | None = None
    specifier_span: Span | None = None
    versions: VersionSet = ANY
    extras: tuple[str, ...] = ()
    marker: Marker | None = None
    url: str = ""
    path: str = ""
    group: str = MAIN
    kind: str = REQUIREMENT
    index: str = ""
    channel: str = ""
    build: str = ""
    hashes: tuple[str, ...] = ()
    editable: bool = False
    commit: str = ""
    floating: str = ""
    workspace: bool = False
    index_choices: tuple[tuple[str, Marker | None], ...] = ()

    @property
    def environments(self) -> int:
        """The environments that it is meant for, as a bit set."""
        return ALL_ENVIRONMENTS if self.marker is None else self.marker.applies

    @property
    def group_name(self) -> str:
        """The name of its group as the file has it."""
        return group_name(self.group)

    @property
    def group_kind(self) -> str:
        """What its group is; see :func:`group_kind`."""
        return group_kind(self.group)

    @property
    def is_vcs(self) -> bool:
        """Whether it is fetched from a repository rather than an index."""
        return re.match(_VCS, self.url) is not None

    @property
    def revision(self) -> str:
        """What a VCS reference asks for: a commit, tag or branch; empty where it says nothing."""
        if not self.is_vcs:
            return ""
        if self.commit or self.floating:
            return self.commit or self.floating
        location = self.url.partition("#")[0].partition("://")[2]
        path = location.partition("/")[2]
        return path.rpartition("@")[2] if "@" in path else ""

    @property
    def has_commit(self) -> bool:
        """Whether a VCS reference names one commit, which cannot move."""
        return bool(self.commit) or is_commit(self.revision)

    @property
    def is_local(self) -> bool:
        """Whether it lies on a disk rather than on an index."""
        return bool(self.path) or self.workspace or self.url.lower().startswith("file:")

    @property
    def is_direct(self) -> bool:
        """Whether no index is asked for it."""
        return bool(self.url) or self.is_local


@dataclass(frozen=True, slots=True, eq=False)
class LockedPackage:
    """One distribution as a lock records it.

    Attributes:
        name: Canonical name.
        written: The name as the lock has it.
        version: As the lock has it; empty where it records none (a workspace member).
        span: Where its name stands.
        ecosystem: ``pypi`` or ``conda``.
        origin: Where it comes from: an index, channel, repository or path, as the lock has it.
        marker: The environments it is for, as text; empty for all.
        platform: conda's subdirectory, where the lock is per platform.
        hashed: Whether the lock records a hash of its files.
        wanted: Whether the lock says that a manifest asks for it by name; None where it is silent.
    """

    name: str
    written: str
    version: str
    span: Span
    ecosystem: str = PYPI
    origin: str = ""
    marker: str = ""
    platform: str = ""
    hashed: bool = False
    wanted: bool | None = None
