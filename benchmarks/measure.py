"""Runs commands side by side and measures each whole process: wall time and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

_KIB = 1024
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else _KIB
_LEFT_OUT = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONPROFILEIMPORTTIME", "MLENV_DEBUG")
_TAIL = 200


class FailedError(Exception):
    """A command could not be run, or did something else than its work."""


@dataclass(frozen=True)
class Command:
    """A command to measure.

    Attributes:
        name: What the table calls it.
        arguments: The program and its arguments.
        folder: Where it runs.
        codes: The exit codes that mean that it did its work.
    """

    name: str
    arguments: tuple[str, ...]
    folder: Path
    codes: frozenset[int] = frozenset({0})


@dataclass
class Measured:
    """What the rounds of one command gave.

    Attributes:
        seconds: The wall time of each round.
        peak: The largest resident size of any round, in bytes.
    """

    seconds: list[float] = field(default_factory=list)
    peak: int = 0

    @property
    def median(self) -> float:
        """The middle of the wall times, in seconds."""
        return statistics.median(self.seconds)

    @property
    def fastest(self) -> float:
        """The least of the wall times, in seconds."""
        return min(self.seconds)


def environment() -> dict[str, str]:
    """Return the environment of every child: nobody's activated one, and no bytecode written."""
    kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def check(command: Command) -> None:
    """Run a command once, unmeasured, and see that it does its work.

    Raises:
        FailedError: It cannot be run, crashes, or exits with a code that means something else.
    """
    try:
        done = subprocess.run(
            command.arguments,
            cwd=command.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise FailedError(f"{command.name} cannot be run: {error.strerror}") from error
    said = done.stderr.decode("utf-8", "replace")
    # a traceback leaves with 1, which for an auditor also means that it found something
    if done.returncode not in command.codes or "Traceback (most recent call last)" in said:
        # the indented lines below an error quote what it is about
        told = [line for line in said.splitlines() if line and not line[0].isspace()]
        last = told[-1] if told else "nothing on stderr"
        raise FailedError(f"{command.name} exited {done.returncode}: {last[:_TAIL]}")


def rounds(commands: list[Command], count: int) -> dict[str, Measured]:
    """Measure commands in turn, A B C A B C, so that a slow moment hits all of them.

    Args:
        commands: Those that :func:`check` has seen at work, which has also warmed the file cache.
        count: How often each one runs.

    Raises:
        FailedError: One of them did something else this time.
    """
    measured = {command.name: Measured() for command in commands}
    for _ in range(count):
        for command in commands:
            seconds, peak = _once(command)
            one = measured[command.name]
            one.seconds.append(seconds)
            one.peak = max(one.peak, peak)
    return measured


def _once(command: Command) -> tuple[float, int]:
    started = time.perf_counter()
    child = subprocess.Popen(
        command.arguments,
        cwd=command.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # Popen.wait would lose what the kernel counted for this child alone
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in command.codes:
        raise FailedError(f"{command.name} exited {child.returncode} in a later round")
    return seconds, usage.ru_maxrss * _MAXRSS_UNIT


def own_peak() -> int:
    """Return this process's peak memory in bytes: on Linux, no child is seen to use less."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
