"""``mlenv env`` for people: the ladder on one screen, with a mark at each rung."""

from __future__ import annotations

from mlenv import __version__
from mlenv.model import ladder as rungs
from mlenv.model.finding import Severity
from mlenv.phrases import counted
from mlenv.report.ansi import painter
from mlenv.report.columns import clipped, text_width, wrapped
from mlenv.report.escape import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.ladder import Ladder, Rung
    from mlenv.model.report import Reported
    from mlenv.report.ansi import Paint
    from mlenv.report.view import View

TITLES = {
    rungs.GPU: "GPU",
    rungs.DRIVER: "driver",
    rungs.CUDA: "CUDA",
    rungs.TORCH: "torch",
    rungs.COMPANIONS: "companions",
    rungs.NUMPY: "NumPy",
    rungs.PACKAGES: "packages",
    rungs.PYTHON: "Python",
}
"""What the rungs are called."""
MARKS = {
    rungs.OK: ("✓", "ok", "good"),
    rungs.WARNING: ("!", "!!", "warning"),
    rungs.ERROR: ("✗", "NO", "error"),
    rungs.UNKNOWN: ("?", "??", "note"),
    rungs.ABSENT: ("-", "--", "dim"),
}
"""For each state its mark, the mark where only ASCII is shown, and its style."""
_LINES = 2
"""A finding takes so many lines at most."""


def render(ladder: Ladder, findings: tuple[Reported, ...], view: View) -> str:
    """Return the ladder as lines of text.

    Args:
        ladder: The rungs and the verdict.
        findings: All that was found, for the counts.
        view: Width, colour, how much to say, and whether only ASCII is shown.
    """
    return "".join(f"{view.fit(line)}\n" for line in _lines(ladder, findings, view))


def _lines(ladder: Ladder, findings: tuple[Reported, ...], view: View) -> Iterator[str]:
    paint = painter(color=view.color)
    first, *rest = map(clean, ladder.title)
    yield paint(clipped(f"mlenv {__version__}: {first}", view.width), "strong")
    for line in rest:
        yield clipped(f"  on {line}", view.width)
    yield ""
    for rung in ladder.rungs:
        yield from _rung(rung, view, paint)
    yield ""
    state = ladder.verdict.state
    mark = _mark(state, view)
    said = wrapped(clean(ladder.verdict.text), view.width, f"{mark} ", " " * (len(mark) + 1))
    for number, line in enumerate(said):
        body = line[len(mark) :] if number == 0 else line
        yield (paint(mark, MARKS[state][2]) if number == 0 else "") + paint(body, "strong")
    if ladder.verdict.help:
        yield from _clipped(f"help: {ladder.verdict.help}", "  ", "    ", view)
    yield from wrapped(_counts(findings), view.width, "", "  ")


def _mark(state: str, view: View) -> str:
    return MARKS[state][1 if view.ascii else 0]


def _rung(rung: Rung, view: View, paint: Paint) -> Iterator[str]:
    mark = _mark(rung.state, view)
    label = f"{TITLES[rung.key]:<10}"
    indent = f"  {' ' * len(mark)} {' ' * len(label)}  "
    text = clipped(clean(rung.text), view.width - len(indent))
    style = MARKS[rung.state][2]
    yield f"  {paint(mark, style)} {paint(label, 'strong')}  {text}".rstrip()
    told = [one for one in rung.findings if view.verbose or one.severity is not Severity.NOTE]
    for one in told if view.verbose else told[:1]:
        yield from _finding(one, indent, view, paint)
    if len(told) > 1 and not view.verbose:
        codes = dict.fromkeys(one.rule for one in told[1:])
        more = f"{indent}and {len(told) - 1} more: {', '.join(codes)}"
        yield clipped(more, view.width)


def _finding(finding: Reported, indent: str, view: View, paint: Paint) -> Iterator[str]:
    code = finding.rule
    lines = list(_clipped(finding.message, f"{indent}{code} ", f"{indent}  ", view))
    yield indent + paint(code, finding.severity.value) + lines[0][len(indent) + len(code) :]
    yield from lines[1:]


def _clipped(text: str, first: str, rest: str, view: View) -> Iterator[str]:
    """Yield a text as lines; a few of them unless everything is to be said."""
    said = clean(" ".join(text.split()))
    lines = list(wrapped(said, view.width, first, rest))
    if len(lines) <= _LINES or view.verbose:
        yield from lines
    else:
        yield from lines[: _LINES - 1]
        yield _cut(lines[_LINES - 1], view.width)


def _cut(line: str, width: int) -> str:
    while text_width(line) > width - 2:
        line = line[:-1]
    return f"{line} …"


def _counts(findings: tuple[Reported, ...]) -> str:
    found = ", ".join(
        counted(number, severity.value)
        for severity in Severity
        if (number := sum(one.severity is severity for one in findings))
    )
    if not found:
        return "no findings"
    return f"{found}; mlenv audit shows each with the evidence and what to do"
