"""What a command line asks for, as frozen values that both readers of it build."""

from __future__ import annotations

from mlenv.records import dataclass

AUDIT_FORMATS = ("text", "json", "github", "sarif", "concise")
DEPS_FORMATS = ("table", "json")
ENV_FORMATS = ("text", "json", "markdown")
TREE_FORMATS = ("text", "json", "mermaid")
SNAPSHOT_FORMATS = ("toml", "json")
COLORS = ("auto", "always", "never")
HERE = (".",)
SCHEMAS = ("config", "audit", "deps", "baseline", "snapshot", "env", "diff", "tree", "explain")
"""What has a JSON schema."""


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """``mlenv audit``: the options as given; an empty text or tuple where one was not.

    Attributes:
        paths: Folders and files; ``-`` is the standard input.
        format: How to report.
        output: Where to write: files, each with ``FORMAT:`` before it for one of its own; ``-``
            is the standard output.
        stdin_filename: What the file on the standard input is called.
        static: Files only: of machines and environments only what the command line names.
        target: The machines to judge for, each as it was named.
        env: The environment that counts: ``auto``, ``none`` or the path of one.
        no_binaries: Whether compiled files are passed over.
        no_cache: Whether what is known of them from an earlier run does not count.
        verify_files: Whether every installed file is held against its record.
        as_of: The day that is judged by, as ``YYYY-MM-DD``; empty for today.
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
        statistics: Whether to count the findings of each rule.
        baseline: The file of accepted findings; empty for none.
    """

    paths: tuple[str, ...] = HERE
    format: str = "text"
    output: tuple[str, ...] = ()
    stdin_filename: str = ""
    static: bool = False
    target: tuple[str, ...] = ()
    env: str = "auto"
    no_binaries: bool = False
    no_cache: bool = False
    verify_files: bool = False
    as_of: str = ""
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
    statistics: bool = False
    baseline: str = ""


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
        rules: Codes, names and topics of those meant; empty for all.
        facts: Whether to show the records that they rest on instead.
    """

    format: str = "table"
    output: str = ""
    rules: tuple[str, ...] = ()
    facts: bool = False


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """``mlenv explain``.

    Attributes:
        rule: A rule's code or name, or a topic; empty or ``-`` for a message that is pasted.
        env: The environment that it is checked against: ``auto``, ``none`` or a path.
        format: How to show what a message means.
        no_binaries: Whether compiled files are left unread.
        color: ``auto``, ``always`` or ``never``.
    """

    rule: str = ""
    env: str = "auto"
    format: str = "text"
    no_binaries: bool = False
    color: str = "auto"


@dataclass(frozen=True, slots=True)
class ConfigShowRequest:
    """``mlenv config show``: the options as given.

    Attributes:
        path: The folder or file that would be audited.
        format: How to show it.
        config: The configuration file.
    """

    path: str = "."
    format: str = "toml"
    config: str = ""


@dataclass(frozen=True, slots=True)
class ConfigSchemaRequest:
    """``mlenv config schema``.

    Attributes:
        of: What the schema describes: one of :data:`SCHEMAS`.
    """

    of: str = "config"


@dataclass(frozen=True, slots=True)
class BaselineRequest:
    """``mlenv baseline``: the options as given.

    Attributes:
        action: ``write``, ``prune`` or ``show``.
        paths: Folders and files.
        file: The baseline.
        config: The configuration file.
        no_config: Whether no configuration file is read.
        exclude: Patterns of paths to leave out.
        stdin_filename: Always empty: nothing is read from the standard input.
    """

    action: str
    paths: tuple[str, ...] = HERE
    file: str = "mlenv-baseline.json"
    config: str = ""
    no_config: bool = False
    exclude: tuple[str, ...] = ()
    stdin_filename: str = ""


@dataclass(frozen=True, slots=True)
class InitRequest:
    """``mlenv init``: the options as given.

    Attributes:
        path: The folder.
        dry_run: Whether to show what would be written instead.
        baseline: Whether to write a baseline where there are errors.
    """

    path: str = "."
    dry_run: bool = False
    baseline: bool = False


@dataclass(frozen=True, slots=True)
class EnvRequest:
    """``mlenv env``: the options as given.

    Attributes:
        path: The project's folder, or an environment.
        env: ``auto``, ``none`` or the path of an environment.
        target: The machine to judge for; empty for this one.
        format: How to show it.
        output: The file to write to; empty or ``-`` for the standard output.
        no_binaries: Whether compiled files are left alone.
        no_cache: Whether what is known of them from an earlier run does not count.
        fail_on: The severity that fails.
        as_of: The day that is judged by, as ``YYYY-MM-DD``; empty for today.
        color: ``auto``, ``always`` or ``never``.
        verbose: Every finding.
    """

    path: str = "."
    env: str = "auto"
    target: str = ""
    format: str = "text"
    output: str = ""
    no_binaries: bool = False
    no_cache: bool = False
    fail_on: str = "never"
    as_of: str = ""
    color: str = "auto"
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """``mlenv snapshot``: the options as given.

    Attributes:
        path: The project's folder, or an environment.
        env: ``auto``, ``none`` or the path of an environment.
        format: ``toml`` or ``json``.
        output: The file to write to; empty or ``-`` for the standard output.
        no_binaries: Whether compiled files are left alone.
        no_cache: Whether what is known of them from an earlier run does not count.
    """

    path: str = "."
    env: str = "auto"
    format: str = "toml"
    output: str = ""
    no_binaries: bool = False
    no_cache: bool = False


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """``mlenv diff``: the options as given.

    Attributes:
        left: A snapshot's file, ``here``, a folder with an environment, or an environment.
        right: The same.
        format: How to show it.
        output: The file to write to; empty or ``-`` for the standard output.
        exit_code: Whether differences make the exit code 1.
        color: ``auto``, ``always`` or ``never``.
        verbose: Every package and reason.
    """

    left: str
    right: str = "here"
    format: str = "text"
    output: str = ""
    exit_code: bool = False
    color: str = "auto"
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class TreeRequest:
    """``mlenv tree``: the options as given.

    Attributes:
        package: The distribution whose tree is drawn; empty for all.
        env: ``auto`` or the path of an environment.
        reverse: Whether to show what needs a distribution.
        depth: How many levels are drawn; 0 for all.
        heaviest: Whether to rank by what removing each would free.
        format: How to show it.
        output: The file to write to; empty or ``-`` for the standard output.
        color: ``auto``, ``always`` or ``never``.
        verbose: Everything known.
    """

    package: str = ""
    env: str = "auto"
    reverse: bool = False
    depth: int = 0
    heaviest: bool = False
    format: str = "text"
    output: str = ""
    color: str = "auto"
    verbose: bool = False


Request = (
    AuditRequest
    | DepsRequest
    | RulesRequest
    | ExplainRequest
    | ConfigShowRequest
    | ConfigSchemaRequest
    | BaselineRequest
    | InitRequest
    | EnvRequest
    | SnapshotRequest
    | DiffRequest
    | TreeRequest
)
