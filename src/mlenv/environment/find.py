"""Which environment an audit looks at: the one that is named, the project's own, the active one."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mlenv.environment.disk import names_in
from mlenv.errors import UsageError
from mlenv.records import dataclass

AUTO, NONE = "auto", "none"
_OWN = (".venv", "venv", "env")
_PIXI = os.path.join(".pixi", "envs")


@dataclass(frozen=True, slots=True)
class Place:
    """An environment that was found.

    Attributes:
        prefix: Its folder.
        name: How messages call it.
        is_project: Whether it belongs to the project: it lies in it, or the user named it.
        is_active: Whether it is the one that the shell is in.
    """

    prefix: str
    name: str
    is_project: bool
    is_active: bool


def find_environment(choice: str, folder: str, variables: Mapping[str, str]) -> Place | None:
    """Return the environment that an option means; None where there is none.

    Args:
        choice: ``auto``, ``none``, or a path.
        folder: The project's.
        variables: Of the process: ``VIRTUAL_ENV`` and ``CONDA_PREFIX`` say which one is active.

    Raises:
        UsageError: A path is named that is not there.
    """
    if choice == NONE:
        return None
    if choice not in ("", AUTO):
        if not os.path.exists(choice):
            raise UsageError(f"--env: there is no such folder: {choice}")
        return Place(choice, _shown(choice, folder), True, _is_active(choice, variables))
    own = _of_project(folder)
    if own:
        return Place(own, _shown(own, folder), True, _is_active(own, variables))
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        prefix = variables.get(variable, "")
        if prefix and os.path.isdir(prefix):
            inside = _is_inside(prefix, folder)
            name = _shown(prefix, folder) if inside else _called(prefix, variable, variables)
            return Place(prefix, name, inside, True)
    return None


def _of_project(folder: str) -> str:
    for name in _OWN:
        prefix = os.path.join(folder, name)
        if os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
            return prefix
        if name == _OWN[0] and os.path.isdir(os.path.join(prefix, "conda-meta")):
            return prefix
    home = os.path.join(folder, _PIXI)
    names = [name for name in names_in(home) if os.path.isdir(os.path.join(home, name))]
    if names:
        return os.path.join(home, "default" if "default" in names else names[0])
    return ""


def _shown(prefix: str, folder: str) -> str:
    """Return a prefix as messages have it: from the project's folder, else its own name.

    No more of the path is shown than that: a home folder tells the user's name.
    """
    if _is_inside(prefix, folder):
        return os.path.relpath(prefix, folder).replace(os.sep, "/")
    if not os.path.isabs(prefix):
        return prefix.replace(os.sep, "/").rstrip("/") or prefix
    return os.path.basename(os.path.abspath(prefix)) or prefix


def _called(prefix: str, variable: str, variables: Mapping[str, str]) -> str:
    if variable == "CONDA_PREFIX":
        prefix = variables.get("CONDA_DEFAULT_ENV") or prefix
    return os.path.basename(prefix.rstrip(os.sep))


def _is_inside(path: str, folder: str) -> bool:
    whole, home = os.path.abspath(path), os.path.abspath(folder)
    return whole != home and whole.startswith(home.rstrip(os.sep) + os.sep)


def _is_active(prefix: str, variables: Mapping[str, str]) -> bool:
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        active = variables.get(variable, "")
        if active and os.path.realpath(active) == os.path.realpath(prefix):
            return True
    return False
