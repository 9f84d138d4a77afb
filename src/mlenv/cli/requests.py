"""What a command line asks for, as frozen values that both readers of it build."""

from __future__ import annotations

from mlenv.records import dataclass

AUDIT_FORMATS = ("text", "json", "github")
DEPS_FORMATS = ("table", "json")
COLORS = ("auto", "always", "never")
HERE = (".",)


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """``mlenv audit``: the options as given; an empty text or tuple where one was not.

    Attributes:
        paths: Folders and files; ``-`` is the standard input.
        format: How to report.
        output: The file to write to; empty or ``-`` for the standard output.
        stdin_filename: What the file on the standard input is called.
        static: Files only, which is all that this version does.
        select: Rules and topics to report, each item comma-separated.
        ignore: Rules and topics not to report, each item comma-separated.
        profile: What the project is.
        fail_on: The severity that fails.
        config: The configuration file.
        no_config: Whether no configuration file is read.
        exclude: Patterns of paths to leave out.
        color: ``auto``, ``always`` or ``never``.
        quiet: Errors and the summary only.
        verbose: Everything known.
        allow_empty: Whether nothing to audit is no failure.
    """

    paths: tuple[str, ...] = HERE
    format: str = "text"
    output: str = ""
    stdin_filename: str = ""
    static: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    profile: str = ""
    fail_on: str = ""
    config: str = ""
    no_config: bool = False
    exclude: tuple[str, ...] = ()
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class DepsRequest:
    """``mlenv deps``: the options as given.

    Attributes:
        paths: Folders and files; ``-`` is the standard input.
        format: How to show it.
        output: The file to write to; empty or ``-`` for the standard output.
        stdin_filename: What the file on the standard input is called.
        config: The configuration file.
        no_config: Whether no configuration file is read.
        exclude: Patterns of paths to leave out.
        color: ``auto``, ``always`` or ``never``.
        allow_empty: Whether finding no file is no failure.
    """

    paths: tuple[str, ...] = HERE
    format: str = "table"
    output: str = ""
    stdin_filename: str = ""
    config: str = ""
    no_config: bool = False
    exclude: tuple[str, ...] = ()
    color: str = "auto"
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class RulesRequest:
    """``mlenv rules``.

    Attributes:
        format: How to show them.
        output: The file to write to; empty or ``-`` for the standard output.
    """

    format: str = "table"
    output: str = ""


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """``mlenv explain``.

    Attributes:
        rule: A rule's code or name, or a topic.
    """

    rule: str


Request = AuditRequest | DepsRequest | RulesRequest | ExplainRequest
