"""Topic ``conflicts``: requirements that contradict the metadata of what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.reasoning.contradiction import Contradiction, Link, contradictions
from mlenv.reasoning.setting import IMAGE, INSTALLED, REQUIREMENTS, Setting
from mlenv.rules.base import rule
from mlenv.versions.version_set import VersionSet

_METADATA = "Requires-Dist in the wheels' own metadata"


@rule(
    "CON003",
    "contradicts-metadata",
    topic="conflicts",
    severity=Severity.ERROR,
    facts=("requires",),
    # the tool that wrote a lock found a solution, be it with overrides; an environment has its own
    # metadata, of which ENV002 speaks
    only=(REQUIREMENTS, IMAGE, "is_reported"),
)
def contradicts_metadata(setting: Setting) -> Iterator[Finding]:
    """A pin that another package of the same installation rules out.

    Each package states in its metadata what it requires. Where every admitted version of one
    requires a version of another that the project does not admit, no installer finds a solution;
    in an environment that was forced together something fails sooner or later. The chain is named,
    also where it leads through packages that are not declared. In an image a
    warning, and only where one command asks for both: a later one overrules an earlier one.

    Messages that users see: "ResolutionImpossible", "No solution found when resolving
    dependencies", "requires torch==2.1.0, but you have torch 2.0.1 which is incompatible".

    Bad:
        torch==2.0.1
        torchvision==0.16.0

    Good:
        torch==2.1.0
        torchvision==0.16.0
    """
    told: set[frozenset[str]] = set()
    for one in contradictions(setting):
        pair = frozenset(one.names)
        if pair not in told and _are_of_one_command(setting, one):
            told.add(pair)
            yield _finding(setting, one)


def _are_of_one_command(setting: Setting, one: Contradiction) -> bool:
    """Whether one command installs both: in an image a later one replaces what is there."""
    if setting.kind != IMAGE or setting.source is None:
        return True
    commands = [
        next(
            (
                command.span
                for command in setting.source.commands
                if command.span.path == place.path
                and command.span.start <= place.start
                and place.end <= command.span.end
            ),
            place.path,
        )
        for place in (setting.choices[name].span for name in one.names)
    ]
    return commands[0] == commands[1]


def _bounds(versions: VersionSet, newest: str) -> str:
    """Return what to ask for, in two bounds at most where many releases ask for something each.

    Args:
        versions: All that they ask for.
        newest: What the newest of them asks for.
    """
    return newest if versions.text.count("||") > 1 else versions.text


def _finding(setting: Setting, one: Contradiction) -> Finding:
    first, last = one.names
    asked, ruled_out = setting.choices[first], setting.choices[last]
    chain = ", which ".join(map(_step, one.links))
    have = "is installed" if setting.kind == INSTALLED else "is asked for here"
    later, earlier = sorted((asked, ruled_out), key=lambda c: (c.span.path, -c.span.start))
    version = one.links[0].version
    who = f"{first} {version}" if version else f"every {first} that fits the rest"
    return Finding(
        f"{who} {chain}, and {ruled_out.specifier} {have}",
        later.span,
        (first, last),
        Severity.WARNING if setting.kind == IMAGE else None,
        Certainty.CERTAIN,
        help=f"{last}{_bounds(one.versions, one.links[-1].text)}, or another version of {first}",
        related=(Related(earlier.span, f"{earlier.specifier} stands here"),),
        evidence=tuple(
            Evidence(
                f"{link.name} {link.version or '(the newest)'} requires {link.required}{link.text}",
                _METADATA,
            )
            for link in one.links
        ),
    )


def _step(link: Link) -> str:
    if link.version is None:
        return f"requires {link.required} (the newest asks for {link.required}{link.text})"
    return f"requires {link.required}{link.text}"
