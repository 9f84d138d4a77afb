"""``mlenv init``: what it writes is accepted by those who read it, and nothing else changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from invocation import mlenv

from mlenv import __version__
from mlenv.cli.settings import known_rules
from mlenv.config import load_config
from mlenv.init import templates
from mlenv.init.edits import edited, has_hook, with_hook, with_table
from mlenv.init.origin import Origin, as_https, remotes, without_login
from mlenv.model.text import SourceText

HOOKS = ".pre-commit-config.yaml"
WORKFLOW = ".github/workflows/mlenv.yml"
EXISTING = """\
# our hooks
repos:
- repo: https://git.example/team/hooks
  rev: v1.2.3   # keep
  hooks:
  - id:   tidy

# the end
fail_fast: true
"""


def init(folder: Path, *arguments: str) -> list[str]:
    done = mlenv(folder, "init", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git/" not in path.relative_to(folder).as_posix()
    }


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "requirements.txt").write_text("numpy==1.26.4\n")
    return tmp_path


def test_a_bare_repository_gets_a_configuration_and_the_hook(repo: Path) -> None:
    said = init(repo)
    assert set(tree(repo)) == {"requirements.txt", "mlenv.toml", HOOKS}
    assert "mlenv.toml created, with the configuration" in said
    assert load_config(str(repo), vocabulary=known_rules).profile == "research"
    validate_hooks(repo)
    assert "next: commit these files; pre-commit install makes every commit run the hook" in said


def validate_hooks(repo: Path) -> None:
    pytest.importorskip("pre_commit")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", HOOKS],
        cwd=repo,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_there_is_added_to_and_nothing_else_changes(repo: Path) -> None:
    manifest = '\ufeff[project]\r\nname = "x"  # keep\r\nversion = "1"'
    (repo / "pyproject.toml").write_bytes(manifest.encode())
    (repo / HOOKS).write_text(EXISTING)
    (repo / ".github").mkdir()
    init(repo)
    assert set(tree(repo)) == {"requirements.txt", "pyproject.toml", HOOKS, WORKFLOW}
    grown = (repo / "pyproject.toml").read_bytes()
    assert grown.startswith(manifest.encode())
    assert b"\n" not in grown.replace(b"\r\n", b"")
    assert load_config(str(repo), vocabulary=known_rules).path.endswith("pyproject.toml")
    hooks = (repo / HOOKS).read_text()
    lines = hooks.splitlines()
    kept = EXISTING.splitlines()
    at = lines.index("  - id:   tidy") + 1
    assert lines[at] == "- repo: local"
    assert [*lines[:at], *lines[at + len(LINES) :]] == kept
    validate_hooks(repo)
    assert yaml.safe_load((repo / WORKFLOW).read_text())["jobs"]["audit"]["steps"]


@pytest.mark.parametrize("options", [(), ("--baseline",)])
def test_a_second_run_changes_nothing(repo: Path, options: tuple[str, ...]) -> None:
    (repo / "requirements.txt").write_text("x<1\nx>2\n")
    (repo / ".github").mkdir()
    (repo / "pyproject.toml").write_text("[tool.other]\na = 1\n")
    init(repo, *options)
    first = tree(repo)
    said = init(repo, *options)
    assert tree(repo) == first
    assert not [line for line in said if "created" in line or "changed" in line]


def test_a_dry_run_shows_what_a_run_writes(repo: Path) -> None:
    (repo / HOOKS).write_text(EXISTING)
    (repo / ".github").mkdir()
    before = tree(repo)
    shown = init(repo, "--dry-run")
    assert tree(repo) == before
    assert [line for line in shown if line.startswith("+++ ")] == [
        "+++ b/mlenv.toml", f"+++ b/{HOOKS}", f"+++ b/{WORKFLOW}",
    ]  # fmt: skip
    assert not [line for line in shown if re.match(r"-(?!--)", line)]
    init(repo)
    added = {line for text in tree(repo).values() for line in text.decode().splitlines()}
    assert {line[1:] for line in shown if re.match(r"\+(?!\+\+)", line)} <= added
    assert init(repo, "--dry-run") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mlenv.toml", ""),
        (".mlenv.toml", 'profile = "library"\n'),
        ("pyproject.toml", '[tool.mlenv]\nprofile = "library"\n'),
    ],
)
def test_a_configuration_is_never_overwritten(repo: Path, name: str, text: str) -> None:
    (repo / name).write_text(text)
    assert f"{name} is the configuration already" in init(repo)
    assert (repo / name).read_text() == text
    assert set(tree(repo)) == {"requirements.txt", name, HOOKS}


def test_a_manifest_that_cannot_be_extended_is_left_alone(repo: Path) -> None:
    for text in ("tool = {}\n", "[tool]\nmlenv.x = 1\n[broken\n"):
        (repo / "pyproject.toml").write_text(text)
        init(repo)
        assert (repo / "pyproject.toml").read_text() == text
        assert load_config(str(repo), vocabulary=known_rules).path.endswith("mlenv.toml")
        (repo / "mlenv.toml").unlink()
        (repo / HOOKS).unlink()


def test_the_baseline_is_part_of_what_runs(repo: Path) -> None:
    (repo / "requirements.txt").write_text("x<1\nx>2\n")
    (repo / ".github").mkdir()
    init(repo, "--baseline")
    hook = hook_of(repo)
    assert hook["entry"].endswith("--baseline mlenv-baseline.json")
    assert "--baseline mlenv-baseline.json" in (repo / WORKFLOW).read_text()
    done = mlenv(repo, *hook["entry"].split()[1:])
    assert (done.returncode, done.stderr) == (0, "")


def hook_of(repo: Path) -> dict[str, Any]:
    (entry,) = yaml.safe_load((repo / HOOKS).read_text())["repos"]
    (hook,) = entry["hooks"]
    return dict(hook)


def test_errors_that_are_not_accepted_are_told(repo: Path) -> None:
    (repo / "requirements.txt").write_text("x<1\nx>2\n")
    assert "next: mlenv audit shows 1 error; mend" in "\n".join(init(repo))
    assert "mlenv-baseline.json" not in tree(repo)
    (repo / "requirements.txt").write_text("x==1\n")
    init(repo, "--baseline")
    assert "mlenv-baseline.json" not in tree(repo)


def test_gitlab_gets_a_job_to_paste(repo: Path) -> None:
    (repo / ".gitlab-ci.yml").write_text("stages: [test]\n")
    said = init(repo)
    at = said.index(".gitlab-ci.yml is yours to extend: add this job")
    job = yaml.safe_load("\n".join(line[4:] for line in said[at + 1 :] if line.startswith("    ")))
    assert f'pip install "mlenv=={__version__}"' in job["mlenv"]["script"]
    assert (repo / ".gitlab-ci.yml").read_text() == "stages: [test]\n"
    (repo / ".gitlab-ci.yml").write_text("test: {script: [mlenv audit]}\n")
    assert ".gitlab-ci.yml speaks of mlenv already" in init(repo)


def test_a_remote_at_github_means_github_actions(repo: Path) -> None:
    (repo / ".git" / "config").write_text('[remote "origin"]\n\turl = git@github.com:a/b.git\n')
    init(repo)
    assert WORKFLOW in tree(repo)


def test_a_workflow_that_runs_mlenv_is_enough(repo: Path) -> None:
    folder = repo / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "checks.yml").write_text("jobs: {a: {steps: [{run: mlenv audit}]}}\n")
    assert ".github/workflows/checks.yml runs mlenv already" in init(repo)
    assert WORKFLOW not in tree(repo)


def test_outside_of_git_only_the_configuration_is_written(tmp_path: Path) -> None:
    said = init(tmp_path)
    assert set(tree(tmp_path)) == {"mlenv.toml"}
    assert "no hook and no CI step: this is not the top of a git repository" in said
    assert b'# profile = "application"' in tree(tmp_path)["mlenv.toml"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_no_link_leads_it_out_of_the_folder(repo: Path, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "pyproject.toml").write_text("[tool.x]\n")
    (outside / HOOKS).write_text(EXISTING)
    before = tree(outside)
    (repo / "pyproject.toml").symlink_to(outside / "pyproject.toml")
    (repo / HOOKS).symlink_to(outside / HOOKS)
    (repo / "mlenv.toml").symlink_to(outside / "new.toml")
    (repo / ".github").symlink_to(outside)
    said = init(repo)
    assert tree(outside) == before
    assert [line for line in said if line.endswith("is left alone: a link leads there")] == [
        "mlenv.toml is left alone: a link leads there",
        f"{HOOKS} is left alone: a link leads there",
        f"{WORKFLOW} is left alone: a link leads there",
    ]


def test_a_folder_that_is_not_there_and_a_wrong_configuration_are_2(repo: Path) -> None:
    done = mlenv(repo, "init", "gone")
    assert (done.returncode, done.stderr) == (2, "mlenv: error: there is no such folder: gone\n")
    (repo / "mlenv.toml").write_text("profil = 1\n")
    done = mlenv(repo, "init")
    assert (done.returncode, "unknown key 'profil'" in done.stderr) == (2, True)
    assert set(tree(repo)) == {"requirements.txt", "mlenv.toml"}


def test_what_is_written_brings_no_finding_above_a_note(repo: Path) -> None:
    (repo / ".github").mkdir()
    init(repo)
    done = mlenv(repo, "audit", "--fail-on", "warning")
    assert done.returncode == 0, done.stdout


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LINES = templates.hook(Origin(), "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet\n",
        "---\n",
        "fail_fast: true",
        "repos:",
        "repos: []\n",
        "repos: []  # none\nfail_fast: true\n",
        "repos:\n    -   repo: a\n        hooks:\n        -   id: x\n",
        "repos:\n- {repo: a, hooks: [{id: x}]}\n# c\ndefault_stages: [commit]\n",
        "repos:\r\n- repo: a\r\n  hooks: []",
        "repos:\n  - repo: a\n    hooks:\n      - id: x\n        files: |\n          a\n\n\n",
    ],
)
def test_a_hook_is_added_to_a_file_of_any_layout(text: str) -> None:
    found = with_hook(SourceText(HOOKS, text), LINES)
    assert found is not None
    before, after = yaml.safe_load(text) or {}, yaml.safe_load(found)
    assert after["repos"][:-1] == (before.get("repos") or [])
    assert after["repos"][-1] == yaml.safe_load("\n".join(LINES))
    assert {**after, "repos": 0} == {**before, "repos": 0}
    assert ("\r\n" in found) == ("\r\n" in text)
    assert has_hook(SourceText(HOOKS, found))
    assert not has_hook(SourceText(HOOKS, text))


@pytest.mark.parametrize(
    "text",
    [
        "repos: [{repo: a, hooks: []}]\n",
        "{}\n",
        "- a\n",
        "repos: text\n",
        "repos:\n  -\n    repo: a\n    hooks: []\n",
        "repos: [\n",
        "a: 1\n---\nb: 2\n",
        "repos:\n- repo: a\n  args:\n  - |\n    # not a comment\n",
    ],
)
def test_a_layout_that_it_cannot_extend_is_refused(text: str) -> None:
    assert with_hook(SourceText(HOOKS, text), LINES) is None


pieces = st.sampled_from(
    [
        "repos:",
        "\n",
        "- ",
        "  ",
        "repo: a",
        "hooks:",
        "id: x",
        "[]",
        "{",
        "#",
        "|",
        "'",
        "\r\n",
        ":",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces, max_size=12).map("".join))
def test_no_text_makes_an_edit_lose_something(text: str) -> None:
    found = with_hook(SourceText(HOOKS, text), LINES)
    if found is not None and "[]:" not in re.sub(r"\s", "", text):  # no key for Python
        # as pre-commit loads it: libyaml takes a little more than PyYAML itself
        before, after = (yaml.load(one, LOADER) for one in (text, found))
        before = before or {}
        assert after["repos"][:-1] == (before.get("repos") or [])
        assert {**after, "repos": 0} == {**before, "repos": 0}
    table = with_table(SourceText("x", text), ["[tool.mlenv]"], ("tool", "mlenv"))
    if table is not None:
        assert tomli.loads(table)["tool"]["mlenv"] == {}


def test_an_edit_keeps_the_encoding() -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-8"):
        data = "# Größe\nrepos: []\n".encode(encoding)
        found = edited(HOOKS, data, lambda text: with_hook(text, LINES))
        assert found is not None
        assert found.decode(encoding).startswith("# Größe\nrepos:\n  - repo: local\n")
    broken = "# x".encode("utf-16") + b"\xd8"
    assert edited(HOOKS, broken, lambda text: text.text) is None


def test_where_it_came_from_is_where_it_is_fetched_from() -> None:
    origin = Origin("https://git.example/team/mlenv", "v1")
    hook = yaml.safe_load("\n".join(templates.hook(origin, "b.json")))
    assert (hook["repo"], hook["rev"]) == ("https://git.example/team/mlenv", "v1")
    assert hook["hooks"] == [{"id": "mlenv", "args": ["--baseline", "b.json"]}]
    assert Origin("https://git.example/x").revision == f"v{__version__}"
    assert origin.requirement == "mlenv @ git+https://git.example/team/mlenv@v1"
    assert without_login("https://u:p@git.example/x@y") == "https://git.example/x@y"


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("git@git.example:team/x.git", "https://git.example/team/x.git"),
        ("ssh://git@git.example:22/team/x.git", "https://git.example/team/x.git"),
        ("https://u:p@git.example/x", "https://git.example/x"),
        ("/srv/git/x.git", ""),
        ("file:///srv/x", ""),
        ("", ""),
    ],
)
def test_a_remote_as_anyone_can_fetch_it(remote: str, url: str) -> None:
    assert as_https(remote) == url


def test_remotes_are_read_without_git(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text(
        '[core]\n\turl = no\n[remote "a"]\n\tfetch = x\n\turl = https://git.example/a \n'
        '[branch "main"]\n\turl = no\n[remote "b"]\n  url=git@git.example:b\n'
    )
    assert remotes(str(tmp_path)) == ["https://git.example/a", "git@git.example:b"]
    assert remotes(str(tmp_path / "gone")) == []
