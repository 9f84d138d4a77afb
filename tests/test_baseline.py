"""What a baseline knows findings by: it outlives every move, and sees every change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlenv.audit import audit_project
from mlenv.baseline import Ledger, Record, read_baseline, written
from mlenv.config import Config
from mlenv.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlenv.model.report import Report

LIST = "numpy\ntorch  # the model\npandas>=2,<3\nscipy<1.10\nscipy>=1.11\n"
CONFIG = Config(select=("parse", "pins", "conflicts", "mixing", "LCK001"))
"""Rules enough: what is shown here holds for all of them."""
CONDA = """\
name: train
channels:
  - conda-forge
  - defaults
dependencies:
  - python=3.10
  - numpy=1.24
  - pip
  - pip:
      - numpy==1.26.4
      - tqdm
"""


def audited(folder: Path, known: dict[Record, int], *paths: str) -> tuple[Report, Ledger]:
    ledger = Ledger(known)
    named = tuple(str(folder / path) for path in paths) or (str(folder),)
    return audit_project(named, CONFIG, today="2026-11-20", ledger=ledger), ledger


def baseline(folder: Path) -> dict[Record, int]:
    _, ledger = audited(folder, {})
    assert ledger.found
    return ledger.found


def put(folder: Path, text: str, name: str = "requirements.txt") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return folder


MOVES: dict[str, Callable[[str], str]] = {
    "lines above": lambda text: f"\n\n# a comment\n{text}",
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "comments": lambda text: text.replace("numpy\n", "numpy  # why\n").replace("  # the model", ""),
    "blanks": lambda text: text.replace(">=2,<3", " >=2,<3 ").replace("numpy\n", "  numpy\n"),
    "order": lambda text: "".join(reversed(text.splitlines(keepends=True))),
    "a line joined": lambda text: text.replace("pandas>=", "pandas \\\n    >="),
}


@pytest.mark.parametrize("move", list(MOVES))
def test_a_move_is_no_new_finding(tmp_path: Path, move: str) -> None:
    known = baseline(put(tmp_path, LIST))
    moved = MOVES[move](LIST)
    assert moved != LIST
    report, ledger = audited(put(tmp_path, moved), known)
    assert (report.findings, ledger.leftover()) == ((), {})
    assert report.baselined == sum(known.values()) == ledger.count


def test_a_conda_environment_that_is_indented_otherwise(tmp_path: Path) -> None:
    known = baseline(put(tmp_path, CONDA, "environment.yml"))
    indented = CONDA.replace("\n  - ", "\n    - ").replace("\n      - ", "\n          - ")
    assert indented != CONDA
    report, ledger = audited(put(tmp_path, indented, "environment.yml"), known)
    assert (report.findings, ledger.leftover()) == ((), {})


def test_a_new_line_is_reported_alone(tmp_path: Path) -> None:
    known = baseline(put(tmp_path, "numpy\ntorch\n"))
    report, _ = audited(put(tmp_path, "numpy\nscipy\ntorch\n"), known)
    (found,) = report.findings
    assert (found.rule, found.packages, found.related) == ("PIN001", ("scipy",), ())
    assert found.span is not None
    assert found.span.text == "scipy"
    assert report.exit_code == 0
    assert report.baselined == 2


def test_another_version_is_another_declaration(tmp_path: Path) -> None:
    known = baseline(put(tmp_path, "scipy<1.10\nscipy>=1.11\n"))
    assert known == {
        Record("CON001", "requirements.txt", ("scipy",), "scipy<1.10 | scipy>=1.11"): 1
    }
    report, ledger = audited(put(tmp_path, "scipy<1.10\nscipy>=1.12\n"), known)
    assert [one.rule for one in report.findings] == ["CON001"]
    assert (report.exit_code, ledger.leftover()) == (1, known)


def test_another_file_is_another_finding(tmp_path: Path) -> None:
    known = baseline(put(tmp_path, "numpy\n"))
    (tmp_path / "requirements.txt").rename(tmp_path / "requirements-gpu.txt")
    report, ledger = audited(tmp_path, known)
    assert [one.rule for one in report.findings] == ["PIN001"]
    assert ledger.leftover() == known


def test_equal_declarations_are_counted(tmp_path: Path) -> None:
    text = '[dependency-groups]\na = ["x==1", "x==2"]\nb = ["x==1", "x==2"]\n'
    known = baseline(put(tmp_path, text, "pyproject.toml"))
    (record,) = (one for one in known if one.rule == "CON001")
    assert known[record] == 2
    report, _ = audited(tmp_path, {**known, record: 1})
    assert [one.rule for one in report.findings] == ["CON001"]
    one_left = '[dependency-groups]\na = ["x==1", "x==2"]\n'
    report, ledger = audited(put(tmp_path, one_left, "pyproject.toml"), known)
    assert (report.findings, ledger.leftover()) == ((), {record: 1})


@pytest.mark.parametrize(
    "text",
    ["numpy===\n=broken=\n", "<<<<<<< a\nx==1\n=======\nx==2\n>>>>>>> b\n", "-r gone.txt\nx==1\n"],
)
def test_what_cannot_be_read_is_accepted_as_well(tmp_path: Path, text: str) -> None:
    known = baseline(put(tmp_path, text))
    report, _ = audited(put(tmp_path, f"# moved\n\n{text}"), known)
    assert (report.findings, report.exit_code) == ((), 0)


def test_a_finding_on_a_whole_file_does_not_hang_on_its_first_line(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\nversion = "1"\ndependencies = ["numpy>=1"]\n'
    known = baseline(put(tmp_path, text, "pyproject.toml"))
    assert [one.declaration for one in known if one.rule == "LCK001"] == ["no-lock"]
    more = text.replace('["numpy', '["attrs>=1", "numpy')
    report, _ = audited(put(tmp_path, more, "pyproject.toml"), known)
    assert [one.rule for one in report.findings if one.rule == "LCK001"] == []


def test_paths_are_those_of_the_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    put(tmp_path, "numpy\n", "a/requirements.txt")
    known = baseline(put(tmp_path, "numpy\n", "b/requirements.txt"))
    assert {one.file for one in known} == {"a/requirements.txt", "b/requirements.txt"}
    for path in ("a", "a/requirements.txt", "b/"):
        report, ledger = audited(tmp_path, known, path)
        assert (report.findings, report.baselined) == ((), 1)
        assert not ledger.is_whole
        assert ledger.leftover() == {}


def test_only_what_was_audited_is_left_over(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    put(tmp_path, "numpy\n", "a/requirements.txt")
    known = baseline(put(tmp_path, "numpy\n", "b/requirements.txt"))
    put(tmp_path, "numpy==1.26.4\n", "a/requirements.txt")
    put(tmp_path, "numpy==1.26.4\n", "b/requirements.txt")
    _, ledger = audited(tmp_path, known, "a")
    assert {one.file for one in ledger.leftover()} == {"a/requirements.txt"}
    _, ledger = audited(tmp_path, known)
    assert ledger.leftover() == known
    ledger = Ledger(known)
    audit_project((str(tmp_path),), Config(select=("conflicts",)), ledger=ledger)
    assert ledger.leftover() == {}


def test_no_credential_reaches_the_file(tmp_path: Path) -> None:
    put(
        tmp_path,
        "tool @ git+https://bot:hunter2@git.example/team/tool.git\n"
        "--extra-index-url https://bot:hunter2@index.example/simple extra words\n"
        f"x @ https://bot:hunter2@files.example/{'long' * 60}.whl?token=hunter2\n",
    )
    known = baseline(tmp_path)
    text = written(known)
    assert "hunter2" not in text
    assert "****" in text
    # and another password is no other declaration
    file = tmp_path / "requirements.txt"
    file.write_text(file.read_text().replace("hunter2", "hunter3"))
    report, _ = audited(tmp_path, known)
    assert report.findings == ()


texts = st.text(max_size=30)
records = st.dictionaries(
    st.builds(Record, texts, texts, st.lists(texts, max_size=3).map(tuple), texts),
    st.integers(1, 9),
    max_size=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(records)
def test_what_is_written_is_read(tmp_path: Path, known: dict[Record, int]) -> None:
    text = written(known)
    assert text.isascii()
    assert "##" not in text
    assert written(dict(reversed(known.items()))) == text
    assert text.count('"rule"') == len([x for x in text.splitlines() if x.startswith("    {")])
    path = tmp_path / "baseline.json"
    path.write_text(text)
    assert read_baseline(str(path)) == known


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is no baseline"),
        ("[]", "it has no schema"),
        ('{"schema": "1"}', "it has no schema"),
        ('{"schema": true, "findings": []}', "it has no schema"),
        ('{"schema": 2, "findings": []}', "its schema is 2, and this version knows 1 only"),
        ('{"schema": 1}', "'findings' must be a list"),
        ('{"schema": 1, "findings": [1]}', "finding 1 is not as it was written"),
        ('{"schema": 1, "findings": [{"rule": "X"}]}', "finding 1 is not as it was written"),
        ("[" * 100_000, "it is no baseline"),
        ("<<<<<<< HEAD\n{}", "it is no baseline"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_baseline(str(path))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("row", [{"count": 0}, {"count": True}, {"packages": "x"}, {"file": 1}])
def test_a_record_of_another_form_is_refused(tmp_path: Path, row: dict[str, object]) -> None:
    good = {"rule": "X", "file": "x", "packages": ["x"], "declaration": "x", "count": 1}
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"schema": 1, "findings": [good]}))
    assert list(read_baseline(str(path)).values()) == [1]
    path.write_text(json.dumps({"schema": 1, "findings": [{**good, **row}]}))
    with pytest.raises(UsageError, match="finding 1"):
        read_baseline(str(path))
