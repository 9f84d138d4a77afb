"""Whether an interpreter is one of those that an installed distribution is for."""

from __future__ import annotations

from mlenv.model.environment import Interpreter
from mlenv.versions.bounds import admits
from mlenv.versions.version import parse_version
from mlenv.versions.version_set import pep440


def is_python_past(asked: str, interpreter: Interpreter) -> bool:
    """Whether an interpreter that a ``Requires-Python`` refuses is newer than all that it admits.

    uv passes over such upper bounds, and what has one may work all the same.

    Source: uv, Resolver internals, "Requires-python".
    """
    stated, version = pep440(asked.replace(" ", "")), parse_version(interpreter.version)
    newer = pep440(f">{interpreter.version}") if version is not None else None
    return stated is not None and newer is not None and not stated.intersects(newer)


def refused_python(asked: str, interpreter: Interpreter) -> bool:
    """Whether a ``Requires-Python`` refuses an interpreter, so far as is known.

    Args:
        asked: As it stands; empty where there is none.
        interpreter: The Python.
    """
    specifier = asked.replace(" ", "")
    if not specifier:
        return False
    is_whole = interpreter.version.count(".") > 1
    possible = (
        [interpreter.version] if is_whole else [interpreter.version, f"{interpreter.version}.99"]
    )
    return all(admits(specifier, version) is False for version in possible)
