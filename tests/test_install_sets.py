"""What is taken to be installed together."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlenv.model.marker import for_pythons
from mlenv.model.requirement import Requirement, group_kind, group_name
from mlenv.project.load import load_project
from mlenv.versions.version_set import pep440


def sets(folder: Path, text: str, name: str = "pyproject.toml") -> dict[str, list[str]]:
    (folder / name).write_text(text, encoding="utf-8")
    project = load_project((str(folder),))
    return {
        one.name.removeprefix(name).strip(): requirements(one.requirements)
        for one in project.install_sets
    }


def requirements(found: tuple[Requirement, ...]) -> list[str]:
    return sorted(f"{one.name}{one.versions.text}" for one in found)


def test_what_a_group_key_says() -> None:
    keys = ("main", "build", "extra:build", "group:main", "env:a:b", "dev")
    assert [(group_kind(key), group_name(key)) for key in keys] == [
        ("main", "main"),
        ("build", "build"),
        ("extra", "build"),
        ("group", "main"),
        ("env", "a:b"),
        ("group", "dev"),
    ]


def test_an_extra_and_a_group_of_one_name_are_two(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\ndependencies = ["a"]\n'
        '[project.optional-dependencies]\ndev = ["b"]\nmain = ["c"]\nbuild = ["d"]\n'
        '[dependency-groups]\ndev = ["e"]\n[tool.uv]\ndev-dependencies = ["f"]\n',
        encoding="utf-8",
    )
    project = load_project((str(tmp_path),))
    assert [(one.name, requirements(one.requirements)) for one in project.install_sets] == [
        ("pyproject.toml", ["a"]),
        ("pyproject.toml [dev]", ["a", "b"]),
        ("pyproject.toml [main]", ["a", "c"]),
        ("pyproject.toml [build]", ["a", "d"]),
        ("pyproject.toml [dev]", ["a", "e", "f"]),
    ]


def test_what_uv_says_conflicts_is_not_brought_together(tmp_path: Path) -> None:
    found = sets(
        tmp_path,
        '[project]\nname = "x"\ndependencies = ["a"]\n[project.optional-dependencies]\n'
        'cpu = ["torch==2.1"]\ngpu = ["torch==2.2"]\nall = ["x[cpu,gpu]"]\n'
        '[tool.uv]\nconflicts = [[{ extra = "cpu" }, { extra = "gpu", package = "X" }],\n'
        '  [{ extra = "cpu" }, { package = "y", extra = "gpu" }]]\n',
    )
    assert found == {"": ["a"], "[cpu]": ["a", "torch==2.1"], "[gpu]": ["a", "torch==2.2"]}


def test_build_constraints_hold_for_the_build_alone(tmp_path: Path) -> None:
    found = sets(
        tmp_path,
        '[build-system]\nrequires = ["setuptools>=61"]\n[project]\nname = "x"\n'
        'dependencies = ["setuptools>=75"]\n[tool.uv]\nconstraint-dependencies = ["b<1"]\n'
        'build-constraint-dependencies = ["setuptools<70"]\n',
    )
    assert found == {
        "": ["b<1", "setuptools>=75"],
        "[build]": ["setuptools<70", "setuptools>=61"],
    }


def test_pixi_installs_environments_and_not_features(tmp_path: Path) -> None:
    found = sets(
        tmp_path,
        '[workspace]\nname = "x"\n[dependencies]\na = "*"\n[feature.one.dependencies]\nb = "*"\n'
        '[feature.two.dependencies]\nc = "*"\n[feature.unused.dependencies]\nd = "*"\n'
        '[environments]\none = ["one"]\nboth = { features = ["one", "two"] }\n'
        'two = { features = ["two"], no-default-feature = true }\n',
        "pixi.toml",
    )
    assert {name: [one.rstrip("*") for one in names] for name, names in found.items()} == {
        "": ["a"],
        "[one]": ["a", "b"],
        "[both]": ["a", "b", "c"],
        "[two]": ["c"],
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "x"\nrequires-python = "==3.10.12"\ndependencies = ["a"]\n',
        ),
        ("environment.yml", "dependencies:\n  - python=3.10.12\n  - a\n"),
        ("pixi.toml", '[dependencies]\npython = "3.10.12.*"\na = "*"\n'),
    ],
)
def test_an_exact_python_is_not_every_python(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (found,) = load_project((str(tmp_path),)).install_sets
    minor = pep440("==3.10.*")
    assert minor is not None
    assert found.pythons == for_pythons(minor)


def test_each_pixi_environment_has_its_own_python(tmp_path: Path) -> None:
    (tmp_path / "pixi.toml").write_text(
        '[feature.old.dependencies]\npython = "3.9.*"\n[feature.new.dependencies]\n'
        'python = "3.12.*"\n[environments]\nold = ["old"]\nnew = ["new"]\n',
        encoding="utf-8",
    )
    old, new = load_project((str(tmp_path),)).install_sets
    assert old.pythons
    assert new.pythons
    assert not old.pythons & new.pythons
