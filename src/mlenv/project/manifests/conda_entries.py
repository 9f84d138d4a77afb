"""One entry of a list of conda's packages, for the formats that hold such lists."""

from __future__ import annotations

from mlenv.model.requirement import Requirement
from mlenv.project.matchspec import read_match_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Fragment
    from mlenv.project.collect import Collector


def add_spec(fragment: Fragment, collector: Collector) -> Requirement | None:
    """Read one match specification and keep it, or the problem with it.

    Args:
        fragment: Its text.
        collector: Where it goes; its group and kind are the requirement's.
    """
    found = read_match_spec(fragment, group=collector.group, kind=collector.kind)
    if isinstance(found, Requirement):
        collector.requirements.append(found)
        return found
    collector.refuse(fragment, found)
    return None
