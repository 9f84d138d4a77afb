"""``mlenv audit``: the declared dependencies, judged."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlenv.audit import audit_project
from mlenv.cli.output import tell, view_of, write_report
from mlenv.cli.settings import configuration, items, known_rules, standard_input
from mlenv.exit_codes import NOTHING
from mlenv.report.registry import report_renderer

if TYPE_CHECKING:
    from mlenv.cli.requests import AuditRequest
    from mlenv.config import Config


def run(request: AuditRequest) -> int:
    """Audit, report, and return the exit code.

    Raises:
        UsageError: A path is missing, or an option or the configuration makes no sense.
    """
    render = report_renderer(request.format)
    config = _config(request)
    report = audit_project(request.paths, config, stdin=standard_input(request))
    view = view_of(
        request.color,
        request.output,
        os.environ,
        root=report.root,
        quiet=request.quiet,
        verbose=request.verbose,
    )
    write_report(render(report, view), request.output)
    if report.exit_code == NOTHING:
        tell("mlenv: nothing to audit was found (--allow-empty makes that no failure)")
    return report.exit_code


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
        allow_empty=request.allow_empty,
    )
