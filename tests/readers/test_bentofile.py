"""bentofile.yaml: the packages of a service, their indexes, and its image."""

from __future__ import annotations

import pytest
from spoiled import assert_inside, spoiled

from mlenv.model.requirement import CONDA, PYPI
from mlenv.model.source import IMAGE, UNREADABLE_LINE, Source
from mlenv.model.text import SourceText
from mlenv.project.images import bentofile

SAMPLE = """\
service: "service:svc"
include: ["*.py"]
python:
  packages:
    - torch==2.1.0
    - "scikit-learn[extra]>=1.3"
  requirements_txt: "./requirements.txt"
  index_url: https://index.example/simple
  extra_index_url:
    - https://index.example/whl/cu121
  find_links: [https://files.example/wheels]
  trusted_host: [index.example]
  wheels:
    - ./wheels/tool-1.0-py3-none-any.whl
conda:
  environment_yml: ./env/gpu.yml
  channels: [conda-forge, nodefaults]
  dependencies:
    - python=3.10
    - h2o
  pip:
    - pandas<3
docker:
  distro: debian
  python_version: "3.11"
  cuda_version: 12.1.1
  system_packages: [libblas-dev, git]
  base_image: registry.example/base:1.0
"""


def read(text: str) -> Source:
    source = bentofile.read(SourceText("bentofile.yaml", text))
    assert_inside(source)
    return source


def test_what_it_installs() -> None:
    source = read(SAMPLE)
    assert (source.kind, source.role, source.problems) == ("bentofile", IMAGE, ())
    assert [(r.name, r.ecosystem) for r in source.requirements] == [
        ("torch", PYPI),
        ("scikit-learn", PYPI),
        ("tool", PYPI),
        ("python", CONDA),
        ("h2o", CONDA),
        ("pandas", PYPI),
    ]
    assert [i.target for i in source.includes] == ["./requirements.txt", "./env/gpu.yml"]
    assert [c.name for c in source.channels] == ["conda-forge", "nodefaults"]
    (command,) = source.commands
    assert [p.name for p in command.system_packages] == ["libblas-dev", "git"]


def test_where_it_installs_from() -> None:
    assert [(i.kind, i.url) for i in read(SAMPLE).indexes] == [
        ("index", "https://index.example/simple"),
        ("extra", "https://index.example/whl/cu121"),
        ("find-links", "https://files.example/wheels"),
        ("trusted-host", "index.example"),
    ]


@pytest.mark.parametrize(("written", "kinds"), [("true", ["none"]), ("false", [])])
def test_no_index(written: str, kinds: list[str]) -> None:
    assert [i.kind for i in read(f"python:\n  no_index: {written}\n").indexes] == kinds


def test_what_it_runs_on() -> None:
    source = read(SAMPLE)
    assert [(s.image, s.is_complete, s.span.text) for s in source.stages] == [
        ("registry.example/base:1.0", True, "registry.example/base:1.0")
    ]
    assert [(s.subject, s.value) for s in source.statements] == [
        ("python", "=3.10"),
        ("python", "3.11"),
        ("cuda", "12.1.1"),
    ]


def test_what_cannot_be_read_is_told() -> None:
    source = read("python:\n  packages:\n    - numpy=1.26\nconda:\n  dependencies: ['numpy>=']\n")
    assert [p.kind for p in source.problems] == [UNREADABLE_LINE, UNREADABLE_LINE]


def test_nothing_makes_it_fail() -> None:
    for text in spoiled(SAMPLE, 300):
        read(text)
