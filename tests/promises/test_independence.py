"""Promise 4: the report does not depend on paths' order, folder, locale, terminal or neighbours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from program import program
from wellformed import INDEX, PATHS, SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

STATIC = ("audit", "--static", "--no-config", "--format", "json", "--as-of", "2026-11-20")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a file of every kind, twice, and names that locales treat differently."""
    root = tmp_path_factory.mktemp("independent") / "project"
    (root / "sub").mkdir(parents=True)
    for kind, name in PATHS.items():
        for folder in (root, root / "sub"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(SAMPLES[kind], "utf-8")
    (root / "base.txt").write_text("scipy<1.9\nscipy>=1.11\nmatplotlib\n", "utf-8")
    (root / "requirements-Ä.txt").write_text("größe==1\nkeras=2.13\n", "utf-8")
    (root / "Requirements-i.txt").write_text("I\ni==1\n", "utf-8")
    (root / "packages.txt").write_text("numpy==1.24.3\n", "utf-8")
    (root / "known.txt").write_text("torch==1.7.1\nnumpy==2.0.0\ntransformers\npandas<2\n")
    for name in ("train.py", "sub/train.py"):
        (root / name).write_text("import numpy as np\nnp.float_(1)\n")
    return root


def report(folder: Path, *arguments: str, **variables: str) -> dict[str, Any]:
    done = program(folder, *STATIC, *arguments, **variables)
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode
    assert isinstance(document, dict)
    return document


@pytest.fixture(scope="module")
def expected(project: Path) -> dict[str, Any]:
    found = report(project, ".")
    assert len(found["findings"]) > 10
    return found


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "de_DE.ISO-8859-1", "LANG": "de_DE.ISO-8859-1"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"PYTHONIOENCODING": "ascii", "LANGUAGE": "ja"},
        {"TERM": "dumb", "COLUMNS": "20", "LINES": "3"},
        {"TERM": "xterm-256color", "COLUMNS": "300", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"},
        {"NO_COLOR": "1", "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/"},
        {"PIP_INDEX_URL": INDEX, "PIP_CONSTRAINT": "c.txt", "PIP_CONFIG_FILE": "pip.conf"},
        {"PIP_REQUIRE_VIRTUALENV": "1", "PIP_PRE": "1", "PIP_NO_BINARY": ":all:"},
        {
            "UV_INDEX_URL": INDEX,
            "UV_PYTHON": "3.8",
            "UV_CONSTRAINT": "c",
            "UV_TORCH_BACKEND": "cpu",
        },
        {"CONDA_PREFIX": "/nowhere", "CONDA_DEFAULT_ENV": "x", "CONDA_CHANNELS": "defaults"},
        {"CONDA_OVERRIDE_CUDA": "11.8", "CONDA_SUBDIR": "osx-arm64", "CONDARC": "/nowhere"},
        {"VIRTUAL_ENV": "/nowhere", "POETRY_VIRTUALENVS_PATH": "x", "PIXI_PROJECT_ROOT": "/"},
        {"CUDA_HOME": "/nowhere", "CUDA_VISIBLE_DEVICES": "7", "LD_LIBRARY_PATH": "/nowhere"},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4242", "PYTHONOPTIMIZE": "2"},
        {"TZ": "Pacific/Kiritimati", "USER": "x", "LOGNAME": "x"},
    ],
    ids=lambda variables: " ".join(sorted(variables)),
)
def test_no_variable_changes_the_report(
    project: Path, expected: dict[str, Any], variables: dict[str, str]
) -> None:
    assert report(project, ".", **variables) == expected


def test_a_locale_that_can_say_ascii_only_changes_nothing(project: Path) -> None:
    # but for file names, which such a system hands on as single bytes: here there are none
    expected = report(project, "sub")
    assert len(expected["findings"]) > 5
    plain = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert report(project, "sub", **plain) == expected


def test_the_home_folder_changes_nothing(
    project: Path, expected: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "mlenv.toml").write_text('ignore = ["PIN001"]\n')
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {INDEX}\n")
    (tmp_path / ".condarc").write_text("channels: [defaults]\n")
    homes = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    assert report(project, ".", **homes) == expected


def test_the_working_folder_changes_nothing_but_how_the_root_is_called(
    project: Path, expected: dict[str, Any]
) -> None:
    for folder, path in (
        (project.parent, "project"),
        (project / "sub", ".."),
        (project, str(project)),
    ):
        found = report(folder, path)
        assert found.pop("root") == path
        assert found == {key: value for key, value in expected.items() if key != "root"}


def test_the_order_of_paths_changes_nothing(project: Path) -> None:
    paths = ["sub", "base.txt", "packages.txt", "environment.yml", "."]
    expected = report(project, *paths)
    assert expected["findings"]
    for order in (paths[::-1], paths[2:] + paths[:2], [*paths[1:], "sub", "base.txt"]):
        assert report(project, *order) == expected


def test_the_order_of_targets_changes_nothing_but_their_own(project: Path) -> None:
    targets = ("driver=470,gpu=A100", "driver=390,gpu=K80,python=3.8", "os=macos")
    orders = (targets, targets[::-1])
    found = [
        report(project, ".", *(part for name in order for part in ("--target", name)))
        for order in orders
    ]
    # those on one place stand in the order of their targets
    first, second = (sorted(map(json.dumps, one["findings"])) for one in found)
    assert first == second
    assert {"NPY001", "DRV004"} <= {one["rule"] for one in found[0]["findings"]}


def test_what_is_named_is_read_whatever_the_walk_makes_of_it(tmp_path: Path) -> None:
    (tmp_path / "packages.txt").write_text("keras 2.13\n")
    (tmp_path / "requirements.txt").write_text("numpy==1\n")
    assert [file["path"] for file in report(tmp_path, ".")["files"]] == ["requirements.txt"]
    for paths in ((".", "packages.txt"), ("packages.txt", ".")):
        found = report(tmp_path, *paths)["files"]
        assert [file["path"] for file in found] == ["packages.txt", "requirements.txt"]


def test_the_order_in_which_the_disk_lists_files_changes_nothing(
    project: Path, expected: dict[str, Any], tmp_path: Path
) -> None:
    for path in sorted(project.rglob("*"), reverse=True):
        if path.is_file():
            copy = tmp_path / path.relative_to(project)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    assert report(tmp_path, ".") == expected


def test_the_locale_only_changes_what_the_output_can_hold(project: Path) -> None:
    for form in ("text", "github"):
        plain = program(project, "audit", "--static", "--no-config", "--format", form, LC_ALL="C")
        other = program(
            project,
            *("audit", "--static", "--no-config", "--format", form),
            LC_ALL="tr_TR.UTF-8",
            PIP_INDEX_URL=INDEX,
            PYTHONHASHSEED="7",
        )
        assert (plain.stdout, plain.returncode) == (other.stdout, other.returncode)
