"""The options of ``mlenv rules``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full import complete
from mlenv.cli.full.options import Output
from mlenv.cli.requests import RulesRequest


def rules(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RULE]...",
            help="Codes, names or topics; all where none is given.",
            autocompletion=complete.rule,
        ),
    ] = None,
    *,
    rules_format: Annotated[
        Literal["table", "json"], typer.Option("--format", "-f", help="How to show them.")
    ] = "table",
    facts: Annotated[
        bool, typer.Option("--facts", help="The records that they rest on, with their sources.")
    ] = False,
    output: Output = "",
) -> RulesRequest:
    """List the rules, or the facts that they rest on."""
    return RulesRequest(format=rules_format, output=output, rules=tuple(words or ()), facts=facts)
