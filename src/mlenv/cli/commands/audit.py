"""``mlenv audit``: the declared dependencies, judged."""

from __future__ import annotations

import os

from mlenv.audit import audit_project
from mlenv.cli.days import day
from mlenv.cli.output import tell, view_of, write_report
from mlenv.cli.settings import (
    chosen_targets,
    common_folder,
    configuration,
    items,
    known_rules,
    standard_input,
)
from mlenv.exit_codes import NOTHING
from mlenv.model.surroundings import Surroundings
from mlenv.report.registry import report_renderer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mlenv.baseline import Ledger
    from mlenv.cli.requests import AuditRequest
    from mlenv.config import Config
    from mlenv.model.environment import Environment
    from mlenv.model.machine import Machine
    from mlenv.model.report import Report
    from mlenv.model.target import Target
    from mlenv.report.view import View


def run(request: AuditRequest) -> int:
    """Audit, report, and return the exit code.

    Raises:
        UsageError: A path is missing, or an option or the configuration makes no sense.
    """
    reports = _reports(request)
    config = _config(request)
    environment = _environment(request)
    machine = _machine(request, config, environment)
    targets = _targets(request, config, machine)
    ledger = _ledger(request)
    report = audit_project(
        request.paths,
        config,
        stdin=standard_input(request),
        today=day(request.as_of),
        ledger=ledger,
        baseline=request.baseline,
        around=Surroundings(targets, environment, machine),
    )
    for render, output in reports:
        view = view_of(
            request.color,
            output,
            os.environ,
            root=report.root,
            quiet=request.quiet,
            verbose=request.verbose,
            statistics=request.statistics,
        )
        write_report(render(report, view), output)
    if report.exit_code == NOTHING:
        tell("mlenv: nothing to audit was found (--allow-empty makes that no failure)")
    # what the command line leaves out is no reason to drop a record
    if ledger is not None and ledger.is_whole and not request.exclude:
        _tell_leftover(sum(ledger.leftover().values()))
    return report.exit_code


def _machine(
    request: AuditRequest, config: Config, environment: Environment | None
) -> Machine | None:
    """Return this machine where it counts and may have something to tell."""
    if request.static or "none" in (request.target or config.target):
        return None
    from mlenv.machine.presence import may_have_driver

    if environment is None and not may_have_driver(os.environ):
        return None
    from mlenv.machine.survey import survey

    return survey(os.environ)


def _targets(request: AuditRequest, config: Config, machine: Machine | None) -> tuple[Target, ...]:
    is_looked_at = request.env != "none" and not request.static
    return chosen_targets(
        config,
        request.target,
        static=request.static,
        with_python=is_looked_at,
        machine=machine,
    )


def _environment(request: AuditRequest) -> Environment | None:
    if request.env == "none" or (request.static and request.env == "auto"):
        return None
    from mlenv.cli.environments import environment_of

    folder = common_folder(request.paths, request.stdin_filename)
    return environment_of(
        request.env,
        folder if os.path.isdir(folder) else os.path.dirname(folder),
        binaries=not request.no_binaries,
        cache=not request.no_cache,
        verify=request.verify_files,
    )


def _ledger(request: AuditRequest) -> Ledger | None:
    if not request.baseline:
        return None
    from mlenv.baseline import Ledger, read_baseline  # most audits have none

    return Ledger(read_baseline(request.baseline))


def _tell_leftover(number: int) -> None:
    if number:
        tell(
            f"mlenv: {number} {'entry' if number == 1 else 'entries'} of the baseline "
            f"{'matches' if number == 1 else 'match'} nothing any more; "
            f"mlenv baseline prune removes {'it' if number == 1 else 'them'}"
        )


def _reports(request: AuditRequest) -> list[tuple[Callable[[Report, View], str], str]]:
    """Return what renders each report, and where it goes."""
    if not request.output:
        return [(report_renderer(request.format), "")]
    from mlenv.cli.destinations import destinations  # most reports go to the standard output

    placed = destinations(request.output, request.format)
    return [(report_renderer(form), output) for form, output in placed]


def _config(request: AuditRequest) -> Config:
    select, ignore = items(request.select), items(request.ignore)
    known = known_rules()
    known.check(select, "--select")
    known.check(ignore, "--ignore")
    return configuration(request).with_options(
        profile=request.profile,
        select=select,
        ignore=ignore,
        fail_on=request.fail_on,
        exclude=request.exclude,
        # a machine that is named is something to audit
        allow_empty=request.allow_empty or any(name != "none" for name in request.target),
    )
