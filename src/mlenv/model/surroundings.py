"""What lies around a project: the machines it is meant for, what is installed, this machine."""

from __future__ import annotations

from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.environment import Environment
    from mlenv.model.machine import Machine
    from mlenv.model.target import Target


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What an audit looks at beside the project's files.

    Attributes:
        targets: The machines that the project is meant for.
        environment: What is installed; None where that was not looked at.
        machine: This machine; None where it was not looked at.
    """

    targets: tuple[Target, ...] = ()
    environment: Environment | None = None
    machine: Machine | None = None


NOTHING_AROUND = Surroundings()
