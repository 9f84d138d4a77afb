"""YAML with positions: exact text, bounded size, and an answer to whatever it is given."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlenv.model.source import MERGE_CONFLICT, UNREADABLE_FILE
from mlenv.model.text import SourceText
from mlenv.project.yaml_nodes import Document, Mapping, Node, Scalar, Sequence, read_yaml


def read(text: str) -> Document:
    return read_yaml(SourceText("a.yml", text))


def value_of(text: str, name: str) -> Scalar:
    mapping = read(text).mapping
    assert mapping is not None
    node = mapping.get(name)
    assert isinstance(node, Scalar)
    return node


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping)
    return [(plain(key), plain(value)) for key, value in node.pairs]


def scalars(node: Node | None) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Sequence):
        return [found for item in node.items for found in scalars(item)]
    if isinstance(node, Mapping):
        return [found for pair in node.pairs for part in pair for found in scalars(part)]
    return []


def test_the_tree() -> None:
    document = read("name: x\nlist:\n  - 1\n  - a: {b: [c, 'd']}\n")
    assert document.problems == ()
    assert document.root is not None
    assert plain(document.root) == [
        ("name", "x"),
        ("list", ["1", [("a", [("b", ["c", "d"])])]]),
    ]


@pytest.mark.parametrize(
    ("text", "value", "exact"),
    [
        ("k: plain words", "plain words", True),
        ("k: 'single'", "single", True),
        ('k: "double"', "double", True),
        ("k: &anchor here", "here", True),
        ("k: !!str here", "here", True),
        ("é😀: x\nk: 'ü😀'", "ü😀", True),
        ("\ufeffk: marked", "marked", True),
        ("k: 'it''s'", "it's", False),
        ('k: "a\\\\b"', "a\\b", False),
        ('k: "\\x41"', "A", False),
        ("k: two\n  lines", "two lines", False),
        ("k: >\n  folded\n  text", "folded text", False),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_fragments_slice_to_their_text(text: str, value: str, exact: bool, fast: bool) -> None:
    if fast:
        node = value_of(text, "k")
    else:
        with patch.object(yaml, "CSafeLoader", yaml.SafeLoader):
            node = value_of(text, "k")
    fragment = node.fragment
    assert fragment.text == value
    assert bool(fragment.pieces) == exact
    if exact:
        assert fragment.span(0, len(value)).text == value


def test_lines_of_a_literal_block_keep_their_places() -> None:
    text = "k: |\r\n    pip install one\r\n\r\n    pip install two\r\nend: x\r\n"
    fragment = value_of(text, "k").fragment
    at = fragment.text.index("two")
    assert fragment.span(at, at + 3).text == "two"
    assert fragment.span(at, at + 3).line == 4


@pytest.mark.parametrize(
    ("text", "is_null", "is_text"),
    [
        ("k:", True, False),
        ("k: ~", True, False),
        ("k: null", True, False),
        ("k: ''", False, True),
        ("k: 1.20", False, False),
        ("k: 12_000", False, False),
        ("k: yes", False, False),
        ("k: 1.2.3", False, True),
        ("k: '1.2'", False, True),
    ],
)
def test_what_a_plain_scalar_is(text: str, is_null: bool, is_text: bool) -> None:
    node = value_of(text, "k")
    assert (node.is_null, node.is_text) == (is_null, is_text)


def test_keys_that_occur_twice_are_kept_and_the_last_one_counts() -> None:
    document = read("a: 1\nb: 2\na: 3\n")
    assert document.mapping is not None
    assert [name for name, _, _ in document.mapping.entries()] == ["a", "b", "a"]
    found = document.mapping.get("a")
    assert isinstance(found, Scalar)
    assert found.value == "3"


def test_an_alias_is_the_node_that_it_names() -> None:
    document = read("a: &x [1]\nb: *x\n")
    assert document.mapping is not None
    assert document.mapping.get("a") is document.mapping.get("b")


@pytest.mark.parametrize(
    ("text", "line", "detail"),
    [
        ("a:\n\t- b\n", 2, "YAML is not indented with tabs"),
        ("a: 1\nb: [1\nc: 2\n", 3, "while parsing a flow sequence"),
        ("a: 1\nb: \x01\n", 2, "control characters are not allowed"),
        ("a: 1\nb: \ud800\n", 2, "half of a surrogate pair is no character"),
        ("a: *b\n", 1, "*b stands for nothing that was read before it"),
        ("a: &b [*b]\n", 1, "*b stands for nothing that was read before it"),
        ("a: 1\n---\nb: 2\n", 2, "a second document, of which nothing is read"),
        ("a: " + "[" * 500, 1, "nests deeper than 100 levels"),
        ("- " * 500, 1, "nests deeper than 100 levels"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, line: int, detail: str) -> None:
    problems = read(text).problems
    assert [problem.kind for problem in problems] == [UNREADABLE_FILE]
    assert problems[0].span.line == line
    assert problems[0].detail.startswith(detail)


def test_what_stands_before_an_error_is_kept() -> None:
    document = read("a: 1\nb:\n  - one\n  - two\n  - [three\n")
    assert document.problems
    assert document.root is not None
    assert plain(document.root)[:1] == [("a", "1")]
    assert "two" in [scalar.value for scalar in scalars(document.root)]


def test_a_bomb_of_aliases_is_refused() -> None:
    levels = "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(10)
    )
    document = read("a: &a [x,x,x,x,x,x,x,x,x]\n" + levels)
    assert document.root is None
    assert document.problems[0].detail == "aliases expand to too many values"


def test_a_conflict_is_reported_once_and_both_sides_are_read() -> None:
    text = "a:\n  - 1\n<<<<<<< HEAD\n  - 2\n=======\n  - 3\n>>>>>>> branch\n  - 4\n"
    document = read(text)
    assert [(p.kind, p.span.line, len(p.related)) for p in document.problems] == [
        (MERGE_CONFLICT, 3, 2)
    ]
    assert document.root is not None
    assert plain(document.root) == [("a", ["1", "2", "3", "4"])]


def test_an_empty_file_has_no_root() -> None:
    assert read("# nothing\n").root is None
    assert read("").problems == ()


@given(st.text(alphabet="ab:-?#&*!|>'\"%@`[]{},\n\r\t \\é😀\x85\u2028\ufeff\x00~1", max_size=60))
def test_nothing_makes_it_fail_and_every_span_lies_inside(text: str) -> None:
    document = read(text)
    for problem in document.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
    for scalar in scalars(document.root):
        fragment = scalar.fragment
        assert 0 <= scalar.span.start <= scalar.span.end <= len(text)
        assert fragment.text == scalar.value
        if len(fragment.pieces) == 1 and fragment.text:
            assert fragment.span(0, len(fragment.text)).text == fragment.text


@given(st.recursive(
    st.text(alphabet="abc é😀'\"#:-", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=12,
))  # fmt: skip
def test_what_yaml_writes_is_read_back(data: Any) -> None:
    def pairs(value: Any) -> Any:
        if isinstance(value, dict):
            return [(key, pairs(inner)) for key, inner in value.items()]
        return [pairs(inner) for inner in value] if isinstance(value, list) else value

    document = read(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
    assert document.problems == ()
    assert document.root is not None
    assert plain(document.root) == pairs(data)
