"""Reads the plain happy path of the hot commands from a table, without importing typer.

Importing typer takes longer than auditing a repository, so what needs nothing of it never loads
it. Anything that is not in the table (help, mistakes, combined flags, completion, other commands)
is declined and left to the typer app, and the tests hold the table against that app.
"""

from __future__ import annotations

from mlenv.cli.requests import (
    AUDIT_FORMATS,
    COLORS,
    DEPS_FORMATS,
    ENV_FORMATS,
    SNAPSHOT_FORMATS,
    TREE_FORMATS,
    AuditRequest,
    DepsRequest,
    DiffRequest,
    EnvRequest,
    SnapshotRequest,
    TreeRequest,
)
from mlenv.config import FAIL_ON
from mlenv.model.profile import PROFILES
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

FLAG = "flag"
VALUE = "value"
LIST = "list"
NUMBER = "number"

FastRequest = AuditRequest | DepsRequest | EnvRequest | SnapshotRequest | DiffRequest | TreeRequest


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command.

    Attributes:
        field: The request's attribute that it sets.
        kind: ``flag``, ``value`` or ``number`` (the last one counts), ``list`` (each one counts).
        choices: The values that it takes; empty where any is taken.
    """

    field: str
    kind: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        request: What it asks for.
        options: Its options by every way to write them.
        arguments: The request's attributes that other words set, in their order; ``paths`` takes
            all of them.
        required: How many of these must be there.
    """

    request: type[FastRequest]
    options: Mapping[str, Option]
    arguments: tuple[str, ...] = ("paths",)
    required: int = 0


_OUTPUT = Option("output", VALUE)
_OUTPUTS = Option("output", LIST)
_QUIET = Option("quiet", FLAG)
_VERBOSE = Option("verbose", FLAG)
_SHARED = {
    "--output": _OUTPUT,
    "-o": _OUTPUT,
    "--stdin-filename": Option("stdin_filename", VALUE),
    "--config": Option("config", VALUE),
    "--no-config": Option("no_config", FLAG),
    "--exclude": Option("exclude", LIST),
    "--color": Option("color", VALUE, COLORS),
    "--allow-empty": Option("allow_empty", FLAG),
}
_SHOWN = {
    "--output": _OUTPUT,
    "-o": _OUTPUT,
    "--color": Option("color", VALUE, COLORS),
    "--verbose": _VERBOSE,
    "-v": _VERBOSE,
}
_ENV = Option("env", VALUE)
_NO_BINARIES = Option("no_binaries", FLAG)
_NO_CACHE = Option("no_cache", FLAG)
_REVERSE = Option("reverse", FLAG)


def _format(choices: tuple[str, ...]) -> dict[str, Option]:
    return dict.fromkeys(("--format", "-f"), Option("format", VALUE, choices))


_AUDIT_FORMAT = Option("format", VALUE, AUDIT_FORMATS)
_DEPS_FORMAT = Option("format", VALUE, DEPS_FORMATS)

COMMANDS: Mapping[str, Command] = {
    "audit": Command(
        AuditRequest,
        {
            **_SHARED,
            "--format": _AUDIT_FORMAT,
            "-f": _AUDIT_FORMAT,
            "--output": _OUTPUTS,
            "-o": _OUTPUTS,
            "--static": Option("static", FLAG),
            "--target": Option("target", LIST),
            "--env": Option("env", VALUE),
            "--no-binaries": Option("no_binaries", FLAG),
            "--no-cache": Option("no_cache", FLAG),
            "--verify-files": Option("verify_files", FLAG),
            "--as-of": Option("as_of", VALUE),
            "--select": Option("select", LIST),
            "--ignore": Option("ignore", LIST),
            "--profile": Option("profile", VALUE, PROFILES),
            "--fail-on": Option("fail_on", VALUE, FAIL_ON),
            "--quiet": _QUIET,
            "-q": _QUIET,
            "--verbose": _VERBOSE,
            "-v": _VERBOSE,
            "--statistics": Option("statistics", FLAG),
            "--baseline": Option("baseline", VALUE),
        },
    ),
    "deps": Command(DepsRequest, {**_SHARED, "--format": _DEPS_FORMAT, "-f": _DEPS_FORMAT}),
    "env": Command(
        EnvRequest,
        {
            **_SHOWN,
            **_format(ENV_FORMATS),
            "--env": _ENV,
            "--target": Option("target", VALUE),
            "--no-binaries": _NO_BINARIES,
            "--no-cache": _NO_CACHE,
            "--fail-on": Option("fail_on", VALUE, FAIL_ON),
            "--as-of": Option("as_of", VALUE),
        },
        ("path",),
    ),
    "snapshot": Command(
        SnapshotRequest,
        {
            **_format(SNAPSHOT_FORMATS),
            "--output": _OUTPUT,
            "-o": _OUTPUT,
            "--env": _ENV,
            "--no-binaries": _NO_BINARIES,
            "--no-cache": _NO_CACHE,
        },
        ("path",),
    ),
    "diff": Command(
        DiffRequest,
        {**_SHOWN, **_format(ENV_FORMATS), "--exit-code": Option("exit_code", FLAG)},
        ("left", "right"),
        1,
    ),
    "tree": Command(
        TreeRequest,
        {
            **_SHOWN,
            **_format(TREE_FORMATS),
            "--env": _ENV,
            "--reverse": _REVERSE,
            "-r": _REVERSE,
            "--depth": Option("depth", NUMBER),
            "--heaviest": Option("heaviest", FLAG),
        },
        ("package",),
    ),
}
"""The commands that are read here; the typer app has them all."""


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> FastRequest | None:
    """Return what a command line asks for, or None where typer has to read it.

    Args:
        arguments: The words after the program's name.
        environment: The process's environment, which is how shells ask for completions.
    """
    if "_MLENV_COMPLETE" in environment or not arguments:
        return None
    command = COMMANDS.get(arguments[0])
    return _parse(command, list(arguments[1:])) if command else None


def _parse(command: Command, words: list[str]) -> FastRequest | None:
    given: dict[str, Any] = {}
    paths: list[str] = []
    words.reverse()
    while words:
        word = words.pop()
        if not word.startswith("-") or word == "-":
            paths.append(word)
            continue
        name, equals, attached = word.partition("=")
        option = command.options.get(name)
        if equals and not name.startswith("--"):  # typer takes the sign as part of the value
            return None
        if option is None or not _take(option, equals, attached, words, given):
            return None
    if command.arguments == ("paths",):
        given |= {"paths": tuple(paths)} if paths else {}
    elif command.required <= len(paths) <= len(command.arguments):
        given |= dict(zip(command.arguments, paths, strict=False))
    else:
        return None
    return command.request(**given)


def _take(
    option: Option, equals: str, attached: str, words: list[str], given: dict[str, Any]
) -> bool:
    """Record an option, with its value where it takes one; return whether that was plain."""
    if option.kind == FLAG:
        given[option.field] = True
        return not equals
    if not equals and not words:
        return False
    value = attached if equals else words.pop()
    # a value that looks like an option is more often a value that was forgotten
    if not value or value.startswith("-") or (option.choices and value not in option.choices):
        return False
    if option.kind == NUMBER:
        if not (value.isascii() and value.isdecimal() and len(value) < 6):
            return False
        given[option.field] = int(value)
        return True
    given[option.field] = (*given.get(option.field, ()), value) if option.kind == LIST else value
    return True
