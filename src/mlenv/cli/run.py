"""From a request to the command that serves it; only that command's module is loaded."""

from __future__ import annotations

from importlib import import_module

from mlenv.cli.requests import (
    AuditRequest,
    BaselineRequest,
    ConfigSchemaRequest,
    ConfigShowRequest,
    DepsRequest,
    DiffRequest,
    EnvRequest,
    ExplainRequest,
    InitRequest,
    RulesRequest,
    SnapshotRequest,
    TreeRequest,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.cli.requests import Request

_MODULES = {
    AuditRequest: "mlenv.cli.commands.audit",
    DepsRequest: "mlenv.cli.commands.deps",
    RulesRequest: "mlenv.cli.commands.rules",
    ExplainRequest: "mlenv.cli.commands.explain",
    ConfigShowRequest: "mlenv.cli.commands.config",
    ConfigSchemaRequest: "mlenv.cli.commands.config",
    BaselineRequest: "mlenv.cli.commands.baseline",
    InitRequest: "mlenv.cli.commands.init",
    EnvRequest: "mlenv.cli.commands.env",
    SnapshotRequest: "mlenv.cli.commands.snapshot",
    DiffRequest: "mlenv.cli.commands.diff",
    TreeRequest: "mlenv.cli.commands.tree",
}


def run(request: Request) -> int:
    """Serve a request and return the exit code.

    Raises:
        UsageError: The request, the configuration or a path cannot be taken as it is.
    """
    return int(import_module(_MODULES[type(request)]).run(request))
