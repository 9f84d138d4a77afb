"""Topic ``duplicates``: what is installed, or brought along, over the files of something else."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.source import LOCK
from mlenv.reasoning.setting import IMAGE, INSTALLED, REQUIREMENTS, Setting
from mlenv.rules.base import rule


@rule(
    "DUP005",
    "overlap-brought-along",
    topic="duplicates",
    severity=Severity.WARNING,
    facts=("distributions", "requires"),
    # DUP001 speaks of locks, and of an environment ENV020 tells whose files lie there
    only=(REQUIREMENTS, IMAGE, "is_reported"),
)
def overlap_brought_along(setting: Setting) -> Iterator[Finding]:
    """A package that brings another along, which overwrites the files of a third.

    ``easyocr`` and ``albumentations`` require ``opencv-python-headless``: beside ``opencv-python``
    whichever is installed last decides whether windows can be opened. Nobody asked for both, and
    pip sees no conflict. Of a snapshot, what is installed over each other is reported here too.

    Messages that users see: "The function is not implemented. Rebuild the library with Windows,
    GTK+ 2.x or Cocoa support", "CUDAExecutionProvider is not in available provider names".

    Bad:
        opencv-python==4.10.0.84
        easyocr==1.7.2

    Good:
        opencv-python-headless==4.10.0.84
        easyocr==1.7.2
    """
    if setting.source is not None and setting.source.role == LOCK:
        return  # a compiled or frozen file is a lock as well, and brings nothing along
    names = setting.knowledge.names
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in (*setting.choices, *setting.resolution.picks):
        group = names.overlaps_of(name)
        if group and name not in groups.setdefault(group, []) and _counts(setting, name):
            groups[group].append(name)
    for members in groups.values():
        brought = [
            name for name in members if name not in setting.choices and _is_told(setting, name)
        ]
        there = [name for name in members if name in setting.choices or name in brought]
        if len(there) > 1 and (brought or setting.kind == INSTALLED):
            yield from _overlap(setting, there, brought)


def _counts(setting: Setting, name: str) -> bool:
    """Whether a distribution is there in a version that holds files, and from pip."""
    choice = setting.choices.get(name)
    if choice is not None and (choice.is_conda or choice.is_direct):
        return False
    only = setting.knowledge.names.overlap(name).only.get(name)
    pick = setting.pick(name)
    return only is None or (pick is not None and only.admits(pick.version, prereleases=True))


def _is_told(setting: Setting, name: str) -> bool:
    """Whether metadata on record say that a distribution is brought along.

    Those of PyPI do not hold for a build with a label from another index.
    """
    pick = setting.resolution.picks.get(name)
    chain = pick.chain if pick is not None else ()
    choices = [setting.choices.get(one) for one in chain]
    return all(one is None or one.exact is None or not one.exact.local for one in choices)


def _overlap(setting: Setting, members: list[str], brought: list[str]) -> Iterator[Finding]:
    known = setting.knowledge.names.overlap(members[0])
    last = brought[-1] if brought else members[-1]
    span = setting.place_of(last)
    if span is None:
        return
    pick = setting.resolution.picks.get(last)
    by = f"{pick.chain[-1]} brings {last} along, and it and " if brought and pick else ""
    others = [name for name in members if name != last]
    places = [(name, setting.place_of(name)) for name in others]
    yield Finding(
        f"{by}{' and '.join(others if by else members)} overwrite each other's files in "
        f"{known.module}",
        span,
        tuple(members),
        known.severity,
        Certainty.FRESH_INSTALL if brought else Certainty.CERTAIN,
        help=known.advice,
        related=tuple(Related(at, name) for name, at in places if at is not None and at != span),
        evidence=(known.evidence, Evidence(f"then {known.effect}", known.evidence.source)),
    )
