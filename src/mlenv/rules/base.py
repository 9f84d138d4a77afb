"""The form of a rule and the decorator that makes one of a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.finding import Finding, Severity

Check = Callable[..., "Iterator[Finding]"]

GRANULARITIES = (
    *("source", "install_set", "image_set", "setting", "environment", "machine", "project"),
)
"""What a rule may be called for, one at a time; the first parameter's name says which."""

TOPICS = (
    "parse", "pins", "locks", "mixing", "index", "cuda-build", "cuda-toolkit", "driver", "gpu-arch",
    "numpy2", "companions", "cohorts", "removed-api", "python", "conflicts", "duplicates",
    "system-libraries", "images", "build", "environment", "security", "hygiene",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """What is known of a rule before its module is loaded.

    Attributes:
        code: Stable for ever, such as ``PIN001``.
        topic: One of :data:`TOPICS`.
        needs: See :class:`Rule`.
        only: See :class:`Rule`.
        module: The last part of its module's name.
        function: What it is called there.
    """

    code: str
    topic: str
    needs: tuple[str, ...]
    only: tuple[str, ...]
    module: str
    function: str

    @property
    def rule(self) -> Rule:
        """The rule itself, whose module is loaded for it."""
        from importlib import import_module

        found = getattr(import_module(f"mlenv.rules.{self.module}"), self.function)
        assert isinstance(found, Rule), self.code
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A check.

    Attributes:
        code: Stable for ever, such as ``PIN001``.
        name: In words, such as ``unpinned``.
        topic: One of :data:`TOPICS`.
        severity: Of its findings, where they do not say otherwise.
        since: The version of mlenv that brought it.
        check: Yields findings.
        needs: The names of the check's parameters: what it works on, then what it looks up.
        facts: The files of records that it rests on, by name.
        only: What there has to be for it to have something to say: a kind of settings, or a field
            of the environment (``binaries``), of a machine (``gpus``) or of the project, whichever
            of them is there; none where it is always called.
    """

    code: str
    name: str
    topic: str
    severity: Severity
    since: str
    check: Check
    needs: tuple[str, ...]
    facts: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule itself; see :class:`Listed`."""
        return self

    @property
    def explanation(self) -> str:
        """What it finds, why that matters, a bad and a good example: the check's docstring."""
        from inspect import cleandoc

        return cleandoc(self.check.__doc__ or "")

    @property
    def summary(self) -> str:
        """The first sentence of the explanation."""
        return self.explanation.partition("\n")[0].rstrip(".")


def rule(
    code: str,
    name: str,
    *,
    topic: str,
    severity: Severity,
    since: str = "0.1.0",
    facts: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
) -> Callable[[Check], Rule]:
    """Make a rule of a function whose parameters name what it works on.

    The first parameter is one of :data:`GRANULARITIES`; the others are context that the engine
    hands in: ``project``, ``code``, ``targets``, ``settings`` (all of them), ``knowledge``,
    ``today``, ``suppressions``, and ``machine`` and ``environment``, which are None where they
    were not looked at. ``facts`` names the files of records that it rests on, ``only`` what
    has to be there for it to have something to say.
    """

    def wrap(check: Check) -> Rule:
        code_object = check.__code__
        needs = code_object.co_varnames[: code_object.co_argcount]
        assert needs[0] in GRANULARITIES, code
        assert topic in TOPICS, code
        return Rule(code, name, topic, severity, since, check, needs, facts, only)

    return wrap
