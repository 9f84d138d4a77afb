"""``mlenv diff``: what differs between two machines with their environments."""

from __future__ import annotations

import json
import os

from mlenv.cli.here import HERE, look_around
from mlenv.cli.output import view_of, write_report
from mlenv.cli.requests import DiffRequest
from mlenv.errors import UsageError
from mlenv.exit_codes import CLEAN, FOUND
from mlenv.knowledge import Knowledge
from mlenv.machine.snapshot import parse_snapshot, read_snapshot
from mlenv.model.difference import Comparison
from mlenv.model.target import Target
from mlenv.reasoning.differences import differences


def run(request: DiffRequest) -> int:
    """Compare, show, and return the exit code.

    Raises:
        UsageError: What is named is not there, or cannot be read.
    """
    left, right = _side(request.left), _side(request.right)
    names = _names(request.left, request.right)
    found = Comparison(*names, differences(left, right, Knowledge()))
    write_report(_rendered(request, found), request.output)
    return FOUND if request.exit_code and found.differences else CLEAN


def _side(named: str) -> Target:
    if os.path.isfile(named):
        return read_snapshot(named)
    folder = os.curdir if named == HERE else named
    if not os.path.isdir(folder):
        raise UsageError(f"there is no snapshot and no folder {named!r}")
    here = look_around(folder, binaries=False)
    if here.environment is None and named not in (HERE, os.curdir):
        raise UsageError(f"there is no Python environment in {named}")
    # as a file would tell it, so that both sides know and leave out the same
    return parse_snapshot(json.dumps(here.document), "here.json", named)


def _names(left: str, right: str) -> tuple[str, str]:
    """Return what both are called: no more of their paths than tells them apart."""
    short = os.path.basename(left.rstrip("/\\")), os.path.basename(right.rstrip("/\\"))
    return (left, right) if short[0] == short[1] else (short[0] or left, short[1] or right)


def _rendered(request: DiffRequest, found: Comparison) -> str:
    from mlenv.report import diff

    if request.format == "json":
        return diff.as_json(found)
    if request.format == "markdown":
        return diff.markdown(found)
    view = view_of(request.color, request.output, os.environ, verbose=request.verbose)
    return diff.text(found, view)
