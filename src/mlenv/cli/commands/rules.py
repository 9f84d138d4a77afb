"""``mlenv rules``: every rule in a line, or as JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlenv.cli.output import view_of, write_report
from mlenv.report.columns import table
from mlenv.rules.registry import RULES

if TYPE_CHECKING:
    from mlenv.cli.requests import RulesRequest

SCHEMA = 1


def run(request: RulesRequest) -> int:
    """List the rules and return the exit code."""
    if request.format == "json":
        text = _json()
    else:
        width = view_of("never", request.output, os.environ).width
        rows = [
            (rule.code, rule.name, rule.topic, rule.severity.value, rule.summary) for rule in RULES
        ]
        text = "".join(f"{line}\n" for line in table(rows, "", width))
    write_report(text, request.output)
    return 0


def _json() -> str:
    from mlenv.report.json_report import dumps  # the table does without JSON

    return dumps(
        {
            "schema": SCHEMA,
            "rules": [
                {
                    "code": rule.code,
                    "name": rule.name,
                    "topic": rule.topic,
                    "severity": rule.severity.value,
                    "since": rule.since,
                    "summary": rule.summary,
                    "explanation": rule.explanation,
                }
                for rule in RULES
            ],
        }
    )
