"""A machine and an environment as a ladder: from the GPU down to Python, and what does not fit."""

from __future__ import annotations

from collections.abc import Callable

from mlenv.records import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.report import Reported

OK = "ok"
WARNING = "warning"
ERROR = "error"
UNKNOWN = "unknown"
ABSENT = "absent"
"""How a rung is: nothing speaks against it; something may; something does; what is there is not
known; nothing is there, which need not be wrong."""
STATES = (OK, WARNING, ERROR, UNKNOWN, ABSENT)

GPU = "gpu"
DRIVER = "driver"
CUDA = "cuda"
TORCH = "torch"
COMPANIONS = "companions"
NUMPY = "numpy"
PACKAGES = "packages"
PYTHON = "python"
RUNGS = (GPU, DRIVER, CUDA, TORCH, COMPANIONS, NUMPY, PACKAGES, PYTHON)
"""The rungs, from the top."""


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """One thing that the others stand on.

    Attributes:
        key: One of :data:`RUNGS`.
        state: One of :data:`STATES`.
        text: What is there, in a line.
        findings: What rules say of it, the worst first.
    """

    key: str
    state: str
    text: str
    findings: tuple[Reported, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Whether torch can run there.

    Attributes:
        state: One of :data:`STATES`: ``absent`` where there is no GPU, or no torch.
        text: In a sentence without a full stop.
        help: What to do; may be empty.
    """

    state: str
    text: str
    help: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """What ``mlenv env`` shows.

    Attributes:
        title: The machine and the environment, in a few words each.
        rungs: From the top.
        verdict: The answer.
    """

    title: tuple[str, ...]
    rungs: tuple[Rung, ...]
    verdict: Verdict

    def changed(self, change: Callable[[str], str]) -> Ladder:
        """Return a ladder with each of its texts changed, those of its findings too."""
        made = tuple(
            replace(
                one,
                text=change(one.text),
                findings=tuple(replace(it, message=change(it.message)) for it in one.findings),
            )
            for one in self.rungs
        )
        said = self.verdict
        verdict = Verdict(said.state, change(said.text), change(said.help) if said.help else "")
        return Ladder(tuple(map(change, self.title)), made, verdict)
