"""The program as a CI step sees it: exit codes, streams and formats, in a scrubbed environment."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "numpy<1.24\nnumpy>=1.26\n"
CLEAN = "numpy==1.26.4\n"
KEPT = ("PATH", "SYSTEMROOT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "XDG_CACHE_HOME")


def environment(**more: str) -> dict[str, str]:
    """Nothing of the machine that the tests run on but what starts Python."""
    return {**{key: os.environ[key] for key in KEPT if key in os.environ}, **more}


def mlenv(
    folder: Path, *arguments: str, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlenv", *arguments],
        cwd=folder,
        env=environment(**more),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text(BROKEN)
    return tmp_path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text(CLEAN)
    return tmp_path


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "concise"])
@pytest.mark.parametrize(
    ("content", "code"), [(BROKEN, 1), (CLEAN, 0)], ids=["with errors", "without"]
)
def test_the_code_does_not_depend_on_the_format(
    tmp_path: Path, form: str, content: str, code: int
) -> None:
    (tmp_path / "requirements.txt").write_text(content)
    done = mlenv(tmp_path, "audit", "--format", form)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout


def test_json_says_the_code_that_it_exits_with(broken: Path) -> None:
    document = json.loads(mlenv(broken, "audit", "--format", "json").stdout)
    assert (document["exit_code"], document["root"]) == (1, ".")
    assert document["summary"]["error"] == 1


@pytest.mark.parametrize(
    ("option", "code"), [("never", 0), ("error", 1), ("warning", 1), ("note", 1)]
)
def test_fail_on(broken: Path, option: str, code: int) -> None:
    assert mlenv(broken, "audit", "--fail-on", option).returncode == code


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("audit", "missing"), "mlenv: error: there is no such file or folder: missing"),
        (("audit", "--select", "PIX001"), "--select: unknown rule or topic 'PIX001'; did you mean"),
        (("audit", "--config", "no.toml"), "there is no configuration file 'no.toml'"),
        (("audit", "-"), "- needs --stdin-filename"),
        (("audit", "--stdin-filename", "x"), "which is not given"),
        (("audit", "--output", "no/such/folder"), "it cannot be written"),
        (("audit", "--format", "yaml"), "yaml"),
        (("audit", "--nope"), "--nope"),
        (("audti",), "Did you mean 'audit'?"),
        (("deps", "missing"), "there is no such file or folder: missing"),
        (("explain", "PIN01"), "did you mean 'PIN0"),
        (("explain",), "RULE"),
        ((), "Usage: mlenv"),
    ],
)
def test_wrong_usage_is_2_and_told(clean: Path, arguments: tuple[str, ...], told: str) -> None:
    done = mlenv(clean, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_configuration_is_2(clean: Path) -> None:
    (clean / "mlenv.toml").write_text("selct = []")
    done = mlenv(clean, "audit")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mlenv: error: mlenv.toml: unknown key 'selct'; did you mean 'select'?\n"
    )
    assert mlenv(clean, "audit", "--no-config").returncode == 0


def test_a_target_that_is_not_there_is_2(clean: Path) -> None:
    (clean / "mlenv.toml").write_text("target = 'a100'")
    done = mlenv(clean, "audit")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mlenv: error: mlenv.toml: 'target': there is no target and no file 'a100'\n"
    )


@pytest.mark.parametrize("command", ["audit", "deps"])
def test_nothing_to_audit_is_3(tmp_path: Path, command: str) -> None:
    done = mlenv(tmp_path, command)
    assert done.returncode == 3
    assert "--allow-empty" in done.stderr
    assert mlenv(tmp_path, command, "--allow-empty").returncode == 0


def sabotaged(folder: Path, exception: str) -> dict[str, str]:
    """Return the environment of a program whose library raises an exception."""
    (folder / "sitecustomize.py").write_text(
        "import mlenv.project.load as load\n"
        "def fail(*arguments, **options):\n"
        f"    raise {exception}\n"
        "load.load_project = fail\n"
    )
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def test_a_bug_is_4(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    bug = sabotaged(tmp_path_factory.mktemp("bug"), "KeyError('torch\\x1b[2J')")
    done = mlenv(clean, "deps", **bug)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("mlenv: internal error: KeyError: ")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    debug = mlenv(clean, "deps", MLENV_DEBUG="1", **bug)
    assert debug.returncode == 4
    assert "Traceback" in debug.stderr
    assert "Traceback" in mlenv(clean, "audit", "-v", **bug).stderr


def test_interrupted_is_130(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    interrupt = sabotaged(tmp_path_factory.mktemp("interrupt"), "KeyboardInterrupt")
    done = mlenv(clean, "audit", **interrupt)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(os.name == "nt", reason="pipes close otherwise on Windows")
@pytest.mark.parametrize("arguments", [("audit",), ("deps",), ("--help",), ("rules",)])
def test_a_closed_pipe_ends_quietly(clean: Path, arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "mlenv", *arguments],
        cwd=clean,
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_output_goes_to_the_file(broken: Path) -> None:
    done = mlenv(broken, "audit", "--format", "json", "-o", "report.json")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert json.loads((broken / "report.json").read_text())["exit_code"] == 1


def test_the_standard_input_is_a_file(tmp_path: Path) -> None:
    done = mlenv(tmp_path, "audit", "-", "--stdin-filename", "requirements.txt", stdin=BROKEN)
    assert done.returncode == 1
    assert " --> requirements.txt:" in done.stdout


def test_the_standard_input_has_the_configuration_of_its_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "mlenv.toml").write_text("ignore = ['conflicts']")
    (inner / "requirements.txt").write_text(BROKEN)
    for name in ("inner/requirements.txt", "./inner/requirements.txt", str(inner / "x.txt")):
        done = mlenv(tmp_path, "audit", "-", "--stdin-filename", name, stdin=BROKEN)
        assert done.returncode == 0
        again = mlenv(tmp_path, "audit", "-", "--no-config", "--stdin-filename", name, stdin=BROKEN)
        assert again.returncode == 1


def test_exclusions_of_the_command_line_are_relative_to_the_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "mlenv.toml").write_text("exclude = ['/inner/a/']")
    for name in ("a", "b", "c"):
        (tmp_path / "inner" / name).mkdir(parents=True)
        (tmp_path / "inner" / name / "requirements.txt").write_text(CLEAN)
    arguments = ("inner", "--exclude", "/b/", "--format", "json")
    files = json.loads(mlenv(tmp_path, "audit", *arguments).stdout)["files"]
    assert [file["path"] for file in files] == ["c/requirements.txt"]
    found = json.loads(mlenv(tmp_path, "deps", *arguments).stdout)["requirements"]
    assert [one["file"] for one in found] == ["c/requirements.txt"]


def test_colour_is_only_for_those_who_want_it(broken: Path) -> None:
    assert "\x1b" not in mlenv(broken, "audit").stdout
    assert "\x1b" in mlenv(broken, "audit", FORCE_COLOR="1").stdout
    assert "\x1b" not in mlenv(broken, "audit", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b" in mlenv(broken, "audit", "--color", "always", NO_COLOR="1").stdout
    assert "\x1b" not in mlenv(broken, "audit", "--color", "never", FORCE_COLOR="1").stdout


def test_the_locale_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("torch # 日本語\n".encode())
    done = mlenv(tmp_path, "audit", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode in (0, 1)
    assert done.stdout.isascii()


def test_help_version_rules_and_explain(tmp_path: Path) -> None:
    help_ = mlenv(tmp_path, "--help")
    assert help_.returncode == 0
    assert "Exit codes:" in help_.stdout
    assert mlenv(tmp_path, "--version").stdout == "mlenv 0.1.0\n"
    rules = json.loads(mlenv(tmp_path, "rules", "--format", "json").stdout)["rules"]
    table = mlenv(tmp_path, "rules").stdout.splitlines()
    codes = [line.split()[0] for line in table if re.match(r"  [A-Z]{3}\d", line)]
    assert [rule["code"] for rule in rules] == codes
    assert max(map(len, table)) <= 80
    by_code = mlenv(tmp_path, "explain", "pin001")
    assert by_code.returncode == 0
    assert rules[0]["explanation"]
    assert by_code.stdout == mlenv(tmp_path, "explain", "unpinned").stdout
    assert by_code.stdout in mlenv(tmp_path, "explain", "pins").stdout
