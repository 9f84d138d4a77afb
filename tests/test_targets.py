"""Targets from the command line and the configuration, through an audit, into every report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from mlenv.audit import audit_project
from mlenv.config import Config, load_config
from mlenv.errors import ConfigError, UsageError
from mlenv.machine.choose import choose
from mlenv.machine.inline import read_inline
from mlenv.machine.snapshot import read_snapshot
from mlenv.model.finding import Finding, Related, Severity
from mlenv.model.report import Report
from mlenv.model.surroundings import Surroundings
from mlenv.project.load import load_project
from mlenv.report.registry import REPORTS, report_renderer
from mlenv.report.view import View
from mlenv.rules.base import rule
from mlenv.rules.engine import run
from mlenv.schemas import __file__ as schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlenv.model.project import Project
    from mlenv.model.target import Target

A100 = '[machine]\ndriver = "535.104.05"\ngpus = ["8xA100"]\n'
QUIET: dict[str, str] = {"CONDA_OVERRIDE_CUDA": ""}
"""The machine that runs the tests has no GPU, whatever it has."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "requirements.txt").write_text("requests==2.32.3\n")
    return tmp_path / "project"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "a100.toml").write_text(A100)
    return tmp_path / "a100.toml"


def audit(
    folder: Path, *arguments: str, form: str = "json", **more: str
) -> subprocess.CompletedProcess[str]:
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "mlenv", "audit", "--format", form, "--select=pins", *arguments],
        cwd=folder,
        env={**kept, **QUIET, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def names(folder: Path, *arguments: str, **more: str) -> list[str]:
    done = audit(folder, *arguments, **more)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    all_of_them = document.get("targets", [document["target"]] if document["target"] else [])
    assert all_of_them[:1] == ([document["target"]] if document["target"] else [])
    return [one["name"] for one in all_of_them]


def test_the_forms_of_a_target(project: Path, file: Path) -> None:
    assert names(project) == []
    assert names(project, "--target", "none") == []
    assert names(project, "--target", "local") == ["local"]
    assert names(project, "--static", "--target", "local") == ["local"]
    assert names(project, "--target", str(file)) == ["a100.toml"]
    assert names(project, "--target", "driver=535") == ["driver=535"]
    both = ("--target=gpu=T4", "--target", "../a100.toml", "--target=gpu=T4")
    assert names(project, *both) == ["gpu=T4", "a100.toml"]


def test_files_of_one_name_are_told_apart(project: Path, file: Path) -> None:
    (project / "a100.toml").write_text(A100)
    paths = ("a100.toml", "../a100.toml")
    assert names(project, "--target", paths[0], "--target", paths[1]) == [*paths]


def test_the_configuration_names_targets(project: Path, file: Path) -> None:
    (project / "mlenv.toml").write_text(
        "target = ['small', 'big.json', 'local']\ntargets.small = {gpus = 'T4'}\n"
    )
    (project / "big.json").write_text('{"machine": {"gpus": ["8xH100"]}}')
    assert names(project) == ["small", "big.json", "local"]
    assert names(project.parent, "project") == ["small", "big.json", "local"]
    assert names(project, "--static") == ["small", "big.json"]
    assert names(project, "--target", "none") == []
    assert names(project, "--target", "small") == ["small"]
    assert names(project, "--no-config") == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--target", "smal"), "--target: there is no target and no file 'smal'; did you mean"),
        (("--target", "none", "--target", "local"), "target 'none' goes with no other target"),
        (("--target", "drvr=5"), "--target: unknown key 'drvr'; did you mean 'driver'?"),
        (("--target", "."), "--target: there is no target and no file '.'"),
        (("--target", "requirements.txt"), "requirements.txt:1:10: it is no TOML"),
        (("--env", ".venv"), "--env: there is no such folder: .venv"),
    ],
)
def test_what_stands_for_nothing_is_refused(
    project: Path, arguments: tuple[str, ...], why: str
) -> None:
    (project / "mlenv.toml").write_text("targets.small = {gpus = 'T4'}\n")
    done = audit(project, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mlenv: error: ")
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


def chosen(folder: Path, *named: str) -> tuple[Target, ...]:
    config = load_config(str(folder), vocabulary=lambda: pytest.fail("not asked"))
    return choose(named, config, QUIET, pytest.fail)


def test_a_configuration_names_files_of_its_own_folder_only(
    project: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("../a100.toml", str(file)):
        config = Config(target=(name,), path=str(project / "mlenv.toml"))
        with pytest.raises(ConfigError, match="leads out of the project"):
            choose((), config, QUIET, pytest.fail)
    (project / "a.toml").symlink_to(file)
    config = Config(target=("a.toml",), path=str(project / "mlenv.toml"))
    with pytest.raises(ConfigError, match="leads out of the project"):
        choose((), config, QUIET, pytest.fail)
    with pytest.raises(UsageError, match="'target': there is no target and no file 'b'"):
        choose((), Config(target=("b",), path=config.path), QUIET, pytest.fail)


def test_a_gpu_that_is_not_known_is_told_of() -> None:
    told: list[str] = []
    (found,) = choose(("gpu=Mystery 9+Apple M2",), Config(), QUIET, told.append)
    assert [gpu.capability for gpu in found.gpus] == [None, None]
    (line,) = told
    assert line.startswith("mlenv: target gpu=Mystery 9+Apple M2: the compute capability of")
    assert line.endswith("'Mystery 9' is not known: state compute_capability")


def test_a_table_of_the_configuration_has_a_text_of_its_own() -> None:
    table = {"driver": "535", "gpus": ["2xA100", "T4"], "wants_gpu": False, "os": "Ubuntu"}
    (found,) = choose(("a",), Config(targets=(("a", table),)), QUIET, pytest.fail)
    assert found.span.source.text.splitlines() == [
        "os linux",
        "driver 535",
        "wants_gpu no",
        "gpus 2 x A100, T4",
    ]
    assert found.where("driver").text == "535"
    assert not found.expects_gpu


def test_a_named_target_is_something_to_audit(tmp_path: Path, file: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = audit(tmp_path / "empty", "--target", str(file), form="text")
    assert (done.returncode, done.stderr) == (0, "")
    assert "target a100.toml" in done.stdout
    assert "no findings; 0 files audited" in done.stdout
    assert audit(tmp_path / "empty").returncode == 3
    assert audit(tmp_path / "empty", "--target", "none").returncode == 3
    default = audit(tmp_path / "empty", form="text", CONDA_OVERRIDE_CUDA="12.4")
    assert default.returncode == 3
    assert "nothing to audit" in default.stdout


@rule("DRV999", "too-old", topic="driver", severity=Severity.ERROR)
def too_old(project: Project, targets: tuple[Target, ...]) -> Iterator[Finding]:
    """A driver that a test does not like."""
    place = project.sources["requirements.txt"].text.line_span(1)
    for target in targets:
        yield Finding("the same for all", place, ("requests",))
        related = (Related(place, "asked here"), Related(target.where("gpus"), "these"))
        yield Finding(
            f"{target.name} has an old driver",
            target.where("driver"),
            ("nvidia-driver",),
            related=related,
        )
        yield Finding("wants the GPU", place, related=(Related(target.where("gpus"), "there"),))


def reported(folder: Path, *targets: Target) -> Report:
    project = load_project((str(folder),))
    findings, _ = run([too_old], project, Config(), "2026-11-20", around=Surroundings(targets))
    report = audit_project((str(folder),), Config(select=("parse",)), around=Surroundings(targets))
    assert report.targets == targets
    return Report(".", "research", report.files, (), findings, 0, 1, "2026-11-20", targets=targets)


def shown(form: str, report: Report) -> str:
    return report_renderer(form)(report, View(prefix="project/"))


def test_a_cause_that_holds_for_all_targets_is_said_once(project: Path) -> None:
    report = reported(project, read_inline("driver=470,gpu=T4"), read_inline("driver=450,gpu=T4"))
    messages = [one.message for one in report.findings]
    assert messages.count("the same for all") == 1
    assert sum("old driver" in message for message in messages) == 2
    assert len({one.fingerprint for one in report.findings}) == 4


def test_text_shows_the_line_of_the_target(project: Path, file: Path) -> None:
    text = shown("text", reported(project, read_snapshot(str(file), "../a100.toml", "a100.toml")))
    assert "target a100.toml" in text.splitlines()[0]
    assert (
        " --> target ../a100.toml:2:10\n"
        "  |\n"
        '2 | driver = "535.104.05"\n'
        "  |          ^^^^^^^^^^^^\n"
        '3 | gpus = ["8xA100"]\n'
        "  |        ---------- these\n"
        "  |\n"
        " --> project/requirements.txt:1:1\n"
    ) in text


def test_text_shows_what_describes_itself(project: Path) -> None:
    text = shown("text", reported(project, read_inline("driver=470,gpu=T4")))
    assert (
        " --> target driver=470,gpu=T4\n"
        "  |\n"
        "1 | driver=470,gpu=T4\n"
        "  | ^^^^^^^^^^\n"
        "  |            ------ these\n"
    ) in text


def test_json_has_no_place_for_it_and_names_it(project: Path, file: Path) -> None:
    target = read_snapshot(str(file), str(file), "a100.toml")
    document = json.loads(shown("json", reported(project, target)))
    with open(os.path.join(os.path.dirname(schemas), "audit.schema.json"), encoding="utf-8") as s:
        jsonschema.Draft202012Validator(json.load(s)).validate(document)
    assert document["target"] == {
        "name": "a100.toml",
        "driver": "535.104.05",
        "gpus": [{"name": "A100", "compute_capability": "8.0", "count": 8}],
    }
    assert "targets" not in document
    (one,) = [found for found in document["findings"] if "old driver" in found["message"]]
    assert (one["location"], one["target"]) == (None, "a100.toml")
    assert [(r["location"] is None, r.get("target")) for r in one["related"]] == [
        (False, None),
        (True, "a100.toml"),
    ]
    others = [found for found in document["findings"] if found is not one]
    assert all(found["location"] and "target" not in found for found in others)
    assert str(file) not in json.dumps(document)


def test_sarif_has_a_logical_place_for_it(project: Path, file: Path) -> None:
    target = read_snapshot(str(file), str(file), "a100.toml")
    results: list[Any] = json.loads(shown("sarif", reported(project, target)))["runs"][0]["results"]
    (one,) = [result for result in results if "old driver" in result["message"]["text"]]
    logical = {
        "name": "a100.toml",
        "fullyQualifiedName": "target a100.toml",
        "kind": "resource",
    }
    assert one["message"]["text"].startswith("target a100.toml: ")
    assert one["locations"] == [{"logicalLocations": [logical]}]
    physical, other = one["relatedLocations"]
    assert physical["physicalLocation"]["artifactLocation"]["uri"] == "project/requirements.txt"
    assert (other["logicalLocations"], "physicalLocation" in other) == ([logical], False)


def test_lines_name_it_and_no_file(project: Path, file: Path) -> None:
    report = reported(project, read_snapshot(str(file), str(file), "a100.toml"))
    assert "::error title=DRV999 too-old::target a100.toml: a100.toml has" in shown(
        "github", report
    )
    assert "target a100.toml: error DRV999 a100.toml has an old" in shown("concise", report)
    assert str(file) not in shown("github", report) + shown("concise", report)


def test_a_fingerprint_does_not_depend_on_how_the_file_is_written(project: Path) -> None:
    def prints(text: str, path: str) -> set[str]:
        (project.parent / path).write_text(text)
        target = read_snapshot(str(project.parent / path), path, "a")
        return {one.fingerprint for one in reported(project, target).findings}

    values = {"machine": {"driver": "470.1", "gpus": ["T4"]}}
    once = prints(json.dumps(values), "a.json")
    values["machine"]["os"] = "linux"
    assert prints(json.dumps(values, indent=4), "b.json") == once


HOSTILE = "\x1b[2J\u202e::error::x\n##[group]y"


@pytest.mark.parametrize("form", REPORTS)
def test_no_name_acts_on_a_terminal_or_a_runner(project: Path, file: Path, form: str) -> None:
    values = {
        "machine": {"driver": "470", "gpus": [{"name": HOSTILE, "compute_capability": "8.0"}]}
    }
    file.write_text(json.dumps(values, ensure_ascii=False))
    target = read_snapshot(str(file), HOSTILE, HOSTILE)
    tables = (("x" + HOSTILE, {"gpus": [{"name": HOSTILE}], "driver": "470"}),)
    (other,) = choose((tables[0][0],), Config(targets=tables), QUIET, lambda _line: None)
    text = shown(form, reported(project, target, other))
    assert all(line.isprintable() for line in text.splitlines())
    assert "##[" not in text
    commands = [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert all(form == "github" and line.startswith("::error ") for line in commands)


def test_a_plain_audit_loads_nothing_of_it(project: Path) -> None:
    code = (
        "import sys; sys.argv = ['mlenv', 'audit']; from mlenv.__main__ import main; main();"
        "found = [name for name in sys.modules if name.startswith('mlenv.machine.')];"
        "print(found, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        # an environment that is active would be looked at, and the machine with it
        env={**os.environ, **QUIET, "VIRTUAL_ENV": "", "CONDA_PREFIX": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.stderr == "['mlenv.machine.root', 'mlenv.machine.presence']\n"
