"""Reads the plain happy path of the hot commands from a table, without importing typer.

Importing typer takes longer than auditing a repository, so what needs nothing of it never loads
it. Anything that is not in the table (help, mistakes, combined flags, completion, other commands)
is declined and left to the typer app, and the tests hold the table against that app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlenv.cli.requests import (
    AUDIT_FORMATS,
    COLORS,
    DEPS_FORMATS,
    AuditRequest,
    DepsRequest,
)
from mlenv.config import FAIL_ON
from mlenv.model.profile import PROFILES
from mlenv.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FLAG = "flag"
VALUE = "value"
LIST = "list"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command.

    Attributes:
        field: The request's attribute that it sets.
        kind: ``flag``, ``value`` (the last one counts) or ``list`` (each one counts).
        choices: The values that it takes; empty where any is taken.
    """

    field: str
    kind: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command: what it asks for, and its options by every way to write them."""

    request: type[AuditRequest | DepsRequest]
    options: Mapping[str, Option]


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
}
"""The commands that are read here; the typer app has them all."""


def parse(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> AuditRequest | DepsRequest | None:
    """Return what a command line asks for, or None where typer has to read it.

    Args:
        arguments: The words after the program's name.
        environment: The process's environment, which is how shells ask for completions.
    """
    if "_MLENV_COMPLETE" in environment or not arguments:
        return None
    command = COMMANDS.get(arguments[0])
    return _parse(command, list(arguments[1:])) if command else None


def _parse(command: Command, words: list[str]) -> AuditRequest | DepsRequest | None:
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
    if paths:
        given["paths"] = tuple(paths)
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
    given[option.field] = (*given.get(option.field, ()), value) if option.kind == LIST else value
    return True
