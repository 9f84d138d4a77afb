"""The dependency model as JSON: schema 1, stable."""

from __future__ import annotations

from mlenv.report.json_report import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.project import Project
    from mlenv.model.requirement import LockedPackage, Requirement
    from mlenv.model.source import Problem
    from mlenv.report.view import View

SCHEMA = 1


def render(project: Project, _view: View) -> str:
    """Return what a project declares and locks as ASCII JSON, credentials masked."""
    sources = list(project.sources.values())
    return dumps(
        {
            "schema": SCHEMA,
            "requirements": [
                _requirement(one) for source in sources for one in source.requirements
            ],
            "locked": [_locked(one) for source in sources for one in source.locked],
            "errors": [
                _error(problem)
                for source in sources
                for problem in source.problems
                if problem.fatal
            ],
            "skipped": [{"path": file.path, "reason": file.reason} for file in project.unread],
        }
    )


def _requirement(requirement: Requirement) -> dict[str, object]:
    return {
        "file": requirement.span.path,
        "line": requirement.span.line,
        "name": requirement.name,
        "written": requirement.written,
        "ecosystem": requirement.ecosystem,
        "specifier": str(requirement.versions),
        "extras": requirement.extras,
        "marker": requirement.marker.text if requirement.marker else None,
        "url": requirement.url or None,
        "group": requirement.group_name,
        "group_kind": requirement.group_kind,
        "channel": requirement.channel or None,
        "build": requirement.build or None,
        "hashes": requirement.hashes,
    }


def _locked(package: LockedPackage) -> dict[str, object]:
    return {
        "file": package.span.path,
        "line": package.span.line,
        "name": package.name,
        "written": package.written,
        "version": package.version,
        "source": package.origin or None,
    }


def _error(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.span.path,
        "line": problem.span.line,
        "message": problem_message(problem),
    }


def problem_message(problem: Problem) -> str:
    """Return what a reader met as one phrase: ``unreadable line: expected a version``."""
    kind = problem.kind.replace("-", " ")
    return f"{kind}: {problem.detail}" if problem.detail else kind
