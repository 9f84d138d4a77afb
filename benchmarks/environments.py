"""Compares the audit of one environment with the checks of uv, pip and pipdeptree."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from measure import Command, FailedError, check, rounds
from reporting import (
    MB,
    Outcome,
    Reach,
    beside_python,
    compile_all,
    interpreter_of,
    lines_of,
    machine,
    markdown,
    version_of,
)

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "guides" / "pip"
EMPTY, SMALL = "mlenv audit --env, no project", "mlenv audit --env, a small project"
ANEW = "mlenv audit --env --no-cache"
FIRST, SECOND = "with the binary scan, anew", "with the binary scan, known"
UV, PIP, TREE = "uv pip check", "pip check", "pipdeptree --warn fail"
REACH_UV, REACH_PIP, REACH_PEAK = 2.5, 0.1, 150 * MB
FOUND = frozenset({0, 1})


def main() -> int:
    """Measure what the options ask for, and print it."""
    options = _options()
    mlenv = beside_python("mlenv")
    if mlenv is None:
        print("no mlenv beside this interpreter: install it there first", file=sys.stderr)
        return 1
    outcome = Outcome(machine(), [version_of(mlenv)])
    with tempfile.TemporaryDirectory(prefix="mlenv-benchmark-") as folder:
        # what other runs have put into the user's cache must not count
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        try:
            _measure(Path(folder), mlenv, options, outcome)
        except FailedError as error:
            outcome.failed.append(str(error))
    print(json.dumps(asdict(outcome), indent=2) if options.json else markdown(outcome))
    return 1 if outcome.failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", type=Path, help="the environment")
    parser.add_argument("--rounds", type=int, default=11, help="runs of each command")
    parser.add_argument("--scans", type=int, default=3, help="runs with the scan; 0 for none")
    parser.add_argument("--peers", type=Path, help="bin folder with uv, python and pipdeptree")
    parser.add_argument("--json", action="store_true", help="print JSON and no tables")
    options = parser.parse_args()
    if not options.prefix.is_dir():
        parser.error(f"{options.prefix} is not a folder")
    if options.rounds < 1:
        parser.error("at least one round is needed")
    return options


def _measure(scratch: Path, mlenv: Path, options: argparse.Namespace, outcome: Outcome) -> None:
    prefix = options.prefix.absolute()
    empty, small = scratch / "empty", scratch / "small"
    empty.mkdir()
    shutil.copytree(EXAMPLE, small)
    audit = (str(mlenv), "audit", ".", "--env", str(prefix), "--target", "none", "--allow-empty")
    commands = [
        Command(EMPTY, (*audit, "--no-binaries"), empty, FOUND),
        Command(ANEW, (*audit, "--no-binaries", "--no-cache"), empty, FOUND),
        Command(SMALL, (*audit, "--no-binaries"), small, FOUND),
    ]
    peers = list(_peers(options.peers, prefix, empty, outcome))
    interpreters = {sys.executable, *(interpreter_of(Path(one.arguments[0])) for one in peers)}
    for interpreter in filter(None, interpreters):
        compile_all(interpreter)
    commands += peers
    for command in commands:
        check(command)
    measured = rounds(commands, options.rounds)
    title = f"{prefix.name}: {_distributions(prefix)} distributions"
    outcome.tables[f"{title} ({options.rounds} interleaved rounds)"] = lines_of(measured)
    for name, most in ((UV, REACH_UV), (PIP, REACH_PIP)):
        if name in measured:
            ratio = measured[EMPTY].median / measured[name].median
            outcome.reach.append(Reach(f"at most {most} x {name}", f"{ratio:.2f} x", ratio <= most))
    peak = measured[EMPTY].peak
    if options.scans:
        scans = [
            Command(FIRST, (*audit, "--no-cache"), empty, FOUND),
            Command(SECOND, audit, empty, FOUND),
        ]
        for command in scans:
            check(command)
        scanned = rounds(scans, options.scans)
        outcome.tables[f"{title}, compiled files too ({options.scans} rounds)"] = lines_of(scanned)
        peak = max(peak, *(one.peak for one in scanned.values()))
    wanted = f"peak memory under {REACH_PEAK // MB} MB"
    outcome.reach.append(Reach(wanted, f"{peak / MB:.0f} MB", peak < REACH_PEAK))


def _peers(folder: Path | None, prefix: Path, where: Path, outcome: Outcome) -> Iterator[Command]:
    """Yield the checks of others that are installed; what is not is named."""
    path = str(folder) if folder else None
    python = str(prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    wanted: Sequence[tuple[str, str, tuple[str, ...]]] = (
        (UV, "uv", ("pip", "check", "--python", python)),
        (PIP, "python", ("-m", "pip", "--python", python, "check")),
        (TREE, "pipdeptree", ("--python", python, "--warn", "fail")),
    )
    for name, program, arguments in wanted:
        found = shutil.which(program, path=path)
        if found is None:
            outcome.left_out.append(f"{name}: {program} is not there")
            continue
        outcome.tools.append(version_of(Path(found)))
        yield Command(name, (str(Path(found).absolute()), *arguments), where, FOUND)


def _distributions(prefix: Path) -> int:
    return sum(1 for _ in prefix.glob("[Ll]ib/**/site-packages/*.dist-info"))


if __name__ == "__main__":
    sys.exit(main())
