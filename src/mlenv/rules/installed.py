"""What several rules ask of an environment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.sonames import Loaded
from mlenv.model.binary import Binaries
from mlenv.model.environment import Environment
from mlenv.versions.version import Version, parse_version


def written_version(environment: Environment, name: str) -> str:
    """Return the version of what is installed, be it from conda; empty where it is not there.

    What torch and its companions say of themselves names the build as well.
    """
    if name in environment.torch and environment.torch[name].version:
        return environment.torch[name].version
    one = environment.distributions.get(name) or environment.conda.get(name)
    return one.version if one is not None else ""


def installed_version(environment: Environment, name: str) -> Version | None:
    """Return the version of what is installed; None where it is not there, or is no version."""
    text = written_version(environment, name)
    return parse_version(text) if text else None


def shown(environment: Environment, name: str) -> str:
    """Return what is installed as messages show it: name and version."""
    return f"{name} {written_version(environment, name)}".rstrip()


def owners_of(binaries: Binaries, paths: Iterable[str]) -> list[str]:
    """Return the distributions that some binaries belong to, each once."""
    wanted = frozenset(paths)
    owners = (one.owner for one in binaries.files if one.path in wanted and one.owner)
    return list(dict.fromkeys(owners))


def loading(
    environment: Environment, owners: Iterable[str], broken: Collection[str], knowledge: Knowledge
) -> list[Loaded]:
    """Return what distributions load by its path when they are imported, where that is broken.

    Args:
        environment: What is installed, its binaries read.
        owners: The distributions in question.
        broken: The binaries that do not load, by path.
        knowledge: The records.
    """
    found = []
    files = environment.binaries.files if environment.binaries is not None else ()
    for owner in owners:
        version = installed_version(environment, owner)
        loaded = knowledge.sonames.loaded_by(owner, version)
        if loaded is None:
            continue
        its = [one.path for one in files if one.owner == owner and loaded.has(one.path)]
        failing = [path for path in its if path in broken]
        if failing and (not loaded.any or failing == its):
            found.append(loaded)
    return found


def file_of(paths: Sequence[str]) -> str:
    """Return some binaries as messages show them: the first one's name, and how many more."""
    name = paths[0].rpartition("/")[2]
    return name if len(paths) == 1 else f"{name} and {len(paths) - 1} more"
