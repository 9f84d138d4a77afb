"""Suppressions of the configuration: an audit that can judge them names those that do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from making import environment_of

from mlenv.audit import audit_project
from mlenv.cli.settings import known_rules
from mlenv.config import load_config
from mlenv.model.surroundings import Surroundings

if TYPE_CHECKING:
    from pathlib import Path

TODAY = "2026-11-20"


def findings(
    folder: Path, *paths: str, select: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
) -> list[tuple[str, str, str]]:
    """The notes on suppressions: file, place and message."""
    named = tuple(str(folder / path) for path in paths or (".",))
    start = str(folder) if not paths else named[0]
    config = load_config(start, vocabulary=known_rules)
    config = config.with_options(select=select, exclude=exclude)
    report = audit_project(named if paths else (str(folder),), config, today=TODAY)
    return [
        (one.span.path, one.span.text, one.message)
        for one in report.findings
        if one.span is not None and one.rule in ("HYG001", "HYG008")
    ]


def entry(**keys: str) -> str:
    lines = [f"{key} = {value!r}" for key, value in {"reason": "known", **keys}.items()]
    return "[[tool.mlenv.ignore]]\n" + "\n".join(lines) + "\n"


def project(folder: Path, *entries: str, requirements: str = "torch\n") -> Path:
    (folder / ".git").mkdir()
    (folder / "pyproject.toml").write_text("# settings\n" + "\n".join(entries))
    (folder / "sub").mkdir()
    (folder / "sub" / "requirements.txt").write_text(requirements)
    return folder


def test_an_entry_that_does_something_is_left_alone(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="PIN001", package="torch", file="sub/"))
    assert findings(tmp_path) == []


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"rule": "PIN005"}, "PIN005 finds nothing"),
        ({"rule": "PIN001", "package": "numpy"}, "PIN001 finds nothing of numpy"),
        ({"rule": "PIN001", "file": "other/"}, "PIN001 finds nothing in other/"),
        ({"rule": "pins", "package": "numpy"}, "pins finds nothing of numpy"),
        ({"rule": "PIN001", "until": "2026-11-19"}, "it held until 2026-11-19"),
    ],
)
def test_one_that_does_nothing_is_named_where_it_stands(
    tmp_path: Path, keys: dict[str, str], reason: str
) -> None:
    project(tmp_path, entry(rule="PIN001", package="torch"), entry(**keys))
    ((file, text, message),) = findings(tmp_path)
    assert file == "pyproject.toml"
    assert text.startswith("[[tool.mlenv.ignore]]")
    assert keys["rule"] in text
    assert text.count("rule") == 1
    assert message == f"this suppression does nothing: {reason}"


def test_a_day_still_to_come_holds(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="PIN001", until="2026-11-20"))
    assert findings(tmp_path) == []


def test_of_two_that_cover_the_same_none_is_stale(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="PIN001"), entry(rule="pins", package="torch"))
    assert findings(tmp_path) == []


def test_only_an_audit_of_all_that_they_speak_of_judges_entries(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="PIN005"))
    (tmp_path / "requirements.txt").write_text("torch==2.5.1\n")
    assert len(findings(tmp_path)) == 1
    assert findings(tmp_path, "requirements.txt") == []
    assert findings(tmp_path, "sub") == []
    assert findings(tmp_path, exclude=("sub/",)) == []


def test_nothing_is_said_of_rules_that_did_not_run(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="pins", package="numpy"))
    assert findings(tmp_path, select=("HYG", "PIN001")) == []
    assert len(findings(tmp_path, select=("HYG", "pins"))) == 1


def test_what_silences_notes_on_suppressions_is_not_judged(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="HYG001"), entry(rule="hygiene"))
    assert findings(tmp_path) == []


def test_a_configuration_of_its_own_and_an_inline_list(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.5.1\n")
    (tmp_path / "mlenv.toml").write_bytes(
        b'\xef\xbb\xbfignore = [\r\n  "LCK",\r\n  { rule = "PIN001", reason = "r" },\r\n]\r\n'
    )
    ((file, text, _),) = findings(tmp_path)
    assert (file, text) == ("mlenv.toml", '{ rule = "PIN001", reason = "r" }')


def test_an_entry_says_why(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="PIN001", reason=" "))
    ((file, text, message),) = findings(tmp_path)
    assert (file, text.count("rule")) == ("pyproject.toml", 1)
    assert message == "this suppression gives no reason"


def test_the_configuration_of_a_folder_below_is_judged_with_it(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "sub" / "mlenv.toml").write_text('[[ignore]]\nrule = "PIN005"\nreason = "r"\n')
    ((file, _, _),) = findings(tmp_path, "sub")
    assert file == "mlenv.toml"


COMMENTED = "numpy  # mlenv: ignore[ENV010, PIN001] it is there on the cluster\n"


def test_rules_of_an_environment_are_not_stale_where_none_was_looked_at(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="ENV010"), entry(rule="environment"), requirements=COMMENTED)
    assert findings(tmp_path) == []


def test_rules_of_an_environment_are_stale_where_one_has_nothing_to_tell(tmp_path: Path) -> None:
    project(tmp_path, entry(rule="ENV010"), requirements=COMMENTED)
    around = Surroundings(environment=environment_of({"packages": {"numpy": "1.26.4"}}))
    config = load_config(str(tmp_path), vocabulary=known_rules)
    report = audit_project((str(tmp_path),), config, today=TODAY, around=around)
    stale = [one.message for one in report.findings if one.rule in ("HYG001", "HYG008")]
    assert len(stale) == 2
    assert all("ENV010" in message for message in stale)
