"""The options of ``mlenv explain``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full import complete
from mlenv.cli.full.options import Color, Environment, NoBinaries
from mlenv.cli.requests import ExplainRequest


def explain(
    *,
    rule: Annotated[
        str,
        typer.Argument(
            metavar="RULE",
            help="A rule's code or name, or a topic; - or nothing for a message on stdin.",
            autocompletion=complete.rule,
            show_default=False,
        ),
    ] = "",
    env: Environment = "auto",
    explain_format: Annotated[
        Literal["text", "json"],
        typer.Option("--format", "-f", help="How to show what a message means."),
    ] = "text",
    no_binaries: NoBinaries = False,
    color: Color = "auto",
) -> ExplainRequest:
    """Explain a rule, or what a pasted message means: mlenv explain < traceback.txt."""
    return ExplainRequest(rule, env, explain_format, no_binaries, color)
