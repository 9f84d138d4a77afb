"""What the benchmarks share: tables, what they are meant to reach, and the programs they run."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from measure import Measured, own_peak

MB = 1_000_000


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


def lines_of(measured: dict[str, Measured]) -> list[Line]:
    """Return the lines of a table; the first command is what others are held against."""
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


def markdown(outcome: Outcome) -> str:
    """Return everything that a run found out, as Markdown."""
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


def beside_python(name: str) -> Path | None:
    """Return a program that is installed beside this interpreter; None where it is not."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    return Path(found).absolute() if found else None


def version_of(program: Path) -> str:
    """Return a program with the version that it says it has."""
    done = subprocess.run(
        (program, "--version"), capture_output=True, text=True, check=False, timeout=60
    )
    words = (done.stdout or done.stderr).split()
    versions = [word.removeprefix("v") for word in words if word.removeprefix("v")[:1].isdigit()]
    return f"{program.stem} {versions[0]}" if versions else program.stem


def machine() -> str:
    """Return what the figures were measured on."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def interpreter_of(script: Path) -> str | None:
    """Return the Python that runs a script, or None where it is no Python script."""
    with script.open("rb") as file:
        start = file.readline(1000)
    word = start[2:].strip().decode("utf-8", "replace")
    is_python = start.startswith(b"#!") and "python" in Path(word).name
    return word if is_python and Path(word).is_file() else None


def compile_all(interpreter: str) -> None:
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
