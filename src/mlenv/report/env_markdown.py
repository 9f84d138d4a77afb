"""``mlenv env`` for bug reports: a table of the ladder, and the packages that matter, folded."""

from __future__ import annotations

from mlenv import __version__
from mlenv.model.ladder import ABSENT, ERROR, OK, UNKNOWN, WARNING
from mlenv.phrases import counted
from mlenv.report.env_text import TITLES
from mlenv.report.escape import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlenv.model.ladder import Ladder, Rung
    from mlenv.model.report import Reported

_WORDS = {OK: "ok", WARNING: "**warning**", ERROR: "**error**", UNKNOWN: "unknown", ABSENT: "-"}


def render(ladder: Ladder, findings: tuple[Reported, ...], packages: Mapping[str, str]) -> str:
    """Return Markdown in which no text of the environment is more than text.

    Args:
        ladder: The rungs and the verdict.
        findings: All that was found.
        packages: Versions of the packages that matter, by name.
    """
    return "\n".join(_lines(ladder, findings, packages)) + "\n"


def _lines(
    ladder: Ladder, findings: tuple[Reported, ...], packages: Mapping[str, str]
) -> Iterator[str]:
    yield f"**mlenv {__version__}**: {literal('; '.join(ladder.title))}"
    yield ""
    yield "| | state | |"
    yield "| --- | --- | --- |"
    yield from map(_row, ladder.rungs)
    yield ""
    yield f"{_WORDS[ladder.verdict.state]}: {literal(ladder.verdict.text)}"
    if ladder.verdict.help:
        yield f"help: {literal(' '.join(ladder.verdict.help.split()))}"
    if findings:
        yield from _folded(counted(len(findings), "finding"), map(_finding, findings))
    if packages:
        said = [_plain(f"{name}=={version}") for name, version in packages.items()]
        yield from _folded(counted(len(packages), "package"), ("```text", *said, "```"))


def _row(rung: Rung) -> str:
    codes = dict.fromkeys(one.rule for one in rung.findings)
    more = f" ({', '.join(codes)})" if codes else ""
    return f"| {TITLES[rung.key]} | {_WORDS[rung.state]}{more} | {literal(rung.text)} |"


def _finding(finding: Reported) -> str:
    return f"- {finding.severity.value} {finding.rule}: {literal(finding.message)}"


def _folded(title: str, lines: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    yield ""
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def literal(text: str) -> str:
    """Return a text as a code span: nothing in it is a link, a mention, a tag or a cell's end."""
    shown = _plain(text).replace("|", "\\|")
    return f"`{shown}`" if shown.strip() else ""


def _plain(text: str) -> str:
    return clean(text).replace("`", "'")
