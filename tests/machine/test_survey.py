"""This machine, told by its driver through the real nvidia-ml-py and by files beneath a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from making import write_environment
from nvml_stub import COMPILER, build

from mlenv.machine import driver
from mlenv.machine.local import look
from mlenv.machine.survey import survey
from mlenv.model.machine import (
    CRASHED,
    HANGS,
    LOST,
    MISMATCH,
    NO_DRIVER,
    NO_PERMISSION,
    NOT_ASKED,
    OTHER,
    GpuState,
    Machine,
    Toolkit,
)
from mlenv.model.machine_text import facts, where
from mlenv.records import replace

if TYPE_CHECKING:
    from pathlib import Path

needs_compiler = pytest.mark.skipif(
    COMPILER is None or not sys.platform.startswith("linux"),
    reason="the stub of NVIDIA's library is compiled here, for Linux",
)
only_posix = pytest.mark.skipif(os.name != "posix", reason="paths of Linux beneath a folder")
H100 = ("NVIDIA H100 80GB HBM3", 9, 0)
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")


def seen(root: Path, **variables: str) -> Machine:
    return survey(variables, root=str(root), timeout=20)


@needs_compiler
def test_eight_gpus_with_their_memory(tmp_path: Path) -> None:
    state = GpuState("", memory=80 << 30, memory_used=3 << 30, mig=False, ecc_errors=0)
    build(tmp_path / LIBRARIES, *[H100] * 8, driver="550.54.15", cuda=12040, state=state)
    found = seen(tmp_path)
    assert (found.driver.version, found.driver.cuda, found.driver.problem) == (
        "550.54.15",
        "12.4",
        "",
    )
    assert len(found.gpus) == 8
    gpu = found.gpus[7]
    assert (gpu.name, gpu.capability) == (H100[0], (9, 0))
    assert (gpu.memory, gpu.memory_used) == (80 << 30, 3 << 30)
    assert (gpu.mig, gpu.instances, gpu.ecc_errors, gpu.retired) == (False, 0, 0, False)
    assert not found.hidden_gpus
    assert found.visible == found.gpus


@needs_compiler
def test_an_old_driver_knows_no_memory_errors_and_no_parts(tmp_path: Path) -> None:
    build(tmp_path / LIBRARIES, ("Tesla K80", 3, 7), driver="470.256.02", cuda=11040)
    found = seen(tmp_path)
    assert (found.driver.version, found.driver.cuda) == ("470.256.02", "11.4")
    gpu = found.gpus[0]
    assert (gpu.memory, gpu.mig, gpu.ecc_errors, gpu.recent_ecc_errors) == (0, None, None, None)


@needs_compiler
def test_parts_and_memory_errors(tmp_path: Path) -> None:
    state = GpuState(
        "", mig=True, instances=3, ecc_errors=5, recent_ecc_errors=2, retired=True, is_failing=True
    )
    build(tmp_path / LIBRARIES, H100, state=state)
    gpu = seen(tmp_path).gpus[0]
    assert (gpu.mig, gpu.instances) == (True, 3)
    assert (gpu.ecc_errors, gpu.recent_ecc_errors) == (5, 2)
    assert (gpu.retired, gpu.is_failing) == (True, True)


@needs_compiler
@pytest.mark.parametrize(
    ("code", "problem", "said"),
    [
        (4, NO_PERMISSION, "Insufficient Permissions"),
        (9, NO_DRIVER, "Driver Not Loaded"),
        (15, LOST, "GPU is lost"),
        (999, OTHER, "Unknown Error"),
    ],
)
def test_why_there_is_no_answer(tmp_path: Path, code: int, problem: str, said: str) -> None:
    build(tmp_path / LIBRARIES, H100, init=code)
    found = seen(tmp_path)
    assert (found.driver.problem, found.driver.said, found.gpus) == (problem, said, ())
    assert found.driver.version == ""


@needs_compiler
def test_a_mismatch_names_both_versions(tmp_path: Path) -> None:
    folder = tmp_path / LIBRARIES
    build(folder, init=18)
    (folder / "libnvidia-ml.so.1").rename(folder / "libnvidia-ml.so.550.54.15")
    (folder / "libnvidia-ml.so.1").symlink_to("libnvidia-ml.so.550.54.15")
    put(tmp_path, {"sys/module/nvidia/version": "535.104.05\n"})
    found = seen(tmp_path).driver
    assert found.problem == MISMATCH
    assert (found.kernel_version, found.library_version) == ("535.104.05", "550.54.15")
    assert found.version == "535.104.05"
    assert "version mismatch" in found.said


@needs_compiler
def test_the_only_gpu_is_lost_and_one_of_two(tmp_path: Path) -> None:
    build(tmp_path / "one" / LIBRARIES, H100, lost=0)
    found = seen(tmp_path / "one").driver
    assert (found.problem, found.said, found.silent) == (LOST, "GPU is lost", ("GPU is lost",))
    build(tmp_path / "two" / LIBRARIES, H100, H100, lost=1)
    both = seen(tmp_path / "two")
    assert (both.driver.problem, both.driver.silent, len(both.gpus)) == ("", ("GPU is lost",), 1)


@needs_compiler
def test_a_call_that_hangs_and_one_that_ends_the_process(tmp_path: Path) -> None:
    build(tmp_path / "hangs" / LIBRARIES, H100, before="sleep(600)")
    began = time.monotonic()
    found = survey({}, root=str(tmp_path / "hangs"), timeout=0.5).driver
    assert time.monotonic() - began < 10
    assert (found.problem, found.said) == (HANGS, "no answer in 0.5 seconds")
    build(tmp_path / "dies" / LIBRARIES, H100, before="abort()")
    assert seen(tmp_path / "dies").driver.problem == CRASHED


@only_posix
def test_a_library_that_cannot_be_loaded_and_one_that_is_missing(tmp_path: Path) -> None:
    put(tmp_path / "bad", {f"{LIBRARIES}/libnvidia-ml.so.1": "no library"})
    found = seen(tmp_path / "bad").driver
    assert (found.problem, found.said) == (OTHER, "libnvidia-ml.so.1 is there and cannot be loaded")
    put(tmp_path / "none", {"dev/nvidiactl": ""})
    assert "is not found" in seen(tmp_path / "none").driver.said


def test_without_a_driver_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "ask_driver", None)
    found = seen(tmp_path)
    assert (found.driver.problem, found.driver.said, found.gpus) == (NO_DRIVER, "", ())
    assert ("driver", "none") in list(facts(found))


@only_posix
def test_a_container_sees_its_hosts_kernel_and_has_no_driver(tmp_path: Path) -> None:
    put(tmp_path, {"proc/driver/nvidia/version": "NVRM version: Kernel Module  535.104.05  Sat\n"})
    found = seen(tmp_path).driver
    assert (found.problem, found.version, found.kernel_version) == (NO_DRIVER, "", "535.104.05")


@needs_compiler
def test_an_empty_override_says_that_there_is_none(tmp_path: Path) -> None:
    build(tmp_path / LIBRARIES, H100)
    assert seen(tmp_path, CONDA_OVERRIDE_CUDA="").gpus == ()
    assert len(seen(tmp_path, CONDA_OVERRIDE_CUDA="12.4").gpus) == 1


def test_no_process_to_ask_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    assert driver.ask_driver({}, 1)["problem"] == NOT_ASKED


@needs_compiler
def test_a_survey_is_not_asked_for_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path / LIBRARIES, H100)
    machine = seen(tmp_path)
    monkeypatch.setattr(driver, "ask_driver", None)
    local = look({}, machine=machine)
    assert (local.has_answer, local.target.driver, local.target.gpus[0].name) == (
        True,
        "535.104.05",
        H100[0],
    )


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (None, 2),
        ("0,1", 2),
        ("1", 1),
        (" 1 , 0 ", 2),
        ("", 0),
        ("-1", 0),
        ("NoDevFiles", 0),
        ("0,7,1", 1),
        ("GPU-8f6d", 2),
        ("9" * 40, 0),
        ("\N{SUPERSCRIPT TWO}", 0),
    ],
)
def test_which_gpus_are_left(value: str | None, left: int) -> None:
    machine = Machine("linux", gpus=(GpuState("a"), GpuState("b")), visible_devices=value)
    assert len(machine.visible) == left


@needs_compiler
def test_hidden_gpus_are_told(tmp_path: Path) -> None:
    build(tmp_path / LIBRARIES, H100, H100)
    found = seen(tmp_path, CUDA_VISIBLE_DEVICES="1")
    assert (found.hidden_gpus, found.visible_devices) == (True, "1")


@only_posix
@pytest.mark.parametrize(
    ("files", "variables", "container"),
    [
        ({}, {}, ""),
        ({".dockerenv": ""}, {}, "docker"),
        ({"run/.containerenv": 'engine="podman-4"'}, {}, "podman"),
        ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ({"run/secrets/kubernetes.io/serviceaccount/namespace": "a"}, {}, "kubernetes"),
        ({"proc/self/cgroup": "0::/kubepods/burstable/pod1\n"}, {}, "kubernetes"),
        ({"proc/1/cgroup": "12:memory:/docker/0123\n"}, {}, "docker"),
        ({"proc/self/cgroup": "0::/lxc.payload.box\n"}, {}, "lxc"),
        ({"run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
        ({}, {"container": "lxc"}, "lxc"),
        ({".singularity.d/runscript": ""}, {}, "apptainer"),
        ({"proc/self/cgroup": "0::/user.slice/user-1000.slice\n"}, {}, ""),
    ],
)
def test_containers(
    tmp_path: Path, files: dict[str, str], variables: dict[str, str], container: str
) -> None:
    put(tmp_path, files)
    assert seen(tmp_path, **variables).container == container


@only_posix
@pytest.mark.parametrize(
    ("kernel", "wsl"),
    [
        ("5.15.153.1-microsoft-standard-WSL2\n", "2"),
        ("4.4.0-19041-Microsoft\n", "1"),
        ("6.1.0-18-amd64\n", ""),
    ],
)
def test_the_windows_subsystem(tmp_path: Path, kernel: str, wsl: str) -> None:
    put(tmp_path, {"proc/sys/kernel/osrelease": kernel})
    found = seen(tmp_path)
    assert (found.wsl, found.kernel) == (wsl, kernel.strip())


@needs_compiler
def test_the_driver_of_windows_is_found_in_its_subsystem(tmp_path: Path) -> None:
    build(tmp_path / "usr/lib/wsl/lib", ("NVIDIA GeForce RTX 4090", 8, 9), driver="551.86")
    put(tmp_path, {"proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2"})
    found = seen(tmp_path)
    assert (found.wsl, found.driver.version) == ("2", "551.86")


@only_posix
@pytest.mark.parametrize(
    ("files", "cpus", "memory"),
    [
        ({}, 4.0, 64 << 30),
        (
            {
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/cpu.max": "150000 100000\n",
                "sys/fs/cgroup/memory.max": f"{8 << 30}\n",
            },
            1.5,
            8 << 30,
        ),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
                "sys/fs/cgroup/a/b/memory.max": "max\n",
                "sys/fs/cgroup/a/memory.max": f"{16 << 30}\n",
                "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
            },
            2.0,
            16 << 30,
        ),
        (
            {
                "proc/self/cgroup": "5:cpu,cpuacct:/docker/ab\n9:memory:/docker/ab\n1:pids:/x\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes": f"{4 << 30}\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            0.5,
            4 << 30,
        ),
        (
            {
                "proc/self/cgroup": "0::/../../..\n0::\n::::\nnothing\n",
                "sys/fs/cgroup/cpu.max": "100000 0\n",
                "sys/fs/cgroup/memory.max": "much\n",
            },
            4.0,
            64 << 30,
        ),
    ],
)
def test_the_limits_of_a_container_count(
    tmp_path: Path, files: dict[str, str], cpus: float, memory: int
) -> None:
    put(
        tmp_path,
        {
            "proc/meminfo": f"MemTotal:       {64 << 20} kB\nMemFree: 1 kB\n",
            "proc/self/status": "Name:\tpython\nCpus_allowed_list:\t0-2,7\n",
            **files,
        },
    )
    found = seen(tmp_path)
    assert (found.cpus, found.memory) == (cpus, memory)


@only_posix
def test_the_system_in_words(tmp_path: Path) -> None:
    put(tmp_path, {"usr/lib/os-release": 'NAME="U"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n'})
    assert seen(tmp_path).release == "Ubuntu 22.04.5 LTS"
    plist = "<key>ProductVersion</key>\n\t<string>14.5</string>"
    apple = tmp_path / "apple"
    put(apple, {"System/Library/CoreServices/SystemVersion.plist": plist})
    assert seen(apple).release == "macOS 14.5"


@only_posix
def test_gpus_of_amd(tmp_path: Path) -> None:
    nodes = "sys/class/kfd/kfd/topology/nodes"
    put(
        tmp_path,
        {
            f"{nodes}/0/properties": "cpu_cores_count 64\ngfx_target_version 0\n",
            f"{nodes}/1/properties": "simd_count 304\ngfx_target_version 90402\n",
            f"{nodes}/2/properties": "gfx_target_version 90010\n",
            f"{nodes}/3/properties": "gfx_target_version 110001\n",
            "opt/rocm/.info/version": "6.2.0-66\n",
        },
    )
    found = seen(tmp_path)
    assert found.amd_gpus == ("gfx942", "gfx90a", "gfx1101")
    assert (found.rocm, found.driver.problem) == ("6.2.0", NO_DRIVER)


def test_apples_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlenv.machine import survey as module

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(module, "_arch", lambda _variables: "arm64")
    found = seen(tmp_path)
    assert (found.os, found.apple_gpu) == ("macos", True)


@only_posix
def test_two_toolkits(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "usr/local/cuda-11.8/bin/nvcc": "",
            "usr/local/cuda-11.8/version.json": '{"cuda": {"version": "11.8.0"}}',
            "usr/local/cuda-12.4/bin/nvcc": "",
            "usr/local/cuda-12.4/version.json": '{"cuda": {"version": "12.4.1"}}',
        },
    )
    path = "/usr/bin:/usr/local/cuda-12.4/bin"
    found = seen(tmp_path, CUDA_HOME="/usr/local/cuda-11.8", PATH=path)
    assert (found.toolkit, found.toolkit_folder) == ("11.8.0", "/usr/local/cuda-11.8")
    assert found.home_nvcc == Toolkit("/usr/local/cuda-11.8", "11.8.0")
    assert found.path_nvcc == Toolkit("/usr/local/cuda-12.4", "12.4.1")
    other = seen(tmp_path, CUDA_HOME="/opt/none", PATH=path)
    assert (other.toolkit, other.cuda_home, other.home_nvcc) == ("12.4.1", "/opt/none", None)


@only_posix
def test_the_usual_toolkit_is_a_link(tmp_path: Path) -> None:
    put(tmp_path, {"usr/local/cuda-12.2/bin/nvcc": "", "usr/local/cuda-12.2/version.txt": ""})
    (tmp_path / "usr/local/cuda").symlink_to("cuda-12.2")
    assert seen(tmp_path).toolkit_folder == "/usr/local/cuda"
    out = tmp_path / "out"
    put(out, {"usr/local/other": ""})
    (out / "usr/local/cuda").symlink_to(tmp_path / "usr/local/cuda-12.2")
    assert seen(out).toolkit_folder == ""


@only_posix
def test_folders_that_go_before_the_wheels(tmp_path: Path) -> None:
    folder = "usr/local/cuda/lib64"
    put(
        tmp_path,
        {
            f"{folder}/libcudnn.so.9.1.0": "",
            f"{folder}/libcublas.so.12.4.5.8": "",
            f"{folder}/libnccl.so.2": "",
            f"{folder}/libz.so.1": "",
            f"{folder}/libcudart_static.a": "",
            "opt/plain/libm.so.6": "",
        },
    )
    (tmp_path / folder / "libcudnn.so.9").symlink_to("libcudnn.so.9.1.0")
    (tmp_path / folder / "libcublas.so.12").symlink_to("libcublas.so.12.4.5.8")
    found = seen(tmp_path, LD_LIBRARY_PATH=f"/opt/plain:/{folder}::relative").library_folders
    assert [one.path for one in found] == [f"/{folder}"]
    assert set(found[0].libraries) == {"libcudnn.so.9", "libcublas.so.12", "libnccl.so.2"}
    versions = [found[0].version_of(name) for name in sorted(found[0].libraries)]
    assert versions == ["12.4.5.8", "9.1.0", ""]
    assert found[0].version_of("libz.so.1") == ""


@only_posix
def test_forward_compatibility(tmp_path: Path) -> None:
    folder = "usr/local/cuda-12.4/compat"
    put(
        tmp_path,
        {
            f"{folder}/libcuda.so.550.54.15": "",
            "etc/ld.so.conf.d/000_cuda.conf": f"# CUDA\n/{folder}\n",
        },
    )
    assert seen(tmp_path).compat_folder == ""
    (tmp_path / folder / "libcuda.so.1").symlink_to("libcuda.so.550.54.15")
    for variables in ({}, {"LD_LIBRARY_PATH": f"/{folder}"}):
        found = seen(tmp_path, **variables)
        assert (found.compat_folder, found.compat_version) == (f"/{folder}", "550.54.15")


def test_every_fact_has_a_line_of_its_own() -> None:
    machine = Machine(
        "linux",
        gpus=(GpuState("H100\n::error::", (9, 0), 80 << 30, mig=True, instances=1),),
        cuda_home="/opt/cuda\nhome",
    )
    span = where(machine, "gpu 0")
    assert span.text == (
        "gpu 0 H100 ::error::, compute capability 9.0, 80 GiB, MIG with 1 instance"
    )
    assert where(machine, "nothing", "CUDA_HOME").text == "CUDA_HOME /opt/cuda home"
    assert where(machine, "nothing").line == 1
    assert span.target == "this machine"
    assert where(replace(machine, gpus=()), "gpu 0").text == "system linux"


@needs_compiler
@pytest.mark.parametrize(
    "arguments",
    [("audit",), ("audit", "--target", "local"), ("env",), ("explain", "-")],
    ids=" ".join,
)
def test_a_run_asks_the_driver_once(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    count = tmp_path / "asked"
    folder = build(tmp_path / "driver", H100, before=f'(void)!system("echo x >> {count}")')
    write_environment(tmp_path / ".venv", [{"name": "torch", "version": "2.5.1"}])
    (tmp_path / "requirements.txt").write_text("torch==2.5.1\n")
    subprocess.run(
        [sys.executable, "-m", "mlenv", *arguments],
        cwd=tmp_path,
        env={**os.environ, "LD_LIBRARY_PATH": folder, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        input="RuntimeError: No CUDA GPUs are available",
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert count.read_text() == "x\n"


@needs_compiler
def test_the_program_tells_a_mismatch(tmp_path: Path) -> None:
    folder = build(tmp_path / "driver", init=18)
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.txt").write_text("torch==2.5.1\n")
    done = subprocess.run(
        [sys.executable, "-m", "mlenv", "audit", "--format=json", "--select=DRV006"],
        cwd=project,
        env={**os.environ, "LD_LIBRARY_PATH": folder},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    assert [one["rule"] for one in found] == ["DRV006"]
    assert done.returncode == 1
