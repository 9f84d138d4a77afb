"""pyproject.toml: the standard tables, and all that can be wrong with a file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.model.source import (
    MERGE_CONFLICT,
    TEMPLATE,
    UNKNOWN_GROUP,
    UNREADABLE_FILE,
    UNREADABLE_LINE,
    Source,
)
from mlenv.model.text import SourceText
from mlenv.project.manifests.pyproject import read

if TYPE_CHECKING:
    from mlenv.model.requirement import Requirement


def source(text: str) -> Source:
    found = read(SourceText("pyproject.toml", text))
    for requirement in found.requirements:
        if requirement.name_span is not None:
            assert requirement.name_span.text == requirement.written
    return found


def only(found: Source) -> Requirement:
    (requirement,) = found.requirements
    return requirement


def by_group(found: Source) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for requirement in found.requirements:
        groups.setdefault(requirement.group, []).append(requirement.name)
    return groups


STANDARD = """\
[build-system]
requires = ["setuptools>=61", 'wheel']

[project]
name = "My_Project"
requires-python = ">=3.9,<3.13"
dependencies = [
    "torch ==2.1.0 ; sys_platform == 'linux'",  # "a comment"
    'Pillow[tests] (>=10)',
    "x @ https://files.example/x-1.0-py3-none-any.whl",
]

[project.optional-dependencies]
GPU_extra = ["xformers>=0.0.22"]
all = ["my-project[gpu_extra,docs]"]

[dependency-groups]
Test = ["pytest", {include-group = "lint"}]
lint = ["ruff"]
"""


def test_standard_tables() -> None:
    found = source(STANDARD)
    assert found.problems == ()
    assert by_group(found) == {
        "build": ["setuptools", "wheel"],
        "main": ["torch", "pillow", "x"],
        "extra:gpu-extra": ["xformers"],
        "extra:all": ["my-project"],
        "group:test": ["pytest"],
        "group:lint": ["ruff"],
    }
    assert found.groups.includes == {
        "extra:all": ("extra:docs", "extra:gpu-extra"),
        "group:test": ("group:lint",),
    }
    assert found.groups.standalone == {"build"}
    (python,) = found.statements
    assert (python.subject, python.value, python.span.line) == ("python", ">=3.9,<3.13", 6)
    assert found.packaging is not None
    assert (found.packaging.name, found.packaging.published) == ("my-project", False)


@pytest.mark.parametrize("text", [STANDARD, STANDARD.replace("\n", "\r\n")])
def test_spans_slice_to_the_parts(text: str) -> None:
    torch = next(r for r in source(text).requirements if r.name == "torch")
    assert torch.span.text == "torch ==2.1.0 ; sys_platform == 'linux'"
    assert torch.specifier_span is not None
    assert torch.specifier_span.text == "==2.1.0"
    assert torch.span.line == 8
    assert str(torch.marker) == 'sys_platform == "linux"'


def test_an_escaped_string_has_no_inner_spans() -> None:
    found = only(source('[project]\ndependencies = ["tor\\u0063h==2.0"]\n'))
    assert (found.name, found.versions.text) == ("torch", "==2.0")
    assert found.span.text == "tor\\u0063h==2.0"
    assert (found.name_span, found.specifier_span) == (None, None)


def test_an_extra_and_a_group_may_share_a_name() -> None:
    found = source(
        '[project.optional-dependencies]\ndev = ["a"]\n[dependency-groups]\ndev = ["b"]\n'
    )
    assert by_group(found) == {"extra:dev": ["a"], "group:dev": ["b"]}


def test_requirements_come_in_the_order_of_the_file() -> None:
    found = source('[dependency-groups]\ndev = ["b"]\n[project]\ndependencies = ["a"]\n')
    assert [r.name for r in found.requirements] == ["b", "a"]


def test_dependencies_from_other_files() -> None:
    found = source(
        "[tool.setuptools.dynamic]\n"
        'dependencies = { file = "requirements.txt" }\n'
        'optional-dependencies.gpu = { file = ["gpu.txt", "cuda.txt"] }\n'
        "[tool.hatch.metadata.hooks.requirements_txt]\n"
        'files = ["base.txt"]\n'
        'optional-dependencies.Docs = ["docs.txt"]\n'
    )
    assert [(i.target, i.group, i.span.text) for i in found.includes] == [
        ("requirements.txt", "main", "requirements.txt"),
        ("gpu.txt", "extra:gpu", "gpu.txt"),
        ("cuda.txt", "extra:gpu", "cuda.txt"),
        ("base.txt", "main", "base.txt"),
        ("docs.txt", "extra:docs", "docs.txt"),
    ]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('[project]\ndependencies = "torch"\n', "dependencies: expected a list, found a string"),
        ("[project]\ndependencies = [1]\n", "expected a string, found a number"),
        ("[project.dependencies]\na = 1\n", "dependencies: expected a list, found a table"),
        ("project = 3\n", "project: expected a table, found a number"),
        ("[project]\nrequires-python = 3.9\n", "requires-python: expected a string, found another"),
        ("[dependency-groups]\na = [[]]\n", "expected a string or an include-group table"),
        ("[tool.uv]\nindex = ['x']\n", "expected a table, found a string"),
        ('[project]\nrequires-python = ">=3.*"\n', "'>=3.*' is no version constraint of PEP 440"),
    ],
)
def test_wrong_types_are_problems(text: str, detail: str) -> None:
    (problem,) = source(text).problems
    assert problem.kind == UNREADABLE_LINE
    assert problem.detail.startswith(detail)
    assert problem.span.text


def test_a_refused_requirement_leaves_its_outline() -> None:
    found = source('[project]\ndependencies = ["numpy", "scipy=1.2"]\n')
    (problem,) = found.problems
    assert (problem.kind, problem.subject, problem.span.text) == (
        UNREADABLE_LINE,
        "scipy",
        "scipy=1.2",
    )
    assert "scipy==1.2" in problem.help
    assert [r.name for r in found.requirements] == ["numpy", "scipy"]


def test_an_unknown_group_is_a_problem() -> None:
    (problem,) = source('[dependency-groups]\na = [{include-group = "b"}]\n').problems
    assert (problem.kind, problem.detail, problem.span.text) == (UNKNOWN_GROUP, "b", "b")


def test_templates_are_not_errors() -> None:
    found = source(
        "{% if gpu %}\n{# note #}\n{% endif %}\n"
        '[project]\nname = "{{ cookiecutter.name }}"\ndependencies = ["a~={{ version }}", "b"]\n'
    )
    assert {(p.kind, p.fatal) for p in found.problems} == {(TEMPLATE, False)}
    assert [r.name for r in found.requirements] == ["a", "b"]
    assert found.packaging is not None
    assert found.packaging.name == ""


def test_an_error_in_the_syntax_has_its_line() -> None:
    found = source('[project]\nname = "x"\ndependencies = ["a"\nversion = "1"\n')
    (problem,) = found.problems
    assert problem.kind == UNREADABLE_FILE
    assert problem.span.line >= 3
    assert found.requirements == ()


def test_both_sides_of_a_conflict_are_read() -> None:
    found = source(
        "[project]\ndependencies = [\n<<<<<<< HEAD\n  'a',\n=======\n  'b',\n>>>>>>> other\n]\n"
    )
    (problem,) = found.problems
    assert (problem.kind, problem.span.line) == (MERGE_CONFLICT, 3)
    assert [span.line for span, _ in problem.related] == [5, 7]
    assert [(r.name, r.span.line) for r in found.requirements] == [("a", 4), ("b", 6)]


def test_of_sides_that_contradict_the_first_is_read() -> None:
    found = source(
        "[project]\n<<<<<<< HEAD\ndependencies = ['a']\n||||||| base\ndependencies = []\n"
        "=======\ndependencies = ['b']\n>>>>>>> other\nname = 'x'\n"
    )
    assert [problem.kind for problem in found.problems] == [MERGE_CONFLICT]
    assert [r.name for r in found.requirements] == ["a"]
    assert found.packaging is not None
    assert found.packaging.name == "x"


def test_a_marker_that_was_left_is_a_conflict() -> None:
    found = source("[project]\ndependencies = ['a']\n>>>>>>> origin/main\n")
    (problem,) = found.problems
    assert (problem.kind, problem.span.line) == (MERGE_CONFLICT, 3)
    assert [r.name for r in found.requirements] == ["a"]


PUBLISHED = """\
[build-system]
requires = ["hatchling"]
[project]
name = "x"
keywords = ["a"]
classifiers = ["Programming Language :: Python"]
"""


@pytest.mark.parametrize(
    ("text", "published"),
    [
        (PUBLISHED, True),
        (PUBLISHED.replace("Programming Language", "Private"), False),
        (PUBLISHED + "[tool.uv]\npackage = false\n", False),
        (PUBLISHED.replace("[build-system]", "[other]"), False),
        ('[tool.poetry]\nname = "x"\nhomepage = "https://index.example/x"\n', True),
        (
            '[tool.poetry]\nname = "x"\nhomepage = "https://a.example"\npackage-mode = false\n',
            False,
        ),
        ('[tool.poetry]\nname = "x"\nreadme = "README.md"\n', False),
        (PUBLISHED + "dependencies = ['a @ git+https://git.example/a']\n", False),
    ],
)
def test_published_is_a_backend_with_metadata(text: str, published: bool) -> None:
    packaging = source(text).packaging
    assert packaging is not None
    assert packaging.published == published
    assert packaging.name == "x"


@pytest.mark.parametrize(
    ("text", "manager"),
    [
        ("[tool.uv]\n[tool.hatch.envs.default]\n", "uv"),
        ("[tool.poetry]\n", "poetry"),
        ("[tool.pdm.dev-dependencies]\n", "pdm"),
        ("[tool.pdm.build]\n", ""),
        ("[tool.hatch.envs.default]\n", "hatch"),
        ("[tool.hatch.build]\n", ""),
        ("[tool.pixi.workspace]\n", "pixi"),
        ("", ""),
    ],
)
def test_manager(text: str, manager: str) -> None:
    packaging = source(text).packaging
    assert packaging is not None
    assert packaging.manager == manager


FRAGMENTS = st.sampled_from(
    [
        "[project]\n",
        "[dependency-groups]\n",
        "[tool.uv]\n",
        "[tool.uv.sources]\n",
        "[tool.poetry]\n",
        "[tool.poetry.dependencies]\n",
        "[tool.poetry.extras]\n",
        "[[tool.poetry.source]]\n",
        "[tool.pdm]\n",
        "[tool.hatch.envs.a]\n",
        "[tool.pixi.dependencies]\n",
        "[tool.pixi.pypi-dependencies]\n",
        "[tool.pixi.environments]\n",
        "[tool.pixi.workspace]\n",
        "[tool.setuptools.dynamic]\n",
        "<<<<<<< a\n",
        "=======\n",
        ">>>>>>> b\n",
        "{% if x %}\n",
    ]
)
KEYS = st.sampled_from(
    [
        *("name", "dependencies", "a", "torch", "python", "index", "source", "conflicts"),
        *("overrides", "channels", "platforms", "dev-dependencies", "optional-dependencies"),
        *("requires-python", "environments", "workspace", "extras"),
    ]
)
VALUES = st.recursive(
    st.sampled_from(
        ["1", "true", '"a"', '"^1.0"', '"torch>=2"', "'{{ x }}'", '"*"', "''", '"linux-64"']
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(
            st.tuples(
                st.sampled_from(["version", "git", "rev", "optional", "marker", "python", "url"]),
                inner,
            ).map(" = ".join),
            max_size=3,
            unique_by=lambda pair: pair.split()[0],
        ).map(lambda items: f"{{ {', '.join(items)} }}")
    ),
    max_leaves=6,
)
LINES = FRAGMENTS | st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}\n")


@given(st.lists(LINES, max_size=10).map("".join) | st.text(max_size=60))
@settings(max_examples=800)
def test_nothing_raises_and_spans_stay_inside(text: str) -> None:
    found = source(text)
    spans = [r.span for r in found.requirements] + [p.span for p in found.problems]
    spans += [i.span for i in found.indexes] + [s.span for s in found.statements]
    for span in spans:
        assert 0 <= span.start <= span.end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "[project]\ndependencies = [\n" + "  'torch',\n" * 20_000 + "]\n",
        "[project]\ndependencies = [\n"
        + "'torch',\n" * 9_000
        + "]\n[tool.uv.sources]\ntorch = ["
        + "{index='a', marker='x'}," * 9_000
        + "]\n",
        "[tool.poetry.dependencies]\na = ["
        + "{version='1', optional=true}," * 9_000
        + "]\n[tool.poetry.extras]\n"
        + "".join(f"e{i} = ['a']\n" for i in range(9_000)),
        "[dependency-groups]\na = [" + "{include-group='a'}," * 20_000 + "]\n",
        "<<<<<<< a\n" + "=======\n" * 50_000,
        "<<<<<<< a\n||||||| b\n" * 20_000,
    ],
)
def test_hostile_files_take_linear_time(text: str) -> None:
    start = time.perf_counter()
    source(text)
    assert time.perf_counter() - start < 8
