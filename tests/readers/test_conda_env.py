"""environment.yml: what conda and pip install from it, and what conda drops or stops at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.model.requirement import BUILD, CONDA, PYPI
from mlenv.model.source import (
    DROPPED_SECTION,
    MERGE_CONFLICT,
    NOT_A_MANIFEST,
    TEMPLATE,
    UNREADABLE_FILE,
    UNREADABLE_LINE,
)
from mlenv.model.text import SourceText
from mlenv.project.manifests import conda_env

if TYPE_CHECKING:
    from mlenv.model.requirement import Requirement
    from mlenv.model.source import Source

FULL = """\
name: trainer
channels:
  - pytorch
  - "conda-forge"
  - https://10.0.0.1:8443/internal
dependencies:
  - python=3.10   # the interpreter
  - pytorch::PyTorch=2.1.0=py3.10_cuda11.8*
  - 'numpy >=1.22,<2'
  - pip
  - pip:
      - -r more.txt
      - -c bounds.txt
      - --extra-index-url https://index.example/simple
      - "transformers[torch]>=4.30  # pinned soon"
      - -e ./package
      - git+https://git.example/tool.git@v1#egg=tool
platforms:
  - linux-64
variables:
  A: b
prefix: /opt/envs/trainer
"""


def read(text: str) -> Source:
    return conda_env.read(SourceText("environment.yml", text))


def only(source: Source, name: str) -> Requirement:
    found = [requirement for requirement in source.requirements if requirement.name == name]
    assert len(found) == 1, source.requirements
    return found[0]


def told(source: Source) -> list[tuple[str, int, bool]]:
    return [(p.kind, p.span.line, p.fatal) for p in source.problems]


def test_a_full_file() -> None:
    source = read(FULL)
    assert source.problems == ()
    assert source.kind == "conda-env"
    assert [(r.name, r.ecosystem, r.span.line, r.group) for r in source.requirements] == [
        ("python", CONDA, 7, "main"),
        ("pytorch", CONDA, 8, "main"),
        ("numpy", CONDA, 9, "main"),
        ("pip", CONDA, 10, "main"),
        ("transformers", PYPI, 15, "main"),
        ("", PYPI, 16, "main"),
        ("tool", PYPI, 17, "main"),
    ]
    assert [c.name for c in source.channels] == [
        "pytorch",
        "conda-forge",
        "https://10.0.0.1:8443/internal",
    ]
    assert [c.span.text for c in source.channels] == [c.name for c in source.channels]
    assert [(i.target, i.constraint) for i in source.includes] == [
        ("more.txt", False),
        ("bounds.txt", True),
    ]
    assert [(i.kind, i.url) for i in source.indexes] == [("extra", "https://index.example/simple")]


def test_statements() -> None:
    found = [(s.subject, s.value, s.span.text, s.binding) for s in read(FULL).statements]
    assert found == [
        ("environment", "trainer", "trainer", False),
        ("python", "=3.10", "=3.10", True),
        ("platform", "linux-64", "linux-64", True),
        ("prefix", "/opt/envs/trainer", "/opt/envs/trainer", False),
    ]
    versions = read(FULL).statements[1].versions
    assert versions is not None
    assert versions.text == "==3.10.*"


def test_spans_reach_the_parts() -> None:
    found = only(read(FULL), "numpy")
    assert found.span.text == "numpy >=1.22,<2"
    assert found.specifier_span is not None
    assert found.specifier_span.text == ">=1.22,<2"
    assert only(read(FULL), "pytorch").name_span is not None


def test_of_several_pip_sections_conda_keeps_the_last_and_all_are_read() -> None:
    source = read(
        "dependencies:\n  - pip:\n    - one\n  - numpy\n  - pip:\n    - two\n"
        "  - pip:\n    - three\n"
    )
    assert [r.name for r in source.requirements] == ["one", "numpy", "two", "three"]
    assert told(source) == [(DROPPED_SECTION, 2, False), (DROPPED_SECTION, 5, False)]
    assert source.problems[0].span.text == "pip"
    assert "conda installs only the last of 3" in source.problems[0].detail
    assert "mamba installs all" in source.problems[0].detail
    assert source.problems[0].related[0][0].line == 7


@pytest.mark.parametrize(
    "text",
    [
        "channels:\n  - defaults\n",
        "dependencies:\n",
        "dependencies: []\nname: x\n",
        "dependencies:\n  - pip\n  - pip:\n",
        "dependencies:\n  - pip:\n  - pip:\n    - one\n",
        "dependencies:\n  - pip: >\n",
        "dependencies:\n  - pip: ''\n  - pip: |+\n\n\n  - numpy\n",
        "dependencies:\n  - requests[security]\n  - scikit-learn>=1.5.*\n  - NumPy\n",
        "dependencies: [numpy, 'scipy=1.9']\n",
        "---\ndependencies:\n- numpy\n...\n",
        "dependencies:\n  - https://10.0.0.1:443::flask=1.0.2\n",
        "# {{ a comment }}\ndependencies:\n  - numpy # {% here %}\n",
        "name: 1.2\ndependencies: &d\n  - numpy\ncustom: *d\n",
    ],
)
def test_nothing_is_said_of_what_conda_accepts(text: str) -> None:
    assert read(text).problems == ()


@pytest.mark.parametrize(
    ("text", "detail", "help_", "names"),
    [
        (
            "dependencies:\n  - numpy: 1.2\n",
            "conda knows no installer numpy: behind a colon it takes only pip's packages",
            "write numpy=1.2",
            ["numpy"],
        ),
        (
            "dependencies:\n  - numpy: '>=1.2'\n",
            "conda knows no installer numpy: behind a colon it takes only pip's packages",
            "write numpy>=1.2",
            ["numpy"],
        ),
        (
            "dependencies:\n  - numpy:\n",
            "conda knows no installer numpy: behind a colon it takes only pip's packages",
            "drop the colon",
            ["numpy"],
        ),
        (
            "dependencies:\n  - 1.2\n",
            "'1.2' is no text; conda takes package names and pip: here",
            "",
            [],
        ),
        (
            "dependencies:\n  -\n  - scipy\n",
            "'' is no text; conda takes package names and pip: here",
            "remove the empty entry",
            ["scipy"],
        ),
        (
            "dependencies:\n  - [numpy]\n",
            "a list in a list; conda takes package names and pip: here",
            "",
            [],
        ),
        ("dependencies:\n  - numpy=>1.2\n", "=> is no operator", "write numpy>=1.2", ["numpy"]),
        (
            "dependencies:\n  numpy: 1.2\n",
            "conda takes a list of strings here",
            "begin each entry with - and a blank",
            ["numpy"],
        ),
        (
            "dependencies: numpy\n",
            "conda takes a list of strings here",
            "put - before numpy, on its own line",
            ["numpy"],
        ),
        (
            "dependencies:\n  - pip: numpy\n",
            "pip's packages are a list",
            "put - before numpy, on its own line",
            ["numpy"],
        ),
        (
            "dependencies:\n  - pip:\n      numpy: 1\n",
            "pip's packages are a list",
            "begin each entry with -",
            [],
        ),
        (
            "dependencies:\n  - pip:\n      - numpy: 1\n",
            "pip takes one line of a requirements file here",
            "",
            [],
        ),
        (
            "channels: conda-forge\ndependencies: []\n",
            "conda takes a list of strings here",
            "put - before conda-forge, on its own line",
            [],
        ),
    ],
)
def test_what_conda_stops_at(text: str, detail: str, help_: str, names: list[str]) -> None:
    source = read(text)
    assert [(p.kind, p.detail, p.help) for p in source.problems] == [
        (UNREADABLE_LINE, detail, help_)
    ]
    assert source.problems[0].fatal
    assert [r.name for r in source.requirements] == names


def test_a_key_twice_is_told_once_and_both_sections_are_read() -> None:
    source = read("dependencies: [one]\ndependencies: [two]\ndependencies: [three]\n")
    assert told(source) == [(DROPPED_SECTION, 2, True)]
    assert [r.name for r in source.requirements] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("dependecies:\n  - numpy\n", "write dependencies"),
        ("chanels: [x]\ndependencies: []\n", "write channels"),
        (
            "dependencies: [numpy]\npip: [scipy]\n",
            "pip: belongs into the list of dependencies, as one of its entries",
        ),
    ],
)
def test_a_section_that_conda_passes_over(text: str, help_: str) -> None:
    source = read(text)
    assert [(p.kind, p.help, p.fatal) for p in source.problems] == [(DROPPED_SECTION, help_, False)]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- numpy\n", "just text\n"])
def test_what_is_no_environment_file(text: str) -> None:
    assert told(read(text)) == [(NOT_A_MANIFEST, 1, True)]


def test_another_kind_of_file() -> None:
    assert told(read("seed: 1\nmodel: x\n")) == [(NOT_A_MANIFEST, 1, False)]


def test_a_template_keeps_the_rest_readable() -> None:
    source = read(
        "name: {{ name }}\ndependencies:\n{% if gpu %}\n  - pytorch={{ version }}\n{% endif %}\n"
        '  - {{ extra }}\n  - numpy=1.22\n  - pip:\n    - "tool=={{ tool }}"\n'
    )
    assert told(source) == [(TEMPLATE, line, False) for line in (1, 3, 4, 5, 6, 9)]
    assert [(r.name, r.ecosystem, r.versions.understood) for r in source.requirements] == [
        ("pytorch", CONDA, False),
        ("numpy", CONDA, True),
        ("tool", PYPI, False),
    ]
    assert source.requirements[0].name_span is not None
    assert source.requirements[0].name_span.text == "pytorch"


def test_a_variable_of_the_shell_is_a_template_too() -> None:
    source = read("dependencies:\n  - numpy=${VERSION}\n")
    assert told(source) == [(TEMPLATE, 2, False)]
    assert only(source, "numpy").versions.text == "=${VERSION}"


@pytest.mark.parametrize(
    ("entry", "marker"),
    [
        ("pywin32  # [win]", 'sys_platform == "win32"'),
        ("pywin32  # [ not win ]", 'sys_platform != "win32"'),
        ("'a=1' #[linux64]", 'sys_platform == "linux" and platform_machine == "x86_64"'),
        ("sel(osx): appnope", 'sys_platform == "darwin"'),
        ("a  # [py>=36]", None),
        ("a  # see [1] and [linux]", None),
        ("sel(py36): a", None),
    ],
)
def test_selectors(entry: str, marker: str | None) -> None:
    source = read(f"dependencies:\n  - {entry}\n")
    assert source.problems == ()
    assert [str(r.marker) if r.marker else None for r in source.requirements] == [marker]


def test_a_selector_for_a_list() -> None:
    source = read("dependencies:\n  - sel(linux):\n    - a\n    - b=1\n")
    assert [(r.name, str(r.marker)) for r in source.requirements] == [
        ("a", 'sys_platform == "linux"'),
        ("b", 'sys_platform == "linux"'),
    ]


def test_a_category_is_the_group() -> None:
    source = read("category: dev\ndependencies:\n  - pytest\n  - pip:\n    - black\n")
    assert [r.group for r in source.requirements] == ["dev", "dev"]


@pytest.mark.parametrize(
    ("entries", "author", "platform"),
    [
        (["ld_impl_linux-64=2.38=h1_1", "a=1=h2_0", "b=2.1=3"], "conda env export", "linux-64"),
        (["_libgcc_mutex=0.1=main", "a=1=h2_0", "b=2.1=3"], "conda env export", "linux-64"),
        (["vs2015_runtime=14.27=h1", "a=1=h2_0", "b=2.1=3"], "conda env export", "win-64"),
        (["libcxx=14.0.6=h9", "a=1=h2_0", "b=2.1=3"], "conda env export", "osx-64"),
        (["gcc_linux-aarch64=14.*", "a"], "", "linux-aarch64"),
        (["a=1=cuda*", "b", "c=1"], "", ""),
        (["libcxx", "a"], "", ""),
    ],
)
def test_what_wrote_it_and_for_what(entries: list[str], author: str, platform: str) -> None:
    source = read("dependencies:\n" + "".join(f"  - {entry}\n" for entry in entries))
    assert (source.generated_by, source.platform) == (author, platform)


def test_a_prefix_tells_an_export() -> None:
    assert read(FULL).generated_by == "conda env export"


def test_a_python_env_of_mlflow() -> None:
    source = read(
        "python: 3.9.7\nbuild_dependencies:\n- wheel==0.38\ndependencies:\n- -r requirements.txt\n"
    )
    assert source.kind == "python-env"
    assert source.problems == ()
    assert [(r.name, r.ecosystem, r.group) for r in source.requirements] == [("wheel", PYPI, BUILD)]
    assert [(s.subject, s.value) for s in source.statements] == [("python", "3.9.7")]
    assert [i.target for i in source.includes] == ["requirements.txt"]


def test_a_conflict_and_broken_yaml() -> None:
    conflict = read("dependencies:\n<<<<<<< HEAD\n- a=1\n=======\n- a=2\n>>>>>>> x\n- b\n")
    assert told(conflict) == [(MERGE_CONFLICT, 2, True)]
    assert [r.name for r in conflict.requirements] == ["a", "a", "b"]
    tabs = read("dependencies:\n  - a\n\t- b\n")
    assert told(tabs) == [(UNREADABLE_FILE, 3, True)]


def test_a_block_of_pip_lines() -> None:
    source = read("dependencies:\n  - pip:\n    - |\n      one==1  # why\n\n      two\n")
    assert [(r.name, r.span.line, r.span.text) for r in source.requirements] == [
        ("one", 4, "one==1"),
        ("two", 6, "two"),
    ]


@pytest.mark.parametrize(
    "entries",
    [
        "- a" + "=" * 50_000,
        "- a " + "^" * 50_000,
        "- a" + "[x=" * 20_000 + "]",
        "- a " + "(" * 20_000 + ")" * 20_000,
        "- a>" + "1," * 50_000 + "2",
        "- " + "{%" * 50_000,
        "- " + "{{" * 50_000 + "\n}}",
        "- " + "- " * 50_000,
        "- pip: |\n" + "    one\n" * 5_000,
    ],
)
def test_hostile_files_take_no_time(entries: str) -> None:
    started = time.perf_counter()
    read(f"dependencies:\n{entries}\n")
    assert time.perf_counter() - started < 2


DAMAGE = (
    ["\t", "{{ x }}", "{%", "- pip:\n", "a: &b\n", "*b", "'", '"', "[", "]", ": ", "|\n", "\r\n"],
    ["\ufeff", "😀", "\x00", "<<<<<<< a\n", ">>>>>>> b\n", "#", "---\n", "? ", "~"],
)
PARTS = st.sampled_from([*FULL.splitlines(keepends=True), *DAMAGE[0], *DAMAGE[1]])


@given(st.lists(PARTS, max_size=25).map("".join))
@settings(max_examples=300)
def test_nothing_makes_it_fail_and_spans_hold(text: str) -> None:
    source = read(text)
    for requirement in source.requirements:
        for span in (requirement.span, requirement.name_span, requirement.specifier_span):
            assert span is None or 0 <= span.start <= span.end <= len(text)
        if requirement.name_span is not None:
            assert requirement.name_span.text == requirement.written
    for problem in source.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
