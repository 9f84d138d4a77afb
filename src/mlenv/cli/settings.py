"""What commands share before they start: the configuration that applies, and the standard input."""

from __future__ import annotations

import os
import sys

from mlenv.cli.output import tell
from mlenv.config import Config, Vocabulary, load_config
from mlenv.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.cli.requests import AuditRequest, BaselineRequest, DepsRequest
    from mlenv.model.machine import Machine
    from mlenv.model.target import Target

STDIN = "-"
_MAX_STDIN = 16 << 20


def known_rules() -> Vocabulary:
    """Return the codes and topics that a configuration and the options may speak of."""
    from mlenv.rules.base import TOPICS  # `deps` rarely needs the rules
    from mlenv.rules.table import LISTED

    return Vocabulary(frozenset(one.code for one in LISTED), frozenset(TOPICS))


def configuration(request: AuditRequest | DepsRequest | BaselineRequest) -> Config:
    """Return the configuration file's settings.

    Raises:
        ConfigError: The file is missing or says something that mlenv does not know.
    """
    return load_config(
        common_folder(request.paths, request.stdin_filename),
        request.config,
        use_config=not request.no_config,
        vocabulary=known_rules,
    )


def common_folder(paths: tuple[str, ...], stdin_filename: str) -> str:
    """Return the deepest folder that holds all paths, in whatever order they were given."""
    named = [os.path.abspath(path) for path in paths if path != STDIN]
    if stdin_filename:
        named.append(os.path.dirname(os.path.abspath(stdin_filename)))
    try:
        return os.path.commonpath(named) if named else os.curdir
    except ValueError:  # on several drives
        return os.curdir


def chosen_targets(
    config: Config,
    names: tuple[str, ...] = (),
    *,
    static: bool = False,
    with_python: bool = True,
    machine: Machine | None = None,
) -> tuple[Target, ...]:
    """Return the machines that an audit judges for, and tell what is not known of them.

    Args:
        config: Names them where the command line does not.
        names: What the command line names.
        static: Whether this machine counts only where the command line names it.
        with_python: Whether the Python of the active environment counts for this machine.
        machine: What a survey of this machine found, where there was one.

    Raises:
        UsageError: A name stands for nothing, or what it stands for cannot be read.
    """
    if (names or config.target) == ("none",):
        return ()
    if not names and not config.target:
        from mlenv.machine.presence import may_have_driver

        if static or not may_have_driver(os.environ):
            return ()
    from mlenv.machine.choose import choose  # most audits have no target

    return choose(
        names, config, os.environ, tell, static=static, with_python=with_python, machine=machine
    )


def items(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the items of comma-separated values, without blanks and empty ones."""
    parts = (item.strip() for value in values for item in value.split(","))
    return tuple(item for item in parts if item)


def standard_input(request: AuditRequest | DepsRequest) -> tuple[str, bytes] | None:
    """Return the name and the bytes of the file that is handed in, where one is asked for.

    Raises:
        UsageError: It has no name, a name without a file, or is too large.
    """
    if STDIN not in request.paths:
        if request.stdin_filename:
            raise UsageError("--stdin-filename names what is read from -, which is not given")
        return None
    if not request.stdin_filename:
        raise UsageError("- needs --stdin-filename, which tells how to read it")
    content = sys.stdin.buffer.read(_MAX_STDIN + 1)
    if len(content) > _MAX_STDIN:
        raise UsageError(f"the standard input is larger than {_MAX_STDIN >> 20} MiB")
    return request.stdin_filename, content
