"""What the README tells teams to write works as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlenv.cli.full import app
from mlenv.cli.requests import AuditRequest

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
SECTIONS = ("pre-commit", "GitHub Actions", "GitLab", "a shell", "many findings")


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
