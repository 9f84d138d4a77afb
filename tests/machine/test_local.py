"""This machine: what its driver says through the real nvidia-ml-py, and what its files say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from nvml_stub import COMPILER, build

from mlenv.machine import driver, local, presence
from mlenv.machine.local import look
from mlenv.machine.presence import may_have_driver

if TYPE_CHECKING:
    from pathlib import Path

needs_compiler = pytest.mark.skipif(
    COMPILER is None or not sys.platform.startswith("linux"),
    reason="the stub of NVIDIA's library is compiled here, for Linux",
)
H100 = ("NVIDIA H100 80GB HBM3", 9, 0)


@pytest.fixture(autouse=True)
def without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine that runs the tests has must not count."""
    monkeypatch.setattr(presence, "FOLDERS", ())
    monkeypatch.setattr(presence, "DEVICE", "/nowhere")
    monkeypatch.setattr(driver, "KERNEL_FILES", ())


def seen(folder: str = "", timeout: float = 20, **more: str) -> local.Local:
    return look({"LD_LIBRARY_PATH": folder, **more}, timeout=timeout)


@needs_compiler
def test_eight_gpus_are_one_kind(tmp_path: Path) -> None:
    found = seen(build(tmp_path, *[H100] * 8, driver="550.54.15", cuda=12040))
    target = found.target
    assert (found.has_answer, found.problem) == (True, "")
    assert (target.name, target.driver, target.driver_cuda) == ("local", "550.54.15", "12.4")
    assert [(g.name, g.capability, g.count) for g in target.gpus] == [(H100[0], (9, 0), 8)]
    assert target.os == "linux"
    assert target.arch == os.uname().machine
    assert target.where("driver").text == "550.54.15"
    assert target.where("gpus").source.target == "local"


@needs_compiler
def test_a_folder_that_the_loader_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "FOLDERS", (build(tmp_path, H100),))
    assert seen().target.driver == "535.104.05"


@needs_compiler
def test_kinds_keep_their_order_and_a_lost_one_is_left_out(tmp_path: Path) -> None:
    kinds = (("Tesla V100-SXM2-16GB", 7, 0), H100, ("Tesla T4", 7, 5), H100)
    found = seen(build(tmp_path, *kinds, lost=2))
    assert [(g.name, g.count) for g in found.target.gpus] == [(kinds[0][0], 1), (H100[0], 2)]


@needs_compiler
def test_an_old_driver_reports_no_cuda(tmp_path: Path) -> None:
    found = seen(build(tmp_path, ("Tesla K80", 3, 7), driver="390.157", cuda=0))
    assert (found.target.driver, found.target.driver_cuda) == ("390.157", "")
    assert found.target.gpus[0].capability == (3, 7)


@needs_compiler
def test_what_the_driver_says_is_shown_on_one_line(tmp_path: Path) -> None:
    found = seen(build(tmp_path, ("H100\n::error::\x1b[2J", 9, 0)))
    lines = found.target.span.source.text.splitlines()
    assert lines[-1].startswith("gpus H100 ::error::")


@needs_compiler
def test_a_mismatch_is_told_and_the_kernel_knows_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 2023\n"
    (tmp_path / "version").write_text(text)
    monkeypatch.setattr(
        driver, "KERNEL_FILES", (str(tmp_path / "missing"), str(tmp_path / "version"))
    )
    found = seen(build(tmp_path, init=18))
    assert not found.has_answer
    assert "mismatch" in found.problem.lower()
    assert (found.target.driver, found.target.gpus) == ("535.104.05", ())


@needs_compiler
def test_a_driver_that_hangs_is_given_up(tmp_path: Path) -> None:
    began = time.monotonic()
    found = seen(build(tmp_path, H100, before="sleep(600)"), timeout=0.5)
    assert time.monotonic() - began < 10
    assert (found.has_answer, found.problem) == (False, "no answer in 0.5 seconds")


@needs_compiler
def test_a_library_that_ends_the_process_ends_only_its_own(tmp_path: Path) -> None:
    found = seen(build(tmp_path, H100, before="abort()"))
    assert (found.has_answer, found.problem) == (False, "the driver's library ended the process")


def test_a_library_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("no library")
    found = seen(str(tmp_path))
    assert not found.has_answer
    assert found.problem
    assert not found.target.has_nvidia


def test_without_a_trace_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "ask_driver", None)
    found = seen()
    assert (found.has_answer, found.problem, found.target.has_nvidia) == (False, "", False)


def test_no_project_is_imported_by_the_process_that_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pynvml", "json", "mlenv"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'RAN')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    said = driver.ask_driver({}, 20)
    assert set(said) in ({"error", "code"}, {"driver", "cuda", "gpus"})
    assert not (tmp_path / "RAN").exists()


@pytest.mark.parametrize(
    ("override", "expected"),
    [(None, False), ("", False), (" ", False), ("12.4", True)],
)
def test_conda_says_whether_there_is_cuda(override: str | None, expected: bool) -> None:
    environment = {} if override is None else {"CONDA_OVERRIDE_CUDA": override}
    assert may_have_driver(environment) is expected


@needs_compiler
def test_conda_overrides_what_is_found(tmp_path: Path) -> None:
    folder = build(tmp_path, H100)
    over = seen(folder, CONDA_OVERRIDE_CUDA="11.8", CONDA_OVERRIDE_GLIBC="2.17")
    assert (over.has_answer, over.target.driver, over.target.driver_cuda) == (True, "", "11.8")
    assert (over.target.glibc, over.target.gpus[0].name) == ("2.17", H100[0])
    none = seen(folder, CONDA_OVERRIDE_CUDA="", CONDA_OVERRIDE_GLIBC="")
    assert (none.has_answer, none.target.has_nvidia, none.target.glibc) == (False, False, "")
    wrong = seen(folder, CONDA_OVERRIDE_CUDA="new")
    assert (wrong.has_answer, wrong.problem) == (False, "CONDA_OVERRIDE_CUDA is no version")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where the loader looks")
def test_every_trace_of_a_driver_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not may_have_driver({"LD_LIBRARY_PATH": f":{tmp_path}"})
    (tmp_path / "libnvidia-ml.so.1").touch()
    assert may_have_driver({"LD_LIBRARY_PATH": f":{tmp_path}"})
    monkeypatch.setattr(presence, "FOLDERS", (str(tmp_path),))
    assert may_have_driver({})
    monkeypatch.setattr(presence, "FOLDERS", ())
    monkeypatch.setattr(presence, "DEVICE", str(tmp_path))
    assert may_have_driver({})


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        (
            "version.json",
            '{"cuda": {"name": "SDK", "version": "12.2.2"}, "nvcc": {"version": "12.2.140"}}',
            "12.2.2",
        ),
        ("version.txt", "CUDA Version 10.0.130\n", "10.0.130"),
        ("conda-meta/cuda-nvcc-12.4.131-0.json", "{}", "12.4.131"),
        ("version.json", "{" * 5000, ""),
        ("README", "", ""),
    ],
)
def test_the_toolkit_is_told_by_its_files(
    tmp_path: Path, name: str, text: str, version: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert seen(CUDA_HOME=str(tmp_path)).target.cuda_toolkit == seen().target.cuda_toolkit
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvcc").touch()
    assert seen(CUDA_HOME=str(tmp_path)).target.cuda_toolkit == version
    assert seen(PATH=str(tmp_path / "bin")).target.cuda_toolkit == version


def test_the_python_is_that_of_the_active_environment(tmp_path: Path) -> None:
    assert seen().target.python == ""
    (tmp_path / "pyvenv.cfg").write_text("home = /usr\nversion_info = 3.12.4.final.0\n")
    assert seen(VIRTUAL_ENV=str(tmp_path)).target.python == "3.12.4"
    assert look({"VIRTUAL_ENV": str(tmp_path)}, with_python=False).target.python == ""
    (tmp_path / "conda-meta").mkdir()
    for name in ("python-dateutil-2.9.0-py_0.json", "python-3.11.8-hab00c5b_0_cpython.json"):
        (tmp_path / "conda-meta" / name).touch()
    assert seen(CONDA_PREFIX=str(tmp_path)).target.python == "3.11.8"


@needs_compiler
def test_the_program_judges_for_this_machine(tmp_path: Path) -> None:
    folder = build(tmp_path, H100)
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.txt").write_text("requests==2.32.3\n")

    def report(*arguments: str, **more: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "mlenv", "audit", *arguments, "--format=json", "--select=pins"],
            cwd=project,
            env={**os.environ, "LD_LIBRARY_PATH": folder, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    assert report()["target"]["name"] == "local"
    assert report()["target"]["gpus"][0]["compute_capability"] == "9.0"
    assert report("--static")["target"] is None
    assert report("--target", "none")["target"] is None
    assert report(CONDA_OVERRIDE_CUDA="")["target"] is None
    assert report("--static", "--target", "local")["target"]["driver"] == "535.104.05"
    both = report("--target", "driver=470,gpu=V100", "--target", "local")
    assert [one["name"] for one in both["targets"]] == ["driver=470,gpu=V100", "local"]
