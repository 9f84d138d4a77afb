"""Topic ``environment``: whose Python it is that holds the packages, and whether there are two."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.environment import (
    CONDA,
    MANAGED,
    OTHER_PYTHON,
    SYSTEM,
    Distribution,
    Environment,
    Oddity,
)
from mlenv.model.finding import Certainty, Evidence, Finding, Severity
from mlenv.phrases import counted, listed
from mlenv.rules.base import rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.machine import Machine

_INSTALLERS = frozenset(("pip", "uv", "poetry", "pdm", "hatch"))
"""What writes its name beside what it installs, and belongs to no system."""
_MOST_NAMED = 3


@rule("ENV040", "no-virtual-environment", topic="environment", severity=Severity.NOTE)
def no_virtual_environment(environment: Environment, machine: Machine | None) -> Iterator[Finding]:
    """Packages installed into an interpreter that everything on the machine shares.

    What one project installs or upgrades there changes every other one, and nothing can be thrown
    away and made anew. Where the system's package manager keeps the interpreter for itself and pip
    wrote into it all the same, programs of the system may stop working: a warning. conda's base
    environment holds conda itself, which a package from pip can break. A container is an
    environment of its own, so nothing is said there.

    Messages that users see: "error: externally-managed-environment", "WARNING: Running pip as the
    'root' user can result in broken permissions and conflicting behaviour with the system package
    manager".

    Bad:
        pip install --break-system-packages torch

    Good:
        python3 -m venv .venv
        .venv/bin/pip install torch
    """
    # an image's tree, and a container that runs, are made for one purpose
    if environment.root or (machine is not None and machine.container):
        return
    is_base = environment.manager == CONDA and "conda" in environment.conda
    if environment.interpreter is None or not (is_base or environment.manager == SYSTEM):
        return
    own = [
        one
        for one in environment.distributions.values()
        # what lies elsewhere is the user's, of which ENV014 speaks
        if one.site in environment.sites and one.installer in _INSTALLERS
    ]
    if not own:
        return
    marker = next((one for one in environment.oddities if one.kind == MANAGED), None)
    whose = _whose(is_base=is_base, is_managed=marker is not None)
    yield Finding(
        f"{counted(len(own), 'package')} ({_named(own)}) went into {whose}, which every project "
        "shares",
        environment.span,
        severity=Severity.WARNING if marker is not None else None,
        certainty=Certainty.CERTAIN,
        help=(
            "make an environment for the project (conda create, or pixi init) and install there"
            if is_base
            else "make an environment for the project (python -m venv .venv, or uv venv) and "
            "install there"
        ),
        evidence=tuple(_signs(own[0], marker)),
    )


def _signs(first: Distribution, marker: Oddity | None) -> Iterator[Evidence]:
    yield Evidence(
        f"{first.installer} wrote its name beside {first.written} {first.version}",
        first.location,
    )
    if marker is not None:
        yield Evidence(
            "the system keeps this interpreter for itself",
            f"{marker.path}; PyPA specifications, Externally Managed Environments",
        )


def _whose(*, is_base: bool, is_managed: bool) -> str:
    if is_base:
        return "conda's base environment"
    return "the system's own Python" if is_managed else "an interpreter without an environment"


def _named(distributions: list[Distribution]) -> str:
    return listed([one.written for one in distributions], _MOST_NAMED)


@rule("ENV043", "two-pythons", topic="environment", severity=Severity.NOTE)
def two_pythons(environment: Environment) -> Iterator[Finding]:
    """Packages of another Python in the same environment, which imports do not find.

    An environment whose Python was replaced in place keeps the packages of the old one in their
    folder: conda moves its own and leaves those from pip behind, and an environment made over an
    older one keeps all of them. They take room, and look installed to whoever searches the disk.

    Messages that users see: "ModuleNotFoundError: No module named 'torch'" after an upgrade of
    Python.

    Bad:
        # after conda install python=3.12 in an environment with packages from pip
        lib/python3.10/site-packages/torch
        lib/python3.12/site-packages

    Good:
        # an environment that was made anew
        lib/python3.12/site-packages/torch
    """
    version = environment.interpreter.version if environment.interpreter is not None else ""
    for one in environment.oddities:
        if one.kind == OTHER_PYTHON:
            whose = f"Python {version}" if version else "the environment's Python"
            yield Finding(
                f"{one.path} holds {one.detail} for another Python: {whose} does not find them",
                one.span,
                help="make the environment anew, and install what is missing there",
                evidence=(
                    Evidence(f"{one.path} has {one.detail}", environment.name),
                    Evidence(
                        "an interpreter looks into the folder of its own version alone",
                        'Python, "sysconfig: installation paths"',
                    ),
                ),
            )
