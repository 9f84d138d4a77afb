"""Which known messages a text holds, the cause of the others first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.breaks import Break
from mlenv.knowledge.messages import ROOT, WEIGHTS, Message, filled
from mlenv.model.finding import Evidence
from mlenv.model.requirement import canonical_name
from mlenv.records import dataclass
from mlenv.tracebacks.paste import lines_of, modules_in

_TOPIC_RULES = {"cohorts": "COH001", "removed-api": "RMV001"}
_EXCEPTION = re.compile(r"(?:[A-Za-z_.]{1,80}(?:Error|Exception|Warning)|Error): ")
_OF_VERSIONS = "breaks:"
_LEAST = 20
"""A message that is shorter would be found in texts that speak of something else."""
_MOST_BREAKS = 3
_MOST_LINES = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Recognised:
    """A known message in a text.

    Attributes:
        id: Of its record.
        line: Where it was first met, counted from 1.
        text: That line.
        cause: What is wrong.
        fix: The ways out, each a phrase.
        rules: The codes of the rules that find it before anything runs.
        packages: Canonical names whose versions bear on it.
        facts: What else of an environment does.
        said: What the message captured.
        weight: One of :data:`mlenv.knowledge.messages.WEIGHTS`.
        evidence: Who says so.
    """

    id: str
    line: int
    text: str
    cause: str
    fix: tuple[str, ...]
    rules: tuple[str, ...]
    packages: tuple[str, ...]
    facts: tuple[str, ...]
    said: Mapping[str, str]
    weight: str
    evidence: tuple[Evidence, ...]


def recognise(text: str, knowledge: Knowledge) -> tuple[Recognised, ...]:
    """Return the known messages in a text, what is the cause of the others first.

    An exception that was raised while another one was handled is printed after it, so of two
    causes the earlier one leads. What names the cause itself goes before what mostly follows from
    one, and both before what a program says in passing.

    Args:
        text: A traceback, a log, or a message alone.
        knowledge: The records.
    """
    lines = list(lines_of(text))[:_MOST_LINES]
    whole = "\n".join(line for _, line in lines)
    known = tuple(knowledge.messages.within(whole))
    texts = _texts_of_breaks(knowledge, whole)
    modules = frozenset(map(canonical_name, modules_in(whole)))
    found: dict[str, Recognised] = {}
    for number, line in lines:
        for message in known:
            said = message.find(line)
            if said is not None and message.group not in found:
                found[message.group] = _of_message(message, number, line, said)
        for said_text, records in texts.items():
            if said_text in line and said_text not in found:
                found[said_text] = _of_breaks(records, number, line, modules)
    told = _without_repeats(list(found.values()))
    return tuple(sorted(told, key=lambda one: (WEIGHTS.index(one.weight), one.line)))


def _without_repeats(found: Sequence[Recognised]) -> Iterator[Recognised]:
    """Yield what was found, of several on one line that which says most of the cause."""
    ranks: dict[int, int] = {}
    for one in found:
        ranks[one.line] = min(_rank(one), ranks.get(one.line, _rank(one)))
    return (one for one in found if _rank(one) == ranks[one.line])


def _rank(one: Recognised) -> int:
    """Return how much is told: most by a record of the message, then by one of the versions."""
    if one.id.startswith(_OF_VERSIONS):
        return 1
    return 0 if one.weight == ROOT else 2


def _of_message(message: Message, number: int, line: str, said: Mapping[str, str]) -> Recognised:
    names = (filled(name, said) for name in message.packages)
    # ``huggingface_hub.utils`` is a module, and its distribution is called for its first part
    packages = (canonical_name(name.partition(".")[0].partition("[")[0]) for name in names)
    return Recognised(
        message.id,
        number,
        line.strip(),
        filled(message.cause, said),
        tuple(filled(one, said) for one in message.fix),
        message.rules,
        tuple(dict.fromkeys(filter(None, packages))),
        message.facts,
        said,
        message.weight,
        (message.evidence,),
    )


def _texts_of_breaks(knowledge: Knowledge, text: str) -> dict[str, list[Break]]:
    """Return the messages of versions that fail together, so far as they occur in a text."""
    found: dict[str, list[Break]] = {}
    for record in knowledge.breaks.all:
        said = _EXCEPTION.sub("", record.error, count=1)
        if len(said) >= _LEAST and said in text:
            found.setdefault(said, []).append(record)
    return found


def _of_breaks(
    records: Sequence[Break], number: int, line: str, modules: frozenset[str]
) -> Recognised:
    """Return what several records say of one message: those of packages in the traceback first."""
    near = [one for one in records if len(modules.intersection(one.when)) == len(one.when)]
    near = near or [one for one in records if modules.intersection(one.when)] or list(records)
    told = near[:_MOST_BREAKS]
    fixes = dict.fromkeys(fix for one in told for fix in one.fix)
    return Recognised(
        f"{_OF_VERSIONS}{told[0].id}",
        number,
        line.strip(),
        "; or ".join(dict.fromkeys(one.evidence.fact for one in told)),
        tuple(fixes),
        tuple(dict.fromkeys(_TOPIC_RULES.get(one.topic, "COH001") for one in told)),
        tuple(dict.fromkeys(name for one in near for name in one.when)),
        ("paths",),
        {},
        ROOT,
        tuple(one.evidence for one in told),
    )
