"""Compares mlenv's speed and memory with an empty command, its peers and the bare parse."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Command, FailedError, Measured, check, rounds
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

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "guides" / "pip"

AUDIT, EMPTY, BARE = "mlenv audit", "empty typer command", "bare parse"
TARGET = "mlenv audit --target"
MACHINE = "driver=535.104.05,gpu=A100,python=3.10,os=linux"
REACH_EMPTY, REACH_TARGET, REACH_BARE, REACH_PEAK = 1.8, 2.0, 4.0, 100 * MB
FOUND = frozenset({0, 1})

EMPTY_PROGRAM = '''\
"""Two typer commands, one of which prints: what any tool built on typer pays."""

import typer

app = typer.Typer()


@app.command()
def greet() -> None:
    """Print."""
    print("hello")


@app.command()
def rest() -> None:
    """Do nothing."""


if __name__ == "__main__":
    app()
'''
PYTHON_FILE = '''\
"""Gives the peers imports to compare with what is declared."""

import json

import numpy as np
import torch
import transformers


def main() -> None:
    """Use what is imported."""
    print(json.dumps([str(np.zeros(1)), torch.__version__, transformers.__version__]))
'''
WORKFLOW = """\
name: ci
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: python train.py
"""

PARSERS = {
    "requirements": "requirements",
    "constraints": "requirements",
    "pyproject": "toml",
    "pixi": "toml",
    "uv-lock": "toml",
    "poetry-lock": "toml",
    "pdm-lock": "toml",
    "pylock": "toml",
    "conda-env": "yaml",
    "conda-lock": "yaml",
    "pixi-lock": "yaml",
    "pipfile-lock": "json",
}
"""How mlenv's kinds are parsed; the others are plain text, which is only read."""


@dataclass(frozen=True)
class Peer:
    """Another auditor, which need not be installed."""

    name: str
    arguments: tuple[str, ...]
    codes: frozenset[int]


PEERS = (
    Peer("deptry", (".",), FOUND),
    Peer("fawltydeps", (), frozenset({0, 3, 4})),
    Peer("zizmor", ("--offline", "."), frozenset({0, 10, 11, 12, 13, 14})),
)


def main() -> int:
    """Measure what the options ask for, and print it."""
    options = _options()
    if not hasattr(os, "wait4"):
        print("peak memory needs os.wait4, which Linux and macOS have", file=sys.stderr)
        return 1
    mlenv = beside_python("mlenv")
    if mlenv is None:
        print("no mlenv beside this interpreter: install it there first", file=sys.stderr)
        return 1
    outcome = Outcome(machine(), [version_of(mlenv)])
    peers = dict(_peers(options.peers, outcome))
    for interpreter in {sys.executable, *filter(None, map(interpreter_of, peers.values()))}:
        compile_all(interpreter)
    with tempfile.TemporaryDirectory(prefix="mlenv-benchmark-") as folder:
        try:
            for example in options.example or [EXAMPLE]:
                _example(Path(folder), mlenv, example, peers, options.rounds, outcome)
            if options.corpus:
                _corpus(Path(folder), mlenv, options.corpus, options.corpus_rounds, outcome)
        except FailedError as error:
            outcome.failed.append(str(error))
    print(json.dumps(asdict(outcome), indent=2) if options.json else markdown(outcome))
    return 1 if outcome.failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command on an example")
    parser.add_argument("--corpus-rounds", type=int, default=5, help="runs over the corpus")
    parser.add_argument(
        "--example", type=Path, action="append", help="folder to audit; may be given several times"
    )
    parser.add_argument("--corpus", type=Path, help="folder with many projects")
    parser.add_argument("--peers", type=Path, help="bin folder with deptry, fawltydeps and zizmor")
    parser.add_argument("--json", action="store_true", help="print JSON and no tables")
    options = parser.parse_args()
    for given in (*(options.example or ()), options.corpus, options.peers):
        if given is not None and not given.is_dir():
            parser.error(f"{given} is not a folder")
    if min(options.rounds, options.corpus_rounds) < 1:
        parser.error("at least one round is needed")
    return options


def _example(
    scratch: Path,
    mlenv: Path,
    example: Path,
    peers: dict[str, Path],
    count: int,
    outcome: Outcome,
) -> None:
    name = os.path.relpath(example, HERE.parent).replace(os.sep, "/")
    title = example.name if name.startswith("..") else name
    folder = scratch / f"example-{len(outcome.tables)}"
    shutil.copytree(example, folder)
    (folder / "train.py").write_text(PYTHON_FILE, encoding="utf-8")
    workflow = folder / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True, exist_ok=True)
    workflow.write_text(WORKFLOW, encoding="utf-8")
    program = scratch / "empty.py"
    program.write_text(EMPTY_PROGRAM, encoding="utf-8")
    commands = [
        Command(AUDIT, (str(mlenv), "audit", "."), folder, FOUND),
        Command(EMPTY, (sys.executable, str(program), "greet"), folder),
        Command(TARGET, (str(mlenv), "audit", ".", "--target", MACHINE), folder, FOUND),
    ]
    for command in commands:
        check(command)
    for peer in PEERS:
        if peer.name not in peers:
            continue
        command = Command(peer.name, (str(peers[peer.name]), *peer.arguments), folder, peer.codes)
        try:
            check(command)
        except FailedError as error:
            outcome.failed.append(f"{title}: {error}")
        else:
            commands.append(command)
    measured = rounds(commands, count)
    outcome.tables[f"One project: {title} ({count} interleaved rounds)"] = lines_of(measured)
    audit = measured[AUDIT]
    ratio = audit.median / measured[EMPTY].median
    outcome.reach.append(
        Reach(f"{title}: at most {REACH_EMPTY} x {EMPTY}", f"{ratio:.2f} x", ratio <= REACH_EMPTY)
    )
    ratio = measured[TARGET].median / measured[EMPTY].median
    wanted = f"{title}, with a target: at most {REACH_TARGET} x {EMPTY}"
    outcome.reach.append(Reach(wanted, f"{ratio:.2f} x", ratio <= REACH_TARGET))
    for command in commands[3:]:
        ratio = audit.median / measured[command.name].median
        outcome.reach.append(
            Reach(f"{title}: faster than {command.name}", f"{ratio:.2f} x", ratio < 1)
        )
    outcome.reach.append(_peak(title, audit))


def _corpus(scratch: Path, mlenv: Path, corpus: Path, count: int, outcome: Outcome) -> None:
    report, listed = scratch / "report.json", scratch / "files.txt"
    arguments = (str(mlenv), "audit", str(corpus.resolve()), "--format", "json")
    audit = Command(AUDIT, arguments, scratch, FOUND)
    check(Command(AUDIT, (*arguments, "--output", str(report)), scratch, FOUND))
    # listed by another process: what this one holds would be counted as its children's
    listing = (sys.executable, str(HERE / "list_files.py"), str(report), str(listed))
    check(Command("listing the corpus", (*listing, str(corpus.resolve())), scratch))
    bare = Command(BARE, (sys.executable, str(HERE / "bare_parse.py"), str(listed)), scratch)
    check(bare)
    measured = rounds([audit, bare], count)
    with listed.open("rb") as lines:
        files = sum(1 for _ in lines)
    outcome.tables[f"Corpus of {files} files ({count} interleaved rounds)"] = lines_of(measured)
    ratio = measured[AUDIT].median / measured[BARE].median
    wanted = f"corpus: at most {REACH_BARE} x {BARE}"
    outcome.reach.append(Reach(wanted, f"{ratio:.2f} x", ratio <= REACH_BARE))
    outcome.reach.append(_peak("corpus", measured[AUDIT]))


def _peak(title: str, measured: Measured) -> Reach:
    return Reach(
        f"{title}: peak memory under {REACH_PEAK // MB} MB",
        f"{measured.peak / MB:.0f} MB",
        measured.peak < REACH_PEAK,
    )


def _peers(folder: Path | None, outcome: Outcome) -> Iterator[tuple[str, Path]]:
    for peer in PEERS:
        found = shutil.which(peer.name, path=str(folder) if folder else None)
        if found is None:
            where = "in the --peers folder" if folder else "on PATH"
            outcome.left_out.append(f"{peer.name} is not {where}")
            continue
        outcome.tools.append(version_of(Path(found)))
        yield peer.name, Path(found).absolute()


if __name__ == "__main__":
    sys.exit(main())
