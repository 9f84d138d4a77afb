"""What an installer picks in many places of a project for one cause is said once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlenv.model.finding import Certainty, Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.text import Span
from mlenv.records import replace
from mlenv.rules.common import is_aside, is_auxiliary

_MOST_PLACES = 20
Key = tuple[str, str]
"""A machine, and what is picked there."""


def said_once(project: Project, found: Iterable[tuple[Key, Finding]]) -> Iterator[Finding]:
    """Yield findings, with those that an open version brings about in several places made one.

    The worst leads, then the one in the most prominent file; the others become related places.
    What a file pins is a cause of its own.

    Args:
        project: Whose files they stand in; what stands elsewhere is left as it is.
        found: The findings, each with its machine and with what is picked.
    """
    groups: dict[Key, list[Finding]] = {}
    for cause, finding in found:
        is_open = finding.certainty is Certainty.FRESH_INSTALL
        if is_open and finding.span.path in project.sources:
            groups.setdefault(cause, []).append(finding)
        else:
            yield finding
    told: set[tuple[str, Span]] = set()
    ordered = [(cause, sorted(members, key=_prominence)) for cause, members in groups.items()]
    for (machine, _), members in sorted(ordered, key=lambda one: _prominence(one[1][0])):
        # groups of one project install a file with different versions: once is enough
        new = [one for one in members if (machine, one.span) not in told]
        told.update((machine, one.span) for one in new)
        if new:
            yield _joined(new)


def _prominence(finding: Finding) -> tuple[int, bool, int, int, str, int]:
    path = finding.span.path
    aside = is_auxiliary(path) or is_aside(path)
    rank = (finding.severity or Severity.ERROR).rank
    return rank, aside, path.count("/"), len(path), path, finding.span.start


def _joined(members: Sequence[Finding]) -> Finding:
    first = members[0]
    others = [one for one in dict.fromkeys(m.span for m in members) if one != first.span]
    if not others:
        return first
    places = "another place" if len(others) == 1 else f"{len(others)} other places"
    related = (Related(span, "so it does here") for span in others[:_MOST_PLACES])
    return replace(
        first,
        message=f"{first.message}; the same in {places}",
        related=(*first.related, *related),
    )
