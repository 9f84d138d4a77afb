"""What a reader gathers while it goes through a file."""

from __future__ import annotations

import re

from mlenv.model.requirement import MAIN, REQUIREMENT, Requirement
from mlenv.model.source import TEMPLATE, UNREADABLE_LINE, Include, Index, Problem, Statement
from mlenv.model.text import Fragment
from mlenv.project.pep508 import Refusal, read_requirement
from mlenv.records import dataclass, field

_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{|\{[A-Z_]+\}")


def is_template(text: str) -> bool:
    """Whether a template engine or a shell fills text in before an installer sees it."""
    return _TEMPLATE.search(text) is not None


@dataclass(slots=True)
class Collector:
    """The parts of a source in the making.

    Attributes:
        group: The group that requirements join.
        kind: What requirements are: required, constraining or overriding.
    """

    group: str = MAIN
    kind: str = REQUIREMENT
    requirements: list[Requirement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def add_requirement(self, fragment: Fragment) -> Requirement | None:
        """Read one PEP 508 requirement and keep it, or the problem with it."""
        found = read_requirement(fragment, group=self.group, kind=self.kind)
        if isinstance(found, Requirement):
            self.requirements.append(found)
            return found
        self.refuse(fragment, found)
        return None

    def refuse(self, fragment: Fragment, refusal: Refusal) -> None:
        """Keep a problem with text that is no requirement, and what can be said of it anyway."""
        if is_template(fragment.text):
            problem = Problem(
                TEMPLATE, fragment.whole, "filled in by a template or the shell", fatal=False
            )
        else:
            problem = Problem(
                UNREADABLE_LINE, fragment.whole, refusal.reason, refusal.name, refusal.help
            )
        self.problems.append(problem)
        if refusal.requirement is not None:
            self.requirements.append(refusal.requirement)
