"""Where text goes: the report to stdout or a file, everything else to stderr."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

from mlenv.errors import UsageError
from mlenv.report.escape import clean
from mlenv.report.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_WIDTH = 80
_NARROWEST, _WIDEST = 40, 120
"""Below, frames fall apart; above, prose is hard to read."""


def is_stdout(output: str) -> bool:
    """Return whether an ``--output`` means the standard output."""
    return output in ("", "-")


def write_report(text: str, output: str) -> None:
    """Write a report; where its reader has gone, end quietly.

    Args:
        text: The report.
        output: The file; empty or ``-`` for the standard output.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        if is_stdout(output):
            _write_stdout(text)
        else:
            with open(output, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except BrokenPipeError:
        pass
    except OSError as error:
        where = "the standard output" if is_stdout(output) else output
        raise UsageError(f"{where}: it cannot be written: {error.strerror}") from error


def _write_stdout(text: str) -> None:
    stream = sys.stdout
    if stream is None:  # closed by the caller
        return
    if isinstance(stream, io.TextIOWrapper):
        # a locale that lacks a character of the report is no reason to fail
        stream.reconfigure(errors="backslashreplace")
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        # what is left in the buffer would be written, and fail again, at the interpreter's end
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise


def tell(text: str) -> None:
    """Write one line for the user to stderr, which nothing may fail for."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(clean(text) + "\n")


def view_of(
    color: str,
    output: str,
    environment: Mapping[str, str],
    *,
    root: str = ".",
    quiet: bool = False,
    verbose: bool = False,
    statistics: bool = False,
) -> View:
    """Return how a report is to be shown.

    Args:
        color: ``auto``, ``always`` or ``never``.
        output: The file; empty or ``-`` for the standard output.
        environment: Of the process: ``NO_COLOR``, ``FORCE_COLOR``, ``TERM``, ``COLUMNS``.
        root: What the paths of the report are relative to.
        quiet: Errors and the summary only.
        verbose: Everything known.
        statistics: How often each rule spoke, too.
    """
    stream = sys.stdout if is_stdout(output) else None
    is_terminal = stream is not None and stream.isatty()
    return View(
        width=_width(stream if is_terminal else None, environment),
        color=_color(color, environment, is_stdout=stream is not None, is_terminal=is_terminal),
        quiet=quiet,
        verbose=verbose,
        prefix=_prefix(root),
        statistics=statistics,
        ascii=stream is not None and not _shows(_SIGNS, stream),
    )


_SIGNS = "✓✗…├└│─"
"""What reports show beyond ASCII."""


def _shows(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _color(
    choice: str, environment: Mapping[str, str], *, is_stdout: bool, is_terminal: bool
) -> bool:
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR") or not is_stdout:
        return False
    if environment.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    # old Windows consoles print the codes as they are
    is_able = os.name != "nt" or "WT_SESSION" in environment
    return is_terminal and is_able and environment.get("TERM") != "dumb"


def _width(terminal: TextIO | None, environment: Mapping[str, str]) -> int:
    columns = environment.get("COLUMNS", "")
    width = int(columns) if columns.isascii() and columns.isdigit() else 0
    if not width and terminal is not None:
        with suppress(OSError, ValueError):
            width = os.get_terminal_size(terminal.fileno()).columns
    return min(max(width or _WIDTH, _NARROWEST), _WIDEST)


def _prefix(root: str) -> str:
    """Return what to put before a path of the report so that it can be opened from here."""
    try:
        relative = os.path.relpath(root)
    except ValueError:  # another drive
        relative = root
    relative = relative.replace(os.sep, "/")
    return "" if relative == "." else f"{relative}/"
