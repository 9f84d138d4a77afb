"""``mlenv snapshot``: this machine and this environment as a target's file."""

from __future__ import annotations

from mlenv.cli.here import look_around
from mlenv.cli.output import tell, write_report
from mlenv.machine.document import as_toml
from mlenv.report.json_report import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.cli.requests import SnapshotRequest


def run(request: SnapshotRequest) -> int:
    """Look, write, and return the exit code.

    Raises:
        UsageError: What is named is not there, or cannot be read.
    """
    here = look_around(
        request.path, request.env, binaries=not request.no_binaries, cache=not request.no_cache
    )
    document = here.document
    is_json = request.format == "json" or request.output.lower().endswith(".json")
    write_report(dumps(document) if is_json else as_toml(document), request.output)
    if here.environment is None:
        tell("mlenv: no environment was found: the snapshot tells of the machine alone")
    return 0
