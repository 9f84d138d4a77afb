"""Which module renders which format; only the one that is asked for is loaded."""

from __future__ import annotations

from importlib import import_module

from mlenv.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mlenv.model.project import Project
    from mlenv.model.report import Report
    from mlenv.report.view import View

REPORTS = {
    "text": "mlenv.report.text",
    "json": "mlenv.report.json_report",
    "github": "mlenv.report.github",
    "sarif": "mlenv.report.sarif",
    "concise": "mlenv.report.concise",
}
"""The formats of ``mlenv audit``."""

DEPS = {"table": "mlenv.report.deps_table", "json": "mlenv.report.deps_json"}
"""The formats of ``mlenv deps``."""


def report_renderer(name: str) -> Callable[[Report, View], str]:
    """Return what renders a report.

    Raises:
        UsageError: There is no such format.
    """
    render: Callable[[Report, View], str] = _renderer(REPORTS, name)
    return render


def deps_renderer(name: str) -> Callable[[Project, View], str]:
    """Return what renders a project's dependencies.

    Raises:
        UsageError: There is no such format.
    """
    render: Callable[[Project, View], str] = _renderer(DEPS, name)
    return render


def _renderer(modules: dict[str, str], name: str) -> Any:
    if name not in modules:
        raise UsageError(f"unknown format {name!r}: choose {', '.join(modules)}")
    return import_module(modules[name]).render
