"""Which reader reads which kind of file; a new format is one more line here and one new file."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from mlenv.model.source import Source
from mlenv.model.text import SourceText

_MODULES = {
    "requirements": "manifests.requirements_txt",
    "constraints": "manifests.requirements_txt",
    "conda-env": "manifests.conda_env",
    "conda-list": "manifests.conda_list",
    "pyproject": "manifests.pyproject",
    "uv-toml": "manifests.uv_toml",
    "setup-cfg": "manifests.setup_cfg",
    "setup-py": "manifests.setup_py",
    "pipfile": "manifests.pipfile",
    "pixi": "manifests.pixi",
    "conda-recipe": "manifests.conda_recipe",
    "rapids-dependencies": "manifests.rapids",
    "mlproject": "manifests.mlproject",
    "mlflow-python-env": "manifests.mlflow_env",
    "dockerfile": "images.dockerfile",
    "cog": "images.cog",
    "bentofile": "images.bentofile",
    "compose": "images.compose",
    "devcontainer": "images.devcontainer",
    "github-workflow": "pipelines.github",
    "gitlab-ci": "pipelines.gitlab",
    "readme": "context.readme",
    "system-packages": "context.system_packages",
    "python-version": "manifests.python_version",
    "runtime-txt": "manifests.python_version",
    "tool-versions": "manifests.python_version",
    "uv-lock": "locks.uv_lock",
    "poetry-lock": "locks.poetry_lock",
    "pdm-lock": "locks.pdm_lock",
    "pylock": "locks.pylock",
    "pipfile-lock": "locks.pipfile_lock",
    "conda-lock": "locks.conda_lock",
    "pixi-lock": "locks.pixi_lock",
    "conda-explicit": "locks.conda_explicit",
}
KINDS = tuple(_MODULES)


def read_as(kind: str, text: SourceText, *, constraint: bool = False) -> Source:
    """Read a file with the reader for its kind, which is imported now and not before.

    Args:
        kind: One of :data:`KINDS`.
        text: The file.
        constraint: Whether something includes it as a constraint file.
    """
    read: Callable[..., Source] = import_module(f"mlenv.project.{_MODULES[kind]}").read
    if kind in ("requirements", "constraints"):
        return read(text, constraint=constraint or kind == "constraints")
    return read(text)
