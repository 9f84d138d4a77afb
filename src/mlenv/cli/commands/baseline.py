"""``mlenv baseline``: accepts what is found today, and keeps the list of it short."""

from __future__ import annotations

import os

from mlenv.audit import audit_project
from mlenv.baseline import Ledger, in_order, is_below, read_baseline, written
from mlenv.cli.output import tell, write_report
from mlenv.cli.settings import STDIN, chosen_targets, configuration
from mlenv.errors import UsageError
from mlenv.exit_codes import CLEAN, NOTHING
from mlenv.model.surroundings import Surroundings
from mlenv.phrases import counted
from mlenv.project.place import find_place
from mlenv.report.escape import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.baseline import Record
    from mlenv.cli.requests import BaselineRequest
    from mlenv.model.report import Report


def run(request: BaselineRequest) -> int:
    """Write, prune or show a baseline, and return the exit code.

    Raises:
        UsageError: A path, the baseline or the configuration cannot be taken as it is.
    """
    if STDIN in request.paths or request.file == STDIN:
        raise UsageError("a baseline is kept of files, not of the standard input")
    return {"write": _write, "prune": _prune, "show": _show}[request.action](request)


def _write(request: BaselineRequest) -> int:
    exists = os.path.isfile(request.file)
    old = read_baseline(request.file) if exists else {}
    ledger, report = _audited(request, {})
    if not report.files and not report.findings:
        tell("mlenv: nothing to audit was found, and no baseline was written")
        return NOTHING
    new = {r: n for r, n in old.items() if not is_below(r.file, ledger.named)}
    for record, number in ledger.found.items():
        new[record] = max(number, new.get(record, 0))
    write_report(written(new), request.file)
    was = f"; it held {sum(old.values())} before" if exists else ""
    tell(f"mlenv: {request.file} accepts {counted(sum(new.values()), 'finding')}{was}")
    return CLEAN


def _prune(request: BaselineRequest) -> int:
    known = read_baseline(request.file)
    ledger, _ = _audited(request, known)
    leftover = ledger.leftover()
    if leftover:
        left = {r: known[r] - leftover.get(r, 0) for r in known}
        write_report(written({r: n for r, n in left.items() if n}), request.file)
    write_report("".join(_lines(leftover)), "")
    removed, before = sum(leftover.values()), sum(known.values())
    tell(f"mlenv: removed {removed} of {counted(before, 'entry', 'entries')} of {request.file}")
    return CLEAN


def _show(request: BaselineRequest) -> int:
    known = read_baseline(request.file)
    named = find_place(request.paths, config=request.file).named
    shown = {r: n for r, n in known.items() if is_below(r.file, named)}
    write_report("".join(_lines(shown)), "")
    tell(f"mlenv: {counted(sum(shown.values()), 'entry', 'entries')} of {request.file}")
    return CLEAN


def _audited(request: BaselineRequest, known: dict[Record, int]) -> tuple[Ledger, Report]:
    ledger = Ledger(known)
    config = configuration(request).with_options(exclude=request.exclude)
    report = audit_project(
        request.paths,
        config,
        ledger=ledger,
        baseline=request.file,
        around=Surroundings(chosen_targets(config, static=True)),
    )
    return ledger, report


def _lines(records: dict[Record, int]) -> Iterator[str]:
    for record in in_order(records):
        number = records[record]
        # a declaration names its package, and a whole file has no declaration
        about = clean(record.declaration or ", ".join(record.packages) or "(the file)")
        times = f" ({number} times)" if number > 1 else ""
        yield f"{clean(record.file)}: {clean(record.rule)} {about}{times}\n"
