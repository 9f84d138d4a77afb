"""Topic ``environment``: conda and pip in one environment, by what each of them left there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlenv.knowledge import Knowledge
from mlenv.model.conda_files import Held, held_by
from mlenv.model.environment import CondaPackage, Distribution, Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.model.installed_files import Overlap
from mlenv.model.installed_path import COMPILED, weight
from mlenv.phrases import counted, listed
from mlenv.reasoning.installed_requirements import requirements_of
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.rules.installed import shown
from mlenv.versions.conda import conda_versions
from mlenv.versions.version import parse_version

_MOST_NAMED = 3
_TORCH = "torch"
_PIXI = "pixi"
_INSTALLERS = frozenset(("pip", "uv", "poetry", "pdm", "pipenv", "hatch"))
"""What installs from indexes and knows nothing of conda; pixi's installer does."""
_WHILE = 120.0
"""In seconds: what was written so close together may be of one copy of the whole."""
_ADVICE = Evidence(
    "pip and conda do not see each other's packages; after pip was used conda should not change "
    "the environment any more",
    "Anaconda's documentation, Using pip in a conda environment",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A distribution that both brought.

    Attributes:
        package: conda's package.
        held: The distribution as that has it.
        there: The distribution as it is installed.
    """

    package: CondaPackage
    held: Held
    there: Distribution

    @property
    def is_other(self) -> bool:
        """Whether they are of two versions, labels aside."""
        return self.there.version.partition("+")[0] != self.held.version.partition("+")[0]


@rule(
    "ENV022",
    "pip-wrote-over-conda",
    topic="environment",
    severity=Severity.WARNING,
    only=("conda",),
)
def pip_wrote_over_conda(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """A distribution that pip installed over the files of a conda package.

    conda goes on believing in its own version: it resolves with that, its packages were built
    against that, and the next ``conda install`` or ``update`` writes files of the one over those of
    the other. An error for torch, where compiled packages of conda load a torch that they were not
    built for. A note where nothing of conda's needs it and nothing of it is compiled.

    Messages that users see: "undefined symbol: _ZN2at4_ops", "libtorch_cuda_cu.so: cannot open
    shared object file", "The environment is inconsistent", "ClobberError".

    Bad:
        conda-meta/numpy-1.26.4-py311h64a7726_0.json
        site-packages/numpy-2.0.1.dist-info, with INSTALLER pip

    Good:
        conda-meta/numpy-2.0.1-py311hed25524_0.json
    """
    pairs = [one for one in _pairs(environment) if not knowledge.is_tool(one.there.name)]
    users = _users(environment) if pairs else {}
    for one in pairs:
        yield _over(environment, one, users.get(one.package.name, ()))
    known = {one.there.name for one in pairs}
    for overlap in environment.files.overlaps:
        if overlap.conda and overlap.owners[0] not in known:
            yield _across(environment, overlap)


def _pairs(environment: Environment) -> Iterator[_Pair]:
    """Yield the distributions that conda's packages hold and that another installer installed."""
    held = [(package, one) for package in environment.conda.values() for one in held_by(package)]
    of_conda = {one.location for _, one in held}
    for package, one in held:
        there = environment.distributions.get(one.name)
        if there is None or there.installer.lower() not in _INSTALLERS:
            continue
        if there.location not in of_conda or (
            there.location == one.location and _is_anew(package, there)
        ):
            yield _Pair(package, one, there)


def _is_anew(package: CondaPackage, there: Distribution) -> bool:
    """Whether metadata in conda's place were written after conda had installed them.

    Packages of older conda-build name pip as their installer, and say where they were built.
    """
    is_built = there.origin is not None and there.origin.is_local and not there.origin.exists
    return not is_built and there.installed_at > package.installed_at + _WHILE


def _over(environment: Environment, pair: _Pair, users: Sequence[CondaPackage]) -> Finding:
    there, package = pair.there, pair.package
    needing = [one for one in users if one is not package]
    is_other_torch = there.name == _TORCH and pair.is_other
    compiled = [one for one in needing if _is_compiled(one)] if is_other_torch else []
    refusing = [one for one in needing if not _admits(one, package, there)]
    message = f"{there.installer} installed {shown(environment, there.name)} over conda's "
    message += _named(package)
    if compiled:
        severity = Severity.ERROR
        message += f", for which conda's {_names(compiled)} {_be(compiled)} built"
    elif refusing:
        severity = Severity.WARNING
        message += f", which conda's {_names(refusing)} {_be(refusing)} not made for"
    else:
        severity = Severity.WARNING if _is_compiled(package) else Severity.NOTE
    return Finding(
        message,
        there.span,
        (there.name,),
        severity,
        help=_help(pair, is_torch=bool(compiled)),
        related=(Related(package.span, "conda's record"),),
        evidence=(
            Evidence(
                f"{there.location} was written by {there.installer}, and conda's record of "
                f"{package.name} has {pair.held.location}",
                _record(package),
            ),
            _ADVICE,
        ),
        batch="" if compiled else f"over {severity.value}",
        batch_message="{count} distributions were installed over conda's: {packages}",
    )


def _names(packages: Sequence[CondaPackage]) -> str:
    return listed([one.name for one in packages], _MOST_NAMED)


def _be(packages: Sequence[CondaPackage]) -> str:
    return "was" if len(packages) == 1 else "were"


def _help(pair: _Pair, *, is_torch: bool) -> str:
    if is_torch:
        return (
            "take torch, torchvision and torchaudio from one of the two in a new environment; from "
            "pip is what PyTorch itself supports"
        )
    package, there = pair.package, pair.there
    tool = "uv pip" if there.installer == "uv" else "pip"
    return (
        f"take {there.name} from one of the two; {tool} uninstall {there.name}, then conda install "
        f"--force-reinstall {package.name}={package.version} puts conda's back"
    )


def _users(environment: Environment) -> Mapping[str, Sequence[CondaPackage]]:
    """Return conda's packages that depend on each name."""
    found: dict[str, list[CondaPackage]] = {}
    for one in environment.conda.values():
        for name in {_asked(line)[0] for line in one.depends}:
            found.setdefault(name, []).append(one)
    return found


def _admits(one: CondaPackage, package: CondaPackage, there: Distribution) -> bool:
    """Whether what a package asks of another admits the version that lies there instead."""
    version = parse_version(there.version)
    asked = [specifier for name, specifier in map(_asked, one.depends) if name == package.name]
    return version is None or all(
        conda_versions(specifier, exact=True).admits(version, prereleases=True)
        for specifier in asked
        if specifier
    )


def _asked(line: str) -> tuple[str, str]:
    """Return the name and the versions of a match specification."""
    words = line.rpartition("::")[2].split()
    return (words[0].lower() if words else "", words[1] if len(words) > 1 else "")


def _is_compiled(package: CondaPackage) -> bool:
    """Whether a package has compiled files among those of Python."""
    return any(
        weight(inner) == COMPILED
        for file in package.files
        if (inner := file.partition("site-packages/")[2])
    )


def _named(package: CondaPackage) -> str:
    return f"{package.name} {package.version}"


def _across(environment: Environment, overlap: Overlap) -> Finding:
    """Return a finding on files of conda's that belong to a distribution of another name."""
    name, package = overlap.owners[0], environment.conda[overlap.conda]
    lying = f"; the copies there are those of {name}" if overlap.holder else ""
    example = overlap.paths[0].rpartition("site-packages/")[2]
    return Finding(
        f"{shown(environment, name)} and conda's {_named(package)} are installed over each other: "
        f"{counted(overlap.count, 'file')} such as {example}{lying}",
        environment.where(name),
        (name,),
        help=f"keep one of the two, {name} or conda's {package.name}",
        related=(Related(package.span, "conda's record"),),
        evidence=(
            Evidence(
                f"RECORD of {name} and conda's record of {package.name} have the same paths: "
                f"{listed(overlap.paths, _MOST_NAMED)}",
                _record(package),
            ),
            _ADVICE,
        ),
    )


@rule(
    "ENV023",
    "conda-after-pip",
    topic="environment",
    severity=Severity.NOTE,
    only=("conda",),
)
def conda_after_pip(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """Packages that conda changed after pip had installed some.

    conda does not know what pip's packages need: it moves their dependencies to other versions,
    removes them, or writes its own copy over pip's. By the times of conda's records and of what
    pip wrote; a change that conda's history does not have is not believed. A warning where a
    requirement of what pip installed is not met by what conda changed.

    Messages that users see: "The environment is inconsistent, please check the package plan
    carefully", "ImportError: cannot import name".

    Bad:
        pip install transformers
        conda install tokenizers

    Good:
        conda install tokenizers
        pip install transformers
    """
    by_pip = [one for one in _by_pip(environment) if not knowledge.is_tool(one.name)]
    if not by_pip or environment.made_by == _PIXI:
        return
    first = min(by_pip, key=lambda one: one.installed_at)
    later = _later(environment, first.installed_at)
    if not later:
        return
    broken = _broken(environment, by_pip, later)
    message = (
        f"conda installed {listed([one.name for one in later], _MOST_NAMED)} after pip had "
        f"installed {listed([one.name for one in by_pip], _MOST_NAMED)}"
    )
    if broken:
        message += f", and {broken[0]} is not met any more"
    last = environment.conda_changes[-1].at if environment.conda_changes else ""
    yield Finding(
        message,
        later[0].span,
        tuple(one.name for one in by_pip[:_MOST_NAMED]),
        Severity.WARNING if broken else None,
        help="install with conda first and with pip last; after changes by conda, make the "
        "environment anew",
        related=(Related(first.span, "pip was here first"),),
        evidence=(
            Evidence(
                f"conda's record of {later[0].name} is newer than {first.location}",
                f"conda-meta/history, last change {last}" if last else "times of the files",
            ),
            _ADVICE,
        ),
    )


def _by_pip(environment: Environment) -> list[Distribution]:
    """Return what other installers than conda installed, by time."""
    of_conda = {held.location for one in environment.conda.values() for held in held_by(one)}
    if not of_conda:
        return []
    found = [
        one
        for one in environment.distributions.values()
        if one.installer.lower() in _INSTALLERS
        and one.installed_at > 0
        and one.location not in of_conda
        and one.site in environment.sites
    ]
    return sorted(found, key=lambda one: (one.installed_at, one.name))


def _later(environment: Environment, since: float) -> Sequence[CondaPackage]:
    """Return the packages that conda installed after a time, so far as its history agrees."""
    changes = environment.conda_changes
    added = {name for change in changes[1:] for name in change.added}
    return [
        one
        for one in sorted(environment.conda.values(), key=lambda one: (one.installed_at, one.name))
        if one.installed_at > since + _WHILE and (not changes or one.name in added)
    ]


def _broken(
    environment: Environment, by_pip: Sequence[Distribution], later: Sequence[CondaPackage]
) -> list[str]:
    """Return the requirements of pip's distributions that conda's changes do not meet."""
    requirements = requirements_of(environment)
    if requirements is None:
        return []
    origins = {one.name for one in by_pip}
    changed = {held.name for one in later for held in held_by(one)}
    return [
        f"{one.shown} of {environment.distributions[one.origin].written}"
        for one in requirements.conflicts
        if one.origin in origins and one.name in changed
    ]


def _record(package: CondaPackage) -> str:
    return f"conda-meta/{package.name}-{package.version}-{package.build}.json"
