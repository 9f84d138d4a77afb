"""MLproject and the python_env.yaml that it names."""

from __future__ import annotations

import pytest

from mlenv.model.requirement import BUILD, MAIN
from mlenv.model.source import UNREADABLE_LINE
from mlenv.model.text import SourceText
from mlenv.project.manifests import mlflow_env, mlproject


@pytest.mark.parametrize("key", ["conda_env", "python_env"])
def test_an_environment_is_included(key: str) -> None:
    found = mlproject.read(SourceText("MLproject", f"name: x\n{key}: envs/it.yaml\n"))
    assert [(i.target, i.span.text, i.group) for i in found.includes] == [
        ("envs/it.yaml", "envs/it.yaml", MAIN)
    ]


def test_an_image_is_a_stage() -> None:
    text = 'docker_env:\n  image: "registry.example/ml:1.2"\n  volumes: []\n'
    (stage,) = mlproject.read(SourceText("MLproject", text)).stages
    assert (stage.image, stage.tag, stage.span.text) == (
        "registry.example/ml:1.2",
        "1.2",
        "registry.example/ml:1.2",
    )
    assert stage.is_complete


@pytest.mark.parametrize("text", ["", "- a\n", "conda_env:\ndocker_env: x\n", "a: [\n"])
def test_nothing_is_made_of_other_shapes(text: str) -> None:
    found = mlproject.read(SourceText("MLproject", text))
    assert (found.includes, found.stages) == ((), ())


def test_a_python_env() -> None:
    found = mlflow_env.read(
        SourceText(
            "python_env.yaml",
            "python: 3.9.7\nbuild_dependencies:\n  - pip==22.1\n"
            "dependencies:\n  - -r reqs.txt\n  - torch==2.1\n  - {a: b}\n",
        )
    )
    assert [(r.group, r.written, r.span.text) for r in found.requirements] == [
        (BUILD, "pip", "pip==22.1"),
        (MAIN, "torch", "torch==2.1"),
    ]
    assert [(i.target, i.group) for i in found.includes] == [("reqs.txt", MAIN)]
    (statement,) = found.statements
    assert statement.versions is not None
    assert (statement.value, statement.span.text, statement.versions.text) == (
        "3.9.7",
        "3.9.7",
        "==3.9.7",
    )
    assert [p.kind for p in found.problems] == [UNREADABLE_LINE]


def test_a_minor_version_stands_for_its_patches() -> None:
    (statement,) = mlflow_env.read(SourceText("python_env.yaml", 'python: "3.10"\n')).statements
    assert statement.versions is not None
    assert statement.versions.text == "==3.10.*"


def test_a_file_with_channels_is_a_conda_environment() -> None:
    text = "channels: [conda-forge]\ndependencies: [python=3.9]\n"
    assert mlflow_env.read(SourceText("python_env.yaml", text)).kind == "conda-env"
