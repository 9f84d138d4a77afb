"""Which environment a command looks at, and what of it; hints go to stderr."""

from __future__ import annotations

import os

from mlenv.environment.find import AUTO, find_environment
from mlenv.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlenv.model.environment import Environment

_OF_USER = ("HOME", "USERPROFILE", "APPDATA", "PYTHONUSERBASE", "PYTHONNOUSERSITE")
"""What says where the user's own packages are, whichever environment is active."""


def environment_of(
    choice: str,
    folder: str,
    *,
    binaries: bool = True,
    cache: bool = True,
    verify: bool = False,
) -> Environment | None:
    """Return the environment that an option means; None where there is none.

    Args:
        choice: ``auto``, ``none``, or the path of one.
        folder: The project's.
        binaries: Whether compiled files are read.
        cache: Whether what is known of them and of records from an earlier run counts.
        verify: Whether every file is held against its record.

    Raises:
        UsageError: The path is not there, or is no environment.
    """
    place = find_environment(choice, folder, os.environ)
    if place is None:
        return None
    from mlenv.environment.read import read_environment

    variables: Mapping[str, str] = os.environ
    if not place.is_active:
        # what the shell adds to the path holds for the environment that it is in
        variables = {name: os.environ[name] for name in _OF_USER if name in os.environ}
    found = read_environment(
        place.prefix,
        place.name,
        variables=variables,
        is_project=place.is_project,
        verify=verify,
        use_cache=cache,
        audited=(folder,),
    )
    if found is None:
        if choice == AUTO:
            return None
        raise UsageError(f"--env: there is no Python environment in {choice}")
    return _with_binaries(found, folder, variables, cache=cache) if binaries else found


def _with_binaries(
    environment: Environment, folder: str, variables: Mapping[str, str], *, cache: bool
) -> Environment:
    from mlenv.cli.progress import Progress
    from mlenv.environment.compiled import with_binaries

    progress = Progress("compiled files")
    try:
        return with_binaries(
            environment, variables, use_cache=cache, audited=(folder,), progress=progress
        )
    finally:
        progress.close()
