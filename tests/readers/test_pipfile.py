"""Pipfile: pipenv's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlenv.model.source import UNREADABLE_LINE, Source
from mlenv.model.text import SourceText
from mlenv.project.manifests.pipfile import read

if TYPE_CHECKING:
    from mlenv.model.requirement import Requirement


def source(text: str) -> Source:
    return read(SourceText("Pipfile", text))


def package(value: str) -> Requirement:
    found = source(f"[packages]\ntorch = {value}\n")
    assert found.problems == ()
    (requirement,) = found.requirements
    return requirement


def test_tables_are_groups() -> None:
    found = source(
        '[packages]\na = "*"\n[dev-packages]\nb = "*"\n[Docs]\nc = "*"\n'
        '[scripts]\nrun = "python x.py"\n[pipenv]\nallow_prereleases = true\n'
    )
    assert [(r.name, r.group) for r in found.requirements] == [
        ("a", "main"),
        ("b", "group:dev"),
        ("c", "group:docs"),
    ]
    assert found.packaging is not None
    assert found.packaging.manager == "pipenv"


@pytest.mark.parametrize(
    ("value", "versions"),
    [
        ('"*"', ""),
        ('">=2.1, <3"', "<3,>=2.1"),
        ('"2.1.0"', "==2.1.0"),
        ('"~=2.1"', "~=2.1"),
        ('{ version = "*", extras = ["X_y"] }', ""),
        ('{ version = "==2.1" }', "==2.1"),
    ],
)
def test_versions(value: str, versions: str) -> None:
    assert package(value).versions.text == versions


def test_spans() -> None:
    found = package('{ version = ">=2.1", extras = ["X_y"], index = "cu" }')
    assert found.span.text.startswith("torch = {")
    assert found.specifier_span is not None
    assert found.specifier_span.text == ">=2.1"
    assert (found.extras, found.index) == (("x-y",), "cu")


def test_markers_are_joined() -> None:
    found = package(
        '{ version = "*", sys_platform = "== \'linux\'", markers = "python_version < \'3.9\'" }'
    )
    assert str(found.marker) == 'python_version < "3.9" and sys_platform == "linux"'
    refused = source('[packages]\na = { version = "*", os_name = "nt" }\n')
    assert [p.kind for p in refused.problems] == [UNREADABLE_LINE]


@pytest.mark.parametrize(
    ("value", "url", "commit", "floating"),
    [
        ('{ git = "https://g.example/t", ref = "abcdef0123" }', "git+https", "abcdef0123", ""),
        ('{ git = "https://g.example/t", ref = "main" }', "git+https", "", "main"),
        ('{ hg = "https://g.example/t", ref = "tip" }', "hg+https", "", "tip"),
        ('{ file = "https://files.example/t.whl" }', "https", "", ""),
    ],
)
def test_places_to_fetch_from(value: str, url: str, commit: str, floating: str) -> None:
    found = package(value)
    assert found.url.partition(":")[0] == url
    assert (found.commit, found.floating, found.path) == (commit, floating, "")


def test_local_paths() -> None:
    found = package('{ path = ".", editable = true }')
    assert (found.path, found.editable) == (".", True)
    assert package('{ file = "wheels/t.whl" }').path == "wheels/t.whl"


def test_sources() -> None:
    text = (
        '[[source]]\nurl = "https://index.example/simple"\nname = "main"\nverify_ssl = true\n'
        '[[source]]\nurl = "https://u:secret@inner.example:8080/simple"\nname = "inner"\n'
        "verify_ssl = false\n"
    )
    assert [(i.kind, i.name, i.url) for i in source(text).indexes] == [
        ("index", "main", "https://index.example/simple"),
        ("explicit", "inner", "https://u:secret@inner.example:8080/simple"),
        ("trusted-host", "", "inner.example"),
    ]
    assert source(text).indexes[-1].span.text == "verify_ssl = false"
    searching = source(f"{text}[pipenv]\ninstall_search_all_sources = true\n")
    assert [index.kind for index in searching.indexes] == ["index", "extra", "trusted-host"]


@pytest.mark.parametrize(
    ("requires", "value", "versions"),
    [
        ('python_version = "3.9"', "3.9", "==3.9.*"),
        ('python_full_version = "3.9.7"', "3.9.7", "==3.9.7"),
        ('python_version = "3.9"\npython_full_version = "3.9.7"', "3.9.7", "==3.9.7"),
    ],
)
def test_python(requires: str, value: str, versions: str) -> None:
    (statement,) = source(f"[requires]\n{requires}\n").statements
    assert statement.versions is not None
    assert (statement.value, statement.span.text, statement.versions.text) == (
        value,
        value,
        versions,
    )


def test_what_pipenv_refuses() -> None:
    found = source('[packages]\na = "^2.1"\nb = 3\n')
    assert [p.kind for p in found.problems] == [UNREADABLE_LINE, UNREADABLE_LINE]
    assert [(r.name, r.versions.understood) for r in found.requirements] == [("a", False)]
    assert source("[packages\n").problems[0].kind == "unreadable-file"
