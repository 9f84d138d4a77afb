"""Which report goes where, from what ``--format`` and every ``--output`` say."""

from __future__ import annotations

import os
import re

from mlenv.cli.output import is_stdout
from mlenv.cli.requests import AUDIT_FORMATS
from mlenv.config import suggestion
from mlenv.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STDOUT = "-"
_FORM = re.compile(r"([A-Za-z]{2,}):(.*)", re.DOTALL)
"""A word before a colon; one letter is a drive."""


def destinations(outputs: Sequence[str], form: str) -> list[tuple[str, str]]:
    """Return each report's format and the file that it goes to, ``-`` for the standard output.

    ``FORMAT:FILE`` writes a format to a file, ``FILE`` that of ``--format``. The report of
    ``--format`` goes to the standard output where no output says where it goes, and nothing else
    goes there.

    Args:
        outputs: The values of ``--output``, in their order.
        form: The value of ``--format``.

    Returns:
        Files first, in the order given.

    Raises:
        UsageError: A format is unknown, a file is not named, or two reports go to one place.
    """
    found = [_destination(output, form) for output in outputs]
    is_placed = any(_FORM.fullmatch(output) is None for output in outputs)
    if not is_placed and STDOUT not in [output for _, output in found]:
        found.append((form, STDOUT))
    seen: set[str] = set()
    for _, output in found:
        place = output if is_stdout(output) else os.path.normcase(os.path.abspath(output))
        if place in seen:
            where = "the standard output" if is_stdout(output) else repr(output)
            raise UsageError(f"--output: two reports cannot go to {where}")
        seen.add(place)
    return sorted(found, key=lambda one: is_stdout(one[1]))


def _destination(output: str, form: str) -> tuple[str, str]:
    match = _FORM.fullmatch(output)
    if match is None:
        return form, output or STDOUT
    named, file = match.groups()
    if named not in AUDIT_FORMATS:
        raise UsageError(
            f"--output {output}: there is no format {named!r} (a file of that name is written "
            f"./{output}){suggestion(named, AUDIT_FORMATS)}"
        )
    if not file:
        raise UsageError(f"--output {output}: it names no file")
    return named, file
