"""pixi.toml, and pixi's tables in pyproject.toml."""

from __future__ import annotations

import pytest

from mlenv.model.requirement import CONDA, PYPI, Requirement
from mlenv.model.source import UNREADABLE_FILE, UNREADABLE_LINE, Source
from mlenv.model.text import SourceText
from mlenv.project.manifests import pixi, pyproject
from mlenv.project.manifests.pixi_tables import platform_marker

MANIFEST = """\
[workspace]
name = "Demo"
channels = ["conda-forge", { channel = "nvidia", priority = 1 }]
platforms = ["linux-64", "osx-arm64"]

[system-requirements]
cuda = "12.1"

[dependencies]
python = ">=3.11,<3.12"
PyTorch = { version = "2.1.*", build = "*cuda*", channel = "pytorch" }
_openmp_mutex = "*"

[host-dependencies]
cmake = ">=3.20"

[pypi-dependencies]
einops = ">=0.7, <1"
anything = "*"
Flash_Attn = { version = "==2.5.0", extras = ["Fast"], index = "https://index.example/simple" }
here = { path = ".", editable = true }
git-thing = { git = "https://git.example/t", rev = "abcdef0123" }
marked = { version = "*", env-markers = "python_version < '3.9'" }

[target.win-64.dependencies]
cpuonly = "*"

[feature.cuda]
platforms = ["linux-64"]
channels = ["rapidsai"]
system-requirements = { cuda = "12" }
[feature.cuda.dependencies]
pytorch-gpu = "*"
[feature.cuda.target.unix.pypi-dependencies]
triton = "*"
[feature.test.dependencies]
pytest = "*"

[environments]
default = ["test"]
cuda = { features = ["cuda", "test"], no-default-feature = true }
"""


def read(text: str) -> Source:
    return pixi.read(SourceText("pixi.toml", text))


def by_name(found: Source) -> dict[str, Requirement]:
    return {requirement.name: requirement for requirement in found.requirements}


def test_conda_dependencies() -> None:
    found = read(MANIFEST)
    assert found.problems == ()
    named = by_name(found)
    torch = named["pytorch"]
    assert (torch.ecosystem, torch.written, torch.group) == (CONDA, "PyTorch", "main")
    assert (torch.versions.text, torch.build, torch.channel) == ("==2.1.*", "*cuda*", "pytorch")
    assert torch.specifier_span is not None
    assert torch.specifier_span.text == "2.1.*"
    assert torch.span.text.startswith("PyTorch = {")
    assert named["_openmp_mutex"].versions.is_any
    assert named["python"].versions.text == "<3.12,>=3.11"
    assert named["cmake"].group == "main"


def test_pypi_dependencies() -> None:
    named = by_name(read(MANIFEST))
    flash = named["flash-attn"]
    assert (flash.ecosystem, flash.versions.text, flash.extras) == (PYPI, "==2.5.0", ("fast",))
    assert flash.index == "https://index.example/simple"
    assert named["anything"].versions.is_any
    assert (named["here"].path, named["here"].editable) == (".", True)
    assert named["git-thing"].has_commit
    assert str(named["marked"].marker) == 'python_version < "3.9"'


def test_targets_and_features_narrow_the_platform() -> None:
    named = by_name(read(MANIFEST))
    windows = 'sys_platform == "win32" and platform_machine == "AMD64"'
    linux = 'sys_platform == "linux" and platform_machine == "x86_64"'
    assert (named["cpuonly"].group, str(named["cpuonly"].marker)) == ("main", windows)
    assert (named["pytorch-gpu"].group_name, str(named["pytorch-gpu"].marker)) == ("cuda", linux)
    assert str(named["triton"].marker) == f'{linux} and os_name == "posix"'
    assert named["pytest"].marker is None


def test_workspace_and_environments() -> None:
    found = read(MANIFEST)
    assert [channel.name for channel in found.channels] == ["conda-forge", "nvidia", "rapidsai"]
    assert [(s.subject, s.value) for s in found.statements] == [
        ("platform", "linux-64"),
        ("platform", "osx-arm64"),
        ("cuda", "12.1"),
        ("cuda", "12"),
    ]
    assert str(found.statements[2].versions) == ">=12.1"
    groups = [s.group for s in found.statements if s.subject == "cuda"]
    assert groups == ["main", "feature:cuda"]
    assert found.groups.includes == {
        "env:default": ("feature:test",),
        "env:cuda": ("feature:cuda", "feature:test"),
    }
    assert found.groups.standalone == {"env:cuda"}
    assert found.packaging is not None
    assert (found.packaging.name, found.packaging.manager) == ("demo", "pixi")


def test_the_same_tables_in_pyproject() -> None:
    text = "".join(
        line.replace("[", "[tool.pixi.", 1) if line.startswith("[") else line
        for line in MANIFEST.splitlines(keepends=True)
    )
    found = pyproject.read(SourceText("pyproject.toml", text))
    assert found.problems == ()
    wanted = read(MANIFEST)
    assert [(r.name, r.group, str(r.marker)) for r in found.requirements] == [
        (r.name, r.group, str(r.marker)) for r in wanted.requirements
    ]
    assert found.groups.includes == wanted.groups.includes


@pytest.mark.parametrize(
    ("platform", "marker"),
    [
        ("unix", 'os_name == "posix"'),
        ("linux", 'sys_platform == "linux"'),
        ("win", 'sys_platform == "win32"'),
        ("osx-64", 'sys_platform == "darwin" and platform_machine == "x86_64"'),
        ("osx-arm64", 'sys_platform == "darwin" and platform_machine == "arm64"'),
        ("linux-aarch64", 'sys_platform == "linux" and platform_machine == "aarch64"'),
        ("win-arm64", 'sys_platform == "win32" and platform_machine == "ARM64"'),
        ("emscripten-wasm32", None),
        ('linux-"', None),
    ],
)
def test_platforms_as_markers(platform: str, marker: str | None) -> None:
    found = platform_marker(platform)
    assert (None if found is None else str(found)) == marker


def test_several_platforms_of_a_feature() -> None:
    found = read('[feature.a]\nplatforms = ["osx", "linux"]\n[feature.a.dependencies]\nx = "*"\n')
    (requirement,) = found.requirements
    assert str(requirement.marker) == 'sys_platform == "darwin" or sys_platform == "linux"'


def test_what_is_wrong_is_a_problem() -> None:
    found = read(
        '[workspace]\nchannels = [1]\n[dependencies]\na = 1\nb = ">>2"\n'
        '[pypi-dependencies]\nc = "2.1"\n[environments]\nd = "test"\n'
    )
    assert {problem.kind for problem in found.problems} == {UNREADABLE_LINE}
    assert sorted(problem.detail for problem in found.problems) == [
        "'2.1' is no version constraint of PEP 440",
        "'>>2' is no version constraint of conda",
        "a: expected a string or a table, found a number",
        "d: expected a table, found a string",
        "expected a channel, found a number",
    ]
    assert [requirement.name for requirement in found.requirements] == ["b", "c"]


def test_broken_syntax_is_one_problem() -> None:
    (problem,) = read("[workspace\n").problems
    assert (problem.kind, problem.span.line) == (UNREADABLE_FILE, 1)
