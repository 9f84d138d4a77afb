"""Calls the program as a shell would, in an environment that holds next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEPT = ("PATH", "SYSTEMROOT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "XDG_CACHE_HOME")


def mlenv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``mlenv`` in a folder and return what it printed and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "mlenv", *arguments],
        cwd=folder,
        # what is told must not depend on the GPU of the machine that runs the tests
        env={**{k: os.environ[k] for k in KEPT if k in os.environ}, "CONDA_OVERRIDE_CUDA": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
