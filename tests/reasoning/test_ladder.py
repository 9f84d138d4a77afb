"""The ladder says what is there; what is wrong with it is what the rules say, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from making import environment_of

from mlenv.audit import audit_surroundings
from mlenv.config import Config
from mlenv.knowledge import Knowledge
from mlenv.machine.build import described
from mlenv.model import ladder as rungs
from mlenv.model.machine import HANGS, Driver, GpuState, Machine
from mlenv.model.surroundings import Surroundings
from mlenv.model.target import Gpu, Installed, Target
from mlenv.reasoning.installed import target_of
from mlenv.reasoning.ladder import ladder_of
from mlenv.reasoning.standing import Standing, packages_that_matter
from mlenv.records import replace

if TYPE_CHECKING:
    from mlenv.model.ladder import Ladder, Rung

DAY = "2026-11-20"
KNOWLEDGE = Knowledge()
A100 = (Gpu("NVIDIA A100-SXM4-80GB", (8, 0), 2, 80),)
CU128 = {"torch": {"version": "2.9.1+cu128", "cuda": "12.8", "location": "torch/version.py"}}
SOUND = {"packages": {"torch": "2.9.1", "torchvision": "0.24.1", "numpy": "2.3.5"}, "torch": CU128}


def ladder(table: Any, *, machine: Machine | None = None, **fields: Any) -> Ladder:
    """What is shown of an environment on a machine, judged by all rules."""
    target = described("local", {"os": "linux", "arch": "x86_64", "glibc": "2.36", **fields})
    environment = environment_of(table)
    judged = (target,) if target.driver else ()
    around = Surroundings(judged, environment, machine)
    report = audit_surroundings(around, Config(), DAY)
    whole = target_of(environment, target)
    standing = Standing(whole, "local", machine, environment, report.findings)
    return ladder_of(standing, KNOWLEDGE)


def of(found: Ladder, key: str) -> Rung:
    return next(one for one in found.rungs if one.key == key)


def test_a_sound_machine_can_run() -> None:
    found = ladder(SOUND, gpus=A100, driver="580.65.06", driver_cuda="13.0")
    assert found.verdict.state == rungs.OK
    assert found.verdict.text == "torch 2.9.1+cu128 can run on these GPUs"
    assert [one.key for one in found.rungs] == list(rungs.RUNGS)
    assert {one.state for one in found.rungs} == {rungs.OK, rungs.ABSENT}
    assert of(found, rungs.GPU).text == (
        "2 x NVIDIA A100-SXM4-80GB (compute capability 8.0), 80 GiB"
    )
    assert of(found, rungs.DRIVER).text == "580.65.06, offers CUDA 13.0"
    assert of(found, rungs.TORCH).text == "2.9.1+cu128, built for CUDA 12.8"
    assert of(found, rungs.COMPANIONS).text == "torchvision 0.24.1"
    assert of(found, rungs.PACKAGES).text == "3 Python packages"
    assert of(found, rungs.PYTHON).text == "3.11.7, CPython, virtual environment"


def test_a_driver_that_is_too_old() -> None:
    found = ladder(SOUND, gpus=A100, driver="470.82.01", driver_cuda="11.4")
    driver = of(found, rungs.DRIVER)
    assert (driver.state, driver.findings[0].rule) == (rungs.ERROR, "DRV001")
    assert found.verdict.state == rungs.ERROR
    assert found.verdict.text == f"not as it is: {driver.findings[0].message}"
    assert of(found, rungs.TORCH).state == rungs.OK


def test_a_gpu_without_kernels() -> None:
    gpus = (Gpu("Tesla K80", (3, 7)),)
    found = ladder(SOUND, gpus=gpus, driver="580.65.06", driver_cuda="13.0")
    assert "GPU001" in [one.rule for one in of(found, rungs.TORCH).findings]
    assert found.verdict.state == rungs.ERROR


def test_without_a_gpu_it_goes_on() -> None:
    found = ladder(SOUND, machine=Machine("linux", release="Debian 12", cpus=2, memory=8 << 30))
    assert found.verdict.state == rungs.ABSENT
    assert found.verdict.text == "CPU only: no NVIDIA GPU; torch 2.9.1+cu128 runs on the CPU"
    assert of(found, rungs.GPU).text == "none from NVIDIA"
    assert of(found, rungs.DRIVER).text == "no NVIDIA driver"
    assert found.title == (".venv (made by uv)", "Debian 12, 2 CPUs, 8 GiB")


def test_a_driver_that_does_not_answer_is_not_known_and_not_absent() -> None:
    driver = Driver("", "", "535.104.05", "", HANGS, "no answer in 5 seconds")
    found = ladder(SOUND, machine=Machine("linux", driver=driver))
    assert of(found, rungs.GPU).text == "the driver does not answer"
    assert "no answer in 5 seconds" in of(found, rungs.DRIVER).text
    assert found.verdict.state == rungs.UNKNOWN
    assert found.verdict.text == (
        "not known whether torch 2.9.1+cu128 can use the GPU: the driver does not answer"
    )


def test_a_torch_newer_than_the_records_is_not_called_fit() -> None:
    truth = {"torch": {"version": "9.9.0+cu990", "cuda": "99.0", "location": "v"}}
    table = {"packages": {"torch": "9.9.0"}, "torch": truth}
    found = ladder(table, gpus=A100, driver="580.65.06", driver_cuda="13.0")
    assert found.verdict.state != rungs.OK
    assert "can run" not in found.verdict.text


def test_a_build_without_cuda_beside_a_gpu() -> None:
    truth = {"torch": {"version": "2.9.1+cpu", "cuda": "none", "location": "v"}}
    table = {"packages": {"torch": "2.9.1+cpu"}, "torch": truth}
    found = ladder(table, gpus=A100, driver="580.65.06", driver_cuda="13.0")
    torch = of(found, rungs.TORCH)
    assert (torch.text, torch.findings[0].rule) == ("2.9.1+cpu, built without CUDA", "CUB002")
    assert found.verdict.state == rungs.WARNING
    assert found.verdict.text == "CPU only: torch 2.9.1+cpu was built without CUDA"


def test_errors_elsewhere_are_counted() -> None:
    requiring = {"name": "pandas", "version": "2.3.3", "requires": ["gone>=1"]}
    found = ladder(
        {**SOUND, "distributions": [requiring]}, gpus=A100, driver="580.65.06", driver_cuda="13.0"
    )
    packages = of(found, rungs.PACKAGES)
    assert (packages.state, packages.findings[0].rule) == (rungs.ERROR, "ENV001")
    assert found.verdict.text == "torch 2.9.1+cu128 can run on these GPUs; 1 error elsewhere"
    assert found.verdict.state == rungs.WARNING


def test_what_torch_itself_lacks_is_told_by_the_verdict() -> None:
    torch = {"name": "torch", "version": "2.9.1", "requires": ["sympy>=1.13.3"]}
    numpy = {"name": "numpy", "version": "2.3.5"}
    for sympy in ([], [{"name": "sympy", "version": "1.12"}]):
        found = ladder({"distributions": [torch, numpy, *sympy], "torch": CU128})
        assert found.verdict.state == rungs.ERROR
        assert found.verdict.text.startswith("not as it is: torch")
    # what somebody else asks of torch keeps torch from nothing
    other = {"name": "torchvision", "version": "0.24.1", "requires": ["torch==2.9.0"]}
    sympy = [{"name": "sympy", "version": "1.14.0"}]
    found = ladder({"distributions": [torch, numpy, other, *sympy], "torch": CU128})
    assert found.verdict.text.endswith(": not stated; 1 error elsewhere")


def test_without_a_python_nothing_runs() -> None:
    gone = {"kind": "broken-base", "path": "pyvenv.cfg", "detail": "/usr/bin"}
    found = ladder({**SOUND, "oddities": [gone]})
    assert of(found, rungs.PYTHON).state == rungs.ERROR
    assert found.verdict.text.startswith("not as it is: the Python that .venv was made from")


@pytest.mark.parametrize(
    ("machine", "text"),
    [
        (Machine("macos", arch="arm64", apple_gpu=True), "Apple's, which torch reaches"),
        (Machine("linux", rocm="6.2", amd_gpus=("gfx942",)), "AMD's (gfx942), and mlenv judges"),
        (Machine("linux", visible_devices=""), "none is visible: CUDA_VISIBLE_DEVICES is set"),
        (
            Machine(
                "linux",
                gpus=(GpuState("NVIDIA H100", (9, 0), 80 << 30, mig=True, instances=7),) * 2,
            ),
            "2 x NVIDIA H100, compute capability 9.0, 80 GiB, MIG in 7 parts",
        ),
    ],
)
def test_what_is_said_of_gpus(machine: Machine, text: str) -> None:
    assert of(ladder(SOUND, machine=machine), rungs.GPU).text.startswith(text)


def test_hidden_gpus_are_not_there_for_torch() -> None:
    gpus = (GpuState("NVIDIA H100", (9, 0)),) * 2
    for visible, text, verdict in (
        ("", "CUDA_VISIBLE_DEVICES hides all", "CPU only:"),
        ("0", "CUDA_VISIBLE_DEVICES hides some", "torch"),
    ):
        machine = Machine("linux", gpus=gpus, hidden_gpus=True, visible_devices=visible)
        named = (Gpu("NVIDIA H100", (9, 0), 2),)
        fields = {"gpus": named, "driver": "580.65.06", "driver_cuda": "13.0"}
        found = ladder(SOUND, machine=machine, **fields)
        gpu = of(found, rungs.GPU).text
        assert gpu == f"2 x NVIDIA H100, compute capability 9.0; {text}"
        assert found.verdict.text.startswith(verdict)
        assert "these GPUs" not in found.verdict.text


def test_a_snapshot_of_names_has_a_ladder() -> None:
    installed = target_of(environment_of(SOUND), None).installed
    target = Target("laptop", described("x", {}).span, os="linux", installed=installed)
    found = ladder_of(Standing(target, "laptop"), KNOWLEDGE)
    assert found.title == ("laptop", "linux")
    assert of(found, rungs.TORCH).text == "2.9.1+cu128, built for CUDA 12.8"
    assert of(found, rungs.GPU).state == rungs.UNKNOWN
    assert of(found, rungs.PYTHON).state == rungs.UNKNOWN


def test_no_torch_is_no_error() -> None:
    found = ladder({"packages": {"jax": "0.4.0"}})
    assert found.verdict.text == "no PyTorch is installed, but jax"
    assert found.verdict.state == rungs.ABSENT


def test_conda_pytorch_counts_as_torch() -> None:
    conda = [{"name": "pytorch", "version": "2.5.1"}, {"name": "cuda-runtime", "version": "12.4"}]
    found = ladder({"conda": conda, "manager": "conda"})
    assert of(found, rungs.TORCH).text.startswith("2.5.1")
    assert of(found, rungs.CUDA).text.startswith("cuda-runtime 12.4 from conda")


def test_what_a_bug_report_is_read_for() -> None:
    packages = {"zzz": "1", "numpy": "2.0", "nvidia-nccl-cu12": "2", "torch": "2.9.1"}
    found = packages_that_matter(packages, KNOWLEDGE)
    assert list(found) == ["torch", "numpy", "nvidia-nccl-cu12"]


def test_every_text_can_be_changed() -> None:
    requiring = {"name": "pandas", "version": "2.3.3", "requires": ["gone>=1"]}
    found = ladder({**SOUND, "distributions": [requiring]}).changed(lambda _text: "x")
    assert {one.text for one in found.rungs} | {found.verdict.text, *found.title} == {"x"}
    assert {it.message for one in found.rungs for it in one.findings} <= {"x"}


@pytest.mark.parametrize(
    ("installed", "state", "verdict"),
    [
        (None, rungs.UNKNOWN, "not known whether PyTorch is installed"),
        (
            Installed({"jax": "0.7"}),
            rungs.UNKNOWN,
            "not known whether PyTorch is installed, but jax",
        ),
        (
            Installed({"jax": "0.7"}, complete=True),
            rungs.ABSENT,
            "no PyTorch is installed, but jax",
        ),
    ],
)
def test_what_nobody_looked_at_is_not_called_missing(
    installed: Installed | None, state: str, verdict: str
) -> None:
    target = replace(described("there", {"os": "linux"}), installed=installed)
    found = ladder_of(Standing(target, "there"), KNOWLEDGE)
    assert of(found, rungs.TORCH).state == of(found, rungs.NUMPY).state == state
    assert (found.verdict.state, found.verdict.text) == (state, verdict)
