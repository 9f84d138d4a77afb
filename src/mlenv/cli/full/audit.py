"""The options of ``mlenv audit``."""

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
from mlenv.cli.requests import HERE, AuditRequest


def audit(
    *,
    paths: Paths = None,
    report_format: Annotated[
        Literal["text", "json", "github"],
        typer.Option("--format", "-f", help="How to report."),
    ] = "text",
    output: Output = "",
    static: Annotated[
        bool,
        typer.Option("--static", help="Files only: no environment and no machine is looked at."),
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these rules or topics: codes, starts of codes; comma-separated.",
            metavar="CODES",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="All but these rules or topics; comma-separated.", metavar="CODES"),
    ] = None,
    profile: Annotated[
        Literal["application", "library", "research"] | None,
        typer.Option(help="What the project is; detected where not given."),
    ] = None,
    fail_on: Annotated[
        Literal["error", "warning", "note", "never"] | None,
        typer.Option(help="Exit with 1 from this severity on; error where not given."),
    ] = None,
    config: ConfigFile = "",
    no_config: NoConfig = False,
    exclude: Exclude = None,
    stdin_filename: StdinFilename = "",
    color: Color = "auto",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Errors and the summary only.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every file, place and fact.")
    ] = False,
    allow_empty: AllowEmpty = False,
) -> AuditRequest:
    """Say what is wrong with the dependencies, at the line."""
    return AuditRequest(
        paths=tuple(paths or HERE),
        format=report_format,
        output=output,
        stdin_filename=stdin_filename,
        static=static,
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        profile=profile or "",
        fail_on=fail_on or "",
        config=config,
        no_config=no_config,
        exclude=tuple(exclude or ()),
        color=color,
        quiet=quiet,
        verbose=verbose,
        allow_empty=allow_empty,
    )
