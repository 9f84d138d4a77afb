"""Topic ``parse``: what could not be read, and what installers drop without a word."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model import source as kinds
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.source import Problem, Source
from mlenv.rules.base import rule

_PIP = "pip's documentation, Requirements File Format"
_SECTIONS = {
    "conda-env": (Evidence("how conda reads its sections", "conda 26.7, conda/env/env.py"),),
    "pyproject": (
        Evidence(
            "a table of the standard holds the keys that the standard names and no others",
            "the pyproject.toml specification, Python Packaging User Guide",
        ),
    ),
}


def _of_kind(source: Source, kind: str) -> Iterator[Problem]:
    return (problem for problem in source.problems if problem.kind == kind)


def _packages(problem: Problem) -> tuple[str, ...]:
    return (problem.subject,) if problem.subject else ()


def _related(problem: Problem) -> tuple[Related, ...]:
    return tuple(Related(span, message) for span, message in problem.related)


@rule("PRS001", "unreadable-line", topic="parse", severity=Severity.ERROR)
def unreadable_line(source: Source) -> Iterator[Finding]:
    """A line that installers refuse.

    pip stops at the first line that it cannot read, so nothing of the file gets installed. The
    line is judged by the grammar of its format (PEP 508 and PEP 440, conda's MatchSpec), as the
    current installers read it: forms that old ones let pass, such as a wildcard after >=, count.

    Messages that users see: "ERROR: Invalid requirement", "Expected end or semicolon",
    "InvalidMatchSpec", ".* suffix can only be used with `==` or `!=` operators".

    Bad:
        scikit-learn=1.1.2

    Good:
        scikit-learn==1.1.2
    """
    for problem in _of_kind(source, kinds.UNREADABLE_LINE):
        yield Finding(
            f"installers cannot read this line: {problem.detail}",
            problem.span,
            _packages(problem),
            help=problem.help,
            related=_related(problem),
        )


@rule("PRS002", "unreadable-file", topic="parse", severity=Severity.ERROR)
def unreadable_file(source: Source) -> Iterator[Finding]:
    """A file whose syntax is broken.

    Not one declaration of a TOML, YAML or JSON file counts while its syntax is broken, and every
    tool that reads it stops. What could be read before the fault is audited all the same.

    Bad:
        dependencies = ["torch==2.1.0"

    Good:
        dependencies = ["torch==2.1.0"]
    """
    for problem in _of_kind(source, kinds.UNREADABLE_FILE):
        yield Finding(
            f"the file cannot be read: {problem.detail}",
            problem.span,
            severity=None if problem.fatal else Severity.NOTE,
            help=problem.help or "mend it here: nothing in this file counts until then",
        )


@rule("PRS003", "merge-conflict", topic="parse", severity=Severity.ERROR)
def merge_conflict(source: Source) -> Iterator[Finding]:
    """A merge conflict that was committed.

    No installer reads the markers. Both sides are read, and nothing else is said of the file until
    the conflict is resolved.

    Bad:
        <<<<<<< HEAD
        torch==2.1.0
        =======
        torch==2.2.0
        >>>>>>> feature

    Good:
        torch==2.2.0
    """
    for problem in _of_kind(source, kinds.MERGE_CONFLICT):
        yield Finding(
            problem.detail or "a merge conflict was committed",
            problem.span,
            help=problem.help or "resolve the conflict and remove its markers",
            related=_related(problem),
            batch="conflict",
            batch_message="{count} merge conflicts were committed",
        )


@rule("PRS004", "not-a-manifest", topic="parse", severity=Severity.ERROR)
def not_a_manifest(source: Source) -> Iterator[Finding]:
    """A file with a manifest's name that holds something else.

    Typical are the output of ``pip list`` (columns instead of ``name==version``), a log, or prose.
    It is reported once and not line by line.

    Bad:
        Package    Version
        ---------- -------
        numpy      1.26.4

    Good:
        numpy==1.26.4
    """
    for problem in _of_kind(source, kinds.NOT_A_MANIFEST):
        yield Finding(problem.detail, problem.span, help=problem.help)


@rule("PRS005", "dropped-option", topic="parse", severity=Severity.WARNING)
def dropped_option(source: Source) -> Iterator[Finding]:
    """An option on a requirement's line, which pip ignores and uv refuses.

    pip honours only --hash and --config-settings behind a requirement. Another option there, such
    as --extra-index-url, is dropped without a word, so the package is looked for on the default
    index alone. Where the requirement asks for a local version (+cu118), which PyPI never has,
    the install then fails: an error.

    Messages that users see: "Could not find a version that satisfies the requirement
    torch==2.1.0+cu118", "No matching distribution found".

    Bad:
        torch==2.1.0+cu118 --extra-index-url https://index.example/whl/cu118

    Good:
        --extra-index-url https://index.example/whl/cu118
        torch==2.1.0+cu118
    """
    reached = any(index.kind in ("index", "extra", "find-links") for index in source.indexes)
    for problem in _of_kind(source, kinds.DROPPED_OPTION):
        needs_index = _is_index(problem.detail) and not reached and _asks_local_build(problem)
        yield Finding(
            _dropped_message(problem, needs_index),
            problem.span,
            _packages(problem),
            Severity.ERROR if needs_index else None,
            help=problem.help,
            related=_related(problem),
            evidence=(
                Evidence("behind a requirement pip reads --hash and --config-settings only", _PIP),
            ),
        )


def _is_index(option: str) -> bool:
    return option in ("--index-url", "--extra-index-url", "--find-links", "--pypi-url")


def _asks_local_build(problem: Problem) -> bool:
    return any("==" in span.text and "+" in span.text for span, _ in problem.related)


def _dropped_message(problem: Problem, needs_index: bool) -> str:
    if problem.detail in ("--requirement", "--constraint"):
        return f"pip follows one -r or -c on a line and ignores this {problem.detail}"
    if not problem.detail.startswith("-"):
        return f"pip ignores {problem.detail!r} after the blank on an editable's line"
    message = f"pip ignores {problem.detail} on a requirement's line, and uv refuses the file"
    if needs_index:
        return f"{message}; the local build asked for here is on that index only"
    return message


@rule("PRS006", "dropped-requirement", topic="parse", severity=Severity.ERROR)
def dropped_requirement(source: Source) -> Iterator[Finding]:
    """A requirement on an option's line, which pip never installs.

    A line that begins with an option is a line of options: pip takes the option and drops the
    words behind it without a word. What is named there is not installed.

    Messages that users see: "ModuleNotFoundError: No module named 'dgl'" after an install that
    reported success.

    Bad:
        --pre dgl-cu101

    Good:
        --pre
        dgl-cu101
    """
    for problem in _of_kind(source, kinds.DROPPED_REQUIREMENT):
        yield Finding(
            f"pip never installs {problem.detail!r}: it stands behind an option",
            problem.span,
            _packages(problem),
            help=problem.help,
            evidence=(Evidence("a line that begins with an option holds options alone", _PIP),),
        )


@rule("PRS007", "missing-include", topic="parse", severity=Severity.ERROR)
def missing_include(project: Project) -> Iterator[Finding]:
    """A file that a manifest includes and that is not there.

    pip and uv stop at an include that they cannot open, so nothing gets installed. setuptools
    passes over a missing file that pyproject.toml takes dependencies from, which are then missing.

    Messages that users see: "ERROR: Could not open requirements file: [Errno 2] No such file or
    directory".

    Bad:
        -r requirements/base.txt      # the file was moved

    Good:
        -r deps/base.txt
    """
    for missed in project.unread:
        if missed.kind == kinds.MISSING_INCLUDE and missed.span is not None:
            yield Finding(
                f"the included file does not exist: {missed.path}",
                missed.span,
                help="correct the path, which is relative to this file's folder, or add the file",
                batch=missed.path,
                batch_message=f"the included file does not exist: {missed.path}",
            )


@rule("PRS008", "include-outside-root", topic="parse", severity=Severity.NOTE)
def include_outside_root(project: Project) -> Iterator[Finding]:
    """An include that leads out of the audited folder and is not followed.

    What a repository includes from elsewhere on a disk is not part of it, and reading it could
    show what is none of its business. Audit the common folder to have it read.

    Bad:
        -r ../../shared/requirements.txt

    Good:
        -r shared/requirements.txt
    """
    for missed in project.unread:
        if missed.kind == kinds.OUTSIDE_ROOT and missed.span is not None:
            yield Finding(
                "this include leads out of the audited folder and was not read",
                missed.span,
                certainty=Certainty.POSSIBLE,
                help="audit the folder that holds both files",
            )


@rule("PRS009", "include-cycle", topic="parse", severity=Severity.ERROR)
def include_cycle(project: Project) -> Iterator[Finding]:
    """Files that include each other in a circle.

    pip stops with an error; older versions ran until Python's stack was full.

    Messages that users see: "recursively references itself".

    Bad:
        -r requirements.txt           # in dev.txt, which requirements.txt includes

    Good:
        -r base.txt
    """
    for missed in project.unread:
        if missed.kind == kinds.INCLUDE_CYCLE and missed.span is not None:
            yield Finding(
                f"{missed.span.path} and {missed.path} include each other in a circle",
                missed.span,
                help="move what both need to a third file and include that",
                evidence=(Evidence("pip refuses a file that includes itself", "pip 26.3"),),
            )


@rule("PRS010", "template", topic="parse", severity=Severity.NOTE)
def template(source: Source) -> Iterator[Finding]:
    """A line that a template engine or the shell fills in later, so that it cannot be judged.

    Cookiecutter, Jinja and environment variables leave placeholders in manifests. Such lines are
    not errors; what they will say is not known.

    Bad:
        kedro=={{ cookiecutter.kedro_version }}

    Good:
        kedro==0.19.3
    """
    for problem in _of_kind(source, kinds.TEMPLATE):
        yield Finding(
            f"this was not judged: {problem.detail}",
            problem.span,
            _packages(problem),
            certainty=Certainty.POSSIBLE,
            batch=f"template {problem.detail}",
            batch_message=f"{{count}} places were not judged: {problem.detail}",
        )


@rule("PRS011", "dropped-section", topic="parse", severity=Severity.WARNING)
def dropped_section(source: Source) -> Iterator[Finding]:
    """A section that the tools which read the file drop or refuse.

    conda keeps one pip section and lets a later one replace it; mamba and micromamba install all
    of them. What stands in the earlier section is missing from environments that conda made.
    Misspelt sections are passed over too, and so are keys of [project] and [build-system] in
    pyproject.toml that no standard knows.

    Bad:
        dependencies:
          - pip:
            - torch==2.1.0
          - pip:
            - openfold

    Good:
        dependencies:
          - pip:
            - torch==2.1.0
            - openfold
    """
    for problem in _of_kind(source, kinds.DROPPED_SECTION):
        yield Finding(
            problem.detail,
            problem.span,
            _packages(problem),
            Severity.ERROR if problem.fatal else None,
            help=problem.help,
            related=_related(problem),
            evidence=_SECTIONS.get(source.kind, ()),
            batch=problem.detail,
            batch_message=problem.detail,
        )


@rule("PRS012", "unknown-group", topic="parse", severity=Severity.ERROR)
def unknown_group(source: Source) -> Iterator[Finding]:
    """A dependency group that includes one which does not exist.

    Tools that read dependency groups refuse the whole table then.

    Bad:
        [dependency-groups]
        dev = [{ include-group = "tset" }]

    Good:
        [dependency-groups]
        test = ["pytest>=8"]
        dev = [{ include-group = "test" }]
    """
    for problem in _of_kind(source, kinds.UNKNOWN_GROUP):
        yield Finding(
            f"there is no dependency group {problem.detail!r} to include",
            problem.span,
            help=problem.help or "correct the name",
            evidence=(Evidence("including a group that is not defined is an error", "PEP 735"),),
        )
