"""``mlenv baseline`` and ``audit --baseline`` as a team uses them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from invocation import mlenv

if TYPE_CHECKING:
    from pathlib import Path

OLD = "numpy<1.24\nnumpy>=1.26\ntorch\n"
RULES = ("--select", "conflicts,PIN001")
FILE = "mlenv-baseline.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "requirements.txt").write_text(OLD)
    (tmp_path / "sub" / "requirements.txt").write_text("scipy\n")
    (tmp_path / "mlenv.toml").write_text('select = ["conflicts", "PIN001"]\n')
    return tmp_path


def write(project: Path) -> None:
    done = mlenv(project, "baseline", "write")
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_accepted_fails_no_more_and_what_is_new_does(project: Path) -> None:
    assert mlenv(project, "audit").returncode == 1
    write(project)
    done = mlenv(project, "audit", "--baseline", FILE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "no findings (3 in the baseline); 2 files audited"
    (project / "requirements.txt").write_text(f"pandas<1\npandas>2\n{OLD}")
    done = mlenv(project, "audit", "--baseline", FILE, "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"]) == (1, 1)
    assert [one["packages"] for one in document["findings"]] == [["pandas"]]
    assert document["summary"] == {
        "error": 1, "warning": 0, "note": 0, "suppressed": 0, "baselined": 3,
    }  # fmt: skip


def test_the_working_folder_and_the_paths_make_no_difference(project: Path) -> None:
    write(project)
    for folder, arguments in [
        (project / "sub", ("..", "--baseline", f"../{FILE}")),
        (project / "sub", (".", "--baseline", f"../{FILE}")),
        (project, ("requirements.txt", "--baseline", FILE)),
        (project.parent, (project.name, "--baseline", f"{project.name}/{FILE}")),
    ]:
        done = mlenv(folder, "audit", *arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert "no findings" in done.stdout


def test_without_git_and_configuration_it_lies_at_the_top(project: Path) -> None:
    (project / "mlenv.toml").unlink()
    write(project)
    done = mlenv(project, "audit", "sub/requirements.txt", "--baseline", FILE, *RULES)
    assert (done.returncode, "no findings (1 in the baseline)" in done.stdout) == (0, True)


def test_it_is_written_the_same_way_again(project: Path) -> None:
    write(project)
    first = (project / FILE).read_bytes()
    done = mlenv(project, "baseline", "write")
    assert done.stderr == f"mlenv: {FILE} accepts 3 findings; it held 3 before\n"
    assert (project / FILE).read_bytes() == first
    assert b"\r" not in first


def test_records_of_files_that_were_not_asked_for_stay(project: Path) -> None:
    write(project)
    (project / "sub" / "requirements.txt").write_text("scipy==1.10.1\n")
    (project / "requirements.txt").write_text("torch==2.1.0\n")
    assert mlenv(project, "baseline", "write", "sub").returncode == 0
    shown = mlenv(project, "baseline", "show").stdout
    assert "sub/requirements.txt" not in shown
    assert shown.count("requirements.txt: ") == 2


def test_what_matches_nothing_is_told_and_removed(project: Path) -> None:
    write(project)
    (project / "requirements.txt").write_text("torch==2.1.0\n")
    told = (
        "mlenv: 2 entries of the baseline match nothing any more; "
        "mlenv baseline prune removes them\n"
    )
    done = mlenv(project, "audit", "--baseline", FILE)
    assert (done.returncode, done.stderr) == (0, told)
    for few in (("sub",), ("--ignore", "pins,conflicts"), ("--exclude", "requirements.txt")):
        done = mlenv(project, "audit", *few, "--baseline", FILE)
        assert done.stderr in (
            "",
            "mlenv: nothing to audit was found (--allow-empty makes that no failure)\n",
        )
    done = mlenv(project, "baseline", "prune")
    assert done.returncode == 0
    assert done.stdout == (
        "requirements.txt: CON001 numpy<1.24 | numpy>=1.26\nrequirements.txt: PIN001 torch\n"
    )
    assert done.stderr == f"mlenv: removed 2 of 3 entries of {FILE}\n"
    assert mlenv(project, "audit", "--baseline", FILE).stderr == ""
    again = mlenv(project, "baseline", "prune")
    assert (again.stdout, again.stderr) == ("", f"mlenv: removed 0 of 1 entry of {FILE}\n")


def test_show_lists_records_of_paths(project: Path) -> None:
    write(project)
    everything = mlenv(project, "baseline", "show")
    assert everything.stdout.splitlines() == [
        "requirements.txt: CON001 numpy<1.24 | numpy>=1.26",
        "requirements.txt: PIN001 torch",
        "sub/requirements.txt: PIN001 scipy",
    ]
    below = mlenv(project, "baseline", "show", "sub")
    assert below.stdout.splitlines() == ["sub/requirements.txt: PIN001 scipy"]


def test_a_suppression_comes_before_the_baseline(project: Path) -> None:
    (project / "requirements.txt").write_text("torch  # mlenv: ignore[PIN001] the image has it\n")
    write(project)
    shown = mlenv(project, "baseline", "show").stdout
    assert shown == "sub/requirements.txt: PIN001 scipy\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("audit", "--baseline", "no.json"), "there is no baseline 'no.json'"),
        (("audit", "--baseline", "requirements.txt"), "requirements.txt: it is no baseline"),
        (("audit", "--baseline", "sub"), "there is no baseline 'sub'"),
        (("baseline", "prune"), f"there is no baseline '{FILE}'"),
        (("baseline", "show"), f"there is no baseline '{FILE}'"),
        (("baseline", "write", "gone"), "there is no such file or folder: gone"),
        (("baseline", "write", "-"), "not of the standard input"),
        (("baseline", "write", "--file", "requirements.txt"), "it is no baseline"),
        (("baseline", "write", "--file", "no/such/folder.json"), "it cannot be written"),
        (("baseline", "burn"), "burn"),
    ],
)
def test_wrong_usage_is_2_and_told(project: Path, arguments: tuple[str, ...], told: str) -> None:
    done = mlenv(project, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert (project / "requirements.txt").read_text() == OLD


def test_where_there_is_nothing_to_audit_nothing_is_written(tmp_path: Path) -> None:
    done = mlenv(tmp_path, "baseline", "write")
    assert (done.returncode, list(tmp_path.iterdir())) == (3, [])


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "concise"])
def test_every_format_leaves_out_what_is_accepted(project: Path, form: str) -> None:
    write(project)
    done = mlenv(project, "audit", "--baseline", FILE, "--format", form)
    assert done.returncode == 0
    assert "unpinned" not in done.stdout.partition('"results"')[2]
    assert "no findings (3 in the baseline)" in done.stdout or form in ("json", "sarif")
