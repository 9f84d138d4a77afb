"""From what was pasted to its causes, each with what is so here and what the rules find here."""

from __future__ import annotations

from collections.abc import Sequence

from mlenv.audit import audit_surroundings
from mlenv.config import Config
from mlenv.knowledge import Knowledge
from mlenv.model.finding import Evidence
from mlenv.model.report import Reported
from mlenv.model.requirement import canonical_name
from mlenv.model.surroundings import Surroundings
from mlenv.records import dataclass
from mlenv.tracebacks.here import facts_here
from mlenv.tracebacks.paste import modules_in
from mlenv.tracebacks.recognise import Recognised

_OF_MACHINE = frozenset(("driver", "gpu-arch", "cuda-toolkit", "python"))
"""Topics whose findings bear on a message whatever packages they name."""
_COMMON = frozenset(("torch", "numpy"))
_MOST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Cause:
    """A known message, checked against what is here.

    Attributes:
        recognised: The message.
        here: What is so here and bears on it.
        findings: What its rules find here, the worst first.
    """

    recognised: Recognised
    here: tuple[Evidence, ...]
    findings: tuple[Reported, ...]


def causes_of(
    recognised: Sequence[Recognised],
    around: Surroundings,
    knowledge: Knowledge,
    text: str,
    today: str = "",
) -> tuple[Cause, ...]:
    """Return the causes in a text, in the order in which they were recognised.

    Args:
        recognised: The messages in it.
        around: The environment and the machine.
        knowledge: The records.
        text: All that was pasted.
        today: The day that is judged by, as ``YYYY-MM-DD``; empty for the real one.
    """
    codes = tuple(dict.fromkeys(code for one in recognised for code in one.rules))
    findings: tuple[Reported, ...] = ()
    if codes and (around.environment is not None or around.machine is not None):
        config = Config(select=codes, fail_on="never")
        findings = audit_surroundings(around, config, today).findings
    modules = modules_in(text)
    near = frozenset(map(canonical_name, modules))
    return tuple(
        Cause(
            one,
            facts_here(one, around, knowledge, modules),
            _bearing(one, findings, near),
        )
        for one in recognised
    )


def _bearing(
    recognised: Recognised, findings: Sequence[Reported], modules: frozenset[str]
) -> tuple[Reported, ...]:
    """Return the findings of a message's rules that speak of what it speaks of.

    Those on packages that the traceback goes through lead.
    """
    soname = recognised.said.get("soname", "")
    found = [
        one
        for one in findings
        if one.rule in recognised.rules
        and soname in one.message
        and (soname or one.topic in _OF_MACHINE or _is_about(one, recognised.packages))
    ]

    def order(one: Reported) -> tuple[bool, int]:
        is_near = bool(modules.intersection(one.packages) - _COMMON)
        return not is_near, one.severity.rank

    return tuple(sorted(found, key=order)[:_MOST])


def _is_about(finding: Reported, names: Sequence[str]) -> bool:
    """Whether a finding speaks of the packages of a message: what many speak of tells nothing."""
    telling = frozenset(names) - _COMMON
    return not telling or bool(telling.intersection(finding.packages))
