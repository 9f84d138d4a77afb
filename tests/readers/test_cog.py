"""cog.yaml: what it installs, from where, and on which Python and CUDA."""

from __future__ import annotations

import pytest
from spoiled import assert_inside, spoiled

from mlenv.model.source import IMAGE, UNREADABLE_FILE, UNREADABLE_LINE, Source
from mlenv.model.text import SourceText
from mlenv.project.images import cog

SAMPLE = """\
# a model
build:
  gpu: true
  cuda: "12.1"
  cudnn: "8"
  python_version: "3.11"
  system_packages:
    - ffmpeg
    - "libgl1=1.6.0-1"
  python_packages:
    - torch==2.1.0
    - "numpy>=1.24,<2"
    - git+https://git.example/a/tool.git@v1#egg=tool
  run:
    - pip install wheel-tool==1.0
    - command: |
        apt-get update && apt-get install -y git
        pip install -r extra.txt
      mounts:
        - type: secret
          id: pip
          target: /etc/pip.conf
image: registry.example/team/model
predict: "predict.py:Predictor"
"""


def read(text: str) -> Source:
    source = cog.read(SourceText("cog.yaml", text))
    assert_inside(source)
    return source


def test_everything_that_it_says() -> None:
    source = read(SAMPLE)
    assert (source.kind, source.role, source.problems) == ("cog", IMAGE, ())
    assert [(r.name, r.versions.text) for r in source.requirements] == [
        ("torch", "==2.1.0"),
        ("numpy", "<2,>=1.24"),
        ("tool", ""),
        ("wheel-tool", "==1.0"),
    ]
    assert [(s.subject, s.value, s.binding) for s in source.statements] == [
        ("python", "3.11", True),
        ("gpu", "true", True),
        ("cuda", "12.1", True),
        ("cudnn", "8", True),
    ]
    assert [s.span.text for s in source.statements] == ["3.11", "true", "12.1", "8"]
    assert [(i.target, i.anywhere) for i in source.includes] == [("extra.txt", True)]


def test_what_is_built_is_no_base_image() -> None:
    assert read(SAMPLE).stages == ()


def test_system_packages_are_one_installation() -> None:
    first, *others = read(SAMPLE).commands
    assert (first.tool, first.action) == ("apt", "install")
    found = [(p.name, p.version, p.span.text) for p in first.system_packages]
    assert found == [("ffmpeg", "", "ffmpeg"), ("libgl1", "1.6.0-1", "libgl1")]
    assert [(c.tool, c.action) for c in others] == [
        ("pip", "install"),
        ("apt", "install"),
        ("pip", "install"),
    ]


def test_a_requirements_file_lies_beside_it() -> None:
    (include,) = read("build:\n  python_requirements: requirements/gpu.txt\n").includes
    assert (include.target, include.anywhere) == ("requirements/gpu.txt", False)
    assert include.span.text == "requirements/gpu.txt"


@pytest.mark.parametrize("option", ["--extra-index-url=", "--extra-index-url ", "--find-links "])
def test_an_index_behind_a_requirement_is_honoured(option: str) -> None:
    line = f"torch==2.1.0 {option}https://index.example/whl/cu121"
    source = read(f"build:\n  python_packages:\n    - {line}\n")
    assert source.problems == ()
    assert [r.specifier_span.text for r in source.requirements if r.specifier_span] == ["==2.1.0"]
    assert [i.url for i in source.indexes] == ["https://index.example/whl/cu121"]


@pytest.mark.parametrize(
    ("written", "versions"),
    [("3.10", None), ("'3.10'", "==3.10.*"), ("3.11", "==3.11.*"), ("3.11.4", "==3.11.4")],
)
def test_a_number_that_loses_its_zero_has_no_versions(written: str, versions: str | None) -> None:
    (statement,) = read(f"build:\n  python_version: {written}\n").statements
    assert statement.value == statement.span.text == written.strip("'")
    assert (statement.versions.text if statement.versions else None) == versions


def test_what_is_broken_is_told_and_the_rest_is_read() -> None:
    source = read("build:\n  python_packages:\n    - numpy=1.26\n    - scipy==1.11\n  x: [\n")
    assert [p.kind for p in source.problems] == [UNREADABLE_LINE, UNREADABLE_FILE]
    assert "scipy" in {r.name for r in source.requirements}


@pytest.mark.parametrize(
    "text", ["", "build:\n", "build: []\n", "- a\n", "build:\n  run: {a: b}\n"]
)
def test_odd_shapes_say_nothing(text: str) -> None:
    source = read(text)
    assert (source.requirements, source.commands, source.statements) == ((), (), ())


def test_nothing_makes_it_fail() -> None:
    for text in spoiled(SAMPLE, 300):
        read(text)
