"""``mlenv init``: writes what a repository needs to be audited from now on."""

from __future__ import annotations

import os

from mlenv.audit import audit_project
from mlenv.baseline import DEFAULT_FILE, Ledger, written
from mlenv.cli.output import write_report
from mlenv.cli.settings import chosen_targets, known_rules
from mlenv.config import load_config
from mlenv.errors import UsageError
from mlenv.exit_codes import CLEAN
from mlenv.init.origin import find_origin
from mlenv.init.plan import Folder, Step, configuration, hook, pipelines
from mlenv.model.finding import Severity
from mlenv.model.surroundings import Surroundings
from mlenv.phrases import counted
from mlenv.report.escape import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.cli.requests import InitRequest
    from mlenv.init.origin import Origin
    from mlenv.model.report import Report


def run(request: InitRequest) -> int:
    """Write what fits, say what was done, and return the exit code.

    Raises:
        UsageError: There is no such folder, its configuration is wrong, or a file cannot be
            written.
    """
    if not os.path.isdir(request.path):
        raise UsageError(f"there is no such folder: {request.path}")
    folder, origin = Folder(request.path), find_origin()
    config = load_config(request.path, vocabulary=known_rules)
    ledger = Ledger({})
    targets = chosen_targets(config, static=True)
    report = audit_project((request.path,), config, ledger=ledger, around=Surroundings(targets))
    steps = _steps(request, folder, origin, config.path, report, ledger)
    if request.dry_run:
        write_report("".join(_diff(steps)), "")
        return CLEAN
    for step in steps:
        if step.after is not None:
            folder.write(step.path, step.after)
    lines = [*_said(steps), *_next(report, folder, origin, steps)]
    write_report("".join(f"{clean(line)}\n" for line in lines), "")
    return CLEAN


def _steps(
    request: InitRequest,
    folder: Folder,
    origin: Origin,
    existing: str,
    report: Report,
    ledger: Ledger,
) -> list[Step]:
    steps = []
    if folder.has(DEFAULT_FILE):
        steps.append(Step(DEFAULT_FILE, "is the baseline already"))
    elif request.baseline and report.count(Severity.ERROR):
        number = counted(sum(ledger.found.values()), "finding")
        data = written(ledger.found).encode()
        steps.append(Step(DEFAULT_FILE, f"created: it accepts {number}", None, data))
    baseline = DEFAULT_FILE if steps else ""
    profile = report.profile if report.files else ""
    steps.insert(0, configuration(folder, profile, existing))
    if folder.has(".git"):
        steps.append(hook(folder, origin, baseline))
        steps.extend(pipelines(folder, origin, baseline))
    return steps


def _said(steps: list[Step]) -> Iterator[str]:
    for step in steps:
        yield f"{step.path} {step.said}"
        yield from (f"    {line}" for line in step.advice)


def _next(report: Report, folder: Folder, origin: Origin, steps: list[Step]) -> Iterator[str]:
    if not folder.has(".git"):
        yield "no hook and no CI step: this is not the top of a git repository"
    elif not origin.repository and any(_installs(step, origin) for step in steps):
        yield f"{origin.requirement} is installed from your package index: see that it is there"
    errors = report.count(Severity.ERROR)
    if errors and not any(step.path == DEFAULT_FILE for step in steps):
        yield (
            f"next: mlenv audit shows {counted(errors, 'error')}; mend them, or accept them for "
            "now with mlenv baseline write and --baseline"
        )
    elif folder.has(".git") and any(step.after is not None for step in steps):
        yield "next: commit these files; pre-commit install makes every commit run the hook"
    else:
        yield "next: mlenv audit"


def _installs(step: Step, origin: Origin) -> bool:
    text = (step.after or b"").decode("utf-8", "replace") + "\n".join(step.advice)
    return origin.requirement in text


def _diff(steps: list[Step]) -> Iterator[str]:
    from difflib import unified_diff

    from mlenv.project.decode import decode

    for step in steps:
        if step.after is None:
            continue
        before = decode(step.path, step.before or b"").text.splitlines()
        after = decode(step.path, step.after).text.splitlines()
        old = "/dev/null" if step.before is None else f"a/{step.path}"
        for line in unified_diff(before, after, old, f"b/{step.path}", lineterm=""):
            yield f"{clean(line)}\n"
