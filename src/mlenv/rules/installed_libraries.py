"""Topic ``system-libraries``: libraries that installed binaries need and do not find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.sonames import Bringer, Loaded
from mlenv.knowledge.system_libraries import IMPORT
from mlenv.model.binary import Binaries
from mlenv.model.environment import CONDA, Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.phrases import listed
from mlenv.reasoning.installed_requirements import requirements_of
from mlenv.reasoning.lacking import Lack, lacking, loading, owners_of
from mlenv.rules.base import rule
from mlenv.rules.installed import file_of, needs, shown

_MOST_NAMED = 3
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
"""The name of a wheel in words such as ``nvidia-curand (CUDA 13) or nvidia-curand-cu12``."""
_LOADER = "ld.so(8); the file's own list of libraries (DT_NEEDED)"


@rule(
    "SYS006",
    "needed-library-missing",
    topic="system-libraries",
    severity=Severity.ERROR,
    facts=("sonames", "system_libraries"),
    only=("binaries",),
)
def needed_library_missing(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """An installed package that needs a shared library which nothing provides.

    Each binary names the libraries that it needs. They are looked for as the loader would: by the
    binary's own folders, ``LD_LIBRARY_PATH``, the loader's cache and the system's folders, and
    anywhere in the environment, since packages load each other's libraries first. An error where
    importing the package surely loads what lacks it; a warning where a library is gone that the
    wheel brought along, where a package's code is known to load one, and where one of several
    would do, such as MPI; a note where only NVIDIA's driver is missing. What a package tries and
    does without is not reported, nor what ENV001 or ENV021 tell: that the distribution which
    brings a library is missing, or the file itself.

    Messages that users see: "ImportError: libGL.so.1: cannot open shared object file: No such file
    or directory", "OSError: libcudart.so.12: cannot open shared object file".

    Bad:
        opencv-python 4.10.0.84 on a system without libGL.so.1

    Good:
        opencv-python-headless 4.10.0.84
    """
    groups: dict[tuple[str, ...], list[Lack]] = {}
    absent, lost = _required_in_vain(environment), _lost(environment)
    for one in lacking(environment, knowledge):
        if not absent.isdisjoint(_wheels(knowledge, one)) or one.missing.soname in lost:
            continue
        if one.is_fatal or one.missing.bundled:
            kind = "driver" if knowledge.sonames.is_of_driver(one.missing.soname) else ""
            kind = "bundled" if one.missing.bundled else "code" if one.known else kind
            groups.setdefault((kind, *one.owners, *one.imports), []).append(one)
    for (kind, *_), group in groups.items():
        yield _finding(environment, kind, group, knowledge)
    if environment.binaries is not None:
        yield from _none_loads(environment, environment.binaries, knowledge)


def _required_in_vain(environment: Environment) -> frozenset[str]:
    """Return the distributions that others require and that are not installed."""
    requirements = requirements_of(environment)
    return frozenset(one.name for one in requirements.missing) if requirements else frozenset()


def _lost(environment: Environment) -> frozenset[str]:
    """Return the names of the files that distributions record and that are gone."""
    return frozenset(
        path.rpartition("/")[2] for one in environment.files.altered for path in one.missing
    )


def _wheels(knowledge: Knowledge, lack: Lack) -> frozenset[str]:
    """Return the distributions of PyPI that bring a library, by canonical name."""
    brings = knowledge.sonames.brings(lack.missing.soname)
    return frozenset(_NAME.findall(brings.pypi if brings is not None else ""))


def _finding(
    environment: Environment, kind: str, group: Sequence[Lack], knowledge: Knowledge
) -> Finding:
    """Return what to say of libraries that the same packages do not work without."""
    first = group[0]
    outcome = f", and importing {listed(first.imports, _MOST_NAMED)} fails"
    if not first.imports:
        outcome = ", and does not work without" if first.is_fatal else ""
    owners = first.owners
    who = listed([shown(environment, one) for one in owners], _MOST_NAMED) or "what is installed"
    names = [one.missing.soname for one in group]
    # one of two kinds of MPI is enough, and clusters bring it when a job asks for it
    is_choice = not first.imports and len({one.partition(".so")[0] for one in names}) < len(names)
    severity = Severity.ERROR if first.is_fatal and not is_choice else Severity.WARNING
    verb = "are" if len(names) > 1 else "is"
    state = f"{verb} nowhere"
    if kind == "bundled":
        state = f"{verb} gone though the wheel brought {'them' if len(names) > 1 else 'it'} along"
    elif first.missing.other:
        state = f"{verb} nowhere ({first.missing.other} is there)"
    brings = [one for name in names if (one := knowledge.sonames.brings(name)) is not None]
    return Finding(
        f"{who} {needs(owners)} {listed(names, _MOST_NAMED)}, which {state}{outcome}",
        environment.where(owners[0]) if owners else environment.span,
        owners,
        {"driver": Severity.NOTE, "code": Severity.WARNING}.get(kind, severity),
        help=_help(environment, kind, group, brings, knowledge),
        related=tuple(Related(environment.where(one), one) for one in owners[1:]),
        evidence=(
            *(
                Evidence(f"{file_of(one.files)} {needs(one.files)} {one.missing.soname}", _LOADER)
                for one in group[:_MOST_NAMED]
                if one.files
            ),
            *dict.fromkeys(known for one in group for known in one.known),
            *(one.evidence for one in brings[:_MOST_NAMED]),
            *([knowledge.sonames.driver_evidence] if kind == "driver" else []),
            *(one.evidence for one in first.loaded),
        ),
    )


def _none_loads(
    environment: Environment, binaries: Binaries, knowledge: Knowledge
) -> Iterator[Finding]:
    """Yield packages that need one of several libraries, of which each lacks something."""
    broken = {path for missing in binaries.missing for path in missing.needed_by}
    mismatched = {one.owner for one in binaries.symbols}
    for loaded in loading(environment, owners_of(binaries, broken), broken, knowledge):
        if loaded.any and loaded.package not in mismatched:
            yield _no_variant(environment, binaries, loaded, knowledge)


def _no_variant(
    environment: Environment, binaries: Binaries, loaded: Loaded, knowledge: Knowledge
) -> Finding:
    name = loaded.package
    files = {one.path for one in binaries.files if one.owner == name and loaded.has(one.path)}
    absent = [one.soname for one in binaries.missing if files.intersection(one.needed_by)]
    apt = [one.apt for one in knowledge.system_libraries.needs_of(name, IMPORT) if one.apt]
    return Finding(
        f"none of the libraries of {shown(environment, name)} loads, and importing it fails: "
        f"{listed(absent, _MOST_NAMED)} are nowhere",
        environment.where(name),
        (name,),
        help=f"install the system's package {' '.join(apt[0])}" if apt else "",
        evidence=(Evidence(f"{file_of(sorted(files))} need them", _LOADER), loaded.evidence),
    )


def _help(
    environment: Environment,
    kind: str,
    group: Sequence[Lack],
    brings: Sequence[Bringer],
    knowledge: Knowledge,
) -> str:
    owners = group[0].owners
    if kind == "driver":
        return "install NVIDIA's driver where this is to run"
    if kind == "bundled":
        name = owners[0] if owners else "it"
        return f"reinstall {name}, with --reinstall of uv or --force-reinstall of pip"
    ways = []
    wheels = list(dict.fromkeys(one.pypi for one in brings if one.pypi))
    if wheels:
        ways.append(f"install {', '.join(wheels)}")
    ways += [
        f"take a build of {owners[0]} for {one.missing.other}"
        for one in group[:1]
        if one.missing.other and owners
    ]
    ways += _from_system(environment, [one for one in brings if not one.pypi])
    ways += [
        need.instead
        for owner in owners
        for need in knowledge.system_libraries.needs_of(owner, IMPORT)
        if need.instead
    ]
    names = [one.missing.soname for one in group]
    return ", or ".join(dict.fromkeys(ways)) or f"install what holds {listed(names, _MOST_NAMED)}"


def _from_system(environment: Environment, brings: Sequence[Bringer]) -> Iterator[str]:
    """Yield how the packages of conda or of the system are installed that hold some libraries."""
    by_stem = {one.soname.partition(".so")[0]: one for one in reversed(brings)}
    kept = [one for one in brings if one in by_stem.values()]  # of two kinds of MPI one will do
    if environment.manager == CONDA:
        names = dict.fromkeys(one.conda for one in kept if one.conda)
        if names:
            yield f"conda install -c conda-forge {' '.join(names)}"
        return
    named = list(dict.fromkeys(_package(one) for one in kept if one.apt))
    if named:
        yield f"install the system's package{'s' if len(named) > 1 else ''} {', '.join(named)}"


def _package(brings: Bringer) -> str:
    if brings.renamed:
        return f"{brings.apt} ({brings.renamed} from Debian 13 and Ubuntu 24.04 on)"
    releases = " and ".join(map(str.title, brings.releases))
    return f"{brings.apt} ({releases})" if releases else brings.apt
