"""devcontainer.json: JSON with comments, the image, its features, and what its hooks install."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spoiled import assert_inside, spoiled

from mlenv.model.source import CONTEXT, UNREADABLE_FILE, Source
from mlenv.model.text import SourceText
from mlenv.project.images import devcontainer
from mlenv.project.json_nodes import read_json, without_comments
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence

SAMPLE = """\
// where the work is done
{
\t"name": "work", /* "image": "old" */
\t"image": "registry.example/python:3.10-bookworm", // the // base
\t"features": {
\t\t"ghcr.io/devcontainers/features/python:1": {"version": "3.10"},
\t\t"ghcr.io/devcontainers/features/nvidia-cuda:1": { "cudaVersion": "11.8", },
\t\t"ghcr.io/devcontainers/features/node:1": {"version": "20"},
\t},
\t"hostRequirements": {"gpu": "optional"},
\t"runArgs": ["--gpus", "all"],
\t"onCreateCommand": {"a": "pip install first", "b": ["pip", "install", "second"]},
\t"postCreateCommand": "pip install 'third>=1' && pip install -r dev/requirements.txt",
\t"initializeCommand": "pip install outside",
}
"""


def read(text: str) -> Source:
    source = devcontainer.read(SourceText(".devcontainer/devcontainer.json", text))
    assert_inside(source)
    return source


def test_everything_that_it_says() -> None:
    source = read(SAMPLE)
    assert (source.kind, source.role, source.problems) == ("devcontainer", CONTEXT, ())
    assert [(s.image, s.span.text) for s in source.stages] == [
        ("registry.example/python:3.10-bookworm", "registry.example/python:3.10-bookworm")
    ]
    assert [(s.subject, s.value, s.span.text) for s in source.statements] == [
        ("python", "3.10", "3.10"),
        ("cuda", "11.8", "11.8"),
        ("gpu", "optional", "optional"),
        ("gpu", "--gpus", "--gpus"),
    ]
    assert source.requirements == ()
    named = [[r.name for r in command.requirements] for command in source.commands]
    assert named == [["first"], ["second"], ["third"], []]
    assert [(i.target, i.anywhere) for i in source.includes] == [("dev/requirements.txt", True)]


def test_a_list_of_words_is_one_command_in_which_nothing_is_a_redirection() -> None:
    words = '["pip", "install", // two\n  "numpy>=1.24", "-r",\n "r.txt"]'
    (command,) = read(f'{{"postCreateCommand": {words}}}').commands
    assert [(r.name, r.versions.text) for r in command.requirements] == [("numpy", ">=1.24")]
    assert command.redirections == ()
    assert [f.target for f in command.files] == ["r.txt"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"features": {"ghcr.io/devcontainers/features/python": "3.12"}}', ["3.12"]),
        ('{"features": {"ghcr.io/devcontainers/features/python:1": {}}}', []),
        ('{"features": {"a/python:1": {"version": "os-provided"}}}', []),
        ('{"features": {"a/python:1": {"version": "latest"}}}', []),
        ('{"hostRequirements": {"gpu": true}}', ["true"]),
        ('{"hostRequirements": {"gpu": false}}', []),
        ('{"hostRequirements": {"gpu": {"cores": 1000}}}', ["true"]),
    ],
)
def test_features_and_machines(text: str, values: list[str]) -> None:
    assert [s.value for s in read(text).statements] == values


def test_what_is_built_has_no_image_here() -> None:
    source = read('{"build": {"dockerfile": "Dockerfile", "args": {"A": "1"}}}')
    assert (source.stages, source.includes) == ((), ())


def test_a_broken_file_is_told() -> None:
    assert [p.kind for p in read('{"image": "a:1", "x": [}').problems] == [UNREADABLE_FILE]


def test_what_json_takes_and_yaml_does_not_is_no_problem() -> None:
    source = read('{"name": "\\ud83d\\ude00", "image": "a:1"}')
    assert source.problems == ()


def plain(node: Node | None) -> object:
    if isinstance(node, Mapping):
        return {key: plain(value) for key, _, value in node.entries()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    return node.value


texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs", "S")), max_size=8)
trees = st.recursive(
    texts, lambda one: st.lists(one, max_size=3) | st.dictionaries(texts, one, max_size=3)
)


@given(tree=trees, indent=st.sampled_from((None, 2, "\t")))
def test_json_is_read_as_json(tree: object, indent: int | str | None) -> None:
    text = json.dumps(tree, ensure_ascii=False, indent=indent)
    document = read_json(SourceText("x.json", text))
    assert document.problems == ()
    assert plain(document.root) == tree
    assert without_comments(text) == text


@given(st.text(alphabet='/*"\\,]} \n\ra', max_size=40))
def test_comments_are_blanked_in_place(text: str) -> None:
    bare = without_comments(text)
    assert len(bare) == len(text)
    assert all(new in (old, " ") for old, new in zip(text, bare, strict=True))


def test_nothing_makes_it_fail() -> None:
    for text in spoiled(SAMPLE, 300):
        read(text)
