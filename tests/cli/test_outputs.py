"""Several reports of one audit: which format goes where, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invocation import mlenv as call

import mlenv.audit
from mlenv.cli import fast
from mlenv.cli.commands import audit as command
from mlenv.cli.destinations import destinations
from mlenv.cli.requests import AUDIT_FORMATS, AuditRequest
from mlenv.errors import UsageError
from mlenv.report.registry import REPORTS

KEPT = ("PATH", "SYSTEMROOT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("numpy<1.24\nnumpy>=1.26\nçà==1\n", "utf-8")
    return tmp_path


def mlenv_audit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return call(folder, "audit", *arguments)


@pytest.mark.parametrize(
    ("outputs", "form", "placed"),
    [
        ((), "text", [("text", "-")]),
        (("",), "text", [("text", "-")]),
        (("-",), "json", [("json", "-")]),
        (("x.txt",), "text", [("text", "x.txt")]),
        (("x.txt", "y.txt"), "text", [("text", "x.txt"), ("text", "y.txt")]),
        (("sarif:x",), "text", [("sarif", "x"), ("text", "-")]),
        (("sarif:x", "json:y"), "github", [("sarif", "x"), ("json", "y"), ("github", "-")]),
        (("sarif:x", "y"), "text", [("sarif", "x"), ("text", "y")]),
        (("sarif:-",), "text", [("sarif", "-")]),
        (("sarif:-", "json:y"), "text", [("json", "y"), ("sarif", "-")]),
        (("sarif:-", "x"), "text", [("text", "x"), ("sarif", "-")]),
        (("sarif",), "text", [("text", "sarif")]),
        (("./json:x",), "text", [("text", "./json:x")]),
        (("C:\\json.txt",), "text", [("text", "C:\\json.txt")]),
        (("c:x",), "json", [("json", "c:x")]),
        (("json:C:\\x.json",), "text", [("json", "C:\\x.json"), ("text", "-")]),
        (("report-12:30.txt",), "text", [("text", "report-12:30.txt")]),
    ],
)
def test_where_each_report_goes(
    outputs: tuple[str, ...], form: str, placed: list[tuple[str, str]]
) -> None:
    assert destinations(outputs, form) == placed


@pytest.mark.parametrize(
    ("outputs", "why"),
    [
        (("-", "-"), "two reports cannot go to the standard output"),
        (("", "json:-"), "two reports cannot go to the standard output"),
        (("sarif:-", "json:-"), "two reports cannot go to the standard output"),
        (("x", "json:./x"), "two reports cannot go to './x'"),
        (("sarfi:x",), "did you mean 'sarif'?"),
        (("SARIF:x",), "did you mean 'sarif'?"),
        (("out:1.txt",), "a file of that name is written ./out:1.txt"),
        (("sarif:",), "it names no file"),
    ],
)
def test_what_is_refused(outputs: tuple[str, ...], why: str) -> None:
    with pytest.raises(UsageError) as refused:
        destinations(outputs, "text")
    assert why in str(refused.value)


@given(st.lists(st.text(st.sampled_from("jsontex:-./"), max_size=8), max_size=4))
def test_no_place_gets_two_reports_and_one_has_the_format_asked_for(outputs: list[str]) -> None:
    try:
        placed = destinations(outputs, "github")
    except UsageError:
        return
    files = {os.path.abspath(file) for _, file in placed if file != "-"}
    assert len(files) + ("-" in [file for _, file in placed]) == len(placed)
    assert {form for form, _ in placed} <= {*AUDIT_FORMATS}
    assert "github" in [form for form, _ in placed] or "-" in [file for _, file in placed]


def test_several_files_and_the_standard_output(project: Path) -> None:
    alone = {form: mlenv_audit(project, "--format", form).stdout for form in REPORTS}
    outputs = [f"--output={form}:out/{form}" for form in REPORTS if form != "github"]
    (project / "out").mkdir()
    done = mlenv_audit(project, *outputs, "--format", "github")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == alone["github"]
    for form in set(REPORTS) - {"github"}:
        content = (project / "out" / form).read_bytes()
        assert b"\r" not in content
        assert content.decode("utf-8") == alone[form]


def test_a_file_takes_the_format_and_leaves_nothing_for_the_standard_output(project: Path) -> None:
    done = mlenv_audit(project, "-o", "a.json", "-f", "json", "-o", "sarif:b.sarif")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert json.loads((project / "a.json").read_text("utf-8"))["exit_code"] == 1
    assert json.loads((project / "b.sarif").read_text("utf-8"))["version"] == "2.1.0"


@pytest.mark.parametrize(
    ("outputs", "code"),
    [
        (("-o", "json:-", "-o", "-"), 2),
        (("-o", "jason:x"), 2),
        (("-o", "json:nowhere/x"), 2),
        (("-o", "json:x"), 1),
    ],
)
def test_the_exit_code_is_the_audits_or_2(
    project: Path, outputs: tuple[str, ...], code: int
) -> None:
    done = mlenv_audit(project, *outputs)
    assert done.returncode == code
    assert done.stderr.startswith("mlenv: error: ") == (code == 2)
    assert (done.stdout == "") == (code == 2)


def test_what_is_refused_is_refused_before_the_audit(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "audit_project", None)
    with pytest.raises(UsageError):
        command.run(AuditRequest((str(project),), output=("jason:x",)))


def test_all_reports_are_of_one_audit(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: list[object] = []

    def counted(*arguments: object, **options: object) -> object:
        runs.append(arguments)
        return mlenv.audit.audit_project(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(command, "audit_project", counted)
    monkeypatch.chdir(project)
    request = fast.parse(["audit", "-o", "sarif:a", "-o", "json:b", "-f", "concise"], {})
    assert isinstance(request, AuditRequest)
    assert command.run(request) == 1
    assert len(runs) == 1
    assert "error CON001" in capsys.readouterr().out


def test_colour_is_for_the_standard_output_alone(project: Path) -> None:
    done = mlenv_audit(project, "-o", "text:a.txt", "-f", "text", "--color", "always")
    assert "\x1b[" in done.stdout
    done = subprocess.run(
        [sys.executable, "-m", "mlenv", "audit", "-o", "text:b.txt"],
        cwd=project,
        env={**{key: os.environ[key] for key in KEPT if key in os.environ}, "FORCE_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "\x1b[" in done.stdout
    assert "\x1b[" not in (project / "b.txt").read_text("utf-8")


def test_statistics_are_asked_for(project: Path) -> None:
    assert "error  warning  note  rule" in mlenv_audit(project, "--statistics").stdout
    assert "error  warning  note  rule" not in mlenv_audit(project).stdout
    shown = json.loads(mlenv_audit(project, "--statistics", "-f", "json").stdout)
    assert shown["statistics"][0]["rule"] == "CON001"
