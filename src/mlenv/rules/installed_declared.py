"""Topic ``environment``: what is installed, held against what is declared and locked."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.environment import Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import CONDA
from mlenv.model.source import CONTEXT
from mlenv.reasoning.installed_declared import (
    declared_in,
    home_of,
    locks_of,
    other_versions,
    was_used,
)
from mlenv.reasoning.installed_requirements import requirements_of
from mlenv.rules.base import rule
from mlenv.rules.installed_requirements import install_command
from mlenv.rules.places import own_names
from mlenv.versions.version import parse_version

_TOOLS = frozenset(("pip", "setuptools", "wheel", "uv", "distribute", "pkg-resources", "mlenv"))
"""What environments hold whatever the project declares."""
_SYNC = {
    "uv-lock": "uv sync --frozen",
    "poetry-lock": "poetry sync",
    "pdm-lock": "pdm sync",
    "pixi-lock": "pixi install --locked",
    "pipfile-lock": "pipenv sync",
}


@rule(
    "ENV010",
    "declared-not-installed",
    topic="environment",
    severity=Severity.WARNING,
    only=("sources",),
)
def declared_not_installed(
    environment: Environment, project: Project, knowledge: Knowledge
) -> Iterator[Finding]:
    """A requirement of the project for which nothing is installed.

    The environment was made before the line was added, or from another file. Markers are judged
    for the environment's interpreter.

    Messages that users see: "ModuleNotFoundError: No module named …".

    Bad:
        requirements.txt: einops==0.8.0
        (.venv has no einops)

    Good:
        requirements.txt: einops==0.8.0
        (.venv has einops 0.8.0)
    """
    told = _asked_in_vain(environment, project)
    for one in declared_in(environment, project, knowledge):
        absent = [
            held for held in one.held if not held.version and held.requirement.name not in told
        ]
        if not one.is_principal or not absent:
            continue
        home = one.install_set.home
        is_none = len(absent) == len(one.held)
        for held in absent:
            requirement = held.requirement
            yield Finding(
                f"{requirement.written} is declared, and is not installed in {environment.name}",
                requirement.name_span or requirement.span,
                (requirement.name,),
                help=_install(environment, one.install_set, project),
                evidence=(
                    Evidence(f"there are no metadata of {requirement.name}", environment.name),
                ),
                batch=f"{environment.name} {home.path}",
                batch_message=f"nothing of what {home.path} declares is installed in "
                f"{environment.name}: {{packages}}"
                if is_none
                else f"{{count}} distributions are declared, and are not installed in "
                f"{environment.name}: {{packages}}",
            )


@rule(
    "ENV011",
    "other-than-declared",
    topic="environment",
    severity=Severity.WARNING,
    only=("sources",),
)
def other_than_declared(
    environment: Environment, project: Project, knowledge: Knowledge
) -> Iterator[Finding]:
    """A distribution that is installed in a version that the project does not admit.

    What is tested here is not what the next one installs. It comes of an upgrade that nobody wrote
    down, or of a changed line after which nobody installed.

    Bad:
        requirements.txt: transformers==4.44.2
        (.venv has transformers 4.39.0)

    Good:
        requirements.txt: transformers==4.44.2
        (.venv has transformers 4.44.2)
    """
    told = _asked_in_vain(environment, project)
    for one in declared_in(environment, project, knowledge):
        home = one.install_set.home
        for held in one.held:
            requirement = held.requirement
            if not held.version or held.is_satisfied or requirement.name in told:
                continue
            name = held.names[0] if held.names else requirement.name
            yield Finding(
                f"{requirement.written}{requirement.versions.text} is declared, and "
                f"{environment.name} has {held.version}",
                requirement.specifier_span or requirement.span,
                (requirement.name,),
                help=_install(environment, one.install_set, project),
                related=(Related(environment.where(name), "what is installed"),),
                evidence=(Evidence(f"the installed version is {held.version}", environment.name),),
                batch=f"{environment.name} {home.path}",
                batch_message=f"{{count}} distributions in {environment.name} are in versions "
                f"that {home.path} does not admit: {{packages}}",
            )


def _asked_in_vain(environment: Environment, project: Project) -> frozenset[str]:
    """Return what the installed project itself asks for and lacks: ENV001 and ENV002 tell that."""
    own, requirements = own_names(project), requirements_of(environment)
    if requirements is None or own.isdisjoint(environment.distributions):
        return frozenset()
    unmet = (*requirements.missing, *requirements.conflicts)
    return frozenset(one.name for one in unmet if one.origin in own)


@rule(
    "ENV012",
    "other-than-locked",
    topic="environment",
    severity=Severity.WARNING,
    only=("sources",),
)
def other_than_locked(environment: Environment, project: Project) -> Iterator[Finding]:
    """A distribution that is installed in another version than the lock has.

    The lock was updated and nobody installed, or something was installed past it. Where another
    tool than the lock's own made the environment, that is a note.

    Bad:
        uv.lock: numpy 2.1.3
        (.venv has numpy 1.26.4)

    Good:
        uv.lock: numpy 2.1.3
        (.venv has numpy 2.1.3)
    """
    for source in locks_of(environment, project):
        is_used = was_used(source, environment)
        for package, there in other_versions(source, environment):
            yield Finding(
                f"{source.path} has {package.written} {package.version}, and {environment.name} "
                f"has {there}",
                package.span,
                (package.name,),
                severity=None if is_used else Severity.NOTE,
                help=f"install what the lock has: {_SYNC.get(source.kind, 'from the lock')}",
                related=(Related(environment.where(package.name), "what is installed"),),
                evidence=(Evidence(f"the installed version is {there}", environment.name),),
                batch=environment.name,
                batch_message=f"{{count}} distributions in {environment.name} are in other "
                f"versions than {source.path} has: {{packages}}",
            )


@rule(
    "ENV013",
    "installed-not-declared",
    topic="environment",
    severity=Severity.NOTE,
    only=("sources",),
)
def installed_not_declared(environment: Environment, project: Project) -> Iterator[Finding]:
    """A distribution that somebody installed and that the project declares nowhere.

    It works here and is missing on the next machine, if the code uses it. Only the project's own
    environment is looked at, and only what nothing else requires.

    Bad:
        .venv has wandb, and no file of the project names it

    Good:
        requirements-dev.txt: wandb==0.17.0
    """
    requirements = requirements_of(environment)
    if not environment.is_project or requirements is None or environment.manager != "venv":
        return
    sources = [one for one in project.sources.values() if one.role != CONTEXT]
    if not sources:
        return
    declared = [
        *(one for source in sources for one in source.requirements),
        *(one for source in sources for command in source.commands for one in command.requirements),
    ]
    known = _TOOLS | own_names(project) | {one.name for one in declared}
    known |= {one.name for source in sources for one in source.locked}
    for asked in declared:
        if asked.extras:
            known |= requirements.names_brought(asked.name, asked.extras)
    for one in environment.distributions.values():
        is_here = one.site in environment.sites
        if one.name in known or not is_here or one.name not in requirements.unrequired:
            continue
        yield Finding(
            f"{one.written} is installed in {environment.name}, and declared nowhere",
            one.span,
            (one.name,),
            help="declare it where the code needs it, or remove it",
            evidence=(Evidence("nothing that is installed requires it", environment.name),),
            batch="undeclared",
            batch_message=f"{{count}} distributions are installed in {environment.name}, and "
            "declared nowhere: {packages}",
        )


@rule(
    "ENV018",
    "other-python-than-declared",
    topic="environment",
    severity=Severity.WARNING,
    only=("sources",),
)
def other_python_than_declared(environment: Environment, project: Project) -> Iterator[Finding]:
    """An environment with a Python that the project does not admit.

    ``requires-python``, ``.python-version`` or an environment file names another. uv and Poetry
    make the environment anew when they notice; pip installs into what there is, and refuses the
    project itself.

    Messages that users see: "Package requires a different Python".

    Bad:
        pyproject.toml: requires-python = ">=3.11"
        (.venv has Python 3.10)

    Good:
        pyproject.toml: requires-python = ">=3.11"
        (.venv has Python 3.11)
    """
    interpreter = environment.interpreter
    version = parse_version(interpreter.version) if interpreter else None
    if version is None or interpreter is None or not environment.is_project:
        return
    home = home_of(environment)
    for source in project.sources.values():
        if source.directory != home or source.is_record:
            continue
        for said in source.statements:
            if said.subject != "python" or said.versions is None or not said.binding:
                continue
            if not said.versions.understood or said.group != "main":
                continue
            is_minor = len(version.release) < 3
            if is_minor or said.versions.admits(version, prereleases=True):
                continue
            yield Finding(
                f"this asks for Python {said.value}, and {environment.name} has "
                f"{interpreter.version}",
                said.span,
                ("python",),
                help="make the environment with a Python that is admitted: "
                + ("uv venv --clear" if environment.made_by == "uv" else "python3.X -m venv"),
                related=(Related(environment.span, "the environment"),),
                evidence=(
                    Evidence(f"the interpreter is Python {interpreter.version}", environment.name),
                ),
            )


def _install(environment: Environment, install_set: InstallSet, project: Project) -> str:
    path = install_set.home.path
    lock = project.sources.get(install_set.lock)
    if lock is not None and lock.kind in _SYNC:
        return f"install what the lock has: {_SYNC[lock.kind]}"
    if install_set.home.kind == "requirements":
        return f"install what is declared: {install_command(environment)} -r {path}"
    if environment.manager == CONDA:
        return f"install what is declared: conda env update -f {path}"
    return f"install what is declared: {install_command(environment)} -e ."
