"""The options of ``mlenv rules``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full.options import Output
from mlenv.cli.requests import RulesRequest


def rules(
    *,
    rules_format: Annotated[
        Literal["table", "json"], typer.Option("--format", "-f", help="How to show them.")
    ] = "table",
    output: Output = "",
) -> RulesRequest:
    """List the rules."""
    return RulesRequest(format=rules_format, output=output)
