"""The options of ``mlenv env``."""

# ruff: noqa: PLR0913 - an option is a parameter

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full.options import (
    Color,
    Environment,
    EnvironmentPath,
    NoBinaries,
    NoCache,
    Output,
    Verbose,
)
from mlenv.cli.requests import EnvRequest


def env(
    *,
    path: EnvironmentPath = ".",
    env: Environment = "auto",
    target: Annotated[
        str,
        typer.Option(
            metavar="TARGET",
            help="Another machine: a name of the configuration, a file, or what describes it.",
            show_default=False,
        ),
    ] = "",
    env_format: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option("--format", "-f", help="How to show it; markdown is for bug reports."),
    ] = "text",
    output: Output = "",
    no_binaries: NoBinaries = False,
    no_cache: NoCache = False,
    fail_on: Annotated[
        Literal["error", "warning", "note", "never"],
        typer.Option(help="Exit with 1 from this severity on."),
    ] = "never",
    as_of: Annotated[
        str,
        typer.Option(metavar="DATE", help="Judge as of this day (YYYY-MM-DD).", show_default=False),
    ] = "",
    color: Color = "auto",
    verbose: Verbose = False,
) -> EnvRequest:
    """Show this machine, its environment and the verdict."""
    return EnvRequest(
        path=path,
        env=env,
        target=target,
        format=env_format,
        output=output,
        no_binaries=no_binaries,
        no_cache=no_cache,
        fail_on=fail_on,
        as_of=as_of,
        color=color,
        verbose=verbose,
    )
