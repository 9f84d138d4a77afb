"""How the reader wants a report shown; every renderer takes one."""

from __future__ import annotations

from mlenv.records import dataclass
from mlenv.report.escape import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Span


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a renderer may know of the place that its text goes to.

    Attributes:
        width: Columns that a line may take.
        color: Whether ANSI colours are understood there.
        quiet: Errors and the summary only.
        verbose: Every file, fact and place, however many.
        prefix: What leads from the working folder to the root, so that paths can be followed;
            empty, or ending in ``/``.
        statistics: Whether to count the findings of each rule.
        ascii: Whether no other characters can be shown.
    """

    width: int = 80
    color: bool = False
    quiet: bool = False
    verbose: bool = False
    prefix: str = ""
    statistics: bool = False
    ascii: bool = False

    def fit(self, text: str) -> str:
        """Return a text as it can be shown; in ASCII ``~`` says that something is cut."""
        if not self.ascii:
            return text
        return text.replace("…", "~").encode("ascii", "backslashreplace").decode("ascii")

    def path(self, span: Span) -> str:
        """Return the file that a place lies in, so that it can be opened; or the target."""
        return clean(span.path if span.target else self.prefix + span.path)
