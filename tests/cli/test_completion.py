"""What shells are told when the completion key is pressed, by the protocol that they speak."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mlenv.cli.full.app import COMMANDS
from mlenv.cli.requests import AUDIT_FORMATS, SCHEMAS
from mlenv.config import FAIL_ON
from mlenv.rules.registry import RULES

if TYPE_CHECKING:
    from pathlib import Path

KEPT = ("PATH", "SYSTEMROOT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "XDG_CACHE_HOME")
PINS = {rule.code for rule in RULES if rule.code.startswith("PIN00")}


def mlenv(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlenv", *arguments],
        env={**{key: os.environ[key] for key in KEPT if key in os.environ}, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def in_bash(line: str) -> set[str]:
    words = line.split(" ")
    done = mlenv(_MLENV_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1))
    assert (done.returncode, done.stderr) == (0, "")
    return {*done.stdout.splitlines()} - {""}


def in_fish(line: str) -> set[str]:
    asked = {"_MLENV_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": line}
    done = mlenv(**asked, _TYPER_COMPLETE_FISH_ACTION="get-args")
    found = {shown.partition("\t")[0] for shown in done.stdout.splitlines()} - {""}
    # by this fish decides whether to complete files
    are_any = mlenv(**asked, _TYPER_COMPLETE_FISH_ACTION="is-args")
    assert are_any.returncode == (0 if found else 1)
    return found


def in_zsh(line: str) -> set[str]:
    done = mlenv(_MLENV_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS=line)
    assert (done.returncode, done.stderr) == (0, "")
    if done.stdout == "_files\n":
        return set()
    body = done.stdout.removeprefix("_arguments '*: :((").removesuffix("))'\n")
    assert "'" not in body.replace("''", "")
    return {shown.split('"')[1] for shown in body.splitlines()}


LINES: dict[str, set[str]] = {
    "mlenv ": {*COMMANDS},
    "mlenv exp": {"explain"},
    "mlenv config ": {"show", "schema"},
    "mlenv config schema --of ": {*SCHEMAS},
    "mlenv audit --stat": {"--static", "--statistics"},
    "mlenv audit --format ": {*AUDIT_FORMATS},
    "mlenv audit -f gi": {"github"},
    "mlenv audit --fail-on ": {*FAIL_ON},
    "mlenv audit --select PIN00": PINS,
    "mlenv audit --ignore LCK001,PIN00": {f"LCK001,{code}" for code in PINS},
    "mlenv audit . --select hyg": {"hygiene"},
    "mlenv explain PIN00": PINS,
    "mlenv explain conf": {"conflicts"},
    # files, which the shell knows best
    "mlenv audit ": set(),
    "mlenv audit --output ": set(),
}
FEW = ("mlenv ", "mlenv audit -f gi", "mlenv audit --ignore LCK001,PIN00", "mlenv audit ")
"""What each shell must have understood to get right; the rest does not depend on it."""


@pytest.mark.parametrize("line", LINES)
def test_what_can_follow(line: str) -> None:
    assert in_fish(line) == LINES[line]


@pytest.mark.parametrize("line", FEW)
def test_other_shells_are_told_the_same(line: str) -> None:
    assert in_bash(line) == in_zsh(line) == LINES[line]


@pytest.mark.skipif(not shutil.which("bash") or os.name == "nt", reason="there is no bash here")
def test_bash_takes_the_script(tmp_path: Path) -> None:
    script = mlenv(_MLENV_COMPLETE="source_bash")
    assert (script.returncode, script.stderr) == (0, "")
    program = tmp_path / "mlenv"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mlenv "$@"\n')
    program.chmod(0o755)
    asked = (
        f"{script.stdout}\nCOMP_WORDS=(mlenv audit --format s); COMP_CWORD=3\n"
        '_mlenv_completion mlenv; echo "${COMPREPLY[@]}"; complete -p mlenv'
    )
    kept = {key: os.environ[key] for key in KEPT if key in os.environ}
    done = subprocess.run(
        ["bash", "--norc", "-c", asked],
        env={**kept, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "sarif\ncomplete -o default -F _mlenv_completion mlenv\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_can_be_shown(shell: str) -> None:
    shown = mlenv("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert shown.returncode == 0
    assert f"complete_{shell}" in shown.stdout


def test_the_help_tells_of_it() -> None:
    assert "mlenv --install-completion" in mlenv("--help").stdout
