"""What follows for packages from a library that some binaries need and nothing provides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache

from mlenv.knowledge import Knowledge
from mlenv.knowledge.sonames import Loaded
from mlenv.knowledge.system_libraries import IMPORT
from mlenv.model.binary import Binaries, Binary, MissingLibrary
from mlenv.model.environment import Environment
from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version import parse_version


@dataclass(frozen=True, slots=True, eq=False)
class Lack:
    """A library that is missing, and what that means.

    Attributes:
        missing: The library.
        owners: The distributions that do not work without; those that need it where none is known.
        imports: What cannot be imported without it.
        is_recorded: Whether it is on record that a distribution does not work without.
        loaded: What loads it by the path of a file, where that is known.
        files: The binaries of the owners that need it, by path; none where their code loads it.
        known: What is on record of code that loads it.
    """

    missing: MissingLibrary
    owners: tuple[str, ...]
    imports: tuple[str, ...]
    is_recorded: bool
    loaded: tuple[Loaded, ...]
    files: tuple[str, ...]
    known: tuple[Evidence, ...] = ()

    @property
    def is_fatal(self) -> bool:
        """Whether something surely does not work without."""
        return bool(self.imports) or self.is_recorded


def lacking(environment: Environment, knowledge: Knowledge) -> Iterator[Lack]:
    """Yield what is missing, in order of the libraries' names.

    What was built for another torch was built for its CUDA as well, and is left out.
    """
    binaries = environment.binaries
    if binaries is None:
        return
    mismatched = {one.owner for one in binaries.symbols} - {""}
    for missing in binaries.missing:
        owners = owners_of(binaries, missing.needed_by)
        if not (missing.other and owners and mismatched.issuperset(owners)):
            yield _lack(environment, binaries, missing, owners, knowledge)
    if binaries.provided:
        yield from _loaded_by_code(environment, binaries, knowledge)


def _loaded_by_code(
    environment: Environment, binaries: Binaries, knowledge: Knowledge
) -> Iterator[Lack]:
    """Yield what packages without binaries are on record to load, and the system does not have."""
    compiled = {one.owner for one in binaries.files}
    for name, one in environment.distributions.items():
        if name in compiled:
            continue
        version = parse_version(one.version)
        for need in knowledge.system_libraries.needs_of(name, IMPORT):
            if need.through or (version and not need.versions.admits(version, prereleases=True)):
                continue
            for soname in need.libraries:
                stem = soname.partition(".so")[0]
                alike = (other for other in binaries.provided if other.startswith(f"{stem}.so"))
                if not any(alike):
                    lack = MissingLibrary(soname, ())
                    yield Lack(lack, (name,), (), True, (), (), (need.evidence,))


def _lack(
    environment: Environment,
    binaries: Binaries,
    missing: MissingLibrary,
    owners: Sequence[str],
    knowledge: Knowledge,
) -> Lack:
    found = loading(environment, owners, missing.needed_by, knowledge)
    loaded = tuple(one for one in found if not one.any)
    imports = (*missing.imports, *(one.package for one in loaded if one.fails))
    recorded = set(_on_record(environment, binaries, missing.soname, owners, knowledge))
    # what else names the library may do without it
    fatal = [one for one in owners if one in recorded or _holds(binaries, one, imports)]
    meant, owner_at = frozenset(fatal or owners), _owner_at(binaries)
    files = tuple(path for path in missing.needed_by if owner_at.get(path) in meant)
    return Lack(
        *(missing, tuple(fatal or owners), imports, bool(recorded), loaded),
        files=files or missing.needed_by,
    )


def owners_of(binaries: Binaries, paths: Iterable[str]) -> list[str]:
    """Return the distributions that some binaries belong to, each once."""
    owner_at = _owner_at(binaries)
    return list(dict.fromkeys(owner for path in sorted(paths) if (owner := owner_at.get(path))))


@lru_cache(maxsize=4)
def _owner_at(binaries: Binaries) -> Mapping[str, str]:
    return {one.path: one.owner for one in binaries.files}


@lru_cache(maxsize=4)
def _files_of(binaries: Binaries) -> Mapping[str, Sequence[Binary]]:
    found: dict[str, list[Binary]] = {}
    for one in binaries.files:
        found.setdefault(one.owner, []).append(one)
    return found


@lru_cache(maxsize=4)
def _modules_of(binaries: Binaries) -> Mapping[str, AbstractSet[str]]:
    """Return the names of the folders and modules that the binaries of each distribution have."""
    found: dict[str, set[str]] = {}
    for one in binaries.files:
        parts = one.path.split("/")
        found.setdefault(one.owner, set()).update(parts, (part.partition(".")[0] for part in parts))
    return found


@lru_cache(maxsize=4)
def _absent(binaries: Binaries) -> frozenset[str]:
    return frozenset(one.soname for one in binaries.missing)


@lru_cache(maxsize=256)
def _loaded_of(binaries: Binaries, loaded: Loaded) -> tuple[str, ...]:
    files = _files_of(binaries).get(loaded.package, ())
    return tuple(one.path for one in files if loaded.has(one.path))


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
    binaries = environment.binaries
    found: list[Loaded] = []
    known = frozenset(broken)
    if binaries is None:
        return found
    for owner in owners:
        one = environment.distributions.get(owner)
        loaded = knowledge.sonames.loaded_by(owner, parse_version(one.version) if one else None)
        if loaded is None:
            continue
        its = _loaded_of(binaries, loaded)
        failing = tuple(path for path in its if path in known)
        if failing and (not loaded.any or failing == its):
            found.append(loaded)
    return found


def _holds(binaries: Binaries, owner: str, packages: Sequence[str]) -> bool:
    """Whether a distribution is one of some, or holds binaries of one of some packages."""
    if not packages or owner in packages:
        return bool(packages)
    return not _modules_of(binaries)[owner].isdisjoint(packages)


def _on_record(
    environment: Environment,
    binaries: Binaries,
    soname: str,
    owners: Iterable[str],
    knowledge: Knowledge,
) -> Iterator[str]:
    """Yield the distributions that are known not to be imported without a library.

    Of libraries that differ in their versions alone, such as those of two kinds of MPI, one is
    enough.
    """
    stem = soname.partition(".so")[0]
    for owner in owners:
        one = environment.distributions.get(owner)
        version = parse_version(one.version) if one is not None else None
        for need in knowledge.system_libraries.needs_of(owner, IMPORT):
            alike = {one for one in need.libraries if one.partition(".so")[0] == stem}
            is_needed = soname in alike and alike <= _absent(binaries)
            if is_needed and (version is None or need.versions.admits(version, prereleases=True)):
                yield owner
