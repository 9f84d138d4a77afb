"""The list of rules says what their decorators say, and spares an audit what it can do without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlenv.knowledge import KNOWLEDGE_DATE, Knowledge
from mlenv.model.environment import Environment
from mlenv.model.project import Project
from mlenv.model.target import Target
from mlenv.reasoning.setting import IMAGE, INSTALLED, LOCK, REQUIREMENTS
from mlenv.rules.base import GRANULARITIES, Listed
from mlenv.rules.registry import RULES
from mlenv.rules.table import LISTED

KINDS = {REQUIREMENTS, LOCK, IMAGE, INSTALLED}
ONLY = {
    "setting": KINDS | {*dir(Target), "is_reported"},
    "environment": {*dir(Environment), *dir(Project)},
    "project": KINDS | {*dir(Target), *dir(Project)},
}
OF_FILES = {"code", "knowledge", "targets", "today"}
LOADED = """
import sys
from mlenv.__main__ import main
code = main()
print(*sorted(name for name in sys.modules if name.startswith("mlenv.rules.")), file=sys.stderr)
"""


@pytest.mark.parametrize("one", LISTED, ids=lambda one: one.code)
def test_a_rule_is_listed_as_its_decorator_has_it(one: Listed) -> None:
    rule = one.rule
    listed = (one.code, one.topic, one.needs, one.only)
    assert listed == (rule.code, rule.topic, rule.needs, rule.only)
    assert rule.check.__module__ == f"mlenv.rules.{one.module}"


def test_every_rule_of_every_module_is_listed() -> None:
    folder = Path(sys.modules[Listed.__module__].__file__ or "").parent
    decorators = sum(file.read_text("utf-8").count("\n@rule(") for file in folder.glob("*.py"))
    assert len({one.code for one in LISTED}) == len(LISTED) == decorators


def test_rules_speak_of_what_there_is() -> None:
    for rule in RULES:
        assert rule.needs[0] in GRANULARITIES
        assert {*rule.only} <= ONLY.get(rule.needs[0], set()), rule.code


@pytest.mark.parametrize(
    "rule",
    [one for one in RULES if one.needs[0] == "project" and OF_FILES.issuperset(one.needs[1:])],
    ids=lambda rule: rule.code,
)
def test_rules_on_files_have_nothing_to_say_where_there_are_none(rule: Listed) -> None:
    bare = Project(".", {})
    known = {"code": bare.code, "knowledge": Knowledge(), "targets": (), "today": KNOWLEDGE_DATE}
    others = [known[name] for name in rule.needs[1:]]
    assert [*rule.rule.check(bare, *others)] == []


def loaded_by(folder: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "audit", *arguments, "--target", "none"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.removeprefix("mlenv.rules.") for name in done.stderr.split()}


def test_an_audit_of_files_loads_no_rule_on_environments(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy==1.26.4\n", "utf-8")
    loaded = loaded_by(tmp_path, "--env", "none", "--fail-on", "never")
    assert {"pins", "locks", "numpy2"} <= loaded
    assert not {one for one in loaded if one.startswith(("installed_", "machine", "interpreters"))}


def test_an_audit_of_an_environment_loads_no_rule_on_files(tmp_path: Path) -> None:
    site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("version = 3.11.7\n", "utf-8")
    (tmp_path / "empty").mkdir()
    loaded = loaded_by(
        tmp_path / "empty", "--env", str(tmp_path / "env"), "--allow-empty", "--no-binaries"
    )
    assert {"installed_requirements", "numpy2"} <= loaded
    assert not loaded & {"pins", "locks", "base_images", "security", "parse"}
    assert not loaded & {"drivers", "gpu_architectures", "installed_gpu", "toolkit", "pythons"}
