"""What the README tells teams to write works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import tomli
import yaml

from mlenv.cli.full import app
from mlenv.cli.requests import AuditRequest
from mlenv.cli.settings import known_rules
from mlenv.config_table import read_table
from mlenv.machine.choose import choose
from mlenv.machine.keys import MACHINE_KEYS

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
SECTIONS = ("pre-commit", "GitHub Actions", "GitLab", "a shell", "a machine", "many findings")


def section(title: str) -> str:
    """The indented lines under a heading that ends in some words."""
    found = re.search(rf"(?m)^### .*{re.escape(title)}\n(?P<body>(?:(?!^#).*\n)*)", README)
    assert found, title
    return "".join(f"{line[4:]}\n" for line in found["body"].splitlines() if line[:4] == "    ")


def commands() -> list[str]:
    lines = [line for title in SECTIONS for line in section(title).splitlines()]
    found = [re.search(r"(?:^|- run: |- )(mlenv .*)$", line.strip()) for line in lines]
    return [re.split(r"\s+(?:#|\|\||<)\s", match[1])[0] for match in found if match]


def test_there_are_commands() -> None:
    assert len(commands()) >= 8


@pytest.mark.parametrize("command", commands())
def test_each_command_is_one(command: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "mlenv"
    app.parse(arguments)


def test_the_hook_is_the_one_that_is_offered() -> None:
    (repo,) = yaml.safe_load(section("pre-commit"))["repos"]
    assert repo["hooks"] == [{"id": "mlenv"}]


def test_the_workflow_uploads_what_it_writes() -> None:
    job: dict[str, Any] = yaml.safe_load(section("GitHub Actions"))["jobs"]["mlenv"]
    assert job["permissions"]["security-events"] == "write"
    (audit,) = [step["run"] for step in job["steps"] if "mlenv audit" in step.get("run", "")]
    request = app.parse(shlex.split(audit)[1:])
    assert isinstance(request, AuditRequest)
    assert request.output == ("github:-", f"sarif:{job['steps'][-1]['with']['sarif_file']}")
    assert job["steps"][-1]["if"] == "always()"


def test_the_job_for_gitlab_keeps_what_it_writes() -> None:
    job: dict[str, Any] = yaml.safe_load(section("GitLab"))["mlenv"]
    request = app.parse(shlex.split(job["script"][-1])[1:])
    assert isinstance(request, AuditRequest)
    assert [f"json:{path}" for path in job["artifacts"]["paths"]] == [request.output[-1]]


def test_the_machine_is_one_that_the_configuration_can_hold() -> None:
    text = section("a machine")
    table = tomli.loads(text[text.index("[tool.mlenv]") :])["tool"]["mlenv"]
    config = read_table(table, "pyproject.toml", known_rules())
    (found,) = choose((), config, {}, pytest.fail)
    assert (found.name, found.os, found.driver) == ("cluster", "linux", "535.104.05")
    assert (found.gpus[0].capability, found.gpus[0].count) == ((8, 0), 8)
    commands = [line for line in text.splitlines() if "--target driver=" in line]
    request = app.parse(shlex.split(commands[0].partition("  #")[0])[1:])
    assert isinstance(request, AuditRequest)
    (other,) = choose(request.target, config, {}, pytest.fail)
    assert (other.driver, other.python, other.gpus) == ("535.104", "3.10", found.gpus)


def test_every_key_of_a_machine_is_named() -> None:
    start = README.index("### For a machine")
    body = README[start : README.index("###", start + 3)]
    assert [key for key in MACHINE_KEYS if f"`{key}`" not in body] == []
