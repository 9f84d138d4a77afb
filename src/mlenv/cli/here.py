"""What is here: this machine or the one that is named, and the environment on it."""

from __future__ import annotations

import os

from mlenv.cli.environments import environment_of
from mlenv.cli.output import tell
from mlenv.environment.find import AUTO
from mlenv.errors import UsageError
from mlenv.machine.document import Document, document_of
from mlenv.model.machine import NO_DRIVER
from mlenv.model.target import LOCAL
from mlenv.reasoning.installed import installed_of, target_of
from mlenv.records import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Environment
    from mlenv.model.machine import Machine
    from mlenv.model.target import Target

HERE = "here"
_SIGNS = ("pyvenv.cfg", "conda-meta")
"""What the folder of an environment holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Here:
    """What was looked at.

    Attributes:
        judged: The machines that rules judge for: one, or none where nothing is known of GPUs.
        whole: The machine with what is installed on it.
        machine: This machine as it was found; None where another one is named.
        environment: What is installed; None where there is none, or only a snapshot tells.
        name: What the machine is called.
    """

    judged: tuple[Target, ...]
    whole: Target
    machine: Machine | None
    environment: Environment | None
    name: str

    @property
    def document(self) -> Document:
        """What was looked at as a snapshot."""
        machine = self.machine
        is_bare = machine is not None and machine.driver.problem == NO_DRIVER and not machine.gpus
        return document_of(self.whole, without_gpu=is_bare)


def look_around(
    path: str, env: str = AUTO, target: str = "", *, binaries: bool = True, cache: bool = True
) -> Here:
    """Return the machine and the environment that a command looks at.

    Args:
        path: The project's folder, or an environment.
        env: ``auto``, ``none`` or the path of an environment.
        target: The machine: its name, file or description; empty for this one.
        binaries: Whether compiled files are read.
        cache: Whether what is known of them from an earlier run counts.

    Raises:
        UsageError: Something that is named is not there, or cannot be read.
    """
    if not os.path.exists(path):
        raise UsageError(f"there is no such folder: {path}")
    if env == AUTO and any(os.path.exists(os.path.join(path, sign)) for sign in _SIGNS):
        env = path
    machine, found, judged = _machine(path, target)
    environment = None
    # a snapshot that says what is installed stands for the environment too
    if found.installed is None or env != AUTO:
        folder = path if os.path.isdir(path) else os.path.dirname(path) or os.curdir
        environment = environment_of(env, folder, binaries=binaries, cache=cache)
    whole = found if environment is None else _with(environment, found)
    return Here((found,) if judged else (), whole, machine, environment, found.name)


def _machine(path: str, name: str) -> tuple[Machine | None, Target, bool]:
    """Return this machine, what is known of the one that counts, and whether it is judged for."""
    if name and name != LOCAL:
        return None, _named(path, name), True
    from mlenv.machine.local import look
    from mlenv.machine.survey import survey

    machine = survey(os.environ)
    local = look(os.environ, machine=machine, with_python=False)
    if local.problem:
        tell(f"mlenv: the GPUs of this machine are not known: {local.problem}")
    return machine, local.target, local.has_answer or name == LOCAL


def _named(path: str, name: str) -> Target:
    from mlenv.cli.settings import chosen_targets, known_rules
    from mlenv.config import load_config

    targets = chosen_targets(load_config(path, "", vocabulary=known_rules), (name,))
    if not targets:
        raise UsageError(f"--target: {name!r} names no machine")
    return targets[0]


def _with(environment: Environment, target: Target) -> Target:
    if environment.interpreter is not None:
        return target_of(environment, target)
    return replace(target, installed=installed_of(environment))
