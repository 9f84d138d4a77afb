"""``mlenv deps``: the one dependency model, as a table or JSON."""

from __future__ import annotations

import os

from mlenv.cli.output import tell, view_of, write_report
from mlenv.cli.settings import configuration, standard_input
from mlenv.exit_codes import NOTHING
from mlenv.project.load import load_project
from mlenv.project.place import find_place
from mlenv.report.registry import deps_renderer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.cli.requests import DepsRequest


def run(request: DepsRequest) -> int:
    """Read a project, show what it declares and locks, and return the exit code.

    Raises:
        UsageError: A path is missing, or an option or the configuration makes no sense.
    """
    render = deps_renderer(request.format)
    config = configuration(request).with_options(exclude=request.exclude)
    stdin = standard_input(request)
    project = load_project(
        request.paths,
        exclude=config.also_exclude,
        stdin=stdin,
        place=find_place(request.paths, stdin[0] if stdin else "", config.path),
        patterns=config.exclude,
    )
    view = view_of(request.color, request.output, os.environ, root=project.root)
    write_report(render(project, view), request.output)
    if not project.is_empty or request.allow_empty:
        return 0
    tell("mlenv: no dependency file was found (--allow-empty makes that no failure)")
    return NOTHING
