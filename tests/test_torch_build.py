"""Which build of torch an installation gets, and what says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlenv.knowledge import Knowledge
from mlenv.machine.snapshot import read_snapshot
from mlenv.model.target import Target
from mlenv.project.load import load_project
from mlenv.reasoning.settings import settings_of
from mlenv.reasoning.torch_build import TorchBuild, torch_build

KNOWN = Knowledge()
DAY = "2026-11-20"
LOCKED = """
version = 1
[[package]]
name = "torch"
version = "{version}"
source = {{ registry = "https://index.example/{place}" }}
[[package]]
name = "nvidia-cuda-runtime-cu12"
version = "12.4.127"
source = {{ registry = "https://index.example/simple" }}
"""
ROUTED = """
[project]
name = "a"
version = "1"
dependencies = ["torch==2.6.0"]
[tool.uv.sources]
torch = [
    { index = "cuda", marker = "sys_platform == 'linux'" },
    { index = "cpu", marker = "sys_platform != 'linux'" },
]
[[tool.uv.index]]
name = "cuda"
url = "https://index.example/whl/cu126"
explicit = true
[[tool.uv.index]]
name = "cpu"
url = "https://index.example/whl/cpu"
explicit = true
"""
POETRY = """
[tool.poetry]
name = "a"
version = "1"
[tool.poetry.dependencies]
python = "^3.10"
torch = { version = "2.5.1", source = "builds" }
[[tool.poetry.source]]
name = "builds"
url = "https://index.example/whl/cu121"
priority = "explicit"
"""
PIXI = """
[workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
[dependencies]
python = "3.11.*"
[pypi-dependencies]
torch = { version = "==2.5.1", index = "https://index.example/whl/cu118" }
"""


def builds(folder: Path, files: dict[str, str], machine: Any = None) -> list[TorchBuild]:
    root = folder / "project"
    root.mkdir()
    for name, text in files.items():
        (root / name).write_text(text, "utf-8")
    targets: tuple[Target, ...] = ()
    if machine is not None:
        file = folder / "machine.json"
        file.write_text(json.dumps(machine), "utf-8")
        targets = (read_snapshot(str(file), "machine.json"),)
    settings = settings_of(load_project((str(root),)), targets, KNOWN, DAY)
    return [build for one in settings if (build := torch_build(one)) is not None]


def only(found: list[TorchBuild]) -> tuple[str, str | None, str, str]:
    (build,) = found
    return build.label, build.cuda, build.known_by, build.certainty.value


def conda(*lines: str, channels: str = "pytorch") -> str:
    listed = "".join(f"  - {line}\n" for line in ("python=3.10", *lines))
    return f"channels: [{channels}]\ndependencies:\n{listed}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch==2.1.0+cu118", ("cu118", "11.8", "label", "certain")),
        ("torch==2.1.0+rocm5.6", ("rocm5.6", "", "label", "certain")),
        ("torch==2.1.0+local.patch", ("local.patch", None, "label", "certain")),
        ("torch==2.1.0", ("cu121", "12.1", "default", "certain")),
        ("torch==1.12.1", ("cu102", "10.2", "default", "certain")),
        ("torch<2.2", ("cu121", "12.1", "default", "fresh-install")),
        (
            "https://index.example/whl/cu117/torch-2.0.1%2Bcu117-cp310-cp310-linux_x86_64.whl",
            ("cu117", "11.7", "label", "certain"),
        ),
        (
            "torch @ https://index.example/whl/cu92/torch-1.4.0-cp38-cp38-linux_x86_64.whl",
            ("cu92", "9.2", "index", "certain"),
        ),
        ("torch @ git+https://git.example/torch", ("", None, "unknown", "certain")),
        (
            "--index-url https://index.example/whl/cu118\ntorch",
            ("cu118", "11.8", "index", "fresh-install"),
        ),
        (
            "--extra-index-url https://index.example/whl/cu118\ntorch==2.1.0",
            ("cu118", "11.8", "index", "certain"),
        ),
        (
            "--extra-index-url https://index.example/whl/cpu\ntorch==2.1.0",
            ("cpu", "", "index", "certain"),
        ),
        (
            # pip takes the highest version, and the index has none so new
            "--extra-index-url https://index.example/whl/cu118\ntorch<2.9",
            ("cu128", "12.8", "default", "fresh-install"),
        ),
        (
            "-f https://index.example/whl/torch_stable.html\ntorch==1.10.1",
            ("", None, "unknown", "possible"),
        ),
        (
            "--index-url https://index.example/whl/nightly/cu128\ntorch",
            ("cu128", "12.8", "index", "fresh-install"),
        ),
        ("--no-index\n--find-links wheels\ntorch==2.1.0", ("", None, "unknown", "possible")),
    ],
)
def test_a_requirements_file(
    tmp_path: Path, text: str, expected: tuple[str, str | None, str, str]
) -> None:
    machine = {"machine": {"os": "linux", "python": "3.11"}}
    assert only(builds(tmp_path, {"requirements.txt": f"{text}\n"}, machine)) == expected


@pytest.mark.parametrize(
    ("machine", "label"),
    [
        ({"os": "windows"}, "cpu"),
        ({"os": "macos"}, "cpu"),
        ({"os": "linux", "arch": "aarch64"}, "cpu"),
        ({"os": "linux", "arch": "x86_64"}, "cu128"),
    ],
)
def test_what_pypi_holds_for_a_platform(
    tmp_path: Path, machine: dict[str, str], label: str
) -> None:
    files = {"requirements.txt": "torch==2.9.0\n"}
    assert only(builds(tmp_path, files, {"machine": machine}))[0] == label


@pytest.mark.parametrize(
    ("system", "label"), [("linux", "cu126"), ("windows", "cpu"), ("macos", "cpu")]
)
def test_an_index_that_depends_on_the_system(tmp_path: Path, system: str, label: str) -> None:
    found = builds(tmp_path, {"pyproject.toml": ROUTED}, {"machine": {"os": system}})
    assert only(found)[::2] == (label, "index")


@pytest.mark.parametrize(
    ("name", "text", "label"),
    [("pyproject.toml", POETRY, "cu121"), ("pixi.toml", PIXI, "cu118")],
)
def test_the_index_that_a_manifest_assigns(
    tmp_path: Path, name: str, text: str, label: str
) -> None:
    found = builds(tmp_path, {name: text})
    assert {(build.label, build.known_by) for build in found} == {(label, "index")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (conda("pytorch=2.1.0", "pytorch-cuda=11.8"), ("cu118", "11.8", "conda", "certain")),
        (conda("pytorch=1.12.1", "cudatoolkit=11.3"), ("cu113", "11.3", "conda", "certain")),
        (
            conda("pytorch=2.0.0=py3.10_cuda11.7_cudnn8.5.0_0"),
            ("cu117", "11.7", "conda", "certain"),
        ),
        (
            conda("pytorch=2.5.1=cuda126_py310*", channels="conda-forge"),
            ("cu126", "12.6", "conda", "certain"),
        ),
        (conda("pytorch=2.0.0=*cpu*"), ("cpu", "", "conda", "certain")),
        (conda("pytorch=2.0.0=*cuda*"), ("", None, "conda", "certain")),
        (conda("pytorch=2.1.0", "cpuonly"), ("cpu", "", "conda", "certain")),
        (conda("pytorch-cpu=2.1.0", channels="conda-forge"), ("cpu", "", "conda", "certain")),
        # nothing selects a build, or what does so comes from a channel that torch is not from
        (conda("pytorch=2.1.0"), ("", None, "unknown", "certain")),
        (
            conda("pytorch=2.1.0", "pytorch-cuda=11.8", channels="conda-forge, pytorch"),
            ("", None, "unknown", "certain"),
        ),
        # later releases of that channel do not look at cudatoolkit
        (conda("pytorch=2.1.0", "cudatoolkit=11.8"), ("", None, "unknown", "certain")),
    ],
)
def test_a_conda_environment(
    tmp_path: Path, text: str, expected: tuple[str, str | None, str, str]
) -> None:
    assert only(builds(tmp_path, {"environment.yml": text})) == expected


@pytest.mark.parametrize(
    ("version", "place", "expected"),
    [
        ("2.6.0+cu118", "simple", ("cu118", "11.8", "label", "certain")),
        ("2.6.0", "whl/cu126", ("cu126", "12.6", "index", "certain")),
        ("2.6.0", "simple", ("cu124", "12.4", "runtime", "certain")),
    ],
)
def test_a_lock(
    tmp_path: Path, version: str, place: str, expected: tuple[str, str | None, str, str]
) -> None:
    text = LOCKED.format(version=version, place=place)
    assert only(builds(tmp_path, {"uv.lock": text})) == expected


def test_a_lock_for_several_choices_tells_none(tmp_path: Path) -> None:
    several = LOCKED + LOCKED.partition("version = 1")[2].replace("12.4.127", "12.8.90")
    text = several.format(version="2.7.1+cpu", place="simple").replace("+cpu", "+cu128", 1)
    (build,) = builds(tmp_path, {"uv.lock": text})
    assert (build.cuda, build.certainty.value) == (None, "possible")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "FROM python:3.11\nRUN pip install torch==2.3.0 -i https://index.example/whl/cu121",
            ("cu121", "12.1", "index", "certain"),
        ),
        (
            "FROM python:3.11\nRUN uv pip install --torch-backend=cu126 torch==2.7.0",
            ("cu126", "12.6", "backend", "certain"),
        ),
        (
            "FROM pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime\nRUN pip install torch numpy",
            ("cu121", "12.1", "image", "certain"),
        ),
        (
            "FROM pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime AS a\nFROM a\nRUN pip install six",
            ("cu121", "12.1", "image", "certain"),
        ),
        (
            "FROM pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime\nRUN pip install torch==2.5.1",
            ("cu124", "12.4", "default", "certain"),
        ),
        (
            "FROM nvcr.io/nvidia/pytorch:24.01-py3\nRUN pip install numpy",
            ("", None, "unknown", "certain"),
        ),
    ],
)
def test_an_image(tmp_path: Path, lines: str, expected: tuple[str, str | None, str, str]) -> None:
    assert only(builds(tmp_path, {"Dockerfile": f"{lines}\n"})) == expected


@pytest.mark.parametrize(
    ("driver", "label"), [("535.104.05", "cu128"), ("470.82", "cu118"), ("390.48", "cpu")]
)
def test_uv_takes_the_build_for_the_driver(tmp_path: Path, driver: str, label: str) -> None:
    text = "FROM python:3.11\nRUN uv pip install --torch-backend auto torch==2.7.0\n"
    found = builds(tmp_path, {"Dockerfile": text}, {"machine": {"driver": driver}})
    assert only(found)[0] == label


def test_the_command_that_installs_a_file_decides_where_it_looks(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "torch==2.3.0\n",
        "Dockerfile": "FROM python:3.11\nCOPY requirements.txt .\nRUN pip install -r "
        "requirements.txt --extra-index-url https://index.example/whl/cu118\n",
    }
    assert {build.label for build in builds(tmp_path, files)} == {"cu118"}


def test_two_commands_that_look_elsewhere_leave_it_open(tmp_path: Path) -> None:
    run = "RUN pip install -r requirements.txt --extra-index-url https://index.example/whl/"
    start = "FROM python:3.11\nCOPY requirements.txt .\n"
    files = {
        "requirements.txt": "torch==2.3.0\n",
        "Dockerfile": f"{start}{run}cu118\n",
        "cpu.Dockerfile": f"{start}{run}cpu\n",
    }
    found = {build.evidence.fact: build.cuda for build in builds(tmp_path, files)}
    assert found["several commands install it from different indexes"] is None


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"packages": {"torch": "2.1.0"}, "torch": {"cuda": "11.8"}},
            ("cu118", "11.8", "reported", "certain"),
        ),
        (
            {"packages": {"torch": "2.1.0", "nvidia-cuda-runtime-cu12": "12.1.105"}},
            ("cu121", "12.1", "runtime", "certain"),
        ),
        ({"packages": {"torch": "2.1.2+cpu"}}, ("cpu", "", "label", "certain")),
        ({"packages": {"torch": "2.1.2"}}, ("cu121", "12.1", "default", "certain")),
        ({"torch": {"cuda": "12.1"}}, ("cu121", "12.1", "reported", "certain")),
    ],
)
def test_what_is_installed(
    tmp_path: Path, environment: Any, expected: tuple[str, str | None, str, str]
) -> None:
    machine = {"machine": {"os": "linux"}, "environment": environment}
    assert only(builds(tmp_path, {}, machine)) == expected


@pytest.mark.parametrize(
    "before",
    [
        "FROM pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime\n",
        "FROM python:3.11\nRUN pip install torch==2.3.0\n",
    ],
)
def test_an_open_torch_stays_what_it_is(tmp_path: Path, before: str) -> None:
    install = "COPY requirements.txt .\nRUN pip install -r requirements.txt\n"
    files = {"requirements.txt": "torch\n", "Dockerfile": before + install}
    found = {build.known_by: build for build in builds(tmp_path, files)}
    of_file = found.pop("unknown")
    assert (of_file.cuda, of_file.certainty.value) == (None, "possible")
    assert [build.cuda for build in found.values()] == ["12.1"]


def test_what_is_installed_stays_where_it_satisfies_the_file(tmp_path: Path) -> None:
    machine = {"machine": {"os": "linux"}, "environment": {"packages": {"torch": "2.3.0+cu118"}}}
    of_file, installed = builds(tmp_path, {"requirements.txt": "torch\n"}, machine)
    assert (of_file.cuda, of_file.certainty.value) == ("11.8", "possible")
    assert (installed.cuda, installed.certainty.value) == ("11.8", "certain")


@pytest.mark.parametrize(
    ("stated", "label", "cuda"),
    [
        ('gpu: true\n  cuda: "11.8"', "cu118", "11.8"),
        ("gpu: false", "cpu", ""),
        ("gpu: true", "", None),
    ],
)
def test_cog_takes_torch_for_the_cuda_that_it_states(
    tmp_path: Path, stated: str, label: str, cuda: str | None
) -> None:
    text = f'build:\n  {stated}\n  python_version: "3.11"\n  python_packages:\n    - torch==2.3.1\n'
    found = builds(tmp_path, {"cog.yaml": text})
    assert {(build.label, build.cuda) for build in found} == {(label, cuda)}


def test_nothing_installs_torch(tmp_path: Path) -> None:
    assert builds(tmp_path, {"requirements.txt": "numpy==1.26.4\n"}) == []
