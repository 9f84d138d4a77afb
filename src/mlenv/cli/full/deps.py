"""The options of ``mlenv deps``."""

# ruff: noqa: PLR0913 - an option is a parameter

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full.options import (
    AllowEmpty,
    Color,
    ConfigFile,
    Exclude,
    NoConfig,
    Output,
    Paths,
    StdinFilename,
)
from mlenv.cli.requests import HERE, DepsRequest


def deps(
    *,
    paths: Paths = None,
    deps_format: Annotated[
        Literal["table", "json"], typer.Option("--format", "-f", help="How to show them.")
    ] = "table",
    output: Output = "",
    config: ConfigFile = "",
    no_config: NoConfig = False,
    exclude: Exclude = None,
    stdin_filename: StdinFilename = "",
    color: Color = "auto",
    allow_empty: AllowEmpty = False,
) -> DepsRequest:
    """List what a project declares and locks."""
    return DepsRequest(
        paths=tuple(paths or HERE),
        format=deps_format,
        output=output,
        stdin_filename=stdin_filename,
        config=config,
        no_config=no_config,
        exclude=tuple(exclude or ()),
        color=color,
        allow_empty=allow_empty,
    )
