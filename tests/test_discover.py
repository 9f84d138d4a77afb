"""What a walk finds, what is told apart by its content, and what is left out for which reason."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mlenv.project.discover import walk
from mlenv.project.load import load_project

if TYPE_CHECKING:
    from pathlib import Path

    from mlenv.project.discover import Candidate

CONDA = "name: x\nchannels:\n- conda-forge\ndependencies:\n- python=3.10\n- numpy\n"
PINNED = "numpy==1.26.4\ntorch==2.1.0\n"


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def walked(root: Path, *exclude: str) -> dict[str, Candidate]:
    return {candidate.path: candidate for candidate in walk(str(root), exclude)}


def read(root: Path) -> dict[str, str]:
    """Return the kind of each file that was read."""
    return {path: source.kind for path, source in load_project((str(root),)).sources.items()}


def left_out(root: Path) -> dict[str, str]:
    """Return the reason for each file that was found and not read."""
    return {missed.path: missed.reason for missed in load_project((str(root),)).unread}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("requirements.txt", "requirements"),
        ("Requirements.TXT", "requirements"),
        ("requirements-dev.txt", "requirements"),
        ("dev_requirements.in", "requirements"),
        ("requirement.txt", "requirements"),
        ("requirements/base.txt", "requirements"),
        ("docker/requirements/gpu.in", "requirements"),
        ("reqs.txt", "requirements"),
        ("install.pip", "requirements"),
        ("constraints.txt", "constraints"),
        ("requirements/constraints-gpu.txt", "constraints"),
        ("constraints/base.txt", "constraints"),
        ("environment.yml", "conda-env"),
        ("environment_gpu.yaml", "conda-env"),
        ("envs/conda-cuda.yml", "conda-env"),
        ("pyproject.toml", "pyproject"),
        ("packages/a/pyproject.toml", "pyproject"),
        ("pixi.toml", "pixi"),
        ("uv.lock", "uv-lock"),
        ("poetry.lock", "poetry-lock"),
        ("pdm.lock", "pdm-lock"),
        ("pixi.lock", "pixi-lock"),
        ("Pipfile.lock", "pipfile-lock"),
        ("pylock.toml", "pylock"),
        ("pylock.gpu.toml", "pylock"),
        ("conda-lock.yml", "conda-lock"),
        ("gpu.conda-lock.yml", "conda-lock"),
        (".python-version", "python-version"),
        ("runtime.txt", "runtime-txt"),
        ("requirements/runtime.txt", "requirements"),
        (".tool-versions", "tool-versions"),
        ("setup.py", "setup-py"),
        ("sub/setup.cfg", "setup-cfg"),
        ("Pipfile", "pipfile"),
        ("recipe/meta.yaml", "conda-recipe"),
        ("recipe.yaml", "conda-recipe"),
        ("dependencies.yaml", "rapids-dependencies"),
        ("MLproject", "mlproject"),
        ("python_env.yaml", "mlflow-python-env"),
        ("Dockerfile", "dockerfile?"),
        ("docker/Dockerfile.gpu", "dockerfile?"),
        ("gpu.dockerfile", "dockerfile?"),
        ("Containerfile", "dockerfile?"),
        ("cog.yaml", "cog"),
        ("bentofile.yaml", "bentofile"),
        ("docker-compose.gpu.yml", "compose"),
        ("compose.yaml", "compose"),
        (".devcontainer/devcontainer.json", "devcontainer"),
        (".github/workflows/test.yml", "github-workflow"),
        (".github/actions/setup/action.yml", "github-workflow"),
        (".gitlab-ci.yml", "gitlab-ci"),
        ("README.md", "readme"),
        ("readme.rst", "readme"),
    ],
)
def test_a_telling_name_is_enough(tmp_path: Path, path: str, kind: str) -> None:
    write(tmp_path, {path: ""})
    assert [(one.path, one.kind, one.reason) for one in walk(str(tmp_path))] == [(path, kind, "")]


@pytest.mark.parametrize(
    "path",
    [
        "docs/README.md",
        "Dockerfile.md",
        "parse_dockerfile.py",
        "LICENSE",
        "train.py",
        "config.json",
        "notes.txt",
        "labels.txt",
        "requirements.md",
        "requirements.html",
        "requirements.txt.bak",
        "requirements",
        "pyproject.toml.orig",
        "Cargo.lock",
        "package.json",
        "yarn.lock",
        "poetry.toml",
        "python-version",
    ],
)
def test_other_names_say_nothing(tmp_path: Path, path: str) -> None:
    write(tmp_path, {path: PINNED})
    assert walked(tmp_path) == {}


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("packages.txt", PINNED, "requirements"),
        ("deps.txt", "numpy>=1.24\n# a comment\n-r other.txt\n\ntorch\n", "requirements"),
        ("pip.txt", "name @ https://files.example/name.whl\n", "requirements"),
        ("gpu.yml", CONDA, "conda-env"),
        ("ci/py310.yaml", "dependencies:\n- pip\n- numpy\n", "conda-env"),
        ("minimal.yml", "name: x\ndependencies:\n- numpy\n", "conda-env"),
        ("requirements.txt", f"# platform: linux-64\n@EXPLICIT\n{PINNED}", "conda-explicit"),
        ("conda-linux-64.lock", "@EXPLICIT\n", "conda-explicit"),
        (
            "requirements.txt",
            "# packages in environment at /opt/conda:\n#\nnumpy 1.26.4 py310_0\n",
            "conda-list",
        ),
        ("requirements.txt", "_libgcc_mutex=0.1=main\nnumpy=1.24.3=py310_0\n", "conda-list"),
        ("requirements.txt", "numpy=1.24.3\n", "requirements"),
    ],
)
def test_a_vague_name_needs_the_content(tmp_path: Path, path: str, text: str, kind: str) -> None:
    write(tmp_path, {path: text})
    assert read(tmp_path) == {path: kind}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("playbook.yml", "- hosts: all\n  tasks:\n  - name: a\n    apt: {name: python3}\n"),
        ("meta/main.yml", "dependencies:\n  - role: common\n    vars: {x: 1}\n"),
        ("galaxy.yml", "namespace: a\nname: b\ndependencies:\n  a.b: '>=1.0'\n"),
        ("Chart.yaml", "apiVersion: v2\nname: x\ndependencies:\n  - name: redis\n    version: 1\n"),
        ("environment.yaml", "apiVersion: v1\nkind: ConfigMap\ndependencies:\n- a\n"),
        ("pubspec.yaml", "name: app\ndependencies:\n  flutter:\n    sdk: flutter\n"),
        ("compose.yml", "name: x\nservice: y\n"),
        ("train.yaml", "model: resnet\nlr: 0.1\n"),
        (".github/workflows/labels.yml", "on: push\n"),
        (".github/workflows/run.yml", "jobs:\n  a:\n    steps:\n    - run: python train.py\n"),
        ("environment.yml", "DATABASE_URL: x\nDEBUG: true\n"),
        ("env.txt", "DEBUG=1\nPATH=/usr/bin\n"),
        (
            "pip.txt",
            "Collecting numpy\n  Downloading numpy-1.26.4.whl (18 MB)\nInstalled numpy==1\n",
        ),
        ("packages.txt", "Use numpy==1.26.4 for this, and read the manual first.\n"),
        ("packages.txt", "red\ngreen\nblue\n"),
        ("Dockerfile.txt", "FROM x\n"),
        ("Dockerfile", "# to be written\n"),
        ("conda.txt", "# conda environments:\nbase  *  /opt/conda\n"),
        ("windows.lock", "{}\n"),
    ],
)
def test_what_other_tools_keep_is_told_apart(tmp_path: Path, path: str, text: str) -> None:
    write(tmp_path, {path: text})
    assert read(tmp_path) == {}


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("environment.yml", "DEBUG: true\n", "it does not read as a conda environment"),
        ("pip.txt", "Collecting numpy==1\n", "it does not read as a list of requirements"),
        (
            "stack.yml",
            "dependencies:\n- a\n- b\nx: 1\n",
            "it does not read as a conda environment",
        ),
        (
            "ml.yml",
            "dependecies:\n- numpy\n",
            "it does not read as a conda environment",
        ),
        ("hatch.toml", "", "a configuration of Hatch: not read by this version"),
        ("recipe/meta.yaml", "artifact_uri: x\n", "it does not read as a conda recipe"),
        ("cog.yaml", "wheels: 6\n", "it does not read as a cog.yaml"),
    ],
)
def test_what_has_a_telling_name_and_is_not_read_is_told(
    tmp_path: Path, path: str, text: str, reason: str
) -> None:
    write(tmp_path, {path: text})
    assert read(tmp_path) == {}
    assert left_out(tmp_path) == {path: reason}


@pytest.mark.parametrize("path", ["playbook.yml", "train.yaml", ".github/workflows/ci.yml"])
def test_what_says_nothing_of_dependencies_is_not_even_named(tmp_path: Path, path: str) -> None:
    write(tmp_path, {path: "- hosts: all\n"})
    assert left_out(tmp_path) == {}


@pytest.mark.parametrize(
    ("folder", "mark", "reason"),
    [
        (".venv", "pyvenv.cfg", "an installed environment"),
        ("my-env", "pyvenv.cfg", "an installed environment"),
        ("miniconda", "conda-meta/history", "an installed environment"),
        ("lib/site-packages", "x", "installed packages"),
        ("dist-packages", "x", "installed packages"),
        ("node_modules", "x", "packages of npm"),
        ("third_party", "x", "vendored code"),
        ("src/_vendor", "x", "vendored code"),
        ("3rdparty", "x", "vendored code"),
    ],
)
def test_environments_and_vendored_trees_are_left_out(
    tmp_path: Path, folder: str, mark: str, reason: str
) -> None:
    write(tmp_path, {f"{folder}/{mark}": "", f"{folder}/a/requirements.txt": PINNED})
    found = walked(tmp_path)
    assert {path: one.reason for path, one in found.items()} == {folder: reason}


@pytest.mark.parametrize(
    "folder",
    [
        ".git",
        ".tox",
        ".nox",
        ".pixi",
        "__pycache__",
        ".pytest_cache",
        ".ipynb_checkpoints",
        "src/demo.egg-info",
    ],
)
def test_folders_of_tools_are_not_even_named(tmp_path: Path, folder: str) -> None:
    write(tmp_path, {f"{folder}/requirements.txt": PINNED})
    assert walked(tmp_path) == {}


def test_an_environment_is_audited_where_it_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"pyvenv.cfg": "", "requirements.txt": PINNED})
    assert set(walked(tmp_path)) == {"requirements.txt"}


def test_what_a_run_recorded_is_context(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "wandb/run-1/files/requirements.txt": "numpy==1\nnumpy==2\n",
            "mlruns/0/model/conda.yaml": CONDA,
            "src/mlruns/0/requirements.txt": "b=1\n",
        },
    )
    sources = load_project((str(tmp_path),)).sources
    assert len(sources) == 3
    assert {source.role for source in sources.values()} == {"context"}


def test_what_git_ignores_is_left_out(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".gitignore": "build/\n*.lock\n/local.yml\nrequirements-*\n!requirements-keep.txt\n",
            "build/requirements.txt": PINNED,
            "src/build/requirements.txt": PINNED,
            "poetry.lock": "",
            "local.yml": CONDA,
            "sub/local.yml": CONDA,
            "requirements-a.txt": PINNED,
            "requirements-keep.txt": PINNED,
            "sub/.gitignore": "!requirements-b.txt\nrequirements-keep.txt\n",
            "sub/requirements-b.txt": PINNED,
            "sub/requirements-keep.txt": PINNED,
            "beside/requirements-b.txt": PINNED,
        },
    )
    found = {"requirements-keep.txt", "sub/local.yml", "sub/requirements-b.txt"}
    assert set(walked(tmp_path)) == {*found, "poetry.lock"}
    # others need the lock: that it is left out is worth telling
    assert left_out(tmp_path) == {"poetry.lock": "git ignores it"}


def test_nothing_below_an_ignored_folder_comes_back(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".gitignore": "data/\n!data/requirements.txt\n",
            "data/.gitignore": "!requirements.txt\n",
            "data/requirements.txt": PINNED,
        },
    )
    assert walked(tmp_path) == {}


@pytest.mark.parametrize(
    ("pattern", "rest"),
    [
        ("sub", {"requirements.txt", "other/sub.yml"}),
        ("sub/", {"requirements.txt", "other/sub.yml"}),
        ("/requirements.txt", {"sub/requirements.txt", "other/sub.yml"}),
        ("requirements.txt", {"other/sub.yml"}),
        ("**/*.yml", {"requirements.txt", "sub/requirements.txt"}),
        ("*", set()),
    ],
)
def test_what_is_excluded_is_left_out(tmp_path: Path, pattern: str, rest: set[str]) -> None:
    write(
        tmp_path,
        {"requirements.txt": PINNED, "sub/requirements.txt": PINNED, "other/sub.yml": CONDA},
    )
    assert set(walked(tmp_path, pattern)) == rest


def test_what_is_excluded_no_gitignore_takes_back_in(tmp_path: Path) -> None:
    write(
        tmp_path,
        {".gitignore": "!sub/\n", "sub/.gitignore": "!*\n", "sub/requirements.txt": PINNED},
    )
    assert walked(tmp_path, "sub/", "requirements.txt") == {}


def test_patterns_are_relative_to_the_root_wherever_the_walk_begins(tmp_path: Path) -> None:
    write(tmp_path, {"a/b/requirements.txt": PINNED, "a/requirements.txt": PINNED})
    assert [one.path for one in walk(str(tmp_path), ("/a/b",), "a")] == ["a/requirements.txt"]
    assert [one.path for one in walk(str(tmp_path), ("/b",), "a")] == [
        "a/requirements.txt",
        "a/b/requirements.txt",
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for a right to make links")
def test_links_to_files_are_found_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"real/base.txt": PINNED})
    (tmp_path / "requirements.txt").symlink_to("real/base.txt")
    (tmp_path / "linked").symlink_to("real", target_is_directory=True)
    (tmp_path / "requirements").symlink_to("real", target_is_directory=True)
    (tmp_path / "environment.yml").symlink_to("nowhere")
    found = walked(tmp_path)
    assert {path: one.reason for path, one in found.items()} == {
        "requirements.txt": "",
        "environment.yml": "not a regular file",
    }


def test_the_walk_is_in_the_order_of_names(tmp_path: Path) -> None:
    places = ("b/requirements.txt", "requirements.txt", "a/z/uv.lock", "a/uv.lock", "Z/uv.lock")
    write(tmp_path, dict.fromkeys(places, ""))
    assert list(walked(tmp_path)) == [
        "requirements.txt",
        "Z/uv.lock",
        "a/uv.lock",
        "a/z/uv.lock",
        "b/requirements.txt",
    ]


def test_a_file_that_another_one_includes_is_read_whatever_its_name(tmp_path: Path) -> None:
    write(
        tmp_path, {"requirements.txt": "-r lists/core\n", "lists/core": PINNED, "lists/x": PINNED}
    )
    assert read(tmp_path) == {"requirements.txt": "requirements", "lists/core": "requirements"}
