"""What a pasted message means, as text and as JSON."""

from __future__ import annotations

from mlenv import __version__
from mlenv.knowledge import KNOWLEDGE_DATE
from mlenv.knowledge.messages import SYMPTOM
from mlenv.model.finding import Severity
from mlenv.phrases import counted
from mlenv.report.ansi import painter
from mlenv.report.columns import clipped, wrapped
from mlenv.report.escape import clean
from mlenv.report.json_report import SCHEMA, dumps, finding_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlenv.report.ansi import Paint
    from mlenv.report.view import View
    from mlenv.tracebacks.explain import Cause

_LABEL = 7


def render_text(causes: Sequence[Cause], lines: int, environment: str, view: View) -> str:
    """Return the causes as lines of text.

    Args:
        causes: The first of them is that of the others.
        lines: How many lines were pasted.
        environment: What the environment is called that was looked at; empty for none.
        view: Width and colour.
    """
    paint = painter(color=view.color)
    said: list[str] = []
    for cause in causes:
        # a wrapper repeats in general words what its cause has said
        is_after = cause is not causes[0] and cause.recognised.weight == SYMPTOM
        said += [*(_follower if is_after else _cause)(cause, view, paint), ""]
    if not causes:
        said.append(f"no known message in {counted(lines, 'line')}")
    checked = f"checked against {environment}" if environment else _NO_ENVIRONMENT
    said += wrapped(clean(checked), view.width) if causes else ()
    return "".join(f"{line}\n" for line in said)


_NO_ENVIRONMENT = "checked against no environment: --env names the one that this is from"


def _cause(cause: Cause, view: View, paint: Paint) -> Iterator[str]:
    known = cause.recognised
    yield _head(cause, view, paint)
    yield from _labelled("cause", [known.cause], view, paint)
    yield from _labelled("here", [one.fact for one in cause.here], view, paint)
    found = [f"{one.rule} {one.severity.value}: {one.message}" for one in cause.findings]
    yield from _labelled("found", found, view, paint)
    yield from _labelled("do", _advice(cause), view, paint)
    # the rules that find something here tell most
    rules = list(dict.fromkeys((*(one.rule for one in cause.findings), *known.rules)))
    others = f" (also {', '.join(rules[1:])})" if rules[1:] else ""
    more = [f"mlenv explain {rules[0]}{others}"] if rules else []
    yield from _labelled("more", more, view, paint)


def _advice(cause: Cause) -> list[str]:
    """Return what to do; where the rules find an error here, what they say stands for the rest."""
    mine = dict.fromkeys(one.help for one in cause.findings if one.help)
    is_sure = any(one.help and one.severity is Severity.ERROR for one in cause.findings)
    return list(mine) if is_sure else list(dict.fromkeys((*mine, *cause.recognised.fix)))


def _follower(cause: Cause, view: View, paint: Paint) -> Iterator[str]:
    yield _head(cause, view, paint)
    yield from wrapped("most likely it follows from the cause above", view.width, "  ", "  ")


def _head(cause: Cause, view: View, paint: Paint) -> str:
    head = f"line {cause.recognised.line}: {clean(cause.recognised.text)}"
    return paint(clipped(head, view.width), "strong")


def _labelled(label: str, texts: Sequence[str], view: View, paint: Paint) -> Iterator[str]:
    """Yield texts beside a label, which stands before the first of them."""
    blank = "  " + " " * _LABEL
    for at, text in enumerate(texts):
        first = f"  {label:<{_LABEL}}" if at == 0 else blank
        for number, line in enumerate(wrapped(clean(text), view.width, first, blank + "  ")):
            is_labelled = at == 0 and number == 0
            yield f"  {paint(label, 'note')}{line[2 + len(label) :]}" if is_labelled else line


def render_json(causes: Sequence[Cause], lines: int, environment: str) -> str:
    """Return the causes as JSON.

    Args:
        causes: The first of them is that of the others.
        lines: How many lines were pasted.
        environment: What the environment is called that was looked at; empty for none.
    """
    return dumps(
        {
            "schema": SCHEMA,
            "tool": {"name": "mlenv", "version": __version__, "knowledge": KNOWLEDGE_DATE},
            "lines": lines,
            "environment": environment or None,
            "causes": [_document(cause) for cause in causes],
        }
    )


def _document(cause: Cause) -> dict[str, object]:
    known = cause.recognised
    return {
        "id": known.id,
        "weight": known.weight,
        "line": known.line,
        "text": known.text,
        "cause": known.cause,
        "help": known.fix,
        "rules": known.rules,
        "packages": known.packages,
        "said": dict(known.said),
        "facts": [{"fact": one.fact, "source": one.source} for one in cause.here],
        "findings": [finding_document(one) for one in cause.findings],
        "evidence": [{"fact": one.fact, "source": one.source} for one in known.evidence],
    }
