"""What an installer picks in many places of a project for one cause is said once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlenv.model.finding import Certainty, Finding, Related, Severity
from mlenv.records import replace
from mlenv.rules.common import is_aside, is_auxiliary

_MOST_PLACES = 20
Key = tuple[str, ...]


def said_once(found: Iterable[tuple[Key, Finding]]) -> Iterator[Finding]:
    """Yield findings, with those that an open version brings about in several places made one.

    The worst leads, then the one in the most prominent file; the others become related places.
    What a file pins is a cause of its own.

    Args:
        found: The findings, each with what tells its cause from others.
    """
    groups: dict[Key, list[Finding]] = {}
    for cause, finding in found:
        if finding.certainty is Certainty.FRESH_INSTALL and not finding.span.target:
            groups.setdefault(cause, []).append(finding)
        else:
            yield finding
    for members in groups.values():
        yield _joined(sorted(members, key=_prominence))


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
