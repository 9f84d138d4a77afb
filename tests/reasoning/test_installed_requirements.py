"""What is required is read at a glance where that will do, and means the same as read in full."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import environment_of

from mlenv.model.marker import MarkerError, holds, parse_condition
from mlenv.reasoning.installed_requirements import Requirements, requirements_of
from mlenv.reasoning.interpreter import variables_of
from mlenv.reasoning.requires_python import refused_python

NAMES = ("sys_platform", "os_name", "python_version", "python_full_version", "extra", "extra")

literals = st.sampled_from(
    ("linux", "win32", "3.9", "3.11.7", "x86_64", "", "a or b", "(", ")", "x")
)
comparisons = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from((" == ", " == ", " == ", " != ", "==", " >= ", " < ")),
    st.sampled_from(('"{}"', "'{}'")),
    literals,
).map(lambda parts: parts[0] + parts[1] + parts[2].format(parts[3]))
markers = st.recursive(
    comparisons,
    lambda inner: (
        st.tuples(inner, st.sampled_from((" and ", " or ")), inner).map("".join)
        | inner.map("({})".format)
        | inner.map("( {} )".format)
    ),
    max_leaves=6,
)


def requirements(*lines: str, extras: tuple[str, ...] = ()) -> Requirements:
    asking = {"name": "a", "requires": [f"b[{','.join(extras)}]"] if extras else []}
    there = {"name": "b", "requires": list(lines), "extras": list(extras)}
    found = requirements_of(environment_of({"distributions": [asking, there]}))
    assert found is not None
    return found


def in_full(marker: str, extra: str = "") -> bool:
    interpreter = environment_of({}).interpreter
    assert interpreter is not None
    return holds(parse_condition(f"({marker})"), {**variables_of(interpreter), "extra": extra})


@settings(max_examples=1000)
@given(markers)
@example("(os_name == 'nt' or os_name == 'posix') and extra == 'x'")
@example("(os_name == 'nt' or extra == 'x') and os_name == 'posix'")
@example("(os_name == 'nt') or (os_name == 'posix') and extra == 'x'")
@example("(os_name == 'nt' or os_name == 'posix') and extra == 'x' or os_name == 'posix'")
@example("os_name != '(' or os_name == 'nt' and os_name != ')' and extra == 'x'")
@example("""os_name != "a'(b" or os_name not in "win)'" and extra == "x" """)
@example("(os_name == 'posix' or os_name == 'nt') and os_name != 'extra == '")
def test_markers_say_at_a_glance_what_they_say_in_full(marker: str) -> None:
    expected, asked = in_full(marker), in_full(marker, "x")
    found = requirements(f"c; {marker}", extras=("x",))
    assert [one.name for one in found.of["b"]] == (["c"] if expected else [])
    brought = [one.name for _, one in found.of_extras]
    assert brought == (["c"] if asked and not expected and "x" in marker else [])


@given(
    comparisons
    | st.text(alphabet="os_name=<>!'\" \t\n1", max_size=20)
    | st.tuples(
        st.sampled_from(("os_name", "os.name", "'1'", "extra", "name", "")),
        st.sampled_from((" ", "\t", "\x1c", "\u2003", "")),
        st.sampled_from(("==", "===", "~=", "in", "not in", "<>", "=", "")),
        st.sampled_from((" ", "\n", "")),
        st.sampled_from(("'1'", '"1"', "'1", "1'", "''", "'", "'1'1'", "'\"'", "'('")),
    ).map("".join)
)
@example("os_name == '1'1'")
@example("os_name == '1")
@example("os_name == '")
@example("os_name == '('")
@example("name == '1'")
@example("os.name == '1'")
def test_three_words_are_read_as_the_parser_reads_them(text: str) -> None:
    def said(marker: str) -> str:
        try:
            return str(parse_condition(marker))
        except MarkerError:
            return "none"

    assert said(text) == said(f"( {text} )")  # which is no three words


@pytest.mark.parametrize(
    ("asked", "version", "expected"),
    [
        ("", "3.11.7", False),
        (">=3.12", "3.11.7", True),
        (">= 3.8, < 4", "3.11.7", False),
        ("!=3.11.*", "3.11.7", True),
        ("nonsense", "3.11.7", False),
        (">=3.11.4", "3.11", False),
        (">=3.12", "3.11", True),
        ("<3.11.4", "3.11", False),
        ("<3.11", "3.11", True),
        ("~=3.9", "3.14.0", False),
    ],
)
def test_pythons_are_refused(asked: str, version: str, *, expected: bool) -> None:
    interpreter = environment_of({"python": {"version": version}}).interpreter
    assert interpreter is not None
    assert refused_python(asked, interpreter) is expected
