"""The argument of ``mlenv explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from mlenv.cli.full import complete
from mlenv.cli.requests import ExplainRequest


def explain(
    rule: Annotated[
        str,
        typer.Argument(
            metavar="RULE",
            help="A rule's code or name, or a topic.",
            autocompletion=complete.rule,
        ),
    ],
) -> ExplainRequest:
    """Explain a rule: what it checks, why, and examples."""
    return ExplainRequest(rule)
