"""``mlenv explain``: what a rule checks, or what a pasted message means here."""

from __future__ import annotations

import os
import sys

from mlenv.cli.output import view_of, write_report
from mlenv.errors import UsageError
from mlenv.rules.registry import rules_meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.cli.requests import ExplainRequest
    from mlenv.model.surroundings import Surroundings
    from mlenv.rules.base import Rule

STDIN = "-"
_USAGE = (
    "explain takes a RULE's code or name, or a message on the standard input: "
    "mlenv explain PIN001, or mlenv explain < traceback.txt"
)


def run(request: ExplainRequest) -> int:
    """Explain a rule, every rule of a topic, or what was pasted, and return the exit code.

    Raises:
        UsageError: There is no such rule and no such topic, or nothing was pasted.
    """
    if request.rule not in ("", STDIN):
        write_report("\n".join(map(_text, rules_meant((request.rule,)))), "")
        return 0
    _explain_pasted(request, _pasted(is_asked=request.rule == STDIN))
    return 0


def _text(rule: Rule) -> str:
    head = f"{rule.code} {rule.name}"
    facts = f"topic {rule.topic}, {rule.severity.value}, since {rule.since}"
    rests = f"\n{_rests_on(rule)}\n" if rule.facts else ""
    return f"{head} ({facts})\n\n{rule.explanation.strip()}\n{rests}"


def _rests_on(rule: Rule) -> str:
    """Return which records a rule rests on, and how to read them."""
    from mlenv.knowledge.listing import read

    said = [f"{file.name} ({len(file.records)} records)" for file in map(read, rule.facts)]
    return f"Rests on: {', '.join(said)}. mlenv rules --facts {rule.code} shows them."


def _pasted(*, is_asked: bool) -> str:
    """Return what is on the standard input.

    Args:
        is_asked: Whether the user named it: then it may be typed at a terminal.

    Raises:
        UsageError: It is a terminal, holds nothing, or is too large.
    """
    from mlenv.tracebacks.paste import MOST_BYTES, decoded

    if sys.stdin is None or (sys.stdin.isatty() and not is_asked):
        raise UsageError(_USAGE)
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UsageError(f"the standard input is larger than {MOST_BYTES >> 20} MiB: cut it down")
    text = decoded(content)
    if not text.strip():
        raise UsageError(_USAGE)
    return text


def _explain_pasted(request: ExplainRequest, text: str) -> None:
    from mlenv.knowledge import Knowledge
    from mlenv.model.surroundings import NOTHING_AROUND
    from mlenv.report.explanation import render_json, render_text
    from mlenv.tracebacks.explain import causes_of
    from mlenv.tracebacks.recognise import recognise

    knowledge = Knowledge()
    recognised = recognise(text, knowledge)
    around = _around(request) if recognised else NOTHING_AROUND
    causes = causes_of(recognised, around, knowledge, text)
    lines = text.rstrip("\n").count("\n") + 1
    name = around.environment.name if around.environment is not None else ""
    if request.format == "json":
        write_report(render_json(causes, lines, name), "")
    else:
        view = view_of(request.color, "", os.environ)
        write_report(render_text(causes, lines, name, view), "")


def _around(request: ExplainRequest) -> Surroundings:
    from mlenv.cli.here import look_around
    from mlenv.model.surroundings import Surroundings

    here = look_around(os.curdir, request.env, binaries=not request.no_binaries)
    return Surroundings(here.judged, here.environment, here.machine)
