"""Every format of every report, and what none of them may hold."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from mlenv.report.registry import DEPS, REPORTS, deps_renderer, report_renderer
from mlenv.report.view import View

if TYPE_CHECKING:
    from mlenv.model.project import Project
    from mlenv.model.report import Report

AUDIT_FORMATS = tuple(REPORTS)
DEPS_FORMATS = tuple(DEPS)
_OURS = re.compile(r"::(?:error|warning|notice) [^\n]*::")
_VIEWS = (
    View(width=60, statistics=True),
    View(width=100, verbose=True, prefix="sub/"),
    View(quiet=True),
)


def shown(report: Report, project: Project) -> dict[str, str]:
    """Return all that the program could print of a project, by format."""
    found = {}
    for number, view in enumerate(_VIEWS):
        for form in AUDIT_FORMATS:
            found[f"{form} {number}"] = report_renderer(form)(report, view)
        for form in DEPS_FORMATS:
            found[f"deps {form} {number}"] = deps_renderer(form)(project, view)
    return found


def assert_harmless(text: str, form: str) -> None:
    """Fail where a text would act on a terminal or on a CI runner, or is no JSON."""
    if "json" in form or "sarif" in form:
        assert text.isascii()
        document = json.loads(text)
        if "sarif" in form:
            assert_harmless_strings(document)
    for line in text.split("\n"):
        assert line.isprintable(), (form, line)
        assert "##[" not in line, (form, line)
        assert not re.search(r"##\w{1,20}\[", line), (form, line)
        if line.lstrip().startswith("::"):
            assert form.startswith("github"), (form, line)
            assert _OURS.match(line), (form, line)


def assert_harmless_strings(value: object) -> None:
    """Fail where a viewer that shows a text of a document would act on it."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key != "newlineSequences":
                assert_harmless_strings(item)
    elif isinstance(value, list):
        for item in value:
            assert_harmless_strings(item)
    elif isinstance(value, str):
        assert all(line.isprintable() for line in value.split("\n")), value
        assert "](" not in value, value
