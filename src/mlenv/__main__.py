"""The program: reads the command line, runs what it asks for, and answers for the exit code.

``python -m`` puts the working folder first on the module path, and whoever wrote the folder under
audit may have left a ``yaml.py`` there. So this file imports nothing that is not loaded already
(not even ``__future__``) before it has taken the folder off the path. The modules that Python
imports on the way here, for ``runpy``, it cannot keep from coming from the working folder: the
command ``mlenv`` and ``python -P -m mlenv`` never look there.
"""

import gc
import os
import sys

USAGE, INTERNAL, INTERRUPTED = 2, 4, 130


def command() -> None:
    """Be the ``mlenv`` command: run, and leave at once.

    A run is short and makes few cycles, and the kernel takes back what it holds: collecting garbage
    and tearing the interpreter down would take a seventh of the time of a small audit.
    """
    gc.disable()
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody reads it any more
        pass
    os._exit(code)


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


def _run(arguments: list[str]) -> int:
    # imported here, so that whatever goes wrong in there is answered for as well
    from mlenv.cli import fast
    from mlenv.cli.run import run

    request = fast.parse(arguments, os.environ)
    if request is not None:
        return run(request)
    from mlenv.cli.full.app import parse  # typer takes longer than an audit

    return run(parse(arguments))


def _failed(error: Exception, arguments: list[str]) -> int:
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


def _leave_working_folder() -> None:
    """Take back what ``python -m`` did to the module path."""
    if getattr(sys.flags, "safe_path", False):  # it did nothing
        return
    try:
        here = os.getcwd()
    except OSError:  # the folder is gone
        here = ""
    if sys.path[:1] in ([here], [""]):
        del sys.path[0]


if __name__ == "__main__":
    _leave_working_folder()
    sys.exit(main())
