"""``mlenv config``: what applies and where it is from, in a form that mlenv reads; the schemas."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st
from invocation import mlenv

from mlenv.cli.commands.config import effective, toml_lines
from mlenv.cli.requests import SCHEMAS
from mlenv.config import FAIL_ON, LEVELS, Config, IgnoreEntry, Vocabulary
from mlenv.config_table import read_table
from mlenv.model.profile import PROFILES
from mlenv.records import replace

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = Vocabulary(frozenset({"PIN001", "LCK001"}), frozenset({"pins", "cuda-build"}))


def mlenv_config(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return mlenv(folder, "config", *arguments)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    return tmp_path


def test_without_a_file_everything_is_default(project: Path) -> None:
    done = mlenv_config(project, "show")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "# there is no configuration: the defaults\n"
        "# profile is detected\n"
        "select = []  # default\n"
        "ignore = []  # default\n"
        'fail-on = "error"  # default\n'
        "exclude = []  # default\n"
        "# target is detected\n"
        "targets = {}  # default\n"
        "extra-facts = []  # default\n"
        "severity = {}  # default\n"
        "per-file-ignores = {}  # default\n"
    )


def test_each_setting_says_where_it_is_from(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        "[tool.mlenv]\nfail-on = 'error'\nignore = ['LCK', {rule = 'PIN001', until = 2027-01-31}]\n"
        "target = 'x'\nextra-facts = []\n[tool.mlenv.per-file-ignores]\n'*.in' = ['pins']\n"
    )
    done = mlenv_config(project / "sub", "show", "..")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].endswith("pyproject.toml over the defaults")
    assert lines[3:] == [
        'ignore = ["LCK", { rule = "PIN001", until = "2027-01-31" }]  # pyproject.toml',
        'fail-on = "error"  # pyproject.toml',
        "exclude = []  # default",
        'target = ["x"]  # pyproject.toml',
        "targets = {}  # default",
        "extra-facts = []  # pyproject.toml",
        "severity = {}  # default",
        'per-file-ignores = { "*.in" = ["pins"] }  # pyproject.toml',
    ]


def test_the_same_as_json(project: Path) -> None:
    (project / "mlenv.toml").write_text("profile = 'library'\nextra-facts = ['x']\n")
    done = mlenv_config(project, "show", "sub", "--format", "json")
    shown = json.loads(done.stdout)
    assert (shown["schema"], shown["file"]) == (1, "mlenv.toml")
    assert shown["settings"]["extra-facts"] == {"value": ["x"], "origin": "file"}
    assert shown["settings"]["profile"] == {"value": "library", "origin": "file"}
    assert shown["settings"]["fail-on"] == {"value": "error", "origin": "default"}
    other = json.loads(mlenv_config(project, "show", "-f", "json", "--config", "mlenv.toml").stdout)
    assert other == shown


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("show", "nowhere"), "there is no such file or folder: nowhere"),
        (("show", "--config", "nowhere.toml"), "there is no configuration file 'nowhere.toml'"),
        (("show",), "unknown key 'selct'; did you mean 'select'?"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    project: Path, arguments: tuple[str, ...], why: str
) -> None:
    (project / "mlenv.toml").write_text("selct = []\n")
    done = mlenv_config(project, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr


def test_nothing_of_a_file_acts_on_a_terminal(project: Path) -> None:
    (project / "mlenv.toml").write_text(
        'exclude = ["\\u001b[2J\\u202e", "::error::x", "##[error]y",'
        ' "https://user:hunter2@index.example/x"]\n'
    )
    for form in ("toml", "json"):
        shown = mlenv_config(project, "show", "--format", form).stdout
        assert all(line.isprintable() for line in shown.splitlines())
        assert "##[" not in shown
        assert "hunter2" not in shown
        assert not any(line.lstrip().startswith("::") for line in shown.splitlines())


machines = st.sampled_from(
    [
        {},
        {"driver": "535", "wants_gpu": True, "missing_libraries": ["libGL.so.1"]},
        {"gpus": ["8xA100", {"name": "a\x1b", "compute_capability": 8.6, "count": 2}]},
    ]
)
selector = st.sampled_from(["PIN001", "PIN", "L", "pins", "cuda-build"])
some = st.lists(selector, max_size=3).map(tuple)
entries = st.builds(
    IgnoreEntry,
    selector,
    package=st.sampled_from(["", "torch"]),
    file=st.text(max_size=5),
    reason=st.text(max_size=5),
    until=st.sampled_from(["", "2027-01-31"]),
)
configs = st.builds(
    Config,
    profile=st.sampled_from(["", *PROFILES]),
    select=some,
    ignore=some,
    ignore_entries=st.lists(entries, max_size=2).map(tuple),
    fail_on=st.sampled_from(FAIL_ON),
    exclude=st.lists(st.text(max_size=8), max_size=3).map(tuple),
    target=st.lists(st.text(min_size=1, max_size=8), max_size=2).map(tuple),
    targets=st.dictionaries(st.text(max_size=8), machines, max_size=2).map(
        lambda pairs: tuple(pairs.items())
    ),
    severity=st.dictionaries(selector, st.sampled_from(LEVELS), max_size=3).map(
        lambda pairs: tuple(pairs.items())
    ),
    per_file_ignores=st.dictionaries(st.text(max_size=8), some, max_size=3).map(
        lambda pairs: tuple(pairs.items())
    ),
)


@given(configs)
def test_what_is_shown_is_read_as_the_same(config: Config) -> None:
    shown = "\n".join(toml_lines(config, ()))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert read_table(tomli.loads(shown), "", KNOWN) == config


def test_every_setting_is_shown() -> None:
    changed: dict[str, Any] = {
        "profile": "library",
        "select": ("pins",),
        "ignore": ("pins",),
        "fail_on": "never",
        "exclude": ("x",),
        "target": ("x",),
        "targets": (("x", {"driver": "535"}),),
        "extra_facts": ("x",),
        "severity": (("pins", "off"),),
        "per_file_ignores": (("x", ("pins",)),),
    }
    default = effective(Config())
    seen = [
        {key for key, value in effective(replace(Config(), **{name: new})).items()
         if value != default[key]}
        for name, new in changed.items()
    ]  # fmt: skip
    assert seen == [{name.replace("_", "-")} for name in changed]
    assert set().union(*seen) == set(default)


@pytest.mark.parametrize("of", SCHEMAS)
def test_schemas_are_printed_as_they_are_shipped(tmp_path: Path, of: str) -> None:
    done = mlenv_config(tmp_path, "schema", "--of", of)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["$id"] == f"urn:mlenv:{of}:1"
    if of == "config":
        assert mlenv_config(tmp_path, "schema").stdout == done.stdout
