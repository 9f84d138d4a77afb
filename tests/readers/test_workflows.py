"""GitHub's workflows and GitLab's pipelines: Pythons, images, and what their scripts install."""

from __future__ import annotations

import pytest
from spoiled import assert_inside, spoiled

from mlenv.model.source import CONTEXT, UNREADABLE_FILE, Source
from mlenv.model.text import SourceText
from mlenv.project.pipelines import github, gitlab

WORKFLOW = """\
name: CI
on:
  push:
  workflow_call:
    inputs:
      interpreter: {default: "3.11", type: string}
env:
  PY: "3.8"
  INDEX: https://index.example/simple
defaults:
  run:
    working-directory: ./service
jobs:
  test:
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-latest, windows-latest]
        python-version: ["3.9", 3.10, pypy3.9]
        cuda: ["11.8"]
        image: ["base:1", "base:2"]
        include:
          - os: macos-latest
            python-version: "3.12"
        exclude:
          - python-version: "3.13"
    container: ${{ matrix.image }}
    services:
      db:
        image: postgres:16
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python-version }}
      - uses: docker://alpine:3.8
      - run: |
          python -m pip install -r requirements-ci.txt
          pip install --index-url "$INDEX" torch==2.1.0
      - run: pip install not-this
        shell: pwsh
  other:
    runs-on: windows-latest
    container:
      image: other:1
    steps:
      - uses: actions/setup-python@v5
        with: {python-version: "${{ inputs.interpreter }}"}
      - uses: actions/setup-python@v5
        with: {python-version: "${{ env.PY }}"}
      - run: pip install nor-this
      - run: pip install but-this
        shell: bash -l {0}
"""
ACTION = """\
name: set up
inputs:
  python-version:
    default: '3.10'
runs:
  using: composite
  steps:
    - uses: actions/setup-python@v5
      with:
        python-version: ${{ inputs.python-version }}
    - run: pip install tool
      shell: bash
"""
PIPELINE = """\
image: python:$VERSION
variables:
  VERSION: "3.10"
default:
  image:
    name: "registry.example/${NAME}:1"
    entrypoint: [""]
.setup: &setup
  - pip install shared
test:
  variables:
    NAME: {value: "x", description: "what"}
  image: registry.example/$NAME:$VERSION
  before_script: *setup
  script:
    - *setup
    - !reference [.setup, script]
    - pip install -r requirements.txt
    - |
      apt-get install -y git
      pip install own
"""


def github_workflow(text: str) -> Source:
    source = github.read(SourceText(".github/workflows/ci.yml", text))
    assert_inside(source)
    return source


def gitlab_pipeline(text: str) -> Source:
    source = gitlab.read(SourceText(".gitlab-ci.yml", text))
    assert_inside(source)
    return source


def pythons(source: Source) -> list[str]:
    return [s.value for s in source.statements if s.subject == "python"]


def installed(source: Source) -> list[tuple[str, list[str]]]:
    return [(c.tool, [r.name for r in c.requirements]) for c in source.commands]


def test_a_workflow() -> None:
    source = github_workflow(WORKFLOW)
    assert (source.kind, source.role) == ("github-workflow", CONTEXT)
    assert (source.problems, source.requirements) == ((), ())
    assert pythons(source) == ["3.9", "3.10", "3.12", "3.11", "3.8"]
    assert {s.binding for s in source.statements} == {False}
    assert [s.span.text for s in source.statements] == pythons(source)
    assert [s.image for s in source.stages] == [
        *("base:1", "base:2", "postgres:16", "alpine:3.8", "other:1")
    ]
    assert installed(source) == [("pip", []), ("pip", ["torch"]), ("pip", ["but-this"])]
    assert [(i.target, i.anywhere) for i in source.includes] == [
        ("service/requirements-ci.txt", True)
    ]
    assert [i.url for c in source.commands for i in c.indexes] == ["https://index.example/simple"]


def test_an_unquoted_version_that_loses_its_zero_has_no_versions() -> None:
    found = {s.value: s.versions for s in github_workflow(WORKFLOW).statements}
    assert found["3.10"] is None
    assert all(found[value] is not None for value in ("3.9", "3.12", "3.11"))


@pytest.mark.parametrize(
    ("written", "versions"),
    [
        ("'3.10'", "==3.10.*"),
        ("3.9", "==3.9.*"),
        ("3.x", "==3.*"),
        ("'>=3.9 <3.13'", "<3.13,>=3.9"),
        ("3.13-dev", None),
        ("3.13t", None),
    ],
)
def test_versions_as_setup_python_takes_them(written: str, versions: str | None) -> None:
    text = f"jobs:\n  a:\n    steps:\n    - with:\n        python-version: {written}\n"
    (statement,) = github_workflow(text).statements
    assert (statement.versions.text if statement.versions else None) == versions


def test_a_block_of_versions_is_text() -> None:
    text = (
        "jobs:\n  a:\n    steps:\n    - with:\n        python-version: |\n"
        "          3.9\n          3.10\n          pypy3.10\n"
    )
    found = github_workflow(text).statements
    assert [(s.value, s.span.text, s.versions and s.versions.text) for s in found] == [
        ("3.9", "3.9", "==3.9.*"),
        ("3.10", "3.10", "==3.10.*"),
    ]


@pytest.mark.parametrize(
    "value", ["${{ fromJSON(needs.x.outputs.y) }}", "${{ matrix.none }}", "pypy3.9", "'a b'", "~"]
)
def test_what_cannot_be_told_is_left_out(value: str) -> None:
    text = f'jobs:\n  a:\n    steps:\n    - with: {{python-version: "{value}"}}\n'
    assert pythons(github_workflow(text)) == []


def test_a_composite_action() -> None:
    source = github_workflow(ACTION)
    assert pythons(source) == ["3.10"]
    assert installed(source) == [("pip", ["tool"])]


def test_an_action_that_is_an_image() -> None:
    source = github_workflow("runs:\n  using: docker\n  image: docker://a/b:1\n")
    assert [(s.image, s.span.text) for s in source.stages] == [("a/b:1", "a/b:1")]


def test_an_open_image_is_not_complete() -> None:
    source = github_workflow("jobs:\n  a:\n    container: a:${{ inputs.tag }}\n    steps: []\n")
    assert [(s.image, s.is_complete) for s in source.stages] == [("a:${{ inputs.tag }}", False)]


def test_the_folder_of_a_step_comes_before_that_of_its_job() -> None:
    text = """\
jobs:
  a:
    defaults: {run: {working-directory: job}}
    steps:
      - run: pip install -r one.txt
      - run: pip install -r two.txt
        working-directory: step
      - run: pip install -r three.txt
        working-directory: ${{ github.workspace }}/x
"""
    found = [i.target for i in github_workflow(text).includes]
    assert found == ["job/one.txt", "step/two.txt", "three.txt"]


def test_many_steps_of_many_choices_stay_cheap() -> None:
    choices = ", ".join(f"'3.{n}'" for n in range(3000))
    step = "    - with: {python-version: '${{ matrix.v }}'}\n"
    text = f"jobs:\n  a:\n    strategy: {{matrix: {{v: [{choices}]}}}}\n    steps:\n{step * 3000}"
    assert len(pythons(github_workflow(text))) == 256


def test_a_pipeline() -> None:
    source = gitlab_pipeline(PIPELINE)
    assert (source.kind, source.role) == ("gitlab-ci", CONTEXT)
    assert (source.problems, source.requirements) == ((), ())
    assert [(s.image, s.span.text, s.is_complete) for s in source.stages] == [
        ("python:3.10", "python:$VERSION", True),
        ("registry.example/${NAME}:1", "registry.example/${NAME}:1", False),
        ("registry.example/x:3.10", "registry.example/$NAME:$VERSION", True),
    ]
    assert installed(source) == [("pip", ["shared"]), ("pip", []), ("apt", []), ("pip", ["own"])]
    assert [i.target for i in source.includes] == ["requirements.txt"]


def test_the_header_of_a_component_is_passed_over() -> None:
    header = "spec:\n  inputs:\n    a: {default: b}\n---\n"
    source = gitlab_pipeline(f"{header}job:\n  image: x:1\n  script: [pip install y]\n")
    assert source.problems == ()
    assert [(s.image, s.span.line) for s in source.stages] == [("x:1", 6)]
    assert installed(source) == [("pip", ["y"])]


@pytest.mark.parametrize(
    "text", ["", "- a\n", "image:\n", "job: pip install x\n", "a: {script: 1}\n"]
)
def test_odd_pipelines_say_nothing(text: str) -> None:
    source = gitlab_pipeline(text)
    assert (source.stages, source.commands, source.problems) == ((), (), ())


def test_broken_files_are_told() -> None:
    assert [p.kind for p in github_workflow("jobs:\n  a: [\n").problems] == [UNREADABLE_FILE]
    assert [p.kind for p in gitlab_pipeline("job:\n  script: [\n").problems] == [UNREADABLE_FILE]


def test_nothing_makes_them_fail() -> None:
    for text in spoiled(WORKFLOW, 300):
        github_workflow(text)
    for text in spoiled(PIPELINE, 300):
        gitlab_pipeline(text)
