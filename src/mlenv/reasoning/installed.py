"""From an environment to the machine that it runs on, with what is installed there."""

from __future__ import annotations

import re

from mlenv.model.environment import Environment, Origin
from mlenv.model.target import MACOS, Installed, Target
from mlenv.records import replace

_COMMIT = 12
"""So many signs tell a commit from all others."""
_ARCHES = {"AMD64": "x86_64", "ARM64": "aarch64"}


def target_of(
    environment: Environment, target: Target | None, *, with_origins: bool = True
) -> Target:
    """Return a machine with an environment on it, so that both are judged together.

    Args:
        environment: What is installed. Its interpreter is known.
        target: The machine; None where none is named, and then nothing is known but what the
            interpreter tells.
        with_origins: Whether to ask for each distribution where it is from, which no rule does.
    """
    interpreter = environment.interpreter
    assert interpreter is not None
    machine = target or Target(environment.name, environment.span)
    arch = interpreter.machine
    return replace(
        machine,
        name=environment.name,
        span=environment.span,
        os=interpreter.system,
        arch=arch if interpreter.system == MACOS else _ARCHES.get(arch, arch),
        glibc=interpreter.libc_version if interpreter.libc == "glibc" else machine.glibc,
        python=interpreter.version,
        installed=installed_of(environment, with_origins=with_origins),
        spans={**machine.spans, "python": environment.span},
    )


def installed_of(environment: Environment, *, with_origins: bool = True) -> Installed:
    """Return what is installed in an environment, as a snapshot would tell it.

    Args:
        environment: The environment.
        with_origins: See :func:`target_of`.
    """
    listed = [one for one in environment.distributions.values() if one.version]
    packages = {one.name: one.version for one in listed}
    packages.update(
        {name: version_of(environment, name) for name in environment.torch if name in packages}
    )
    torch = environment.torch.get("torch")
    return Installed(
        packages,
        {
            one.name: one.version
            for one in environment.conda.values()
            if one.name not in packages and one.name not in ("python", "pip")
        },
        complete=True,
        manager=environment.manager,
        torch_cuda=torch.cuda if torch else "",
        torch_architectures=_architectures(environment),
        blas=environment.blas,
        origins={
            one.name: _origin(one.origin)
            for one in environment.distributions.values()
            if with_origins and one.origin is not None
        },
        spans={one.name: one.span for one in listed},
    )


def version_of(environment: Environment, name: str) -> str:
    """Return the version of a distribution, with the label of its build where it tells that."""
    version = environment.distributions[name].version
    truth = environment.torch.get(name)
    said = truth.version if truth else ""
    return said if said.partition("+")[0] == version else version


def _origin(origin: Origin) -> str:
    """Return how a distribution came, in a snapshot's words, which do not say from where."""
    if origin.editable:
        return "editable"
    if origin.commit:
        is_known = re.fullmatch(r"[0-9A-Za-z]+", origin.commit)
        return f"git {origin.commit[:_COMMIT]}" if is_known else "git"
    return "local" if origin.is_local else "url"


def _architectures(environment: Environment) -> tuple[str, ...]:
    """Return what torch's own library holds kernels for; nothing where it was not read.

    That with the most containers tells it: beside it lie some with a few special kernels.
    """
    if environment.binaries is None:
        return ()
    from mlenv.model.binary import supported

    files = environment.binaries.files
    kernels = [one.kernels for one in files if one.owner == "torch" and one.kernels is not None]
    return supported(max(kernels, key=lambda one: one.containers)) if kernels else ()
