"""What several rules ask of an environment."""

from __future__ import annotations

from collections.abc import Sequence

from mlenv.versions.version import Version, parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Environment


def installed_version(environment: Environment, name: str) -> Version | None:
    """Return the version of what is installed; None where it is not there, or is no version."""
    text = environment.version_of(name)
    return parse_version(text) if text else None


def lacks_symbols(environment: Environment, name: str) -> bool:
    """Whether a distribution's binaries lack what they take from torch, which CMP004 tells."""
    binaries = environment.binaries
    return binaries is not None and any(one.owner == name for one in binaries.symbols)


def shown(environment: Environment, name: str) -> str:
    """Return what is installed as messages show it: name and version."""
    return f"{name} {environment.version_of(name)}".rstrip()


def file_of(paths: Sequence[str]) -> str:
    """Return some binaries as messages show them: the first one's name, and how many more."""
    name = paths[0].rpartition("/")[2]
    return name if len(paths) == 1 else f"{name} and {len(paths) - 1} more"


def needs(subjects: Sequence[str]) -> str:
    """Return the verb for one or several that need something."""
    return "need" if len(subjects) > 1 else "needs"
