"""What the project's own code uses and its models need: what rules may ask, and the answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mlenv.model.text import Span
from mlenv.protocols import Protocol
from mlenv.records import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """A place in the project's own code that uses a name.

    Attributes:
        name: The name that was asked for; see :meth:`Code.uses`.
        span: Where.
        guarded: Whether the code is prepared for the name not to be there: inside ``try`` with an
            ``except ImportError``, behind ``hasattr`` or a check of a version, or because the
            project sets the name itself.
    """

    name: str
    span: Span
    guarded: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A file of a model that tells which release of a distribution wrote it.

    Attributes:
        package: Canonical name of the distribution.
        version: As written.
        span: Where that stands.
    """

    package: str
    version: str
    span: Span


class Code(Protocol):
    """The Python files and notebooks of a project, and the configurations of its models."""

    @property
    def paths(self) -> Sequence[str]:
        """The files, relative to the root, in order of path; none of them is opened for it.

        Those that git ignores may be among them: nothing is told of what they use.
        """

    def uses(self, names: Collection[str]) -> Mapping[str, Sequence[Use]]:
        """Return where the code uses some names; files are read at the first question.

        Ask for all names at once: each question about new ones reads the files again.

        Args:
            names: Dotted names from the top-level module on (``numpy.float_``), whatever the code
                calls the module; a module alone (``pkg_resources``) for its import. What begins
                with a name counts too: ``tensorflow.contrib`` is used by
                ``tensorflow.contrib.slim``. Behind a colon stands the keyword of a call:
                ``transformers.TrainingArguments:evaluation_strategy``.

        Returns:
            The uses of each name in order of place; a name that is not used is left out.
        """

    @property
    def saved(self) -> Sequence[Saved]:
        """What the configurations of models say of who wrote them; read when first asked for."""


class NoCode:
    """A project without code, or one whose code is not looked at."""

    @property
    def paths(self) -> Sequence[str]:
        """No files."""
        return ()

    def uses(self, names: Collection[str]) -> Mapping[str, Sequence[Use]]:  # noqa: ARG002
        """Return nothing; see :meth:`Code.uses`."""
        return {}

    @property
    def saved(self) -> Sequence[Saved]:
        """No models."""
        return ()


NO_CODE = NoCode()
