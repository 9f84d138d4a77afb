"""Topic ``driver``: what pixi asks of a machine before it installs or runs anything there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import MAIN
from mlenv.model.source import MANIFEST, Statement
from mlenv.model.target import MACOS, Target
from mlenv.reasoning.machine_fit import driver_serves, driver_text, is_newer
from mlenv.rules.base import rule

_KINDS = ("pixi", "pyproject")


@rule(
    "DRV005",
    "below-system-requirements",
    topic="driver",
    severity=Severity.ERROR,
    only=("driver", "driver_cuda"),
)
def below_system_requirements(
    project: Project, knowledge: Knowledge, targets: Sequence[Target]
) -> Iterator[Finding]:
    """A machine whose driver serves an older CUDA than pixi's ``system-requirements`` name.

    pixi resolves for the CUDA that is written there, and refuses to install or run where the
    machine has less, whatever the packages need. A feature's requirements hold for the
    environments that have it, so these are warnings.

    Messages that users see: "the project requires '__cuda' to be at least version '12.4' but the
    system has version '12.2'".

    Bad:
        # on a machine with driver 535 (CUDA 12.2)
        [system-requirements]
        cuda = "12.4"

    Good:
        # on a machine with driver 535 (CUDA 12.2)
        [system-requirements]
        cuda = "12"
    """
    for target in targets:
        serves = driver_serves(target, knowledge)
        if not serves or target.system == MACOS:
            continue
        for asked in _asked(project):
            if is_newer(asked.value, serves):
                yield _refused(target, serves, asked)


def _asked(project: Project) -> Iterator[Statement]:
    """Yield what pixi's tables ask of a machine's CUDA."""
    for source in project.sources.values():
        if source.kind in _KINDS and source.role == MANIFEST and not source.is_record:
            yield from (one for one in source.statements if one.subject == "cuda")


def _refused(target: Target, serves: str, asked: Statement) -> Finding:
    is_everywhere = asked.group == MAIN
    who = "pixi refuses this machine" if is_everywhere else "environments with this feature fail"
    where = target.where("driver", "driver_cuda")
    return Finding(
        f"{who}: CUDA {asked.value} is asked for, and {driver_text(target)} serves {serves}",
        asked.span,
        ("nvidia-driver",),
        severity=Severity.ERROR if is_everywhere else Severity.WARNING,
        help=f"ask for CUDA {serves} or less, or update the driver",
        related=(Related(where, "the driver"),),
        evidence=(
            Evidence(
                "pixi runs an environment only where the machine has what its requirements name",
                "pixi's documentation, System Requirements",
            ),
        ),
    )
