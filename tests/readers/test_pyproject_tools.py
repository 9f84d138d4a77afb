"""The tables of uv, PDM and Hatch in pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlenv.model.requirement import CONSTRAINT, OVERRIDE
from mlenv.model.source import UNREADABLE_LINE, Source
from mlenv.model.text import SourceText
from mlenv.project.manifests.pyproject import read

if TYPE_CHECKING:
    from mlenv.model.requirement import Requirement


def source(text: str) -> Source:
    return read(SourceText("pyproject.toml", text))


def only(found: Source) -> Requirement:
    (requirement,) = found.requirements
    return requirement


def by_group(found: Source) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for requirement in found.requirements:
        groups.setdefault(requirement.group, []).append(requirement.name)
    return groups


UV = """\
[project]
dependencies = ["torch>=2.0", "flash-attn", "mylib", "here", "member", "wheel", "plain"]
[project.optional-dependencies]
cpu = ["jax"]
cuda = ["jax"]
[tool.uv]
dev-dependencies = ["pytest"]
constraint-dependencies = ["numpy<2"]
override-dependencies = ["scipy==1.10"]
build-constraint-dependencies = ["setuptools<70"]
environments = ["sys_platform == 'linux'"]
conflicts = [[{ extra = "cpu" }, { extra = "cuda" }]]
find-links = ["https://index.example/links"]
no-index = true
torch-backend = "cu121"
[tool.uv.pip]
index-url = "https://index.example/main"
extra-index-url = ["https://index.example/more"]
[tool.uv.workspace]
members = ["packages/*"]
[tool.uv.sources]
torch = { index = "cu121" }
Flash_Attn = { git = "https://git.example/fa", rev = "0123456789abcdef0123456789abcdef01234567" }
mylib = { git = "https://git.example/mylib", branch = "main" }
here = { path = "../here", editable = true }
member = { workspace = true }
wheel = { url = "https://files.example/wheel-1.0-py3-none-any.whl" }
jax = [{ index = "a", extra = "cpu" }, { index = "b", extra = "cuda" }]
[[tool.uv.index]]
name = "cu121"
url = "https://index.example/cu121"
explicit = true
[[tool.uv.index]]
url = "https://index.example/simple"
default = true
[[tool.uv.index]]
url = "https://index.example/third"
"""


def test_uv_requirements_and_settings() -> None:
    found = source(UV)
    assert found.problems == ()
    assert {(r.name, r.group, r.kind) for r in found.requirements if r.span.line > 5} == {
        ("pytest", "group:dev", "requirement"),
        ("numpy", "main", CONSTRAINT),
        ("scipy", "main", OVERRIDE),
        ("setuptools", "build", CONSTRAINT),
    }
    assert [(s.subject, s.value) for s in found.statements] == [
        ("torch-backend", "cu121"),
        ("platform", "sys_platform == 'linux'"),
    ]
    assert found.groups.conflicts == (frozenset(("extra:cpu", "extra:cuda")),)
    assert found.packaging is not None
    assert found.packaging.workspace == ("packages/*",)


def test_uv_indexes() -> None:
    found = source(UV)
    assert [(i.kind, i.url.rpartition("/")[2], i.name) for i in found.indexes] == [
        ("explicit", "cu121", "cu121"),
        ("index", "simple", ""),
        ("extra", "third", ""),
        ("find-links", "links", ""),
        ("none", "", ""),
        ("index", "main", ""),
        ("extra", "more", ""),
    ]
    assert all(index.span.text in (index.url, "no-index") for index in found.indexes)


def test_uv_sources_complete_requirements() -> None:
    found = {(r.name, r.group): r for r in source(UV).requirements}
    assert found["torch", "main"].index == "cu121"
    flash = found["flash-attn", "main"]
    assert (flash.url, flash.has_commit) == ("git+https://git.example/fa", True)
    mylib = found["mylib", "main"]
    assert (mylib.floating, mylib.is_vcs, mylib.has_commit) == ("main", True, False)
    here = found["here", "main"]
    assert (here.path, here.editable) == ("../here", True)
    assert found["member", "main"].workspace
    assert found["wheel", "main"].url.endswith("wheel-1.0-py3-none-any.whl")
    assert (found["jax", "extra:cpu"].index, found["jax", "extra:cuda"].index) == ("a", "b")
    assert not found["plain", "main"].is_direct


@pytest.mark.parametrize(
    ("sources", "index", "choices"),
    [
        ("""{index="a", marker="sys_platform == 'linux'"}""", "a", 1),
        ("""{index="a", marker="sys_platform == 'darwin'"}""", "", 1),
        (
            """[{index="a", marker="sys_platform == 'darwin'"},
            {index="b", marker="sys_platform != 'darwin'"}]""",
            "b",
            2,
        ),
        (
            """[{index="a", marker="python_version < '3.11'"},
            {index="b", marker="python_version >= '3.11'"}]""",
            "",
            2,
        ),
        (
            """[{index="a", marker="python_version < '3.11'"},
            {index="a", marker="python_version >= '3.11'"}]""",
            "a",
            2,
        ),
        ("""[{index="a", extra="x"}, {index="b", group="y"}]""", "", 0),
    ],
)
def test_uv_sources_by_environment(sources: str, index: str, choices: int) -> None:
    found = only(
        source(f'[project]\ndependencies = ["torch"]\n[tool.uv.sources]\ntorch = {sources}\n')
    )
    assert found.index == index
    assert len(found.index_choices) == choices
    assert found.marker is None


def test_a_requirements_own_marker_narrows_its_sources() -> None:
    found = only(
        source(
            """[project]\ndependencies = ["torch; sys_platform == 'darwin'"]\n[tool.uv.sources]\n"""
            """torch = [{index="a", marker="sys_platform == 'linux'"}]\n"""
        )
    )
    assert (found.index, found.index_choices) == ("", ())


def test_a_bad_marker_of_a_source_is_a_problem() -> None:
    found = source("[tool.uv.sources]\ntorch = { index = 'a', marker = 'linux' }\n")
    (problem,) = found.problems
    assert (problem.kind, problem.subject, problem.span.text) == (UNREADABLE_LINE, "torch", "linux")


def test_pdm() -> None:
    found = source(
        "[tool.pdm.dev-dependencies]\n"
        'test = ["pytest>=7", "-e file:///${PROJECT_ROOT}/sub#egg=sub"]\n'
        "[tool.pdm.resolution.overrides]\n"
        'numpy = "1.26"\nscipy = ">=1.2"\nx = "https://files.example/x.whl"\n'
        '[[tool.pdm.source]]\nname = "pypi"\nurl = "https://index.example/simple"\n'
        '[[tool.pdm.source]]\nname = "t"\nurl = "https://index.example/t"\ntype = "find_links"\n'
        '[[tool.pdm.source]]\nname = "u"\nurl = "https://index.example/u"\n'
    )
    assert found.problems == ()
    test, sub, numpy, scipy, direct = found.requirements
    assert (test.group, sub.group) == ("group:test", "group:test")
    assert (sub.name, sub.editable) == ("sub", True)
    assert sub.span.text.startswith("-e file:")
    assert (numpy.kind, numpy.versions.text, scipy.versions.text) == (OVERRIDE, "==1.26", ">=1.2")
    assert numpy.span.text == 'numpy = "1.26"'
    assert (direct.url, direct.specifier_span) == ("https://files.example/x.whl", None)
    assert [(i.kind, i.name) for i in found.indexes] == [
        ("index", "pypi"),
        ("find-links", "t"),
        ("extra", "u"),
    ]


def test_hatch_environments() -> None:
    found = source(
        '[tool.hatch.envs.default]\ndependencies = ["pytest"]\n'
        '[tool.hatch.envs.docs]\ndetached = true\ndependencies = ["sphinx"]\n'
        '[tool.hatch.envs.gpu]\nextra-dependencies = ["cupy"]\nfeatures = ["Cuda"]\n'
        '[tool.hatch.envs.lint]\nskip-install = true\ndependencies = ["ruff"]\n'
    )
    assert by_group(found) == {
        "env:default": ["pytest"],
        "env:docs": ["sphinx"],
        "env:gpu": ["cupy"],
        "env:lint": ["ruff"],
    }
    assert found.groups.includes == {"env:gpu": ("extra:cuda", "env:default")}
    assert found.groups.standalone == {"build", "env:docs", "env:lint"}
