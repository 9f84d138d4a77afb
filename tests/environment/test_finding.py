"""Which environment is looked at: the one that is named, the project's own, the active one."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import write_environment

from mlenv.environment.find import Place, find_environment
from mlenv.errors import UsageError


def found(choice: str, folder: Path, **variables: str) -> Place | None:
    return find_environment(choice, str(folder), variables)


def test_a_projects_own_environment_goes_first(tmp_path: Path) -> None:
    write_environment(tmp_path / ".venv")
    write_environment(tmp_path / "other")
    one = found("auto", tmp_path, VIRTUAL_ENV=str(tmp_path / "other"))
    assert one is not None
    assert (one.name, one.is_project, one.is_active) == (".venv", True, False)


def test_the_environment_of_pixi(tmp_path: Path) -> None:
    for name in ("test", "default"):
        (tmp_path / ".pixi" / "envs" / name / "conda-meta").mkdir(parents=True)
    one = found("auto", tmp_path)
    assert one is not None
    assert (one.name, one.is_project) == (".pixi/envs/default", True)


def test_the_active_environment_where_the_project_has_none(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("venv-of-mine", "conda-of-mine"):
        (tmp_path / name).mkdir()
    variables = {
        "VIRTUAL_ENV": str(tmp_path / "venv-of-mine"),
        "CONDA_PREFIX": str(tmp_path / "conda-of-mine"),
        "CONDA_DEFAULT_ENV": "base",
    }
    one = found("auto", project, **variables)
    assert one is not None
    assert (one.name, one.is_project, one.is_active) == ("venv-of-mine", False, True)
    del variables["VIRTUAL_ENV"]
    one = found("auto", project, **variables)
    assert one is not None
    assert (one.name, one.is_project, one.is_active) == ("base", False, True)
    assert found("auto", project) is None
    assert found("none", project, **variables) is None


def test_a_named_environment_is_the_projects(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    write_environment(tmp_path / "elsewhere")
    one = found(str(tmp_path / "elsewhere"), project)
    assert one is not None
    # of a path that is no part of the project only the last name is shown
    assert (one.name, one.is_project) == ("elsewhere", True)
    with pytest.raises(UsageError, match="there is no such folder"):
        found(str(tmp_path / "absent"), project)
