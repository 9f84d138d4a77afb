"""What follows for packages from a library that some binaries need and nothing provides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.sonames import Loaded
from mlenv.knowledge.system_libraries import IMPORT
from mlenv.model.binary import Binaries, MissingLibrary
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
    recorded = set(_on_record(environment, missing.soname, owners, knowledge))
    # what else names the library may do without it
    fatal = [one for one in owners if one in recorded or _holds(binaries, one, imports)]
    owned = {one.path for one in binaries.files if one.owner in (fatal or owners)}
    files = tuple(path for path in missing.needed_by if path in owned) or missing.needed_by
    return Lack(missing, tuple(fatal or owners), imports, bool(recorded), loaded, files)


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
        one = environment.distributions.get(owner)
        loaded = knowledge.sonames.loaded_by(owner, parse_version(one.version) if one else None)
        if loaded is None:
            continue
        its = [file.path for file in files if file.owner == owner and loaded.has(file.path)]
        failing = [path for path in its if path in broken]
        if failing and (not loaded.any or failing == its):
            found.append(loaded)
    return found


def _holds(binaries: Binaries, owner: str, packages: Sequence[str]) -> bool:
    """Whether a distribution is one of some, or holds binaries of one of some packages."""
    return owner in packages or any(
        f"/{package}/" in f"/{one.path}" or f"/{package}." in f"/{one.path}"
        for one in binaries.files
        if one.owner == owner
        for package in packages
    )


def _on_record(
    environment: Environment, soname: str, owners: Iterable[str], knowledge: Knowledge
) -> Iterator[str]:
    """Yield the distributions that are known not to be imported without a library.

    Of libraries that differ in their versions alone, such as those of two kinds of MPI, one is
    enough.
    """
    missing = environment.binaries.missing if environment.binaries is not None else ()
    absent = {one.soname for one in missing}
    stem = soname.partition(".so")[0]
    for owner in owners:
        one = environment.distributions.get(owner)
        version = parse_version(one.version) if one is not None else None
        for need in knowledge.system_libraries.needs_of(owner, IMPORT):
            alike = {one for one in need.libraries if one.partition(".so")[0] == stem}
            is_needed = soname in alike and alike <= absent
            if is_needed and (version is None or need.versions.admits(version, prereleases=True)):
                yield owner
