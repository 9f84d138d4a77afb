"""``mlenv rules``: every rule under its topic, or as JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlenv.cli.output import view_of, write_report
from mlenv.report.columns import wrapped
from mlenv.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.cli.requests import RulesRequest

SCHEMA = 1


def run(request: RulesRequest) -> int:
    """List the rules and return the exit code."""
    if request.format == "json":
        text = _json()
    else:
        width = view_of("never", request.output, os.environ).width
        text = "".join(f"{line}\n" for line in _lines(width))
    write_report(text, request.output)
    return 0


def _lines(width: int) -> Iterator[str]:
    topic = ""
    for rule in RULES:
        if rule.topic != topic:
            topic = rule.topic
            yield topic
        head = f"  {rule.code}  {rule.severity.value:<7}  "
        yield from wrapped(f"{rule.name}: {rule.summary}", width, head, " " * len(head))


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
