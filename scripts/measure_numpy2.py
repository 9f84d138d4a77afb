"""Measures again how package versions get on with each NumPy, and compares with the record.

Every pair of ``tests/numpy2_pairs.toml`` is installed by ``uv`` into an environment of its own,
with its dependencies as NumPy 1 lets them be; then NumPy alone is exchanged, so that nothing else
explains a difference. With names as arguments only those packages are measured. The exit code is 1
where an outcome is not the recorded one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import tomli

RECORD = Path(__file__).resolve().parent.parent / "tests" / "numpy2_pairs.toml"
PYTHON = "3.11"
NUMPYS = ("1.26.4", "2.0.2", "2.4.6")

WORKS, WARNING, IMPORT_ERROR, RUNTIME, CRASH, NOT_INSTALLED = (
    "works", "warning", "import-error", "runtime", "crash", "not-installed",
)  # fmt: skip
"""What may come of a pair; see :func:`tried`."""

_STEPS = """
import sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
for step, code in (("import-error", sys.argv[1]), ("runtime", sys.argv[2])):
    try:
        exec(code)
    except BaseException as error:
        print(f"OUTCOME {step} {type(error).__name__}: {error}"[:300].replace(chr(10), " "))
        break
else:
    print("OUTCOME works")
"""
_COMPLAINT = "compiled using NumPy 1.x cannot be run"


class Smoke(NamedTuple):
    """What a package is tried with: its import, then a use of it, and what that needs besides."""

    imports: str
    use: str
    beside: tuple[str, ...] = ()


def main(arguments: Sequence[str]) -> int:
    """Measure the recorded pairs of some packages, or of all; return the exit code."""
    differ = 0
    for table in tomli.loads(RECORD.read_text("utf-8"))["package"]:
        if arguments and table["name"] not in arguments:
            continue
        smoke = Smoke(table["imports"], table["use"], tuple(table.get("beside", ())))
        for pair in table["measured"]:
            recorded = {numpy: pair[numpy] for numpy in NUMPYS}
            outcomes = dict(measured(table["name"], pair["version"], smoke))
            found = {numpy: outcomes[numpy][0] for numpy in NUMPYS}
            differ += found != recorded
            verdict = "as recorded" if found == recorded else f"recorded {recorded}"
            print(f"{table['name']} {pair['version']}: {found}: {verdict}", flush=True)  # noqa: T201
    return int(differ > 0)


def measured(package: str, version: str, smoke: Smoke) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each NumPy with the outcome beside one version of a package, and its message."""
    with tempfile.TemporaryDirectory() as folder:
        _uv("venv", "--quiet", "--python", PYTHON, folder)
        # some old releases import pkg_resources without asking for it
        wanted = (
            f"{package}=={version}",
            "setuptools<81",
            *(one.format(version=version) for one in smoke.beside),
        )
        installed = _install(folder, *wanted, f"numpy=={NUMPYS[0]}") or _install(folder, *wanted)
        for numpy in NUMPYS:
            fits = installed and _install(folder, "--no-deps", f"numpy=={numpy}")
            yield numpy, tried(folder, smoke) if fits else (NOT_INSTALLED, "")


def tried(folder: str, smoke: Smoke) -> tuple[str, str]:
    """Return what comes of a smoke test in an environment, and the message.

    ``warning`` is an import that succeeds and yet complains of NumPy; ``crash`` is an end by a
    signal.
    """
    command = [f"{folder}/bin/python", "-c", _STEPS, smoke.imports, smoke.use]
    try:
        run = subprocess.run(  # noqa: S603 - what the record names
            command, capture_output=True, text=True, timeout=120, cwd=folder, check=False
        )
    except subprocess.TimeoutExpired:
        return CRASH, "it does not end"
    said = [line for line in run.stdout.splitlines() if line.startswith("OUTCOME ")]
    if not said:
        return CRASH, f"exit status {run.returncode}"
    outcome, _, message = said[-1].removeprefix("OUTCOME ").partition(" ")
    if outcome == WORKS and _COMPLAINT in run.stderr:
        return WARNING, _COMPLAINT
    return outcome, message


def _install(folder: str, *wanted: str) -> bool:
    return _uv(
        "pip", "install", "--quiet", "--only-binary", ":all:", "--python", f"{folder}/bin/python",
        *wanted,
    )  # fmt: skip


def _uv(*arguments: str) -> bool:
    run = subprocess.run(  # noqa: S603 - what the record names
        ["uv", *arguments],  # noqa: S607 - the one on the path
        capture_output=True,
        check=False,
        timeout=900,
    )
    return run.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
