"""How findings on versions that fail together are worded and placed, whatever the topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.text import Span
from mlenv.phrases import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.setting import Setting
    from mlenv.reasoning.verdict import Verdict


def pair_finding(
    setting: Setting,
    verdict: Verdict,
    effect: str,
    fix: Sequence[str],
    evidence: Sequence[Evidence],
    severity: Severity,
) -> Finding | None:
    """Return the finding on versions that fail together, or None where it has no place.

    Args:
        setting: The installation.
        verdict: How sure it is that they meet.
        effect: What goes wrong, as half a sentence.
        fix: The ways out, each a phrase.
        evidence: Who says so.
        severity: How bad it is where they are certain to meet or are picked today.
    """
    names = verdict.names
    places = places_of(setting, names, verdict.opened)
    if not places:
        return None
    first, *others = places
    if verdict.opened and verdict.certainty is Certainty.FRESH_INSTALL:
        evidence = (*evidence, *_grounds(setting, verdict))
    return Finding(
        f"{met(setting, verdict)}: {effect}",
        first[1],
        names,
        Severity.NOTE if verdict.certainty is Certainty.POSSIBLE else severity,
        verdict.certainty,
        help=", or ".join(possible_ways(setting, fix)),
        related=tuple(Related(span, stands(setting, name)) for name, span in others),
        evidence=tuple(evidence),
    )


def possible_ways(setting: Setting, fix: Sequence[str]) -> list[str]:
    """Return the ways out that lead somewhere: a release that the Python there can install.

    Args:
        setting: The installation.
        fix: The ways, of which those that are one requirement are looked up.
    """
    return [way for way in fix if _leads_somewhere(setting, way)] or [*fix]


def _leads_somewhere(setting: Setting, way: str) -> bool:
    import re

    from mlenv.model.requirement import canonical_name
    from mlenv.reasoning.wheel_support import has_wheels, serves
    from mlenv.versions.version_set import pep440

    match = re.match(r"([A-Za-z0-9_.-]+)((?:[<>=~!]=?|==)[^ ()]+)(?: \(|$)", way)
    versions = pep440(match[2]) if match else None
    if match is None or versions is None:
        return True
    newest, has_some = None, False
    for one in setting.knowledge.releases.newest_first(canonical_name(match[1])):
        newest = newest or one
        if versions.admits(one.version):
            if serves(one, newest, setting.python.version, "", setting.day):
                return True
            has_some = has_some or has_wheels(one)
    return not has_some  # not on record, or built from source by everybody


def stands(setting: Setting, name: str) -> str:
    """Return what stands at the place of a distribution: itself, or what brings it along."""
    pick = setting.pick(name)
    if name in setting.choices or pick is None or not pick.chain:
        return f"{name} stands here"
    return f"{pick.chain[0]} brings {name} along"


def met(setting: Setting, verdict: Verdict) -> str:
    """Return how the versions come to meet: ``torch 2.1.0 leaves numpy open, …``."""
    fixed = [name for name in verdict.names if name not in verdict.opened]
    shown = [shown_pick(setting, name, verdict) for name in fixed]
    if verdict.certainty is Certainty.CERTAIN:
        return " with ".join(shown)
    beside = f" beside {' and '.join(shown)}" if shown else ""
    picked = [name for name in verdict.opened if name in verdict.names]
    if verdict.certainty is Certainty.POSSIBLE:
        return f"{listed(verdict.opened, 3)} may come in a version that does not fit{beside}"
    what = " and ".join(_picked(name, verdict) for name in picked)
    return f"an installer picks {what}{beside}"


def _picked(name: str, verdict: Verdict) -> str:
    pick = verdict.picks.get(name)
    return f"{name} {pick.version}" if pick is not None else f"the newest {name}"


def shown_pick(setting: Setting, name: str, verdict: Verdict) -> str:
    """Return a distribution with its version, or with what is asked for where that is open."""
    choice = setting.choices.get(name)
    pick = verdict.picks.get(name)
    if choice is not None and choice.is_conda and choice.requirements:
        return choice.span.text
    is_open = choice is not None and choice.exact is None and not choice.locked
    if choice is not None and (pick is None or (is_open and not choice.versions.is_any)):
        return choice.specifier
    return f"{name} {pick.version}" if pick is not None else name


def _grounds(setting: Setting, verdict: Verdict) -> Iterator[Evidence]:
    """Yield on what a pick rests."""
    if any(name in verdict.picks for name in verdict.opened):
        yield picked_for(setting)
    if verdict.by_conda:
        yield Evidence(
            "taken to be the same in conda-forge, whose own metadata are not on record",
            "conda-forge's documentation: packages are updated from PyPI by a bot",
        )
    if verdict.guessed:
        names = " and ".join(verdict.guessed)
        yield Evidence(
            f"the releases of {names} are not on record: an open line is taken to mean the newest "
            "that the record above was made for",
            "the record above",
        )


def picked_for(setting: Setting) -> Evidence:
    """Return on what a pick rests: it is no part of the message, which is said once per place."""
    python = setting.python
    known = "" if python.stated else ", the newest usual one that the pins allow"
    return Evidence(
        f"picked among the releases of {setting.day}, for Python {python.name}{known}",
        "dates, files and metadata of the releases on PyPI",
    )


def places_of(
    setting: Setting, names: Sequence[str], opened: Sequence[str] = ()
) -> list[tuple[str, Span]]:
    """Return where some distributions stand, the place to change first.

    That is an open one that is declared, else the last one that is. What is only brought along
    stands where it is brought from.

    Args:
        setting: The installation.
        names: The distributions.
        opened: Those whose version is open.
    """
    found = [(name, span) for name in names if (span := setting.place_of(name)) is not None]
    declared = setting.choices
    found.sort(
        key=lambda pair: (
            pair[0] not in declared,
            pair[0] not in opened,
            # of several the last one written, which is where the reader meets the contradiction
            pair[1].path,
            -pair[1].start,
        )
    )
    unique: dict[Span, str] = {}
    for name, span in found:
        unique.setdefault(span, name)
    return [(name, span) for span, name in unique.items()]
