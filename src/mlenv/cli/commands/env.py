"""``mlenv env``: what this machine and this environment are, and whether torch can run there."""

from __future__ import annotations

import os

from mlenv.audit import audit_surroundings
from mlenv.cli.days import day
from mlenv.cli.here import Here, look_around
from mlenv.cli.output import view_of, write_report
from mlenv.config import Config
from mlenv.knowledge import Knowledge
from mlenv.model.surroundings import Surroundings
from mlenv.reasoning.ladder import ladder_of
from mlenv.reasoning.standing import Standing, packages_that_matter
from mlenv.records import replace
from mlenv.report.discreet import discretion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mlenv.cli.requests import EnvRequest
    from mlenv.model.ladder import Ladder
    from mlenv.model.report import Report


def run(request: EnvRequest) -> int:
    """Look, judge, show, and return the exit code.

    Raises:
        UsageError: What is named is not there, or cannot be read.
    """
    here = look_around(
        request.path,
        request.env,
        request.target,
        binaries=not request.no_binaries,
        cache=not request.no_cache,
    )
    report = audit_surroundings(
        Surroundings(here.judged, here.environment, here.machine),
        Config(fail_on=request.fail_on),
        day(request.as_of),
    )
    knowledge = Knowledge()
    standing = Standing(here.whole, here.name, here.machine, here.environment, report.findings)
    ladder = ladder_of(standing, knowledge)
    text = _rendered(request, here, report, ladder, knowledge)
    write_report(text, request.output)
    return report.exit_code


def _rendered(
    request: EnvRequest, here: Here, report: Report, ladder: Ladder, knowledge: Knowledge
) -> str:
    discreet = _discretion(request, here)
    if request.format == "json":
        from mlenv.report.env_json import render as render_json

        found = here.machine, here.environment
        return render_json(ladder, report, here.document, found, discreet)
    findings = tuple(replace(one, message=discreet(one.message)) for one in report.findings)
    shown = ladder.changed(discreet)
    if request.format == "markdown":
        from mlenv.report.env_markdown import render as render_markdown

        installed = here.whole.installed
        packages = installed.packages if installed is not None else {}
        return render_markdown(shown, findings, packages_that_matter(packages, knowledge))
    from mlenv.report.env_text import render

    view = view_of(request.color, request.output, os.environ, verbose=request.verbose)
    return render(shown, findings, view)


def _discretion(request: EnvRequest, here: Here) -> Callable[[str], str]:
    """Return what takes the folders of this machine out of a text."""
    folders = {os.path.expanduser("~"): "~", os.path.abspath(request.path): "."}
    if here.environment is not None:
        name = here.environment.name
        prefix = here.environment.prefix
        folders |= {os.path.abspath(prefix): name, os.path.realpath(prefix): name}
    return discretion(folders)
