"""Topic ``system-libraries``: libraries that installed binaries need and do not find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.sonames import Bringer, Loaded
from mlenv.knowledge.system_libraries import IMPORT
from mlenv.model.binary import Binaries, MissingLibrary, NotFoundVersion
from mlenv.model.environment import CONDA, Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.phrases import listed
from mlenv.rules.base import rule
from mlenv.rules.installed import file_of, installed_version, loading, owners_of, shown

_MOST_NAMED = 3
_LOADER = "ld.so(8); the file's own list of libraries (DT_NEEDED)"


@rule(
    "SYS006",
    "needed-library-missing",
    topic="system-libraries",
    severity=Severity.ERROR,
    facts=("sonames", "system_libraries"),
)
def needed_library_missing(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """An installed package that needs a shared library which nothing provides.

    Each binary names the libraries that it needs. They are looked for as the loader would: by the
    binary's own folders, ``LD_LIBRARY_PATH``, the loader's cache and the system's folders, and
    anywhere in the environment, since packages load each other's libraries first. An error where
    importing the package surely loads what lacks it; a warning where a library is gone that the
    wheel brought along; a note where only NVIDIA's driver is missing. What a package tries and
    does without is not reported.

    Messages that users see: "ImportError: libGL.so.1: cannot open shared object file: No such file
    or directory", "OSError: libcudart.so.12: cannot open shared object file".

    Bad:
        opencv-python 4.10.0.84 on a system without libGL.so.1

    Good:
        opencv-python-headless 4.10.0.84
    """
    binaries = environment.binaries
    if binaries is None:
        return
    mismatched = {one.owner for one in binaries.symbols} - {""}
    for missing in binaries.missing:
        owners = owners_of(binaries, missing.needed_by)
        # what was built for another torch was built for its CUDA as well
        if not (missing.other and owners and mismatched.issuperset(owners)):
            yield from _missing(environment, missing, owners, knowledge)
    broken = {path for missing in binaries.missing for path in missing.needed_by}
    for loaded in loading(environment, owners_of(binaries, broken), broken, knowledge):
        if loaded.any and loaded.package not in mismatched:
            yield _none_loads(environment, binaries, loaded, knowledge)


def _missing(
    environment: Environment, missing: MissingLibrary, owners: Sequence[str], knowledge: Knowledge
) -> Iterator[Finding]:
    found = loading(environment, owners, missing.needed_by, knowledge)
    loaded = [one for one in found if not one.any]
    failing = [*missing.imports, *(one.package for one in loaded if one.fails)]
    recorded = list(_on_record(environment, missing.soname, owners, knowledge))
    # what else names the library may do without it
    fatal = [one for one in owners if one in recorded or _brings(environment, one, failing)]
    owners = fatal or owners
    of_driver = knowledge.sonames.is_of_driver(missing.soname)
    if failing or recorded:
        outcome = f", and importing {listed(failing, _MOST_NAMED)} fails"
        outcome = outcome if failing else ", and it does not work without"
        severity = Severity.NOTE if of_driver else Severity.ERROR
    elif missing.bundled:
        outcome, severity = "", Severity.WARNING
    else:
        return
    who = listed([shown(environment, one) for one in owners], _MOST_NAMED) or "what is installed"
    state = "nowhere"
    if missing.bundled:
        state = "gone though the wheel brought it along"
    elif missing.other:
        state = f"nowhere ({missing.other} is there)"
    brings = knowledge.sonames.brings(missing.soname)
    files = _files_of(environment, owners, missing.needed_by)
    yield Finding(
        f"{who} {_verb(owners)} {missing.soname}, which is {state}{outcome}",
        environment.where(owners[0]) if owners else environment.span,
        tuple(owners),
        severity,
        help=_way(environment, missing, owners, brings, knowledge),
        related=tuple(Related(environment.where(one), one) for one in owners[1:]),
        evidence=(
            Evidence(f"{file_of(files)} {_verb(files)} {missing.soname}", _LOADER),
            *([brings.evidence] if brings is not None else []),
            *([knowledge.sonames.driver_evidence] if of_driver else []),
            *(one.evidence for one in loaded),
        ),
        batch=f"{' '.join(owners)} {'' if missing.bundled else missing.soname.partition('.so')[0]}",
    )


def _files_of(
    environment: Environment, owners: Sequence[str], paths: Sequence[str]
) -> Sequence[str]:
    """Return those of some binaries that belong to some distributions; all where none does."""
    files = environment.binaries.files if environment.binaries is not None else ()
    owned = {one.path for one in files if one.owner in owners}
    return [path for path in paths if path in owned] or paths


def _verb(subjects: Sequence[str]) -> str:
    return "need" if len(subjects) > 1 else "needs"


def _none_loads(
    environment: Environment, binaries: Binaries, loaded: Loaded, knowledge: Knowledge
) -> Finding:
    """Return what to say where each of several libraries, of which one is enough, lacks some."""
    name = loaded.package
    files = {one.path for one in binaries.files if one.owner == name and loaded.has(one.path)}
    lacking = [one.soname for one in binaries.missing if files.intersection(one.needed_by)]
    apt = [one.apt for one in knowledge.system_libraries.needs_of(name, IMPORT) if one.apt]
    return Finding(
        f"none of the libraries of {shown(environment, name)} loads, and importing it fails: "
        f"{listed(lacking, _MOST_NAMED)} are nowhere",
        environment.where(name),
        (name,),
        help=f"install the system's package {' '.join(apt[0])}" if apt else "",
        evidence=(Evidence(f"{file_of(sorted(files))} need them", _LOADER), loaded.evidence),
    )


def _brings(environment: Environment, owner: str, packages: Sequence[str]) -> bool:
    """Whether a distribution is one of some, or holds binaries of one of some packages."""
    files = environment.binaries.files if environment.binaries is not None else ()
    return owner in packages or any(
        f"/{package}/" in f"/{one.path}" or f"/{package}." in f"/{one.path}"
        for one in files
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
        version = installed_version(environment, owner)
        for need in knowledge.system_libraries.needs_of(owner, IMPORT):
            alike = {one for one in need.libraries if one.partition(".so")[0] == stem}
            is_needed = soname in alike and alike <= absent
            if is_needed and (version is None or need.versions.admits(version, prereleases=True)):
                yield owner


def _way(
    environment: Environment,
    missing: MissingLibrary,
    owners: Sequence[str],
    brings: Bringer | None,
    knowledge: Knowledge,
) -> str:
    if knowledge.sonames.is_of_driver(missing.soname):
        return "install NVIDIA's driver where this is to run"
    if missing.bundled:
        name = owners[0] if owners else "it"
        return f"reinstall {name}, with --reinstall of uv or --force-reinstall of pip"
    if brings is None:
        return f"install what holds {missing.soname}"
    ways = []
    if brings.pypi:
        ways.append(f"install {brings.pypi}")
        ways += [f"take a build of {owners[0]} for {missing.other}"] if missing.other else []
    if environment.manager == CONDA and brings.conda:
        ways.append(f"conda install -c conda-forge {brings.conda}")
    elif brings.apt:
        renamed = (
            f" ({brings.renamed} from Debian 13 and Ubuntu 24.04 on)" if brings.renamed else ""
        )
        only = f", of {' and '.join(map(str.title, brings.releases))}" if brings.releases else ""
        ways.append(f"install the system's package {brings.apt}{renamed}{only}")
    ways += [
        need.instead
        for owner in owners
        for need in knowledge.system_libraries.needs_of(owner, IMPORT)
        if need.instead and missing.soname in need.libraries
    ]
    return ", or ".join(dict.fromkeys(ways)) or f"conda install -c conda-forge {brings.conda}"


@rule(
    "SYS007",
    "interface-version-missing",
    topic="system-libraries",
    severity=Severity.ERROR,
)
def interface_version_missing(environment: Environment) -> Iterator[Finding]:
    """A binary that needs a newer C or C++ library than the one it gets.

    Binaries name the versions of the interfaces that they use. What is compared is the C library
    of the system and the C++ library that the binary's own search finds: that of its wheel, of
    conda or of the system. An error where importing a package surely loads such a binary, a
    note elsewhere.

    Messages that users see: "version `GLIBCXX_3.4.30' not found", "version `GLIBC_2.38' not
    found".

    Bad:
        an extension that was built on Ubuntu 24.04, in an environment on Ubuntu 20.04

    Good:
        a wheel for manylinux_2_28 on a system with glibc 2.28 or newer
    """
    for one in environment.binaries.not_found if environment.binaries is not None else ():
        assert environment.binaries is not None
        yield _not_found(environment, environment.binaries, one)


def _not_found(environment: Environment, binaries: Binaries, one: NotFoundVersion) -> Finding:
    owners = owners_of(binaries, one.needed_by)
    fails = f", and importing {listed(one.imports, _MOST_NAMED)} fails" if one.imports else ""
    who = listed([shown(environment, owner) for owner in owners], _MOST_NAMED)
    if one.version.startswith("GLIBC_"):
        help_ = f"take an older {owners[0] if owners else 'build'}, or a newer system or image"
    elif environment.manager == CONDA:
        help_ = "conda install -c conda-forge libstdcxx"
    else:
        help_ = "take a system or image with a newer GCC, or an older build"
    return Finding(
        f"{who or file_of(one.needed_by)} {_verb(owners)} "
        f"{one.version}, and {one.library} ends with {one.has}{fails}",
        environment.where(owners[0]) if owners else environment.span,
        tuple(owners),
        None if one.imports else Severity.NOTE,
        help=help_,
        related=tuple(Related(environment.where(owner), owner) for owner in owners[1:]),
        evidence=(
            Evidence(
                f"{file_of(one.needed_by)} {_verb(one.needed_by)} {one.version}, and "
                f"{one.library} defines up to {one.has}",
                "the files' own tables of versions (.gnu.version_r and .gnu.version_d)",
            ),
        ),
    )
