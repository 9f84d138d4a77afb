"""The whole program on the examples, in a scrubbed environment, against what it printed before.

``MLENV_REGENERATE=1`` writes the snapshots anew.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
SNAPSHOTS = Path(__file__).parent / "snapshots"
EXPECTED_EXIT = {
    "gpu-image": 1,
    "gpu-targets": 1,
    "guides": 1,
    "mixed-conda-pip": 1,
    "poetry-pytorch-source": 1,
    "unpinned-research": 1,
    "uv-clean": 0,
    "works-on-my-machine": 1,
}
OPTIONS = {
    "gpu-targets": ("--target", "cluster.toml", "--target", "workstation.toml"),
    "works-on-my-machine": ("--target", "cluster.toml"),
}
"""What the audit of an example takes beside the usual."""
DAY = ("--as-of", "2026-11-20")
"""Pythons reach the end of their life; what is printed here must not change with the day."""
WITHOUT_GPU = {"CONDA_OVERRIDE_CUDA": ""}
"""What is printed here must not change with the machine either."""
COMMANDS = {
    "audit.txt": ("audit", ".", "--no-config", *DAY),
    "audit.json": ("audit", ".", "--no-config", *DAY, "--format", "json"),
    "audit.github": ("audit", ".", "--no-config", *DAY, "--format", "github"),
    "deps.txt": ("deps", ".", "--no-config"),
    "deps.json": ("deps", ".", "--no-config", "--format", "json"),
}


def scrubbed() -> dict[str, str]:
    kept = ("PATH", "SYSTEMROOT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "XDG_CACHE_HOME")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    return {**own, "PYTHONUTF8": "1", **WITHOUT_GPU}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlenv", *arguments],
        cwd=folder,
        env=scrubbed(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )


# what a lock records of its index is the lock's affair: no snapshot repeats it
SHOWN = [
    (example, name)
    for example in sorted(EXPECTED_EXIT)
    for name in sorted(COMMANDS)
    if not (example == "uv-clean" and name.startswith("deps"))
]


@pytest.mark.parametrize(("example", "name"), SHOWN)
def test_an_example_prints_what_it_printed(example: str, name: str) -> None:
    options = OPTIONS.get(example, ()) if name.startswith("audit") else ()
    done = run(EXAMPLES / example, *COMMANDS[name], *options)
    snapshot = SNAPSHOTS / f"{example}.{name}"
    if os.environ.get("MLENV_REGENERATE"):
        snapshot.write_text(done.stdout, "utf-8", newline="\n")
    assert done.stderr == ""
    assert done.stdout == snapshot.read_text("utf-8")
    assert done.returncode == (EXPECTED_EXIT[example] if name.startswith("audit") else 0)


def test_every_example_is_tried() -> None:
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    assert folders == set(EXPECTED_EXIT)


def test_the_documentation_shows_what_the_program_prints() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "refresh.py"), "--check"],
        env=scrubbed(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_mlenv_finds_nothing_above_a_note_in_itself() -> None:
    done = run(ROOT, "audit", ".", "--fail-on", "warning")
    assert done.returncode == 0, done.stdout


def test_a_setting_cannot_make_test_data_fail(tmp_path: Path) -> None:
    data = tmp_path / "tests" / "data"
    data.mkdir(parents=True)
    (data / "requirements.txt").write_text("torch=2.1\n", "utf-8")
    (tmp_path / "mlenv.toml").write_text('[severity]\nparse = "error"\n', "utf-8")
    done = run(tmp_path, "audit", ".")
    assert "note[PRS001]" in done.stdout
    assert done.returncode == 0


def test_a_live_suppression_is_not_stale_when_its_rule_does_not_run(tmp_path: Path) -> None:
    text = "einops  # mlenv: ignore[PIN001] the platform pins it\n"
    (tmp_path / "requirements.txt").write_text(text, "utf-8")
    (tmp_path / ".python-version").write_text("3.12.8\n", "utf-8")
    for arguments in ((), ("--ignore", "PIN001"), ("--select", "HYG")):
        done = run(tmp_path, "audit", ".", "--no-config", "--fail-on", "note", *DAY, *arguments)
        assert (done.returncode, "HYG001" in done.stdout) == (0, False), arguments


def test_a_joined_finding_keeps_its_fingerprint_when_it_grows(tmp_path: Path) -> None:
    prints = []
    for text in ("einops\n", "# new\neinops\nattrs\n"):
        (tmp_path / "requirements.txt").write_text(text, "utf-8")
        report = json.loads(run(tmp_path, "audit", ".", "--format", "json").stdout)
        prints.append([finding["fingerprint"] for finding in report["findings"]])
    assert prints[0] == prints[1]


def test_a_setting_counts_in_a_workflow(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    workflow = (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/setup-python@v5\n        with:\n          python-version: 3.10\n"
    )
    (folder / "test.yml").write_text(workflow, "utf-8")
    (tmp_path / "requirements.txt").write_text("numpy==1.26.4\n", "utf-8")
    assert "error[PYV005]" in run(tmp_path, "audit", ".").stdout
    (tmp_path / "mlenv.toml").write_text('[severity]\nPYV005 = "note"\n', "utf-8")
    done = run(tmp_path, "audit", ".")
    assert "note[PYV005]" in done.stdout
    assert done.returncode == 0
