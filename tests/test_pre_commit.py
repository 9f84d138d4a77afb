"""The hook, by its pattern and with the real pre-commit on repositories made for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.cli.requests import AuditRequest
from mlenv.project import classify

ROOT = Path(__file__).resolve().parent.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"
NOT_READ = ("readme", "")
"""A README alone says too little about an environment to audit it again."""


def words(text: str) -> list[str]:
    return text.split()


READ = words("""
requirements.txt requirements-dev.txt docs/requirements/base.txt requirements/gpu.in reqs.txt
constraints.txt docker/constraints-cu121.txt environment.yml envs/train.yaml conda-lock.yml
conda/linux-64.lock explicit-osx.lock pyproject.toml services/api/pyproject.toml setup.cfg setup.py
Pipfile Pipfile.lock pixi.toml pixi.lock uv.lock poetry.lock pdm.lock pylock.toml pylock.gpu.toml
Dockerfile docker/Dockerfile.gpu train.dockerfile Containerfile gpu.Dockerfile docker-compose.yml
compose.yaml cog.yaml bentofile.yaml MLproject conda.yaml python_env.yaml meta.yaml recipe.yaml
dependencies.yaml .devcontainer/devcontainer.json .devcontainer.json .gitlab-ci.yml
.github/workflows/ci.yml action.yml .python-version runtime.txt .tool-versions packages.txt deps.txt
base.pip pip-requirements.txt my_requirments.txt dev.pip-compile.in
""")
OWN = ("mlenv.toml", ".mlenv.toml", "mlenv-baseline.json", ".gitignore")
PASSED_BY = words("""
README.md docs/guide.md notes.txt data/vocab.txt train.py src/environment.py Cargo.toml Cargo.lock
yarn.lock package.json docs/Dockerfile.md Dockerfile.txt docker/dockerfile.py .dockerignore
requirements.md pip.conf conda.sh environment mlenv.toml.bak not-mlenv.toml setup.py.orig
some/pyproject.toml/x a.yamlx LICENSE model.safetensors
""")


def hook() -> dict[str, Any]:
    (found,) = yaml.safe_load(HOOKS.read_text("utf-8"))
    return dict(found)


def is_for_it(path: str) -> bool:
    # pre-commit searches; source: its classification of files by include and exclude
    return re.search(hook()["files"], path) is not None


@pytest.mark.parametrize("path", READ)
def test_what_is_read_starts_the_hook(path: str) -> None:
    assert classify.by_name(path) not in NOT_READ
    assert is_for_it(path)
    assert is_for_it(f"deep/er/{path}") == (classify.by_name(f"deep/er/{path}") not in NOT_READ)


@pytest.mark.parametrize("path", OWN)
def test_what_mlenv_itself_is_told_starts_the_hook(path: str) -> None:
    assert is_for_it(path)


@pytest.mark.parametrize("path", PASSED_BY)
def test_what_is_not_read_starts_nothing(path: str) -> None:
    assert classify.by_name(path) in NOT_READ
    assert not is_for_it(path)


pieces = st.sampled_from(
    words(
        "requirements reqs constraints env conda deps dockerfile Dockerfile gpu linux - _ . / "
        "yml yaml txt in pip lock toml json py md pyproject pixi uv setup cfg a"
    )
)


@settings(max_examples=2000, deadline=None)
@given(st.lists(pieces, min_size=1, max_size=7).map("".join))
def test_the_pattern_knows_every_name_that_the_program_knows(path: str) -> None:
    name = path.strip("/").replace("//", "/")
    if name and name not in OWN:
        assert is_for_it(name) == (classify.by_name(name) not in NOT_READ)


def test_the_hook_says_what_the_program_takes() -> None:
    from mlenv.cli import fast

    found = hook()
    assert (found["id"], found["language"]) == ("mlenv", "python")
    assert (found["pass_filenames"], found["require_serial"]) == (False, True)
    program, *arguments = found["entry"].split()
    assert program == "mlenv"
    request = fast.parse(arguments, {})
    assert isinstance(request, AuditRequest)
    assert request.allow_empty


# From here on pre-commit itself runs; it builds mlenv as it would from its repository.

OFFLINE = (
    "Could not find a version|No matching distribution|Temporary failure in name resolution|"
    "Failed to establish a new connection|ConnectionError|Network is unreachable|Read timed out"
)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env=quiet(),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def quiet(**more: str) -> dict[str, str]:
    """The environment without what git sets in a hook, which would lead to another repository."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **more}


def pre_commit(folder: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *arguments],
        cwd=folder,
        env=quiet(PRE_COMMIT_HOME=str(home), NO_COLOR="1"),
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def mlenv_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working tree as the repository that pre-commit clones."""
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path_factory.mktemp("mlenv-repository")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", HOOKS.name):
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "mlenv")
    git(folder, "tag", "v0.1.0")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, mlenv_repository: Path) -> Path:
    """The folder of pre-commit with the hook's environment in it, which is made once."""
    home = tmp_path_factory.mktemp("pre-commit-home")
    first = tmp_path_factory.mktemp("first")
    repository(first, mlenv_repository)
    done = pre_commit(first, home, "install-hooks")
    if done.returncode and re.search(OFFLINE, done.stdout + done.stderr):
        pytest.skip("the package index, which the hook's environment needs, cannot be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    return home


def repository(folder: Path, mlenv: Path, **files: str) -> Path:
    config = [{"repo": mlenv.as_uri(), "rev": "v0.1.0", "hooks": [{"id": "mlenv"}]}]
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": config}))
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_a_bad_repository_fails_with_the_finding(
    tmp_path: Path, mlenv_repository: Path, home: Path
) -> None:
    repository(tmp_path, mlenv_repository, requirements="numpy<1.24\nnumpy>=1.26\n")
    done = pre_commit(tmp_path, home, "run", "--all-files")
    assert done.returncode == 1
    assert "error[CON001]" in done.stdout
    assert " --> requirements.txt:" in done.stdout


@pytest.mark.parametrize("files", [{"requirements": "numpy==1.26.4\n"}, {"notes": "numpy\n"}])
def test_a_good_repository_and_one_with_nothing_to_audit_pass(
    tmp_path: Path, mlenv_repository: Path, home: Path, files: dict[str, str]
) -> None:
    repository(tmp_path, mlenv_repository, **files)
    done = pre_commit(tmp_path, home, "run", "--all-files")
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_commit_that_touches_no_manifest_is_let_through(
    tmp_path: Path, mlenv_repository: Path, home: Path
) -> None:
    repository(tmp_path, mlenv_repository, requirements="numpy<1.24\nnumpy>=1.26\n")
    (tmp_path / "README.md").write_text("changed\n")
    git(tmp_path, "add", "-A")
    done = pre_commit(tmp_path, home, "run")
    assert (done.returncode, "Skipped" in done.stdout) == (0, True)
    (tmp_path / "requirements.txt").write_text("numpy<1.24\nnumpy>=1.26\n\n")
    git(tmp_path, "add", "-A")
    assert pre_commit(tmp_path, home, "run").returncode == 1


def test_the_hook_can_be_tried_from_a_checkout(
    tmp_path: Path, mlenv_repository: Path, home: Path
) -> None:
    repository(tmp_path, mlenv_repository, requirements="numpy==1.26.4\n")
    assert pre_commit(tmp_path, home, "validate-manifest", str(HOOKS)).returncode == 0
    done = pre_commit(tmp_path, home, "try-repo", str(mlenv_repository), "mlenv", "--all-files")
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout + done.stderr
