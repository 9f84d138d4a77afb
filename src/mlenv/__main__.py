"""The program: reads the command line, runs what it asks for, and answers for the exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE, INTERNAL, INTERRUPTED = 2, 4, 130


def main() -> int:
    """Run mlenv on this process's arguments and return the exit code.

    Only ``--help``, ``--version`` and usage errors, which typer answers itself, raise SystemExit.
    """
    arguments = sys.argv[1:]
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a bare traceback would exit 1, which means findings
        return _failed(error, arguments)


def _run(arguments: Sequence[str]) -> int:
    # imported here, so that whatever goes wrong in there is answered for as well
    from mlenv.cli import fast
    from mlenv.cli.run import run

    request = fast.parse(arguments, os.environ)
    if request is not None:
        return run(request)
    from mlenv.cli.full.app import parse  # typer takes longer than an audit

    return run(parse(arguments))


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    from mlenv.cli.output import tell
    from mlenv.errors import UsageError

    if isinstance(error, UsageError):
        tell(f"mlenv: error: {error}")
        return USAGE
    if os.environ.get("MLENV_DEBUG", "0") not in ("", "0") or {"-v", "--verbose"} & {*arguments}:
        from traceback import format_exception

        for line in "".join(format_exception(error)).splitlines():
            tell(line)
    tell(
        f"mlenv: internal error: {type(error).__name__}: {error}. This is a bug in mlenv: "
        "please report it with what MLENV_DEBUG=1 prints"
    )
    return INTERNAL


if __name__ == "__main__":
    sys.exit(main())
