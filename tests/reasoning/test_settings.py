"""Which installations a project comes to, on which Python, and what each distribution may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlenv.knowledge import Knowledge
from mlenv.model.target import Installed, Target
from mlenv.model.text import SourceText, Span
from mlenv.project.load import load_project
from mlenv.reasoning.setting import IMAGE, INSTALLED, LOCK, REQUIREMENTS, Setting
from mlenv.reasoning.settings import settings_of

DAY = "2026-11-20"


def settings(folder: Path, files: dict[str, str], *targets: Target) -> list[Setting]:
    for name, text in files.items():
        (folder / name).write_text(text)
    return list(settings_of(load_project((str(folder),)), targets, Knowledge(), DAY))


def machine(name: str = "machine", **stated: object) -> Target:
    text = SourceText("machine.toml", name)
    return Target(name, Span(text, 0, len(name)), **stated)  # type: ignore[arg-type]


def test_each_set_on_each_machine_is_judged_by_itself(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        {"requirements.txt": "-r base.txt\npytest\n", "base.txt": "numpy==1.26.4\n"},
        machine("a", os="linux"),
        machine("b", os="windows"),
    )
    assert [(one.kind, one.title, one.target and one.target.name) for one in found] == [
        (REQUIREMENTS, "base.txt", "a"),
        (REQUIREMENTS, "requirements.txt", "a"),
        (REQUIREMENTS, "base.txt", "b"),
        (REQUIREMENTS, "requirements.txt", "b"),
    ]


def test_markers_are_judged_on_the_machine(tmp_path: Path) -> None:
    text = 'torch==2.5.1 ; sys_platform == "linux"\ntorch==2.2.2 ; sys_platform == "darwin"\n'
    on_linux, on_mac = settings(
        tmp_path, {"requirements.txt": text}, machine(os="linux"), machine(os="macos")
    )
    assert str(on_linux.choices["torch"].exact) == "2.5.1"
    assert str(on_mac.choices["torch"].exact) == "2.2.2"
    assert (on_linux.platform, on_mac.platform) == ("linux_x86_64", "macos_arm64")


def test_without_a_machine_it_is_linux(tmp_path: Path) -> None:
    text = 'triton==3.1.0 ; platform_system == "Linux"\npywin32==308 ; sys_platform == "win32"\n'
    (found,) = settings(tmp_path, {"requirements.txt": text})
    assert list(found.choices) == ["triton"]


def test_a_constraint_bounds_what_something_asks_for_and_installs_nothing(tmp_path: Path) -> None:
    (found,) = settings(
        tmp_path,
        {
            "requirements.txt": "-c constraints.txt\ntorch\n",
            "constraints.txt": "torch==2.5.1\nx<2\n",
        },
    )
    assert list(found.choices) == ["torch"]
    torch = found.choices["torch"]
    assert str(torch.exact) == "2.5.1"
    assert torch.span.path == "requirements.txt"


def test_an_override_replaces_all_other_statements(tmp_path: Path) -> None:
    text = (
        "[project]\nname = 'x'\nversion = '1'\ndependencies = ['numpy<2']\n"
        "[tool.uv]\noverride-dependencies = ['numpy==2.1.3']\n"
    )
    (found,) = settings(tmp_path, {"pyproject.toml": text})
    assert str(found.choices["numpy"].exact) == "2.1.3"
    assert found.choices["numpy"].is_overridden


def test_what_conda_installs_bears_its_name_on_pypi(tmp_path: Path) -> None:
    text = (
        "channels: [conda-forge]\ndependencies:\n  - python=3.10\n  - pytorch=2.1.0\n"
        "  - pip:\n    - numpy==1.26.4\n"
    )
    (found,) = settings(tmp_path, {"environment.yml": text})
    assert found.choices["torch"].is_conda
    assert not found.choices["numpy"].is_conda
    assert (found.python.name, found.python.stated) == ("3.10", True)
    assert {one.name for one in found.requirements} >= {"python", "pytorch"}


def test_a_wheels_address_names_its_version(tmp_path: Path) -> None:
    url = "https://index.example/whl/cu118/torch-2.1.0%2Bcu118-cp310-cp310-linux_x86_64.whl"
    (found,) = settings(tmp_path, {"requirements.txt": f"torch @ {url}\n"})
    torch = found.choices["torch"]
    assert str(torch.exact) == "2.1.0+cu118"
    assert not torch.is_direct


def test_a_repository_has_no_known_version(tmp_path: Path) -> None:
    text = "transformers @ git+https://git.example/transformers\n"
    (found,) = settings(tmp_path, {"requirements.txt": text})
    assert found.choices["transformers"].is_direct
    assert found.domain("transformers") is None
    assert found.pick("transformers") is None


LOCKED = """version = 1
requires-python = ">=3.11,<3.12"

[[package]]
name = "torch"
version = "2.5.1"
source = { registry = "https://index.example/simple" }
resolution-markers = ["sys_platform == 'linux'"]

[[package]]
name = "torch"
version = "2.2.2"
source = { registry = "https://index.example/simple" }
resolution-markers = ["sys_platform == 'darwin'"]
"""


def test_a_lock_is_judged_as_it_stands_and_its_manifest_is_not(tmp_path: Path) -> None:
    project = "[project]\nname = 'x'\nversion = '1'\ndependencies = ['torch']\n"
    found = settings(tmp_path, {"pyproject.toml": project, "uv.lock": LOCKED})
    assert [(one.kind, one.title) for one in found] == [(LOCK, "uv.lock")]
    assert str(found[0].choices["torch"].exact) == "2.5.1"
    assert found[0].complete
    assert found[0].python.name == "3.11"


def test_a_stage_of_an_image_is_an_installation(tmp_path: Path) -> None:
    text = "FROM python:3.11-slim\nRUN pip install torch==2.1.0 numpy\n"
    (found,) = settings(tmp_path, {"Dockerfile": text})
    assert found.kind == IMAGE
    assert list(found.choices) == ["torch", "numpy"]


@pytest.mark.parametrize(
    ("recipe", "python"),
    [
        ("FROM python:3.10-slim\nRUN pip install numpy\n", "3.10"),
        ("FROM python:slim\nRUN pip install numpy\n", "3.15"),
        (
            "FROM ubuntu:22.04\nRUN apt-get install -y python3-pip && pip install numpy\n",
            "3.10",
        ),
        (
            "FROM python:3 AS first\nRUN pip install wheel\nFROM first\nRUN pip install numpy\n",
            "3.15",
        ),
    ],
)
def test_an_image_has_the_python_of_its_base_whatever_the_machine_has(
    tmp_path: Path, recipe: str, python: str
) -> None:
    found = settings(tmp_path, {"Dockerfile": recipe}, machine(os="linux", python="3.9"))
    assert {(one.python.name, one.python.stated) for one in found} == {(python, True)}


@pytest.mark.parametrize(
    "recipe",
    [
        "FROM python:slim@sha256:00\nRUN pip install numpy\n",
        "FROM python:slim\nRUN conda create -n x && pip install numpy\n",
        "FROM python:slim\nRUN uv venv --python 3.11 && uv pip install numpy\n",
        "FROM ubuntu:22.04\nRUN apt-get install -y python3-pip && sh setup && pip install numpy\n",
        "FROM ubuntu:22.04\nRUN pip install numpy\n",
    ],
)
def test_a_base_does_not_tell_where_something_may_bring_another_python(
    tmp_path: Path, recipe: str
) -> None:
    found = settings(tmp_path, {"Dockerfile": recipe})
    assert [one.python.stated for one in found] == [False]


def test_what_is_installed_is_an_installation_of_its_own(tmp_path: Path) -> None:
    installed = Installed({"torch": "2.1.0+cu118", "numpy": "2.0.1"})
    found = settings(
        tmp_path, {"requirements.txt": "numpy\n"}, machine(python="3.10.12", installed=installed)
    )
    assert [one.kind for one in found] == [REQUIREMENTS, INSTALLED]
    declared, has = found
    assert str(has.choices["numpy"].exact) == "2.0.1"
    assert not has.complete
    pick = declared.pick("numpy")
    assert pick is not None
    assert str(pick.version) == "2.0.1"  # what is there and fits is kept


def test_what_is_installed_is_known_by_its_names_on_pypi(tmp_path: Path) -> None:
    installed = Installed(
        {"torch": "2.1.0+cu118", "odd": "2024a!"},
        {"pytorch": "2.0.0", "faiss": "1.8.0"},
    )
    (has,) = settings(tmp_path, {}, machine(python="3.10.12", installed=installed))
    assert has.names == {"torch", "odd", *has.knowledge.distributions_of("faiss")}
    assert [*has.choices] == [name for name in has.choices if name in has.names]
    assert len(has.choices) == len(has.names)
    assert "pytorch" not in has.choices
    assert has.choices.get("pytorch") is None
    # pip's is what Python finds, whatever conda has of it
    assert str(has.stated("torch")) == "2.1.0+cu118"
    assert not has.choices["torch"].is_conda
    assert has.choices["torch"] is has.choices["torch"]
    for name in has.names - {"torch", "odd"}:
        assert (has.choices[name].written, has.choices[name].is_conda) == ("faiss", True)
    assert has.stated("odd") is None
    assert not has.choices["odd"].versions.understood
    assert has.pick("odd") is None
    assert has.stated("nothing") is None


def test_what_is_picked_is_among_the_names_and_is_not_stated(tmp_path: Path) -> None:
    (found,) = settings(tmp_path, {"requirements.txt": "pandas==2.2.2\n"})
    assert {"pandas", "numpy"} <= found.names
    assert str(found.stated("pandas")) == "2.2.2"
    assert found.stated("numpy") is None
    assert found.pick("numpy") is not None


@pytest.mark.parametrize(
    ("stated", "expected"),
    [('requires-python = ">=3.9,<3.10"', "3.9"), ('requires-python = "==3.12.*"', "3.12")],
)
def test_a_python_that_the_project_states_is_taken(
    tmp_path: Path, stated: str, expected: str
) -> None:
    text = f"[project]\nname = 'x'\nversion = '1'\n{stated}\ndependencies = ['numpy']\n"
    (found,) = settings(tmp_path, {"pyproject.toml": text})
    assert (found.python.name, found.python.stated) == (expected, True)


def test_records_and_build_tools_are_no_installation(tmp_path: Path) -> None:
    text = (
        "[project]\nname = 'x'\nversion = '1'\n[build-system]\nrequires = ['torch==2.1.0']\n"
        "build-backend = 'b'\n"
    )
    assert settings(tmp_path, {"pyproject.toml": text}) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".python-version", "3.9\n"),
        ("runtime.txt", "python-3.9.18\n"),
        (".tool-versions", "python 3.9.1\n"),
    ],
)
def test_a_file_that_states_the_python_is_heard(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "train").mkdir()
    files = {name: text, "train/requirements.txt": "numpy\n"}
    (found,) = settings(tmp_path, files)
    assert (found.python.name, found.python.stated) == ("3.9", True)
