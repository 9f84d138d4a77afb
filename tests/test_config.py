"""The nearest configuration counts; what it says that mlenv does not know is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlenv.config import Config, IgnoreEntry, Vocabulary, load_config, matches_path
from mlenv.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = Vocabulary(frozenset({"PIN001", "PIN002", "LCK001"}), frozenset({"pins", "locks"}))


def load(folder: Path, explicit: str = "", *, use_config: bool = True) -> Config:
    return load_config(str(folder), explicit, use_config=use_config, vocabulary=lambda: KNOWN)


def written(folder: Path, text: str, name: str = "mlenv.toml") -> Config:
    (folder / name).write_text(text, encoding="utf-8")
    return load(folder)


def test_every_key(tmp_path: Path) -> None:
    config = written(
        tmp_path,
        """
profile = "library"
select = ["pins", "LCK"]
fail-on = "warning"
exclude = ["old/"]
severity = { PIN001 = "error", pins = "off" }
per-file-ignores = { "docs/*.txt" = ["PIN002"] }
ignore = [
    "PIN002",
    { rule = "LCK001", package = "torch", file = "uv.lock", reason = "r", until = 2027-01-31 },
]
target = "a100"
targets.a100 = { driver = "535" }
extra-facts = ["facts.toml"]
""",
    )
    assert config == Config(
        profile="library",
        select=("pins", "LCK"),
        ignore=("PIN002",),
        ignore_entries=(IgnoreEntry("LCK001", "torch", "uv.lock", "r", "2027-01-31"),),
        fail_on="warning",
        exclude=("old/",),
        target=("a100",),
        targets=(("a100", {"driver": "535"}),),
        severity=(("PIN001", "error"), ("pins", "off")),
        per_file_ignores=(("docs/*.txt", ("PIN002",)),),
        path=config.path,
        extra_facts=("facts.toml",),
    )
    assert config.path.endswith("mlenv.toml")


def test_an_array_of_tables(tmp_path: Path) -> None:
    text = '[[tool.mlenv.ignore]]\nrule = "pins"\nuntil = "2027-01-31"\n'
    config = written(tmp_path, text, "pyproject.toml")
    assert config.ignore_entries == (IgnoreEntry("pins", until="2027-01-31"),)


def test_the_nearest_file_wins_and_the_repository_ends_the_search(tmp_path: Path) -> None:
    (tmp_path / "mlenv.toml").write_text('profile = "library"')
    repository = tmp_path / "repository"
    inner = repository / "a" / "b"
    inner.mkdir(parents=True)
    assert load(inner).profile == "library"
    (repository / ".git").mkdir()
    assert load(inner) == Config()
    (repository / "pyproject.toml").write_text('[tool.mlenv]\nprofile = "research"')
    assert load(inner).profile == "research"
    (repository / ".mlenv.toml").write_text('profile = "application"')
    assert load(inner).profile == "application"
    (repository / "mlenv.toml").write_text("")
    assert load(inner).profile == ""
    (repository / "a" / "pyproject.toml").write_text("[project]\nname = 'mlenv-user'\n")
    assert load(inner).path.endswith("mlenv.toml")
    file = inner / "requirements.txt"
    file.write_text("torch\n")
    assert load(file).path.endswith("mlenv.toml")


def test_no_config_and_an_explicit_one(tmp_path: Path) -> None:
    written(tmp_path, 'profile = "library"')
    assert load(tmp_path, use_config=False) == Config()
    other = tmp_path / "other.toml"
    other.write_text('profile = "research"')
    assert load(tmp_path, str(other)).profile == "research"
    with pytest.raises(ConfigError, match="there is no configuration file"):
        load(tmp_path, str(tmp_path / "missing.toml"))
    shared = tmp_path / "pyproject.toml"
    shared.write_text("[project]\n")
    with pytest.raises(ConfigError, match=r"it has no \[tool.mlenv\]"):
        load(tmp_path, str(shared))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", "unknown key 'selct'; did you mean 'select'?"),
        ("select = ['PIN0O1']", "'select': unknown rule or topic 'PIN0O1'; did you mean 'PIN001'?"),
        ("select = ['pin001']", "unknown rule or topic 'pin001'; did you mean 'PIN001'?"),
        ("select = ['']", "unknown rule or topic ''"),
        ("select = 'PIN001'", "'select' must be a list"),
        ("select = [1]", "'select' must be a list of strings"),
        ("ignore = [1]", "'ignore' must be a list of codes, topics or tables"),
        ("ignore = [{ package = 'torch' }]", "'ignore' has an entry without 'rule'"),
        ("ignore = [{ rule = 'PIN001', file = 1 }]", "'ignore.file' must be a string"),
        ("ignore = [{ rule = 'PIN001', why = 'x' }]", "unknown key 'why' in 'ignore'"),
        ("ignore = [{ rule = 'PIN001', until = 'soon' }]", "'ignore.until' must be a date"),
        ("ignore = [{ rule = 'PIN001', until = 2027-01-01T00:00:00 }]", "must be a date"),
        ("ignore = [{ rule = 'PIN001', until = 2027 }]", "must be a date"),
        ("profile = 'app'", "'profile' must be one of application, library, research"),
        ("profile = ['library']", "'profile' must be one of"),
        ("fail-on = 'errors'", "'fail-on' must be one of error, warning, note, never"),
        ("severity = { PIN001 = 'high' }", "'severity.PIN001' must be one of"),
        ("severity = { pin = 'off' }", "unknown rule or topic 'pin'; did you mean 'pins'?"),
        ("severity = ['off']", "'severity' must be a table"),
        ("per-file-ignores = { 'a' = 'PIN001' }", "'per-file-ignores.a' must be a list"),
        ("exclude = 'old'", "'exclude' must be a list"),
        ("target = 1", "'target' must be a string or a list of strings"),
        ("target = ['a', 1]", "'target' must be a string or a list of strings"),
        ("target = ''", "'target' must be a string or a list of strings"),
        ("targets = []", "'targets' must be a table"),
        ("targets.a = 'A100'", "'targets.a' must be a table"),
        ("targets.local = {}", "'targets.local' is a name that mlenv gives"),
        ("targets.a.drivr = '535'", "unknown key 'drivr' in 'targets.a'; did you mean 'driver'?"),
        ("targets.a.driver = 535", "'targets.a.driver' must be a version in quotes such as"),
        ("targets.a.os = 'BeOS'", "'targets.a.os' must be linux, windows or macos"),
        ("targets.a.gpus = [{}]", "'targets.a.gpus.0' must have a name or a compute_capability"),
        ("targets.a.gpus = [{ name = 'A100', ram = 1 }]", "'targets.a.gpus.0.ram' is no key of"),
        ("extra-facts = {}", "'extra-facts' must be a list"),
        ("select = [", "it is no TOML"),
        ("a = " + "[" * 5000, "it is no TOML"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(tmp_path, text)
    told = str(caught.value)
    assert message in told
    assert "mlenv.toml: " in told
    assert "\n" not in told
    assert isinstance(caught.value, UsageError)


def test_a_broken_pyproject_is_ours_only_where_it_speaks_to_us(tmp_path: Path) -> None:
    assert written(tmp_path, "[project]\nname = mlenv-user", "pyproject.toml") == Config()
    with pytest.raises(ConfigError, match="it is no TOML"):
        written(tmp_path, "[ tool . mlenv ]\nselect = [", "pyproject.toml")


def test_encodings_of_windows(tmp_path: Path) -> None:
    (tmp_path / "mlenv.toml").write_bytes(b'\xef\xbb\xbfprofile = "library"\r\n')
    assert load(tmp_path).profile == "library"
    (tmp_path / "mlenv.toml").write_bytes(b"profile = '\xff'")
    with pytest.raises(ConfigError, match="it is no TOML"):
        load(tmp_path)


def test_the_command_line_goes_over_the_file() -> None:
    config = Config(profile="library", select=("pins",), ignore=("PIN001",), exclude=("a",))
    assert config.with_options() == config
    changed = config.with_options(
        profile="research",
        select=("locks",),
        ignore=("PIN002",),
        exclude=("b",),
        fail_on="never",
        allow_empty=True,
    )
    assert changed == Config(
        profile="research",
        select=("locks",),
        ignore=("PIN001", "PIN002"),
        exclude=("a",),
        also_exclude=("b",),
        fail_on="never",
        allow_empty=True,
    )


def test_which_rules_are_reported() -> None:
    assert Config().reports("PIN001", "pins")
    assert Config(select=("PIN",)).reports("PIN001", "pins")
    assert Config(select=("pins",)).reports("PIN001", "pins")
    assert not Config(select=("locks", "PIN002")).reports("PIN001", "pins")
    assert not Config(select=("pins",), ignore=("PIN001",)).reports("PIN001", "pins")


def test_the_most_particular_severity_counts() -> None:
    config = Config(severity=(("PIN001", "error"), ("PIN", "note"), ("pins", "off")))
    assert config.level("PIN001", "pins") == "error"
    assert config.level("PIN002", "pins") == "note"
    assert config.level("LCK001", "locks") == ""
    assert Config(severity=(("pins", "off"),)).level("PIN001", "pins") == "off"


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("*.txt", "a/b/requirements.txt", True),
        ("docs", "docs/a/requirements.txt", True),
        ("docs/", "docs/a/requirements.txt", True),
        ("docs/", "docs", False),
        ("docs/*.txt", "docs/a.txt", True),
        ("docs/*.txt", "docs/a/b.txt", False),
        ("docs/*.txt", "x/docs/a.txt", False),
        ("docs/**", "docs/a/b.txt", True),
        ("**/dev.txt", "dev.txt", True),
        ("/a.txt", "b/a.txt", False),
        ("#", "#", False),
    ],
)
def test_patterns_are_those_of_gitignore(pattern: str, path: str, covered: bool) -> None:
    assert matches_path(pattern, path) is covered
    assert Config(per_file_ignores=((pattern, ("pins",)),)).ignored_in(path) == (
        ("pins",) if covered else ()
    )
