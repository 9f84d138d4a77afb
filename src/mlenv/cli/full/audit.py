"""The options of ``mlenv audit``."""

# ruff: noqa: PLR0913 - an option is a parameter

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full import complete
from mlenv.cli.full.options import (
    AllowEmpty,
    Color,
    ConfigFile,
    Exclude,
    NoConfig,
    Paths,
    StdinFilename,
)
from mlenv.cli.requests import HERE, AuditRequest


def audit(
    *,
    paths: Paths = None,
    report_format: Annotated[
        Literal["text", "json", "github", "sarif", "concise"],
        typer.Option("--format", "-f", help="How to report."),
    ] = "text",
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="[FORMAT:]FILE",
            help="Write there; repeatable, each with a format of its own: sarif:mlenv.sarif.",
        ),
    ] = None,
    static: Annotated[
        bool,
        typer.Option("--static", help="Files only: no environment and no machine is looked at."),
    ] = False,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TARGET",
            help="The machine to judge for: local, none, a name of the configuration, a file, or "
            "driver=535.104,gpu=A100,python=3.10; repeatable.",
        ),
    ] = None,
    env: Annotated[
        str,
        typer.Option(
            metavar="ENV",
            help="The environment that is looked at: auto (the project's, else the active one), "
            "none, or the path of one.",
        ),
    ] = "auto",
    no_binaries: Annotated[
        bool, typer.Option("--no-binaries", help="Pass over compiled files.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read compiled files anew, known or not.")
    ] = False,
    verify_files: Annotated[
        bool,
        typer.Option("--verify-files", help="Hold every installed file against its record."),
    ] = False,
    as_of: Annotated[
        str,
        typer.Option(metavar="DATE", help="Judge as of this day (YYYY-MM-DD).", show_default=False),
    ] = "",
    select: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these rules or topics: codes, starts of codes; comma-separated.",
            metavar="CODES",
            autocompletion=complete.selectors,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            help="All but these rules or topics; comma-separated.",
            metavar="CODES",
            autocompletion=complete.selectors,
        ),
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
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Count the findings of each rule.")
    ] = False,
    baseline: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Only what is not in there; mlenv baseline write makes one.",
            show_default=False,
        ),
    ] = "",
) -> AuditRequest:
    """Say what is wrong with the dependencies, at the line."""
    return AuditRequest(
        paths=tuple(paths or HERE),
        format=report_format,
        output=tuple(output or ()),
        stdin_filename=stdin_filename,
        static=static,
        target=tuple(target or ()),
        env=env,
        no_binaries=no_binaries,
        no_cache=no_cache,
        verify_files=verify_files,
        as_of=as_of,
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
        statistics=statistics,
        baseline=baseline,
    )
