"""The report as SARIF 2.1.0, which code scanning and editors read.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; for properties of
rules GitHub's "SARIF support for code scanning".
"""

from __future__ import annotations

import os
from urllib.parse import quote

from mlenv import __version__
from mlenv.model.finding import Severity
from mlenv.model.report import RuleText
from mlenv.report.escape import clean, mask
from mlenv.report.json_report import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlenv.model.report import Report, Reported, SkippedFile
    from mlenv.model.text import Span
    from mlenv.report.view import View

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FINGERPRINT = "mlenvFingerprint/v1"
_BASE = "%SRCROOT%"
_PROBLEM = {
    Severity.ERROR: ("error", "very-high", "8.0"),
    Severity.WARNING: ("warning", "high", "5.5"),
    Severity.NOTE: ("recommendation", "medium", "2.0"),
}
"""What code scanning calls a severity, how precise such a rule is, and its score in security."""


def render(report: Report, view: View) -> str:
    """Return the report as a SARIF log with one run, in ASCII, credentials masked.

    Paths are relative to the working folder where the audited root lies in it, since that is where
    a checkout begins; else to the root.
    """
    is_outside = view.prefix.startswith("../") or os.path.isabs(view.prefix)
    prefix = "" if is_outside else view.prefix
    base = "The audited root." if is_outside else "The folder that mlenv was run in."
    rules = _rules(report)
    order = {rule.code: at for at, rule in enumerate(rules)}
    run = {
        "tool": {"driver": _driver(rules)},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "originalUriBaseIds": {_BASE: {"description": {"text": base}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "exitCode": report.exit_code,
                "toolExecutionNotifications": [
                    _notification(file, prefix) for file in report.skipped
                ],
            }
        ],
        "results": [_result(finding, order[finding.rule], prefix) for finding in report.findings],
        "properties": {
            "knowledge": report.knowledge,
            "profile": report.profile,
            "suppressed": report.suppressed,
            "baselined": report.baselined,
            **({"targets": [_text(one.name) for one in report.targets]} if report.targets else {}),
        },
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rules(report: Report) -> Sequence[RuleText]:
    """Return every rule that the report can say something of, those of its findings included."""
    rules = {rule.code: rule for rule in report.rules()}
    for one in report.findings:
        if one.rule not in rules:
            rules[one.rule] = RuleText(one.rule, one.name, one.topic, one.severity, "")
    return list(rules.values())


def _driver(rules: Sequence[RuleText]) -> dict[str, object]:
    return {
        "name": "mlenv",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: RuleText) -> dict[str, object]:
    summary = rule.explanation.partition("\n")[0].strip() or rule.name
    problem, precision, score = _PROBLEM[rule.severity]
    properties: dict[str, object] = {
        "tags": [rule.topic],
        "precision": precision,
        "problem.severity": problem,
    }
    if rule.topic == "security":
        properties["security-severity"] = score
    return {
        "id": rule.code,
        "name": "".join(map(str.capitalize, rule.name.split("-"))),
        "shortDescription": {"text": summary.replace("``", "`")},
        "fullDescription": {"text": _prose(rule.explanation) or summary},
        "help": {
            "text": rule.explanation.strip() or summary,
            "markdown": "\n".join(_markdown(rule.explanation or summary)),
        },
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": properties,
    }


def _prose(explanation: str) -> str:
    """Return what an explanation says before its examples, a line per paragraph."""
    said = []
    for paragraph in explanation.strip().split("\n\n"):
        if _is_label(paragraph.partition("\n")[0]):
            break
        said.append(" ".join(paragraph.split()).replace("``", "`"))
    return "\n\n".join(said)


def _markdown(explanation: str) -> Iterator[str]:
    """Yield the lines of an explanation with its examples fenced, so that nothing acts in them."""
    is_code = False
    # blank lines belong to an example only where more of it follows
    blanks: list[str] = []
    for line in explanation.strip().splitlines():
        if not line.strip():
            blanks.append("")
            continue
        if line.startswith("    ") == is_code:
            yield from blanks
        else:
            yield from (["```", *blanks] if is_code else [*blanks, "```text"])
            is_code = not is_code
        blanks = []
        if is_code:
            yield line[4:]
        else:
            yield f"**{line}**\n" if _is_label(line) else line.replace("``", "`")
    if is_code:
        yield "```"


def _is_label(line: str) -> bool:
    return line.endswith(":") and line[:-1].isalpha()


def _result(finding: Reported, index: int, prefix: str) -> dict[str, object]:
    lines = [f"help: {finding.help}"] if finding.help else []
    about = f"{finding.described}: " if finding.described else ""
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": _text("\n".join([about + finding.message, *lines]))},
        "locations": [_location(finding.span, prefix)] if finding.span else [],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {
            "certainty": finding.certainty.value,
            "packages": [_text(name) for name in finding.packages],
            "evidence": [
                {"fact": _text(one.fact), "source": _text(one.source)} for one in finding.evidence
            ],
        },
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                **_location(related.span, prefix),
                "message": {"text": _text(related.message or "also here")},
            }
            for number, related in enumerate(finding.related, 1)
        ]
    return result


def _notification(file: SkippedFile, prefix: str) -> dict[str, object]:
    return {
        "level": "warning",
        "message": {"text": _text(f"not audited: {file.reason}")},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(prefix + file.path)}}],
    }


def _location(span: Span, prefix: str) -> dict[str, object]:
    if span.target:
        name = _text(span.target)
        full = {"fullyQualifiedName": _text(span.described), "kind": "resource"}
        return {"logicalLocations": [{"name": name, **full}]}
    end_line, end_column = span.stop
    return {
        "physicalLocation": {
            "artifactLocation": _artifact(prefix + span.path),
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endLine": end_line,
                "endColumn": end_column,
            },
        }
    }


def _artifact(path: str) -> dict[str, str]:
    return {"uri": _uri(path), "uriBaseId": _BASE}


def _uri(path: str) -> str:
    """Return a path as a relative reference; a name that is no UTF-8 as the bytes that it has."""
    masked = mask(path)
    try:
        name = masked.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # made of other halves of characters than Python makes of bytes
        name = masked.encode("utf-8", "surrogatepass")
    return quote(name, safe="/")


def _text(text: str) -> str:
    """Return text in which a viewer finds no link, since a manifest could have written it.

    Source: SARIF 2.1.0, section 3.11.6, messages with embedded links.
    """
    return "\n".join(clean(line) for line in text.splitlines()).replace("](", "]\\x28")
