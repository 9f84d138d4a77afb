"""Makes environments, sound and broken, and holds mlenv against ``pip check`` and what was planted.

Each environment of ``environments.toml`` is made in a folder of the caller's, judged and removed
again. Needs uv, pip and virtualenv beside this interpreter or on the path, an index, and for each
Python of the list a ``python3.X`` on the path; what cannot be made is named and left out. With
names as arguments only those are made. The exit code is 1 where mlenv and ``pip check`` differ
without a known reason, where something planted is missed, or where a sound environment gets more
than notes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tomli
from installations.judging import (
    CONFLICT,
    MISSING,
    PLATFORM,
    Conflict,
    Finding,
    mlenv_audit,
    mlenv_conflicts,
    pip_check,
    uv_check,
)
from installations.making import Made, NotMadeError, Plan, make, wheels

LIST = Path(__file__).resolve().parent / "environments.toml"
THERE = "there"
_OF_PIP = frozenset({MISSING, CONFLICT, PLATFORM})
"""What ``pip check`` tells; the rest it does not look at."""


class Row(NamedTuple):
    """What came of one environment.

    Attributes:
        plan: The environment.
        distributions: How many it holds.
        pip: What ``pip check`` says; None where it cannot look.
        uv: The same of ``uv pip check``.
        mlenv: What mlenv says of the same matters.
        missed: What was planted and not found.
        extra: What was found above a note and is neither planted nor a conflict that pip sees.
    """

    plan: Plan
    distributions: int
    pip: frozenset[Conflict] | None
    uv: frozenset[Conflict] | None
    mlenv: frozenset[Conflict]
    missed: tuple[str, ...]
    extra: tuple[Finding, ...]

    @property
    def of_pip(self) -> frozenset[Conflict]:
        """What mlenv says of that which ``pip check`` looks at."""
        return frozenset(one for one in self.mlenv if one.kind in _OF_PIP)

    @property
    def agrees(self) -> bool:
        """Whether mlenv says what ``pip check`` says, so far as that can look."""
        return self.pip is None or self.pip == self.of_pip

    @property
    def is_right(self) -> bool:
        """Whether everything came out as the list has it."""
        if self.plan.unplanned:
            return self.agrees
        return (self.agrees or bool(self.plan.differs)) and not self.missed and not self.extra


def main(arguments: Sequence[str]) -> int:
    """Measure some environments, or all; return the exit code."""
    options = _options(arguments)
    document = tomli.loads(options.list.read_text("utf-8"))
    folder = options.folder.resolve()
    wheels(document["wheel"], folder / "wheels")
    rows = []
    for plan in _plans(document, options):
        try:
            row = _measured(plan, folder / plan.name, keep=options.keep)
        except (NotMadeError, ValueError, subprocess.TimeoutExpired) as error:
            _say(f"left out: {plan.name}: {error}")
            continue
        rows.append(row)
        _tell(row)
    sys.stdout.write("\n".join(table(rows)) + "\n")
    return int(not all(row.is_right for row in rows))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table, in Markdown."""
    heads = ("environment", "distributions", "what is wrong", "pip check", "uv pip check", "mlenv")
    yield f"| {' | '.join(heads)} | planted |"
    yield "| --- | ---: | --- | ---: | ---: | ---: | --- |"
    for row in rows:
        plan = row.plan
        ours = f"{len(row.of_pip)}{'' if row.agrees else ' (differs)'}"
        wrong = plan.wrong or ("not made for this" if plan.made_by == THERE else "sound")
        cells = (plan.name, str(row.distributions), wrong, _count(row.pip), _count(row.uv), ours)
        yield f"| {' | '.join(cells)} | {_found(row)} |"


def _found(row: Row) -> str:
    """Return how much of what was planted was found, and what else was."""
    planted = row.plan.finds
    codes = ", ".join(sorted({one.partition(" ")[0] for one in planted}))
    parts = [f"{len(planted) - len(row.missed)} of {len(planted)}: {codes}"] if planted else []
    if row.extra:
        parts.append(f"also {', '.join(sorted({one.rule for one in row.extra}))}")
    return "; ".join(parts)


def _count(verdict: frozenset[Conflict] | None) -> str:
    return "cannot look" if verdict is None else str(len(verdict))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where environments are made")
    parser.add_argument("names", nargs="*", help="the environments to make; all without")
    parser.add_argument("--list", type=Path, default=LIST, help="another list than our own")
    parser.add_argument("--keep", action="store_true", help="leave them there")
    parser.add_argument(
        "--also", type=Path, action="append", default=[], help="judge an environment that is there"
    )
    return parser.parse_args(arguments)


def _plans(document: Mapping[str, Any], options: argparse.Namespace) -> Iterator[Plan]:
    for table in document["environment"]:
        if not options.names or table["name"] in options.names:
            yield _plan(table)
    for prefix in options.also:
        yield Plan(prefix.name, made_by=THERE, unplanned=True, folder=str(prefix.resolve()))


def _plan(table: Mapping[str, Any]) -> Plan:
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    nested = {"install": tuple(tuple(one) for one in table.get("install", ()))}
    return Plan(**{**table, **lists, **nested})


def _measured(plan: Plan, folder: Path, *, keep: bool) -> Row:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        return _judged(plan, make(plan, folder))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _judged(plan: Plan, made: Made) -> Row:
    findings = mlenv_audit(made, plan)
    pip, uv = pip_check(made, plan), uv_check(made)
    said = mlenv_conflicts(findings)
    missed = tuple(one for one in plan.finds if not any(_is(found, one) for found in findings))
    known = {one.partition(" ")[0] for one in plan.finds}
    known |= {one.partition(":")[0] for one in plan.allowed}
    conflicts = pip or frozenset()
    extra = tuple(
        found
        for found in findings
        if found.severity != "note"
        and found.rule not in known
        and not conflicts.intersection(mlenv_conflicts([found]))
    )
    return Row(plan, _distributions(made.prefix), pip, uv, said, missed, extra)


def _distributions(prefix: Path) -> int:
    sites = [*prefix.glob("lib/python3*/*-packages"), prefix / "Lib" / "site-packages"]
    sites += prefix.glob("usr/**/dist-packages")
    forms = ("dist-info", "egg-info", "egg", "egg-link")
    return sum(1 for site in sites for form in forms for _ in site.glob(f"*.{form}"))


def _is(found: Finding, planted: str) -> bool:
    rule, _, subject = planted.partition(" ")
    return found.rule == rule and (subject in found.packages or subject in found.message)


def _tell(row: Row) -> None:
    """Say on stderr what did not come out as the list has it."""
    _say(f"{'right' if row.is_right else 'WRONG'}: {row.plan.name}")
    if not row.agrees and row.pip is not None:
        for one in sorted(row.pip - row.of_pip):
            _say(f"    only pip check: {' '.join(one)}")
        for one in sorted(row.of_pip - row.pip):
            _say(f"    only mlenv: {' '.join(one)}")
    for planted in row.missed:
        _say(f"    missed: {planted}")
    for found in row.extra:
        _say(f"    extra: {found.severity} {found.rule} {found.message}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
