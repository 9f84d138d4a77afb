"""Compares mlenv's speed and memory with an empty command, its peers and the bare parse."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Command, FailedError, Measured, check, own_peak, rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "guides" / "pip"
MB = 1_000_000

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


@dataclass(frozen=True)
class Line:
    """One line of a table."""

    command: str
    median_ms: float
    fastest_ms: float
    peak_mb: float
    against_first: float


@dataclass(frozen=True)
class Reach:
    """One thing that mlenv is meant to reach."""

    wanted: str
    measured: str
    met: bool


@dataclass
class Outcome:
    """Everything that one run of this program found out."""

    machine: str
    tools: list[str]
    tables: dict[str, list[Line]] = field(default_factory=dict)
    reach: list[Reach] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def main() -> int:
    """Measure what the options ask for, and print it."""
    options = _options()
    if not hasattr(os, "wait4"):
        print("peak memory needs os.wait4, which Linux and macOS have", file=sys.stderr)
        return 1
    mlenv = _beside_python("mlenv")
    if mlenv is None:
        print("no mlenv beside this interpreter: install it there first", file=sys.stderr)
        return 1
    outcome = Outcome(_machine(), [_version(mlenv)])
    peers = dict(_peers(options.peers, outcome))
    for interpreter in {sys.executable, *filter(None, map(_interpreter, peers.values()))}:
        _compile(interpreter)
    with tempfile.TemporaryDirectory(prefix="mlenv-benchmark-") as folder:
        try:
            for example in options.example or [EXAMPLE]:
                _example(Path(folder), mlenv, example, peers, options.rounds, outcome)
            if options.corpus:
                _corpus(Path(folder), mlenv, options.corpus, options.corpus_rounds, outcome)
        except FailedError as error:
            outcome.failed.append(str(error))
    print(json.dumps(asdict(outcome), indent=2) if options.json else _markdown(outcome))
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
    outcome.tables[f"One project: {title} ({count} interleaved rounds)"] = _lines(measured)
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
    outcome.tables[f"Corpus of {files} files ({count} interleaved rounds)"] = _lines(measured)
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


def _lines(measured: dict[str, Measured]) -> list[Line]:
    first = next(iter(measured.values())).median
    return [
        Line(
            name,
            round(one.median * 1000, 1),
            round(one.fastest * 1000, 1),
            round(one.peak / MB, 1),
            round(one.median / first, 2),
        )
        for name, one in measured.items()
    ]


def _markdown(outcome: Outcome) -> str:
    lines = [f"{outcome.machine}; {', '.join(outcome.tools)}"]
    for title, table in outcome.tables.items():
        lines += ["", f"### {title}", ""]
        lines += ["| command | median | fastest | peak memory | against mlenv |"]
        lines += ["| --- | ---: | ---: | ---: | ---: |"]
        lines += [
            f"| {line.command} | {line.median_ms:.1f} ms | {line.fastest_ms:.1f} ms "
            f"| {line.peak_mb:.1f} MB | {line.against_first:.2f} x |"
            for line in table
        ]
    if outcome.reach:
        lines += ["", "### Reach", "", "| wanted | measured | |", "| --- | ---: | --- |"]
        lines += [
            f"| {one.wanted} | {one.measured} | {'met' if one.met else 'NOT met'} |"
            for one in outcome.reach
        ]
    lines += [""]
    lines += [f"Left out: {reason}" for reason in outcome.left_out]
    lines += [f"Failed: {reason}" for reason in outcome.failed]
    lines += [f"Peaks under {own_peak() / MB:.1f} MB (this program's own) cannot be told apart."]
    return "\n".join(lines)


def _peers(folder: Path | None, outcome: Outcome) -> Iterator[tuple[str, Path]]:
    for peer in PEERS:
        found = shutil.which(peer.name, path=str(folder) if folder else None)
        if found is None:
            where = "in the --peers folder" if folder else "on PATH"
            outcome.left_out.append(f"{peer.name} is not {where}")
            continue
        outcome.tools.append(_version(Path(found)))
        yield peer.name, Path(found).absolute()


def _beside_python(name: str) -> Path | None:
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    return Path(found).absolute() if found else None


def _version(program: Path) -> str:
    done = subprocess.run(
        (program, "--version"), capture_output=True, text=True, check=False, timeout=60
    )
    words = (done.stdout or done.stderr).split()
    return f"{program.stem} {words[-1].removeprefix('v')}" if words else program.stem


def _machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def _interpreter(script: Path) -> str | None:
    """Return the Python that runs a script, or None where it is no Python script."""
    with script.open("rb") as file:
        start = file.readline(1000)
    word = start[2:].strip().decode("utf-8", "replace")
    is_python = start.startswith(b"#!") and "python" in Path(word).name
    return word if is_python and Path(word).is_file() else None


def _compile(interpreter: str) -> None:
    """Compile the bytecode of what an interpreter has installed.

    Without it, a first start compiles everything, and where PYTHONDONTWRITEBYTECODE is set so does
    every later one. Packages may ship files that do not compile: that is no failure here.
    """
    if interpreter == sys.executable:
        folders = [sysconfig.get_path("purelib")]
        spec = find_spec("mlenv")  # finds an editable install too, and imports nothing of it
        folders += list(spec.submodule_search_locations or ()) if spec else []
    else:
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        done = subprocess.run(
            (interpreter, "-c", code), capture_output=True, text=True, check=False
        )
        folders = [done.stdout.strip()]
    subprocess.run(
        (interpreter, "-m", "compileall", "-q", "-j", "0", *folders),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
