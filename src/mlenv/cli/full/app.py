"""The typer app as a whole: help, usage errors, completion, and every command's request."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from mlenv import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlenv.cli.requests import Request

COMMANDS = (
    *("audit", "env", "deps", "tree", "snapshot", "diff", "rules", "explain", "config", "baseline"),
    "init",
)
"""Each is a module of this package with a function, or an app of commands, of the same name."""

_EPILOG = """\b
Example:
  mlenv audit                      audit the folder that you are in
  mlenv audit --format github      in a GitHub workflow
  mlenv env                        can torch run on this machine?
  mlenv explain PIN001             what a rule means
  mlenv --install-completion       let your shell complete commands, options and rules

\b
Exit codes:
  0    audited, nothing at or above --fail-on
  1    audited, findings at or above --fail-on
  2    wrong usage or configuration
  3    nothing to audit (0 with --allow-empty)
  4    an internal error
  130  interrupted
"""


class _LazyGroup(TyperGroup):
    """Imports a command's module when the command is asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # the names alone let typer suggest one for a misspelt command
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, or None."""
        if cmd_name not in COMMANDS:
            return None
        if self.commands[cmd_name] is None:
            self.commands[cmd_name] = _load(cmd_name)
        return self.commands[cmd_name]


def _load(name: str) -> Any:
    named = getattr(import_module(f"mlenv.cli.full.{name}"), name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=_HELP)
    if isinstance(named, typer.Typer):
        app.add_typer(named, name=name)
        group: Any = get_command(app)
        return group.commands[name]
    app.command(name)(named)
    return get_command(app)


_HELP = {"help_option_names": ["-h", "--help"]}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mlenv {__version__}")
        raise typer.Exit


def mlenv(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """The dependency auditor for machine-learning projects."""
    # typer needs the parameter; its callback has done everything by now
    assert not version


def build(requests: list[Request]) -> Any:
    """Return the app as a command that appends the request it was given to a list."""
    app = typer.Typer(
        name="mlenv",
        cls=_LazyGroup,
        callback=mlenv,
        epilog=_EPILOG,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=_HELP,
        result_callback=lambda request, **_: requests.append(request),
    )
    return get_command(app)


def parse(arguments: Sequence[str]) -> Request:
    """Return what a command line asks for.

    Raises:
        SystemExit: Help or the version was printed (0), or the usage is wrong and was told (2).
    """
    requests: list[Request] = []
    try:
        build(requests)(list(arguments), prog_name="mlenv")
    except SystemExit as end:
        # typer ends the process when it is done, also after all went well
        if requests:
            return requests[0]
        # where the reader of its help has gone it exits with 1, which here means findings; to a
        # shell that asks for completions 1 is an answer
        is_closed = end.code == 1 and "_MLENV_COMPLETE" not in os.environ
        raise SystemExit(0 if is_closed else end.code) from None
    return requests[0]
