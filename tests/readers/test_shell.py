"""Shell scripts: which simple commands are in them, and where their words stand."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.model.text import Fragment, SourceText
from mlenv.project.shell.variables import Variables
from mlenv.project.shell.words import Command, read_commands
from mlenv.project.shell.wrappers import unwrap


def commands(text: str, variables: dict[str, str] | None = None) -> list[Command]:
    source = SourceText("setup.sh", text)
    return read_commands(Fragment.of(source, 0, len(text)), Variables(variables or {}))


def lines(text: str, variables: dict[str, str] | None = None) -> list[list[str]]:
    return [[word.text for word in command.words] for command in commands(text, variables)]


def program(text: str) -> str:
    (command,) = commands(text)
    call = unwrap(command.words, command.assignments)
    return "" if call is None else " ".join([call.program, *(word.text for word in call.words)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b && c || d; e | f & g", [["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"]]),
        ("a 'b  c' \"d e\" f\\ g h'i'\"j\"", [["a", "b  c", "d e", "f g", "hij"]]),
        ("a # b\nc#d 'e # f'", [["a"], ["c#d", "e # f"]]),
        ("a \\\n  b\\\nc", [["a", "bc"]]),
        ("a \\  \n  b", [["a", "b"]]),
        ("a \\\r\n  b\r\nc\r\n", [["a", "b"], ["c"]]),
        ("a ''", [["a", ""]]),
        ("(a; b) && { c; d; }", [["a"], ["b"], ["c"], ["d"]]),
        ("if a; then b; elif c; then d; else e; fi; f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("while ! a; do b; done", [["a"], ["b"]]),
        ("for x in 1 2; do\n  a\ndone", [["a"]]),
        ("case $x in\n a|b) c ;;\n (d) e ;;\nesac\nf", [["c"], ["e"], ["f"]]),
        ("case $x in a) b;; esac; c", [["b"], ["c"]]),
        ("f() {\n a\n}\nf", [["a"], ["f"]]),
        ('a $(b `c`) "$(d)"', [["c"], ["b", "`c`"], ["d"], ["a", "$(b `c`)", "$(d)"]]),
        ("a <(b) > out 2>&1 < in &> all c", [["b"], ["a", "<(b)", "c"]]),
        ("a $((1 + 2)) b", [["a", "$((1 + 2))", "b"]]),
        ("x=(a b\n c) d", [["d"]]),
        ("cat <<EOF > f\na b\nEOF\nc", [["cat"], ["c"]]),
        ("cat <<-'E' <<F\n\ta\n\tE\nb\nF\nc", [["cat"], ["c"]]),
        ("a `\n b", [["a", "b"]]),
        ("a ^\r\n b", [["a", "b"]]),
    ],
)
def test_commands(text: str, expected: list[list[str]]) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a $V ${V} \"$V\" '$V' \\$V", ["a", "1.2", "1.2", "1.2", "$V", "$V"]),
        ("a ${N:-d} ${N-d} ${V:-d} ${V:+e}", ["a", "d", "d", "1.2", "e"]),
        ("a x${N:+e}y ${E:-${V}}", ["a", "xy", "1.2"]),
        ("a ${V//./} ${V/./-}", ["a", "12", "1-2"]),
        ("W=3; a $W", ["a", "3"]),
        ("export W=3 && a b==$W", ["a", "b==3"]),
        ("L='x y'; a $L \"$L\"", ["a", "x", "y", "x y"]),
        ("a $E b", ["a", "b"]),
    ],
)
def test_known_variables_are_replaced(text: str, expected: list[str]) -> None:
    assert [line for line in lines(text, {"V": "1.2", "E": ""}) if line[0] == "a"] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "a $N",
        "a ${N}",
        "a ${V%.*}",
        "a $1",
        "a ${{ matrix.x }}",
        "a {{ x }}",
        "a $(cat f)",
        "V=$(date); a $V",
        "if b; then V=2; fi; a $V",
        "b || V=2; a $V",
        "for V in 1 2; do a $V; done",
        "(V=2); a $V",
        "V+=x; a $V",
        'a "open',
        "a 'open",
    ],
)
def test_what_cannot_be_known_is_not_claimed(text: str) -> None:
    last = next(one for one in reversed(commands(text, {"V": "1"})) if one.words[0].text == "a")
    assert not last.words[1].complete


def test_a_branch_knows_its_own_assignments() -> None:
    text = "if x; then V=1; a $V; else V=2; a $V; fi; a $V"
    found = [line[1] for line in lines(text) if line[0] == "a"]
    assert found == ["1", "2", "$V"]


def test_what_runs_under_a_condition_is_told_apart() -> None:
    text = "a; if b; then c; d; else e; fi; f || g; [ x ] && h; cd i && j"
    branches = {one.words[0].text: one.branch for one in commands(text)}
    always = {name for name, branch in branches.items() if not branch}
    assert always == {"a", "b", "f", "[", "cd", "j"}
    assert branches["c"] == branches["d"]
    assert len({branches[name] for name in "cegh"}) == 4


def test_words_know_their_places() -> None:
    text = "pip install 'torch==2.1' num\\\npy \"a$V\" b\\[c\\]"
    (command,) = commands(text, {"V": "x"})
    places = [word.fragment.whole.text for word in command.words]
    assert places == ["pip", "install", "torch==2.1", "num\\\npy", "a$V", "b\\[c\\]"]
    assert command.words[4].head.text == "a"
    assert command.words[5].fragment.span(0, 2).text == "b\\["
    assert command.span.text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sudo -H -u me pip install x", "pip install x"),
        ("X=1 env -u Y Z=2 nice -n 5 time pip install x", "pip install x"),
        ("python3.10 -W ignore -m pip install x", "pip install x"),
        ("/opt/venv/bin/python -um pip install x", "pip install x"),
        ("/opt/venv/bin/pip3 install x", "pip3 install x"),
        ("${VENV}/bin/pip install x", "pip install x"),
        ("$PIP install x", "pip install x"),
        ("${PYTHON_BIN} -m pip install x", "pip install x"),
        (r".\venv\Scripts\pip.exe install x", ".venvscriptspip install x"),
        (r"'.\venv\Scripts\pip.exe' install x", "pip install x"),
        ("conda run --no-capture-output -n e pip install x", "pip install x"),
        ("micromamba run -n e python -m pip install x", "pip install x"),
        ("uv run --with y pip install x", "pip install x"),
        ("timeout -k 5 600 pip install x", "pip install x"),
        ("xargs -n 1 pip install", "pip install"),
        ("python -c 'import x'", "python -c import x"),
        ("echo pip install x", "echo pip install x"),
    ],
)
def test_what_a_command_really_runs(text: str, expected: str) -> None:
    assert program(text) == expected


def test_redirections_have_targets() -> None:
    (command,) = commands("a>=1 b > c 2>&1 <d")
    found = [
        (one.operator, one.glued, one.target and one.target.text) for one in command.redirections
    ]
    assert found == [(">", True, "=1"), (">", False, "c"), (">&", False, "1"), ("<", False, "d")]


def test_a_heredoc_belongs_to_its_command() -> None:
    first, second = commands("bash <<E && b\npip install x\nE\n")
    assert [body.text for body in first.heredocs] == ["pip install x\n"]
    assert second.heredocs == ()


@given(st.text(alphabet="ab $(){}'\"`\\<>&|;\n=#E", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_words_inside_it(text: str) -> None:
    for command in commands(text):
        for word in command.words:
            assert 0 <= word.start <= word.end <= len(text)
            whole = word.fragment.whole
            assert 0 <= whole.start <= whole.end <= len(text)


@pytest.mark.parametrize(
    "unit", ["${", '"$(', "(", "`", "'", "if a; then ", "case a in b) ", "a>=1<2 ", "x=(", "<<A "]
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    started = time.process_time()
    commands(unit * 20_000)
    assert time.process_time() - started < 10


def test_values_that_hold_one_another_stay_small() -> None:
    text = "A=xxxxxxxx\n" + "A=$A$A\n" * 100 + "a $A"
    assert max(len(word.text) for one in commands(text) for word in one.words) < 10_000
