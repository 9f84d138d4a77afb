"""The report as JSON: schema 1, stable; keys may be added and none changes its meaning."""

from __future__ import annotations

import json

from mlenv import __version__
from mlenv.model.finding import Severity
from mlenv.report.escape import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.report import Report, Reported
    from mlenv.model.target import Gpu, Target
    from mlenv.model.text import Span
    from mlenv.report.view import View

SCHEMA = 1


def render(report: Report, view: View) -> str:
    """Return the report as JSON in ASCII, so that it survives any terminal and any locale."""
    return dumps(
        {
            "schema": SCHEMA,
            "tool": {"name": "mlenv", "version": __version__, "knowledge": report.knowledge},
            "root": report.root,
            "profile": report.profile,
            "target": machine(report.targets[0]) if report.targets else None,
            **_targets(report),
            **_environment(report),
            "files": [
                {"path": file.path, "kind": file.kind, "requirements": file.requirements}
                for file in report.files
            ],
            "skipped": [{"path": file.path, "reason": file.reason} for file in report.skipped],
            "findings": [finding_document(finding) for finding in report.findings],
            "summary": {
                **{severity.value: report.count(severity) for severity in Severity},
                "suppressed": report.suppressed,
                "baselined": report.baselined,
            },
            **_statistics(report, view),
            "exit_code": report.exit_code,
        }
    )


def _statistics(report: Report, view: View) -> dict[str, object]:
    if not view.statistics:
        return {}
    from mlenv.report.statistics import rule_counts  # few ask

    return {"statistics": rule_counts(report)}


def dumps(document: object) -> str:
    """Return a document as ASCII JSON with every credential in it masked.

    Two hashes in a row are written as escapes: CI runners take ``##[`` for a command wherever it
    stands in a log.
    """
    text = json.dumps(_safe(document), indent=2, ensure_ascii=True)
    return text.replace("##", "\\u0023\\u0023") + "\n"


def _safe(value: object) -> object:
    if isinstance(value, str):
        # a lone surrogate (a file name that is no UTF-8) is no JSON to strict readers
        return mask(value).encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _safe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_safe(item) for item in value]
    return value


def finding_document(finding: Reported) -> dict[str, object]:
    """Return a finding as every document has it."""
    return {
        "rule": finding.rule,
        "name": finding.name,
        "topic": finding.topic,
        "severity": finding.severity.value,
        "certainty": finding.certainty.value,
        "message": finding.message,
        "packages": finding.packages,
        "location": _location(finding.span),
        "related": [
            {
                "location": _location(related.span),
                "message": related.message,
                **_target(related.span),
            }
            for related in finding.related
        ],
        "help": finding.help,
        "evidence": [
            {"fact": evidence.fact, "source": evidence.source} for evidence in finding.evidence
        ],
        "fixes": [],
        "fingerprint": finding.fingerprint,
        **_target(finding.span),
    }


def _targets(report: Report) -> dict[str, object]:
    if len(report.targets) < 2:
        return {}
    return {"targets": [machine(target) for target in report.targets]}


def _environment(report: Report) -> dict[str, object]:
    one = report.environment
    if one is None:
        return {}
    return {
        "environment": {
            "name": one.name,
            "manager": one.manager,
            "python": one.interpreter.version if one.interpreter else None,
            "distributions": len(one.distributions),
            "conda_packages": len(one.conda),
            "binaries": len(one.binaries.files) if one.binaries else None,
        }
    }


def machine(target: Target) -> dict[str, object]:
    """Return what is stated of a machine, under its name and the keys of a target's file."""
    from mlenv.machine.keys import MACHINE_KEYS  # most reports have no target

    said = {key: getattr(target, key) for key in MACHINE_KEYS if key != "gpus"}
    document = {key: value for key, value in said.items() if value or key in target.spans}
    return {"name": target.name, **document, "gpus": [_gpu(gpu) for gpu in target.gpus]}


def _gpu(gpu: Gpu) -> dict[str, object]:
    known = ".".join(map(str, gpu.capability)) if gpu.capability else None
    return {"name": gpu.name, "compute_capability": known, "count": gpu.count}


def _target(span: Span | None) -> dict[str, str]:
    # what it stands in: a target's description or an environment
    return {span.described.partition(" ")[0]: span.target} if span and span.target else {}


def _location(span: Span | None) -> dict[str, object] | None:
    if span is None or span.target:
        return None
    end_line, end_column = span.stop
    return {
        "file": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": end_line,
        "end_column": end_column,
    }
