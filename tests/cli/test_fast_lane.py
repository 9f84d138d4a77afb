"""The table of the fast lane says what the typer app says, and reads what typer reads."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.cli import fast, requests
from mlenv.cli.full import app
from mlenv.cli.requests import (
    AuditRequest,
    DepsRequest,
    DiffRequest,
    EnvRequest,
    TreeRequest,
)
from mlenv.config import FAIL_ON
from mlenv.model.profile import PROFILES

FIELDS = dict.fromkeys(
    [f"{name}_format" for name in ("report", "deps", "env", "snapshot", "diff", "tree")], "format"
)
"""Parameters that cannot bear the name of the field that they set."""


Taken = dict[str, tuple[str, str, tuple[str, ...], object]]


def typer_options(command: str) -> tuple[Taken, list[tuple[str, int, bool]]]:
    """What typer takes: by each way to write it, the field, the kind, the choices, the default.

    And of each argument the field, how many words it takes, and whether it must be there.
    """
    found: Taken = {}
    arguments = []
    built = app.build([]).get_command(None, command)
    for param in built.params:
        field = FIELDS.get(param.name, param.name)
        if param.param_type_name == "argument":
            arguments.append((field, param.nargs, param.required))
            continue
        kind = fast.FLAG if param.is_flag else fast.LIST if param.multiple else fast.VALUE
        if type(param.default) is int:
            kind = fast.NUMBER
        for written in param.opts:
            found[written] = (field, kind, choices(built.callback, param.name), param.default)
        assert not param.secondary_opts
    return found, arguments


def choices(function: Any, parameter: str) -> tuple[str, ...]:
    """The texts in the Literal of a parameter's annotation."""
    annotation = function.__annotations__[parameter]
    if isinstance(annotation, str):
        annotation = eval(annotation, inspect.unwrap(function).__globals__)
    pending, found = [annotation], []
    while pending:
        one = pending.pop(0)
        if isinstance(one, str):
            found.append(one)
        elif hasattr(one, "__metadata__"):
            pending.append(one.__origin__)
        else:
            pending.extend(get_args(one))
    return tuple(found)


@pytest.mark.parametrize("command", list(fast.COMMANDS))
def test_the_table_is_what_typer_says(command: str) -> None:
    by_typer, arguments = typer_options(command)
    table = fast.COMMANDS[command]
    assert [field for field, _, _ in arguments] == list(table.arguments)
    assert sum(required for _, _, required in arguments) == table.required
    for field, number, _ in arguments:
        assert number == (-1 if field == "paths" else 1)
    # what is missing in the table is left to typer, as help is
    assert set(by_typer) - set(table.options) == set()
    assert set(table.options) - set(by_typer) == set()
    make: Any = table.request
    made = make(*["x"] * table.required)
    defaults: dict[str, object] = {name: getattr(made, name) for name in type(made).__match_args__}
    for written, option in table.options.items():
        field, kind, taken, default = by_typer[written]
        assert (option.field, option.kind, option.choices) == (field, kind, taken)
        assert (default or None) == (defaults[field] or None)
    named = {option.field for option in table.options.values()}
    assert named | set(table.arguments) == set(defaults)


def test_choices_are_said_in_one_voice() -> None:
    options = fast.COMMANDS["audit"].options
    assert options["--format"].choices == requests.AUDIT_FORMATS
    assert options["--profile"].choices == PROFILES
    assert options["--fail-on"].choices == FAIL_ON


def test_every_command_of_the_app_loads() -> None:
    group = app.build([])
    assert set(fast.COMMANDS) < set(group.list_commands(None))
    assert all(group.get_command(None, name).name == name for name in app.COMMANDS)


def by_typer(arguments: list[str]) -> object:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            return app.parse(arguments)
        except SystemExit as end:
            return end.code


options = st.sampled_from(
    sorted({name for command in fast.COMMANDS.values() for name in command.options})
)
values = st.sampled_from(
    [
        "",
        "-",
        "--",
        "a",
        "b/c",
        "json",
        "table",
        "text",
        "github",
        "sarif:x",
        "never",
        "always",
        "library",
        "PIN001,LCK",
        "a=b",
        "error",
        " ",
        "-q",
        "-x",
        "日",
        "0",
        "12",
        "1_0",
        "+1",
        "٣",
    ]
)
words = st.one_of(
    options,
    values,
    st.tuples(options, values).map("=".join),
    st.tuples(options, values).map("".join),
    st.sampled_from(["--help", "-h", "-qv", "-fjson", "--quie", "--version", "--no-quiet", "---"]),
)
commands = st.sampled_from([*fast.COMMANDS, *fast.COMMANDS, "rules", "explain", "audi", "--help"])


@settings(max_examples=400, deadline=None)
@given(commands, st.lists(words, max_size=6))
def test_declines_or_agrees(command: str, rest: list[str]) -> None:
    arguments = [command, *rest]
    request = fast.parse(arguments, {})
    if request is not None:
        assert request == by_typer(arguments)


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (["audit"], AuditRequest()),
        (["deps", "-o", "x", "a", "-"], DepsRequest(paths=("a", "-"), output="x")),
        (
            [
                "audit",
                "a",
                "-f",
                "json",
                "--select=PIN,LCK",
                "b",
                "--select",
                "x",
                "-q",
                "--static",
            ],
            AuditRequest(
                paths=("a", "b"),
                format="json",
                select=("PIN,LCK", "x"),
                quiet=True,
                static=True,
            ),
        ),
        (["audit", "--color", "never", "--color", "always"], AuditRequest(color="always")),
        (["env", "a", "--no-binaries"], EnvRequest(path="a", no_binaries=True)),
        (["diff", "a.toml", "--exit-code"], DiffRequest("a.toml", exit_code=True)),
        (["tree", "-r", "torch", "--depth=2"], TreeRequest("torch", reverse=True, depth=2)),
    ],
)
def test_reads_the_happy_path(arguments: list[str], request_: object) -> None:
    assert fast.parse(arguments, {}) == request_
    assert by_typer(arguments) == request_


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["rules"],
        ["audit", "--help"],
        ["audit", "--nope"],
        ["audit", "--format"],
        ["audit", "--format", "yaml"],
        ["audit", "--output", "--static"],
        ["audit", "--quiet=1"],
        ["audit", "-qv"],
        ["audit", "--", "a"],
        ["deps", "--select", "PIN"],
        ["diff"],
        ["diff", "a", "b", "c"],
        ["env", "a", "b"],
        ["tree", "--depth", "two"],
    ],
)
def test_declines_the_rest(arguments: list[str]) -> None:
    assert fast.parse(arguments, {}) is None


def test_completion_is_typers() -> None:
    assert fast.parse(["audit"], {"_MLENV_COMPLETE": "complete_bash"}) is None


def test_an_audit_of_files_alone_loads_nothing_about_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.5.1\nnumpy<2\n")
    code = (
        "import sys; from mlenv.cli.fast import parse; from mlenv.cli.run import run; "
        f"run(parse(['audit', '--static', {str(tmp_path)!r}], {{}})); "
        "sys.stderr.write('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.splitlines())
    assert "mlenv.audit" in loaded
    beginnings = ("mlenv.environment.", "mlenv.binaries.", "mlenv.rules.installed_", "typer")
    assert not [one for one in loaded if one.startswith(beginnings)]
    assert loaded.isdisjoint({"mlenv.model.environment", "mlenv.model.binary", "dataclasses"})


def test_typing_is_for_type_checkers() -> None:
    home = Path(fast.__file__).parents[1]
    files = [one for one in home.rglob("*.py") if one.parent.name != "full"]
    assert len(files) > 300
    for file in files:
        imported = [
            node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.parse(file.read_text("utf-8")).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert "typing" not in imported, file
