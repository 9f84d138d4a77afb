"""Topic ``pins``: versions that the team itself does not allow."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.finding import Certainty, Evidence, Finding, Severity
from mlenv.reasoning.setting import Setting
from mlenv.reasoning.verdict import Verdict, judge
from mlenv.rules.base import rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge.extra import Forbidden


@rule("PIN011", "forbidden-version", topic="pins", severity=Severity.ERROR)
def forbidden_version(setting: Setting) -> Iterator[Finding]:
    """A version that the team's own facts forbid.

    ``extra-facts`` in the configuration names files in which a team says which versions must not
    be used, and why: a release of its own with a bug, a package that its lawyers refuse. Judged is
    what is pinned and locked, and what an installer picks on the day; where a range merely admits
    such a version, nothing is said.

    Bad:
        in-house-loader==2.2.0, with versions = "<2.3" forbidden

    Good:
        in-house-loader==2.3.1
    """
    for record in setting.knowledge.forbidden:
        verdict = judge(setting, {record.package: record.versions})
        if verdict is not None and verdict.certainty is not Certainty.POSSIBLE:
            span = setting.place_of(record.package)
            if span is not None:
                what = _what(setting, record, verdict)
                because = f": {record.reason}" if record.reason else ""
                yield Finding(
                    f"{what}, which this team's facts forbid{because}",
                    span,
                    (record.package,),
                    certainty=verdict.certainty,
                    help=f"use {record.use}" if record.use else "choose another version",
                    evidence=(
                        Evidence(
                            f"{record.package} {record.versions.text or 'in any version'} is "
                            "forbidden",
                            record.source,
                        ),
                    ),
                )


def _what(setting: Setting, record: Forbidden, verdict: Verdict) -> str:
    pick = verdict.picks.get(record.package)
    if verdict.certainty is Certainty.CERTAIN or pick is None:
        choice = setting.choices.get(record.package)
        return f"this is {choice.specifier if choice is not None else record.package}"
    return f"an installer picks {record.package} {pick.version}"
