"""TOML's places: every string's fragment says what tomli says, in any layout."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import tomli
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mlenv.model.text import SourceText
from mlenv.project.toml_spans import TomlDocument, TomlError, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.project.toml_locator import Path

contents = st.text(alphabet="ab =.#[]{},\"'\\\té\U0001f642", max_size=8)
long_contents = st.text(alphabet="ab #[]'\"\n\\", max_size=12)
bare_keys = st.sampled_from(["a", "b", "c-d", "e_f", "1"])


def literal(text: str) -> str:
    return f"'{text}'" if "'" not in text else json.dumps(text, ensure_ascii=False)


def long_basic(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""\n{escaped}"""'


def long_literal(text: str) -> str:
    return f"'''{text}'''" if "'''" not in text else long_basic(text)


strings = (
    contents.map(lambda text: json.dumps(text, ensure_ascii=False))
    | contents.map(json.dumps)
    | contents.map(literal)
    | long_contents.map(long_basic)
    | long_contents.map(long_literal)
)
scalars = strings | st.sampled_from(["1", "-0.5", "true", "1979-05-27 07:32:00", "inf", "0x1F"])
keys = bare_keys | contents.map(json.dumps) | contents.map(literal)
dotted_keys = st.lists(keys, min_size=1, max_size=3).map(" . ".join) | bare_keys
separators = st.sampled_from([",", ", ", " ,\n  ", ", # ] } ' \"\n"])


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda items, separator, gap: f"[{gap}{separator.join(items)}{gap}]",
        st.lists(values, max_size=4),
        separators,
        st.sampled_from(["", " ", "\n", "# it's \"[\n"]),
    )


def inline_tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(dotted_keys, values).map(" = ".join)
    return st.lists(pairs, max_size=3).map(lambda items: "{ " + ", ".join(items) + " }")


values = st.recursive(scalars, lambda inner: arrays(inner) | inline_tables(inner), max_leaves=8)
statements = (
    st.tuples(dotted_keys, st.sampled_from(["=", " = ", "\t=  "]), values).map("".join)
    | dotted_keys.map(lambda key: f"[{key}]")
    | dotted_keys.map(lambda key: f"[ {key} ]  # [x]")
    | dotted_keys.map(lambda key: f"[[{key}]]")
    | st.sampled_from(["", "# a = 'b'", "  "])
)
documents = st.lists(statements, max_size=8).map("\n".join)


def opened(text: str) -> TomlDocument:
    found = read_toml(SourceText("a.toml", text))
    assert isinstance(found, TomlDocument), found
    return found


def entries(value: object, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from entries(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from entries(item, (*path, position))


def check(text: str) -> None:
    document = opened(text)
    for path, value in entries(document.values):
        assert document.get(path) == value
        if path and isinstance(path[-1], str):
            assert document.key_fragment(path).text == path[-1]
            key = document.key_span(path)
            assert key.text == path[-1] or next(iter(tomli.loads(f'"{key.text}"=1'))) == path[-1]
        if isinstance(value, dict | list):
            continue
        assert tomli.loads(f"a = {document.span(path).text}")["a"] == value
        if isinstance(value, str):
            fragment = document.fragment(path)
            assert fragment.text == value
            assert fragment.pieces == () or fragment.whole.text == value


@given(documents)
@settings(max_examples=600)
def test_places_decode_to_values(text: str) -> None:
    try:
        tomli.loads(text)
    except tomli.TOMLDecodeError:
        assume(False)
    check(text)
    check(text.replace("\n", "\r\n"))


@given(documents | st.text(alphabet="a=.[]{}\"'#\\\r\n ,1\0é", max_size=40))
@settings(max_examples=600)
@example("[[a]]\n[a]\nb = 1\n[a.c]\n")
def test_no_text_raises(text: str) -> None:
    found = read_toml(SourceText("a.toml", text))
    try:
        expected: object = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        expected = error.msg
    if isinstance(found, TomlError):
        assert found.message == expected
        assert 0 <= found.offset <= len(text)
    else:
        assert found.values == expected


def test_spans_of_the_parts() -> None:
    text = (
        'a."b c" = "x"\n[t."u"]\nk = \'y\'\n[[r]]\nn = { m = ["p", {q="\\u0041"}] }\n[[r]]\nn = 2\n'
    )
    document = opened(text)
    assert document.fragment(("a", "b c")).whole.text == "x"
    assert document.key_span(("a", "b c")).text == "b c"
    assert document.entry_span(("a", "b c")).text == '"b c" = "x"'
    assert document.entry_span(("t", "u")).text == "[t.\"u\"]\nk = 'y'"
    assert document.entry_span(("r", 0, "n", "m", 1)).text == '{q="\\u0041"}'
    escaped = document.fragment(("r", 0, "n", "m", 1, "q"))
    assert (escaped.text, escaped.whole.text, escaped.pieces) == ("A", "\\u0041", ())
    assert document.span(("r", 1, "n")).text == "2"
    assert document.key_span(("r", 0, "n", "m", 0)).text == '"p"'


def test_a_table_may_follow_its_sub_tables() -> None:
    document = opened('[a.b]\nc = "1"\n[a]\nd = "2"\n')
    assert document.fragment(("a", "b", "c")).whole.line == 2
    assert document.fragment(("a", "d")).whole.line == 4


def test_what_is_absent_has_no_value_and_a_place_near_by() -> None:
    document = opened('a = "1"\n')
    assert document.get(("a", "b")) is None
    assert document.get(("b", 0)) is None
    assert document.get(("a", 0)) is None
    assert document.fragment(("b",)).text == ""
    assert document.span(("a", "b")).text == '"1"'


def test_blanked_text_keeps_the_places() -> None:
    source = SourceText("a.toml", '<<<<<<< x\na = "1"\n')
    document = read_toml(source, '         \na = "1"\n')
    assert isinstance(document, TomlDocument)
    assert document.fragment(("a",)).whole.line == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\r\nb = \r\n", 2), ("a = 1\na = 2\n", 2), ("[x\n", 1), ("\n\nx y\n", 3), ("a = [", 1)],
)
def test_errors_have_a_line(text: str, line: int) -> None:
    source = SourceText("a.toml", text)
    found = read_toml(source)
    assert isinstance(found, TomlError)
    assert source.position(found.offset)[0] == line


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 500 + "]" * 500,
        "a = " + "{b=" * 500 + "1" + "}" * 500,
        ".".join("a" * 5000) + " = 1",
        "[" + ".".join("a" * 5000) + "]",
        "a = " + "9" * 10_000,
    ],
)
def test_what_nests_too_deeply_is_an_error(text: str) -> None:
    assert isinstance(read_toml(SourceText("a.toml", text)), TomlError)


@pytest.mark.parametrize(
    "unit",
    ["[", "[a]\n", '"', "'''", '"""', "a='", "#\n", "[[a]]\n", "a.", "{", "\\", "a=[\n", "x='1'\n"],
)
def test_hostile_texts_take_linear_time(unit: str) -> None:
    start = time.perf_counter()
    for head in ("", "a = [", 'a = """', "a = ["):
        read_toml(SourceText("a.toml", head + unit * 60_000))
    assert time.perf_counter() - start < 5
