"""Topic ``environment``: whether what is installed is whole, and the only thing on the path."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.credentials import mask
from mlenv.model.environment import (
    BROKEN_BASE,
    BROKEN_PTH,
    DAMAGED_METADATA,
    LEFTOVER,
    MISSING_EDITABLE,
    PYTHON_PATH,
    SYSTEM_SITE,
    TWICE,
    USER_SITE,
    Distribution,
    Environment,
    Oddity,
)
from mlenv.model.finding import Evidence, Finding, Severity
from mlenv.phrases import listed
from mlenv.reasoning.installed_requirements import requirements_of
from mlenv.rules.base import rule
from mlenv.rules.installed_requirements import install_command

_MOST = 3
_RECORDING = "Python Packaging User Guide, Recording installed projects"
_SITE = "Python documentation, module site"
_EDITABLE = ("__editable__", "_editable_impl_", "easy-install.pth", "__editables_finder")


@rule(
    "ENV005",
    "damaged-metadata",
    topic="environment",
    severity=Severity.WARNING,
)
def damaged_metadata(environment: Environment) -> Iterator[Finding]:
    """A distribution whose metadata are damaged, so that tools cannot tell what it is.

    An installation that broke off, a full disk or a copied folder leaves them. pip then upgrades
    or removes it wrongly or not at all, and libraries that ask for versions when they are imported
    (transformers, keras) fail.

    Messages that users see: "WARNING: Ignoring invalid distribution", "PackageNotFoundError",
    "TypeError: expected string or bytes-like object, got 'NoneType'".

    Bad:
        numpy-2.0.1.dist-info/ (without METADATA)

    Good:
        numpy-2.0.1.dist-info/METADATA
    """
    for one in _of(environment, DAMAGED_METADATA):
        yield Finding(
            f"the metadata of {one.subject or one.path} are damaged: {one.detail}",
            one.span,
            (one.subject,) if one.subject else (),
            help=_anew(environment, one),
            evidence=(Evidence(f"{one.path}: {one.detail}", _RECORDING),),
        )
    requirements = requirements_of(environment)
    if requirements is None:
        return
    for name, line in requirements.unreadable:
        there = environment.distributions[name]
        yield Finding(
            f"{there.written} {there.version} has a requirement that cannot be read: "
            f"{mask(line)[:80]}",
            there.span,
            (name,),
            severity=Severity.NOTE,
            evidence=(Evidence(f"Requires-Dist: {line}", f"{there.location}/METADATA"),),
            batch="unreadable",
            batch_message="{count} distributions have requirements that cannot be read: {packages}",
        )


@rule(
    "ENV006",
    "leftover-of-installation",
    topic="environment",
    severity=Severity.NOTE,
)
def leftover_of_installation(environment: Environment) -> Iterator[Finding]:
    """What a broken installation left behind, such as a folder ``~umpy``.

    pip moves a package aside under such a name while it replaces it, and could not clean up: files
    were in use, or it was stopped. It is harmless, takes space, and pip warns of it at each run.

    Messages that users see: "WARNING: Ignoring invalid distribution ~umpy".

    Bad:
        site-packages/~umpy

    Good:
        site-packages/numpy
    """
    for one in _of(environment, LEFTOVER):
        yield Finding(
            f"{one.path.rpartition('/')[2]} is left of an installation that was broken off",
            one.span,
            help=f"remove {one.path}",
            evidence=(
                Evidence("pip renames what it replaces so, and removes it at the end", "pip"),
            ),
        )


@rule(
    "ENV007",
    "installed-twice",
    topic="environment",
    severity=Severity.WARNING,
)
def installed_twice(environment: Environment) -> Iterator[Finding]:
    """A distribution with the metadata of two versions in one folder.

    Which of them counts is up to the order in which the file system lists them: pip and the package
    itself may disagree on what is installed. It comes of two installers, or of one that was broken
    off between removing and writing.

    Bad:
        numpy-1.26.4.dist-info
        numpy-2.0.1.dist-info

    Good:
        numpy-2.0.1.dist-info
    """
    for one in _of(environment, TWICE):
        yield Finding(
            f"{one.subject} is recorded twice, as {one.detail}",
            one.span,
            (one.subject,),
            help=_anew(environment, one),
            evidence=(Evidence(f"there are two sets of metadata, one in {one.path}", _RECORDING),),
        )


@rule(
    "ENV008",
    "editable-leads-nowhere",
    topic="environment",
    severity=Severity.ERROR,
)
def editable_leads_nowhere(environment: Environment) -> Iterator[Finding]:
    """A package that is used where its sources lie, and they do not lie there any more.

    The repository was moved or removed after ``pip install -e``. The package counts as installed,
    and cannot be imported. A line of another ``.pth`` file that names a folder which is not there
    is passed over by Python, and a note.

    Messages that users see: "ModuleNotFoundError: No module named …".

    Bad:
        mine-0.1.dist-info/direct_url.json: {"url": "file:///moved/away", "dir_info": …}

    Good:
        mine-0.1.dist-info/direct_url.json: {"url": "file:///home/me/mine", "dir_info": …}
    """
    for one in _of(environment, MISSING_EDITABLE):
        yield Finding(
            f"{one.subject} is installed as editable, and its sources are not there any more",
            one.span,
            (one.subject,),
            help=f"install it from where it is now: {install_command(environment)} -e PATH, or "
            "remove it",
            evidence=(Evidence("the folder that it names does not exist", one.path),),
        )
    for one in _of(environment, BROKEN_PTH):
        name = one.path.rpartition("/")[2]
        if not one.detail:
            yield Finding(
                f"{name} is not UTF-8: Python up to 3.12.3 does not start with it",
                one.span,
                help=f"remove {one.path}, or write it anew",
                evidence=(Evidence("site reads .pth files as UTF-8", _SITE),),
            )
            continue
        is_editable = name.startswith(_EDITABLE)
        yield Finding(
            f"{name} names a folder that is not there: {one.detail}",
            one.span,
            severity=Severity.ERROR if is_editable else Severity.NOTE,
            help="install what it belongs to anew" if is_editable else "remove the line",
            evidence=(Evidence("folders that do not exist are not put on the path", _SITE),),
        )


@rule(
    "ENV014",
    "user-packages-in-sight",
    topic="environment",
    severity=Severity.NOTE,
)
def user_packages_in_sight(environment: Environment) -> Iterator[Finding]:
    """The user's own packages are on the path, before those of the environment.

    conda environments and plain interpreters see them: what is imported there is not what was
    installed into the environment, on this account alone. Where both hold a distribution in
    different versions it is a warning.

    Bad:
        ~/.local/lib/python3.11/site-packages/numpy (2.0.1), before numpy 1.26.4 of the environment

    Good:
        PYTHONNOUSERSITE=1
    """
    for one in _of(environment, USER_SITE):
        held = tuple(other.name for other in environment.hidden if _is_shadowed(environment, other))
        about = f", {listed(held, _MOST)} in another version" if held else ""
        yield Finding(
            f"the user's own packages come before those of {environment.name}{about}",
            one.span,
            held,
            severity=Severity.WARNING if held else None,
            help="set PYTHONNOUSERSITE=1, or remove them: "
            f"pip uninstall {' '.join(held[:_MOST]) or '…'}",
            evidence=(
                Evidence(f"the user's folder holds {one.detail}"[:300], one.path),
                Evidence("the user's folder comes before the interpreter's own", _SITE),
            ),
        )


def _is_shadowed(environment: Environment, hidden: Distribution) -> bool:
    winner = environment.distributions[hidden.name]
    return winner.version != hidden.version and winner.site not in environment.sites


@rule(
    "ENV015",
    "base-packages-in-sight",
    topic="environment",
    severity=Severity.NOTE,
)
def base_packages_in_sight(environment: Environment) -> Iterator[Finding]:
    """A virtual environment that sees the packages of the Python it was made from.

    ``--system-site-packages`` makes it so. What is not installed in the environment is taken from
    below, in whatever version the machine has: it works here, and not on the next one.

    Bad:
        include-system-site-packages = true

    Good:
        include-system-site-packages = false
    """
    for one in _of(environment, SYSTEM_SITE):
        borrowed = [
            other.name
            for other in environment.distributions.values()
            if other.site not in environment.sites
        ]
        yield Finding(
            f"{environment.name} sees the packages of the Python that it was made from"
            + (f", {len(borrowed)} of which it does not hold itself" if borrowed else ""),
            one.span,
            help="make it without --system-site-packages, or declare what it needs from there",
            evidence=(Evidence("include-system-site-packages is true", one.path),),
        )


@rule(
    "ENV016",
    "python-path-set",
    topic="environment",
    severity=Severity.NOTE,
)
def python_path_set(environment: Environment) -> Iterator[Finding]:
    """``PYTHONPATH`` puts folders before everything that is installed.

    ROS, cluster modules and old guides set it. A package that lies in such a folder is imported in
    place of the installed one, in every environment.

    Bad:
        PYTHONPATH=/opt/ros/lib/python3.11/site-packages

    Good:
        unset PYTHONPATH
    """
    for one in _of(environment, PYTHON_PATH):
        shadowed = tuple(filter(None, one.detail.split(", ")))
        yield Finding(
            f"PYTHONPATH puts {one.path} before what is installed"
            + (f", and it holds {listed(shadowed, _MOST)} too" if shadowed else ""),
            one.span,
            shadowed,
            severity=Severity.WARNING if shadowed else None,
            help="unset PYTHONPATH, or install what is there into the environment",
            evidence=(
                Evidence(
                    "the folders of PYTHONPATH come first on the path",
                    "Python documentation, Command line and environment",
                ),
            ),
        )


@rule(
    "ENV017",
    "base-python-gone",
    topic="environment",
    severity=Severity.ERROR,
)
def base_python_gone(environment: Environment) -> Iterator[Finding]:
    """A virtual environment whose Python is not there any more.

    It was made from an interpreter that has been removed or moved since: an upgrade of Homebrew's
    or pyenv's Python, another image, a copied folder. Nothing in it can run.

    Messages that users see: "No such file or directory", "bad interpreter", "dyld: Library not
    loaded".

    Bad:
        .venv/bin/python -> /opt/python3.10/bin/python3 (which is not there)

    Good:
        .venv/bin/python -> /usr/bin/python3.11
    """
    for one in _of(environment, BROKEN_BASE):
        yield Finding(
            f"the Python that {environment.name} was made from is not there any more",
            one.span,
            help="make the environment anew: "
            + ("uv venv --clear" if environment.made_by == "uv" else "python3 -m venv --clear"),
            evidence=(Evidence(f"its home is {one.detail}, and has no interpreter", one.path),),
        )


def _of(environment: Environment, kind: str) -> Iterator[Oddity]:
    return (one for one in environment.oddities if one.kind == kind)


def _anew(environment: Environment, one: Oddity) -> str:
    if not one.subject:
        return f"remove {one.path}, and install what it belongs to anew"
    return f"remove {one.path}, then {install_command(environment, anew=True)} {one.subject}"
