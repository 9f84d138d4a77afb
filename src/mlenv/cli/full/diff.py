"""The options of ``mlenv diff``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full.options import Color, Output, Verbose
from mlenv.cli.requests import DiffRequest

_SIDE = "a snapshot, a folder with an environment, or here."


def diff(
    left: Annotated[str, typer.Argument(metavar="A", help=f"One side: {_SIDE}")],
    right: Annotated[str, typer.Argument(metavar="B", help="The other side.")] = "here",
    *,
    diff_format: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option("--format", "-f", help="How to show it."),
    ] = "text",
    output: Output = "",
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where anything differs.")
    ] = False,
    color: Color = "auto",
    verbose: Verbose = False,
) -> DiffRequest:
    """Compare two machines and their environments."""
    return DiffRequest(
        left=left,
        right=right,
        format=diff_format,
        output=output,
        exit_code=exit_code,
        color=color,
        verbose=verbose,
    )
