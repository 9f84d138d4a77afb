"""The options of ``mlenv tree``."""

# ruff: noqa: PLR0913 - an option is a parameter

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full.options import Color, Environment, Output, Verbose
from mlenv.cli.requests import TreeRequest


def tree(
    *,
    package: Annotated[
        str,
        typer.Argument(
            metavar="PACKAGE", help="Only this one; all where none is named.", show_default=False
        ),
    ] = "",
    env: Environment = "auto",
    reverse: Annotated[
        bool, typer.Option("--reverse", "-r", help="What needs a package, not what it needs.")
    ] = False,
    depth: Annotated[
        int, typer.Option(metavar="LEVELS", min=0, help="So many levels; 0 for all.")
    ] = 0,
    heaviest: Annotated[
        bool, typer.Option("--heaviest", help="Rank by what removing a package would free.")
    ] = False,
    tree_format: Annotated[
        Literal["text", "json", "mermaid"],
        typer.Option("--format", "-f", help="How to show it."),
    ] = "text",
    output: Output = "",
    color: Color = "auto",
    verbose: Verbose = False,
) -> TreeRequest:
    """Draw what is installed as a tree of what needs what."""
    return TreeRequest(
        package=package,
        env=env,
        reverse=reverse,
        depth=depth,
        heaviest=heaviest,
        format=tree_format,
        output=output,
        color=color,
        verbose=verbose,
    )
