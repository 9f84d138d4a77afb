"""The options of ``mlenv init``."""

from __future__ import annotations

from typing import Annotated

import typer

from mlenv.cli.requests import InitRequest


def init(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="The repository; the working folder where it is not given.",
            show_default=False,
        ),
    ] = ".",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, as a diff.")
    ] = False,
    baseline: Annotated[
        bool,
        typer.Option("--baseline", help="Accept what is found today, where there are errors."),
    ] = False,
) -> InitRequest:  # fmt: skip
    """Write the configuration, the pre-commit hook and the CI step that fit a repository."""
    return InitRequest(path, dry_run, baseline)
