"""The program in a process of its own, in an environment that holds nothing it was not given."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mlenv

_KEPT = ("SYSTEMROOT", "PYTHONDONTWRITEBYTECODE", "XDG_CACHE_HOME")
SOURCE = str(Path(mlenv.__file__).resolve().parent.parent)
"""Where the package under test lies, for an interpreter that has it from nowhere else."""


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a process: what Python needs to start, no GPU, and those given."""
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    return {**kept, "CONDA_OVERRIDE_CUDA": "", **more}


def program(
    folder: Path, *arguments: str, flags: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m mlenv`` in a folder, with flags for Python before it."""
    return subprocess.run(
        [sys.executable, *flags.split(), "-m", "mlenv", *arguments],
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
