"""Poetry's tables in pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlenv.model.source import TEMPLATE, UNREADABLE_LINE, Source
from mlenv.model.text import SourceText
from mlenv.project.manifests.pyproject import read

if TYPE_CHECKING:
    from mlenv.model.requirement import Requirement


def source(text: str) -> Source:
    return read(SourceText("pyproject.toml", text))


def dependency(value: str) -> Requirement:
    found = source(f"[tool.poetry.dependencies]\ntorch = {value}\n")
    assert found.problems == ()
    (requirement,) = found.requirements
    return requirement


def test_a_constraint_and_its_spans() -> None:
    found = dependency('"^2.1"')
    assert (found.name, found.versions.text, found.group) == ("torch", "<3.0,>=2.1", "main")
    assert found.span.text == 'torch = "^2.1"'
    assert found.name_span is not None
    assert found.name_span.text == "torch"
    assert found.specifier_span is not None
    assert found.specifier_span.text == "^2.1"


def test_a_table_and_its_spans() -> None:
    found = dependency('{ extras = ["B_x", "a"], version = " 2.1.* ", source = "cu" }')
    assert (found.extras, found.versions.text, found.index) == (("a", "b-x"), "==2.1.*", "cu")
    assert found.span.text.startswith("torch = {")
    assert found.span.text.endswith("}")
    assert found.specifier_span is not None
    assert found.specifier_span.text == "2.1.*"


def test_a_table_under_its_own_header() -> None:
    found = source('[tool.poetry.dependencies.torch]\nversion = "~2.1"\nsource = "cu"\n')
    (torch,) = found.requirements
    assert torch.versions.text == "<2.2,>=2.1"
    assert torch.span.text == found.text.text.rstrip()
    assert torch.name_span is not None
    assert torch.name_span.text == "torch"


@pytest.mark.parametrize(
    ("value", "url", "commit", "floating"),
    [
        ('{ git = "https://git.example/t", rev = "abcdef0123" }', True, "abcdef0123", ""),
        ('{ git = "https://git.example/t", rev = "my-branch" }', True, "", "my-branch"),
        ('{ git = "https://git.example/t", tag = "v1" }', True, "", "v1"),
        ('{ git = "git+https://git.example/t", branch = "main" }', True, "", "main"),
    ],
)
def test_repositories(value: str, url: bool, commit: str, floating: str) -> None:
    found = dependency(value)
    assert (found.url == "git+https://git.example/t") == url
    assert (found.commit, found.floating, found.is_vcs) == (commit, floating, True)
    assert found.specifier_span is None


def test_paths_and_urls() -> None:
    local = dependency('{ path = "../torch", develop = true }')
    assert (local.path, local.editable) == ("../torch", True)
    assert dependency('{ file = "t.whl" }').path == "t.whl"
    assert dependency('{ url = "https://files.example/t.whl" }').url.endswith("t.whl")


@pytest.mark.parametrize(
    ("keys", "marker"),
    [
        ("""markers = "extra == 'x'" """, 'extra == "x"'),
        ('python = "^3.8"', 'python_version >= "3.8" and python_version < "4.0"'),
        ('python = "3.9.*"', 'python_version == "3.9.*"'),
        ('python = ">=3.8.1"', 'python_full_version >= "3.8.1"'),
        ('python = "3.8 || >3.9"', 'python_version == "3.8" or python_version > "3.9"'),
        ('python = "*"', None),
        ('platform = "linux"', 'sys_platform == "linux"'),
        ('platform = "!=win32"', 'sys_platform != "win32"'),
        ('platform = "linux || darwin"', 'sys_platform == "linux" or sys_platform == "darwin"'),
        (
            """markers = "os_name == 'nt' or extra == 'x'", python = "<3.9" """,
            '(os_name == "nt" or extra == "x") and python_version < "3.9"',
        ),
    ],
)
def test_conditions_become_a_marker(keys: str, marker: str | None) -> None:
    found = dependency(f'{{ version = "1", {keys} }}').marker
    assert (None if found is None else str(found)) == marker


def test_several_constraints() -> None:
    found = source(
        "[tool.poetry.dependencies]\ntorch = [\n"
        '  { version = "1.13", python = "<3.11" },\n  { version = "2.1", python = ">=3.11" },\n]\n'
    )
    assert [(r.versions.text, r.span.line) for r in found.requirements] == [
        ("==1.13", 3),
        ("==2.1", 4),
    ]
    assert [str(r.marker) for r in found.requirements] == [
        'python_version < "3.11"',
        'python_version >= "3.11"',
    ]
    assert {r.name_span.line for r in found.requirements if r.name_span} == {2}


def test_python_is_a_statement() -> None:
    found = source('[tool.poetry.dependencies]\npython = "^3.9"\n')
    (python,) = found.statements
    assert (python.subject, python.value, python.span.text) == ("python", "^3.9", "^3.9")
    assert python.versions is not None
    assert python.versions.text == "<4.0,>=3.9"
    assert found.requirements == ()


def test_groups_and_extras() -> None:
    found = source(
        "[tool.poetry.dependencies]\n"
        'a = { version = "1", optional = true }\nb = { version = "1", optional = true }\n'
        'c = "1"\nB_oth = { version = "*", optional = true }\n'
        '[tool.poetry.extras]\nGpu = ["a", "c"]\nall = ["a", "b-oth"]\n'
        '[tool.poetry.dev-dependencies]\nd = "1"\n'
        '[tool.poetry.group.Docs]\ninclude-groups = ["test"]\n'
        '[tool.poetry.group.Docs.dependencies]\ne = "*"\n'
    )
    assert [(r.name, r.group) for r in found.requirements] == [
        ("a", "extra:gpu"),
        ("a", "extra:all"),
        ("b", "extra:optional"),
        ("c", "main"),
        ("b-oth", "extra:all"),
        ("d", "group:dev"),
        ("e", "group:docs"),
    ]
    assert found.groups.includes == {"group:docs": ("group:test",)}


def test_sources() -> None:
    found = source(
        "".join(
            f'[[tool.poetry.source]]\nname = "{name}"\nurl = "https://index.example/{name}"\n{rest}\n'
            for name, rest in (
                ("a", ""),
                ("b", 'priority = "primary"'),
                ("c", 'priority = "supplemental"'),
                ("d", 'priority = "explicit"'),
                ("e", "secondary = true"),
                ("f", "default = true"),
            )
        )
        + '[[tool.poetry.source]]\nname = "PyPI"\npriority = "explicit"\n'
    )
    assert [(i.name, i.kind) for i in found.indexes] == [
        ("a", "index"),
        ("b", "index"),
        ("c", "extra"),
        ("d", "explicit"),
        ("e", "extra"),
        ("f", "index"),
        ("PyPI", "explicit"),
    ]


def test_beside_project_dependencies_the_table_only_completes_them() -> None:
    text = (
        '[project]\ndependencies = ["torch>=2", "numpy"]\n'
        '[tool.poetry.dependencies]\ntorch = { source = "cu" }\nscipy = "1"\n'
    )
    found = source(text)
    assert [(r.name, r.index, r.versions.text) for r in found.requirements] == [
        ("torch", "cu", ">=2"),
        ("numpy", "", ""),
    ]
    dynamic = source(text.replace("[project]", '[project]\ndynamic = ["dependencies"]'))
    assert [r.name for r in dynamic.requirements] == ["torch", "numpy", "torch", "scipy"]


def test_what_is_no_constraint_is_a_problem_and_keeps_its_name() -> None:
    found = source('[tool.poetry.dependencies]\ntorch = "latest"\nnumpy = 1\n')
    refused, wrong = found.problems
    assert (refused.kind, refused.subject, refused.span.text) == (
        UNREADABLE_LINE,
        "torch",
        "latest",
    )
    assert wrong.detail == "numpy: expected a string or a table, found a number"
    (torch,) = found.requirements
    assert not torch.versions.understood


def test_a_templated_constraint_is_no_error() -> None:
    found = source('[tool.poetry.dependencies]\ntorch = "{{ cookiecutter.torch }}"\n')
    assert [(p.kind, p.fatal) for p in found.problems] == [(TEMPLATE, False)]
    assert [r.name for r in found.requirements] == ["torch"]


def test_a_quoted_name_is_spanned_without_quotes() -> None:
    (found,) = source('[tool.poetry.dependencies]\n"zope.interface" = "*"\n').requirements
    assert (found.name, found.written) == ("zope-interface", "zope.interface")
    assert found.name_span is not None
    assert found.name_span.text == "zope.interface"
    assert found.span.text == '"zope.interface" = "*"'
