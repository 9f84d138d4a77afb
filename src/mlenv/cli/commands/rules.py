"""``mlenv rules``: every rule under its topic, or the facts that they rest on; or as JSON."""

from __future__ import annotations

import os

from mlenv.cli.output import view_of, write_report
from mlenv.report.columns import wrapped
from mlenv.rules.registry import rules_meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlenv.cli.requests import RulesRequest
    from mlenv.knowledge.listing import File, Listed
    from mlenv.rules.base import Rule

SCHEMA = 1


def run(request: RulesRequest) -> int:
    """List the rules, or their facts, and return the exit code.

    Raises:
        UsageError: There is no such rule and no such topic.
    """
    rules = rules_meant(request.rules)
    if request.format == "json":
        text = _json_facts(rules) if request.facts else _json(rules)
    else:
        width = view_of("never", request.output, os.environ).width
        lines = _fact_lines(rules, width) if request.facts else _lines(rules, width)
        text = "".join(f"{line}\n" for line in lines)
    write_report(text, request.output)
    return 0


def _lines(rules: Sequence[Rule], width: int) -> Iterator[str]:
    topic = ""
    for rule in rules:
        if rule.topic != topic:
            topic = rule.topic
            yield topic
        head = f"  {rule.code}  {rule.severity.value:<7}  "
        yield from wrapped(f"{rule.name}: {rule.summary}", width, head, " " * len(head))


def _json(rules: Sequence[Rule]) -> str:
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
                    "facts": list(rule.facts),
                }
                for rule in rules
            ],
        }
    )


def _facts(rules: Sequence[Rule]) -> Iterator[tuple[File, tuple[Listed, ...], list[str]]]:
    """Yield the files of records that rules rest on, the records meant, and who rests on them."""
    from mlenv.knowledge.listing import read

    resting: dict[str, list[Rule]] = {}
    for rule in rules:
        for name in rule.facts:
            resting.setdefault(name, []).append(rule)
    for name, users in resting.items():
        file = read(name)
        topics = {rule.topic for rule in users}
        # a file may hold records for several topics, each with its own
        meant = (one for one in file.records if dict(one.says).get("topic", "") in {"", *topics})
        yield file, tuple(meant), [rule.code for rule in users]


def _fact_lines(rules: Sequence[Rule], width: int) -> Iterator[str]:
    for file, records, codes in _facts(rules):
        yield f"{file.name} ({len(records)} records, for {', '.join(codes)})"
        if file.source:
            upto = f", up to {file.date}" if file.date else ""
            yield from wrapped(f"source: {file.source}{upto}", width, "  ", "  ")
        for one in records:
            says = "; ".join(f"{key} {value}" for key, value in one.says if key != "topic")
            source = f" [{one.source}]" if one.source else ""
            yield from wrapped(f"{one.title}: {says}{source}", width, "  - ", "    ")
        yield ""


def _json_facts(rules: Sequence[Rule]) -> str:
    from mlenv.report.json_report import dumps

    return dumps(
        {
            "schema": SCHEMA,
            "files": [
                {
                    "name": file.name,
                    "date": file.date,
                    "source": file.source,
                    "rules": codes,
                    "records": [
                        {
                            "table": one.table,
                            "title": one.title,
                            "source": one.source,
                            "says": dict(one.says),
                        }
                        for one in records
                    ],
                }
                for file, records, codes in _facts(rules)
            ],
        }
    )
