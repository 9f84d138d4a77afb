"""The options of ``mlenv baseline``."""

from __future__ import annotations

from typing import Annotated

import typer

from mlenv.cli.full.options import ConfigFile, Exclude, NoConfig
from mlenv.cli.requests import HERE, BaselineRequest

baseline = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH", help="What to audit; the working folder where none is given.",
        show_default=False,
    ),
]  # fmt: skip
File = Annotated[str, typer.Option("--file", metavar="FILE", help="The baseline.")]
_DEFAULT = "mlenv-baseline.json"


@baseline.callback()
def _baseline() -> None:
    """Accept what an audit finds today, so that later ones report only what is new."""


@baseline.command()
def write(
    *,
    paths: Paths = None,
    file: File = _DEFAULT,
    config: ConfigFile = "",
    no_config: NoConfig = False,
    exclude: Exclude = None,
) -> BaselineRequest:
    """Audit, and accept every finding; records of files that were not asked for stay."""
    return BaselineRequest(
        "write", tuple(paths or HERE), file, config, no_config, tuple(exclude or ())
    )


@baseline.command()
def prune(
    *,
    paths: Paths = None,
    file: File = _DEFAULT,
    config: ConfigFile = "",
    no_config: NoConfig = False,
    exclude: Exclude = None,
) -> BaselineRequest:
    """Audit, and remove the records that match nothing any more."""
    return BaselineRequest(
        "prune", tuple(paths or HERE), file, config, no_config, tuple(exclude or ())
    )


@baseline.command()
def show(*, paths: Paths = None, file: File = _DEFAULT) -> BaselineRequest:
    """List the records, of some paths or of all."""
    return BaselineRequest("show", tuple(paths or HERE), file)
