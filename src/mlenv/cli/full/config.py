"""The options of ``mlenv config``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full.options import ConfigFile
from mlenv.cli.requests import ConfigSchemaRequest, ConfigShowRequest

config = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@config.callback()
def _config() -> None:
    """Show the configuration that applies, or the schema of what it may say."""


@config.command()
def show(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="What would be audited; the working folder where it is not given.",
            show_default=False,
        ),
    ] = ".",
    *,
    show_format: Annotated[
        Literal["toml", "json"], typer.Option("--format", "-f", help="How to show it.")
    ] = "toml",
    config: ConfigFile = "",
) -> ConfigShowRequest:
    """Show every setting, and where it comes from."""
    return ConfigShowRequest(path, show_format, config)


@config.command()
def schema(
    of: Annotated[
        Literal[
            "config", "audit", "deps", "baseline", "snapshot", "env", "diff", "tree", "explain"
        ],
        typer.Option("--of", help="Of [tool.mlenv], or of the JSON that a command writes."),
    ] = "config",
) -> ConfigSchemaRequest:
    """Print a JSON schema, for editors and readers of reports."""
    return ConfigSchemaRequest(of)
