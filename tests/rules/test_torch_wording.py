"""What findings on torch's build advise, whom they name, and where else they point."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.machine.snapshot import read_snapshot
from mlenv.model.report import Reported
from mlenv.model.surroundings import Surroundings


def only_finding(
    folder: Path, code: str, files: dict[str, str], machine: dict[str, Any]
) -> Reported:
    project = folder / "project"
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    state = folder / "machine.json"
    state.write_text(json.dumps({"machine": machine}), encoding="utf-8")
    targets = (read_snapshot(str(state), "machine.json"),) if machine else ()
    config = Config(select=(code,))
    report = audit_project(
        (str(project),), config, today="2026-11-20", around=Surroundings(targets)
    )
    (finding,) = report.findings
    return finding


@pytest.mark.parametrize(
    ("pinned", "advice"),
    [
        ("torch==2.5.1+cu121", "install torch==2.7.1+cu128 from PyTorch's cu128 index"),
        ("torch==2.7.1", "install torch==2.7.1+cu128 from PyTorch's cu128 index"),
    ],
)
def test_the_nearest_build_with_kernels_is_advised(
    tmp_path: Path, pinned: str, advice: str
) -> None:
    machine = {"os": "linux", "gpus": [{"name": "RTX 5090"}]}
    finding = only_finding(tmp_path, "GPU001", {"requirements.txt": f"{pinned}\n"}, machine)
    assert finding.help == advice


def test_the_file_that_asks_for_the_cpu_index_is_named(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM python:3.12\nCOPY requirements.txt .\n"
        "RUN pip install --index-url https://index.example/whl/cpu -r requirements.txt\n",
        "requirements.txt": "torch==2.5.1\n",
    }
    machine = {"os": "linux", "gpus": [{"name": "RTX 4090"}]}
    finding = only_finding(tmp_path, "CUB002", files, machine)
    assert finding.evidence[0].source == "Dockerfile"


def test_the_other_places_of_one_cause_are_counted(tmp_path: Path) -> None:
    files = {f"part{number}/requirements.txt": "torch\n" for number in range(23)}
    files["requirements.txt"] = "torch\n"
    finding = only_finding(tmp_path, "DRV001", files, {"driver": "535.183.01"})
    assert finding.message.endswith("; the same in 23 other places")
    assert len([one for one in finding.related if one.span.path in files]) == 20


@pytest.mark.parametrize(
    ("gpu", "said"),
    [
        ([], "if its GPU is one for data centers"),
        ([{"name": "A100"}], "since its A100 is one for data centers"),
    ],
)
def test_a_named_data_center_gpu_is_no_condition(
    tmp_path: Path, gpu: list[dict[str, str]], said: str
) -> None:
    machine = {"driver": "535.183.01", "gpus": gpu}
    finding = only_finding(tmp_path, "DRV001", {"requirements.txt": "cupy-cuda13x\n"}, machine)
    assert finding.help.endswith(said)
    assert finding.message.startswith("cupy-cuda13x (CUDA 13.0) does not run")


def test_a_companion_that_names_no_last_torch_goes_with_the_first(tmp_path: Path) -> None:
    files = {"requirements.txt": "torch==2.10.0\ntorchaudio\n"}
    finding = only_finding(tmp_path, "CMP001", files, {})
    assert finding.help == "torchaudio==2.10.0, or torch==2.11.*"
