"""setup.cfg: configparser's grammar, and the fields that setuptools takes from it."""

from __future__ import annotations

import configparser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlenv.model.requirement import BUILD, MAIN
from mlenv.model.source import CONTEXT, DROPPED_SECTION, MANIFEST, UNREADABLE_LINE, Source
from mlenv.model.text import SourceText
from mlenv.project.ini_lines import InterpolationError, read_ini
from mlenv.project.manifests.setup_cfg import read


def source(text: str) -> Source:
    return read(SourceText("setup.cfg", text))


def listed(found: Source) -> list[tuple[str, str, str]]:
    return [(r.group, r.written, r.versions.text) for r in found.requirements]


def test_fields_become_groups_with_exact_spans() -> None:
    found = source(
        "[metadata]\nname = My_Lib\n"
        "[options]\npython_requires = >=3.9\n"
        "install_requires =\n"
        "    torch >=2.1\n"
        "    # a comment\n"
        "\n"
        "    numpy[x]; python_version < '3.12'  # kept by configparser, dropped by setuptools\n"
        "setup-requires = cython\n"
        "tests_require = pytest>=8; hypothesis\n"
        "[options.extras_require]\nGPU = cupy ; onnx\n"
    )
    assert listed(found) == [
        (MAIN, "torch", ">=2.1"),
        (MAIN, "numpy", ""),
        (BUILD, "cython", ""),
        ("group:tests_require", "pytest", ">=8"),
        ("group:tests_require", "hypothesis", ""),
        ("extra:gpu", "cupy", ""),
        ("extra:gpu", "onnx", ""),
    ]
    torch, numpy, *_ = found.requirements
    assert torch.span.text == "torch >=2.1"
    assert torch.specifier_span is not None
    assert torch.specifier_span.text == ">=2.1"
    assert str(numpy.marker) == 'python_version < "3.12"'
    assert (found.role, found.problems) == (MANIFEST, ())
    assert [(s.subject, s.value, s.span.text) for s in found.statements] == [
        ("python", ">=3.9", ">=3.9")
    ]
    assert found.packaging is not None
    assert (found.packaging.name, found.packaging.published) == ("my-lib", False)
    assert found.groups.standalone == {BUILD}


@pytest.mark.parametrize("key", ["classifiers", "url", "home-page", "home_page", "project_urls"])
def test_metadata_for_an_index_makes_a_published_library(key: str) -> None:
    found = source(f"[metadata]\nname = lib\n{key} = https://lib.example\n")
    assert found.packaging is not None
    assert found.packaging.published
    private = source("[metadata]\nname = lib\nclassifiers = Private :: Do Not Upload\n")
    assert private.packaging is not None
    assert not private.packaging.published


@pytest.mark.parametrize(
    "text",
    [
        "[flake8]\nmax-line-length = 100\nignore =\n    E1\n",
        "[metadata]\nlicense_files = LICENSE\n",
        "[flake8]\na = 1\na = 2\nno delimiter\n",
        "",
    ],
)
def test_settings_of_tools_declare_nothing(text: str) -> None:
    found = source(text)
    assert (found.role, found.packaging, found.requirements) == (CONTEXT, None, ())
    assert found.problems == ()


def test_references_between_values() -> None:
    found = source(
        "[options]\ntorch = 2.1\ninstall_requires =\n    torch==%(torch)s\n    odd%%name\n"
        "[options.extras_require]\na = x\nb =\n    y\n    %(a)s\n    z%(n)s\n    q%(a)s\n"
    )
    assert listed(found)[:1] == [(MAIN, "torch", "==2.1")]
    assert found.requirements[0].span.text == "torch==%(torch)s"
    assert found.requirements[0].name_span is None
    assert found.groups.includes == {"extra:b": ("extra:a",)}
    details = [problem.detail for problem in found.problems]
    assert details[-1] == "b: %(n)s names no value of [options.extras_require]"


def test_references_that_never_end_are_a_problem() -> None:
    circle = source("[options]\na = %(b)s\nb = %(a)s\ninstall_requires = %(a)s\n")
    assert [p.detail for p in circle.problems] == [
        "install_requires: its references nest too deeply"
    ]
    bomb = "".join(f"k{n} = {f'%(k{n + 1})s' * 50}\n" for n in range(8))
    found = source(f"[options]\n{bomb}k8 = x\ninstall_requires = %(k0)s\n")
    assert [p.detail for p in found.problems] == [
        "install_requires: its references stand for too much text"
    ]


def test_files_are_included_for_their_group() -> None:
    found = source(
        "[options]\ninstall_requires = file: requirements.txt\n"
        "[options.extras_require]\ngpu = file:\n    gpu.txt,\n    more/gpu.txt\n"
    )
    assert [(i.target, i.group, i.span.text) for i in found.includes] == [
        ("requirements.txt", MAIN, "requirements.txt"),
        ("gpu.txt", "extra:gpu", "gpu.txt"),
        ("more/gpu.txt", "extra:gpu", "more/gpu.txt"),
    ]
    assert found.role == MANIFEST


def test_a_marker_on_the_line_of_its_key_is_taken_for_a_requirement() -> None:
    found = source("[options]\ninstall_requires = torch; python_version < '3.9'\n")
    assert [r.written for r in found.requirements] == ["torch", "python_version"]
    assert [p.kind for p in found.problems] == [UNREADABLE_LINE]


def test_dependency_links_are_dropped() -> None:
    found = source("[options]\ndependency_links =\n    https://files.example/wheels\n")
    assert [(i.kind, i.url) for i in found.indexes] == [
        ("find-links", "https://files.example/wheels")
    ]
    assert [(p.kind, p.fatal, p.span.text) for p in found.problems] == [
        (DROPPED_SECTION, False, "dependency_links")
    ]


def test_what_setuptools_stops_at() -> None:
    found = source("[options]\ninstall_requires = a\ninstall_requires = b\njust text\n")
    assert [(p.kind, p.span.text) for p in found.problems] == [
        (UNREADABLE_LINE, "install_requires"),
        (UNREADABLE_LINE, "just text"),
    ]
    assert [r.written for r in found.requirements] == ["a"]
    (problem,) = source("[options]\npython_requires = 3.x\n").problems
    assert "no version constraint" in problem.detail


def test_a_project_that_names_itself_brings_its_extras() -> None:
    found = source(
        "[metadata]\nname = lib\n[options.extras_require]\na = x\nall = lib[a]\nb = lib\n"
    )
    assert found.groups.includes == {"extra:all": ("extra:a",)}


@pytest.mark.parametrize(
    "text",
    [
        "[a]\nk = v\n  w\n\n  x\ny : z=1\n[b] trailing\nk=\n   deep\n  less\n more\nq = 1\n",
        "# c\n; c\n[s]\nk = 1\n # inside\n 2\n;k = 3\nj = %%(x)s %(k)s\n",
        "[s]\r\nk = 1\r\n 2\r\n",
        "[a]b]\nk = [x]\n [y]\n",
        "[DEFAULT]\nd = 1\n[s]\nk = %(d)s\n",
    ],
)
def test_the_grammar_is_that_of_configparser(text: str) -> None:
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text.replace("\r\n", "\n"))
    document = read_ini(SourceText("x.cfg", text))
    assert document.errors == []
    assert [n for n in document.sections if n != "DEFAULT"] == parser.sections()
    for name in parser.sections():
        section = document.sections[name]
        for key, value in section.values.items():
            lines = [line.text for line in document.resolved(section, value) if line.text]
            assert lines == [line for line in parser.get(name, key).split("\n") if line]


TOKENS = (
    "[a]",
    "[b]",
    "[DEFAULT]",
    "k",
    "j",
    "=",
    ":",
    " ",
    "  ",
    "\n",
    "#",
    ";",
    "%",
    "%(k)s",
    "]",
)


@given(st.lists(st.sampled_from(TOKENS), max_size=30))
def test_any_text_reads_as_configparser_reads_it(tokens: list[str]) -> None:
    text = "[a]\n" + "".join(tokens)
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    document = read_ini(SourceText("x.cfg", text))
    try:
        parser.read_string(text)
    except configparser.Error:
        assert document.errors
        return
    assert document.errors == []
    for name in parser.sections():
        for key, value in document.sections[name].values.items():
            lines = [line.strip() for line in parser.get(name, key).split("\n") if line.strip()]
            assert [line.text for line in value.lines if line.text] == lines


def test_a_lone_percent_is_refused_as_by_configparser() -> None:
    document = read_ini(SourceText("x.cfg", "[s]\nk = 5% of it\n"))
    section = document.sections["s"]
    with pytest.raises(InterpolationError):
        document.resolved(section, section.values["k"])
