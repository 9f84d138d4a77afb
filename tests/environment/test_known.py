"""What is remembered of metadata holds while their files are what they were, and no longer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from making import write_distribution, write_environment

from mlenv.environment.read import read_environment
from mlenv.model.environment import Environment


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mlenv" / "metadata"


@pytest.fixture
def prefix(tmp_path: Path, long_there: None) -> Path:
    env = tmp_path / "env"
    tables: list[dict[str, Any]] = [
        {"name": "a", "requires": ["b>=1", "c; extra == 'x'"], "extras": ["x"]},
        {"name": "b", "version": "2.0", "requires_python": ">=3.8"},
    ]
    write_environment(env, tables)
    return env


def read(prefix: Path) -> Environment:
    found = read_environment(str(prefix), use_cache=True)
    assert found is not None
    return found


def facts(environment: Environment) -> list[object]:
    return [
        (one.name, one.version, one.requires, one.extras, one.requires_python, one.tags)
        for one in environment.distributions.values()
    ]


def opened(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the metadata that reading an environment opens."""
    seen: list[str] = []
    whole = os.open

    def noted(path: str, *arguments: int) -> int:
        seen.append(os.path.basename(os.path.dirname(path)))
        return whole(path, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr("mlenv.environment.disk.os.open", noted)
        facts(read(prefix))
    return sorted({name for name in seen if name.endswith(".dist-info")})


def test_a_second_run_opens_nothing(
    prefix: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read(prefix)
    assert len(list(cache.iterdir())) == 1
    assert opened(prefix, monkeypatch) == []
    plain = read_environment(str(prefix))
    assert plain is not None
    assert facts(read(prefix)) == facts(first) == facts(plain)


def test_what_changed_is_read_anew(
    prefix: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(prefix)
    site = prefix / "lib" / "python3.11" / "site-packages"
    file = site / "a-1.0.dist-info" / "METADATA"
    before = file.stat()
    file.write_text(file.read_text("utf-8").replace("b>=1", "b>=3"), "utf-8")
    # whoever sets the times back cannot set that of the inode
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert opened(prefix, monkeypatch) == ["a-1.0.dist-info"]
    assert read(prefix).distributions["a"].requires[0] == "b>=3"
    # whatever changes the tags writes the hash of WHEEL into the record
    (site / "b-2.0.dist-info" / "WHEEL").write_text("Tag: py2-none-any\n", "utf-8")
    record = site / "b-2.0.dist-info" / "RECORD"
    record.write_text(record.read_text("utf-8") + "b-2.0.dist-info/WHEEL,sha256=x,18\n", "utf-8")
    assert read(prefix).distributions["b"].tags == ("py2-none-any",)
    write_distribution(site, {"name": "c"})
    assert "c" in read(prefix).distributions
    (site / "b-2.0.dist-info" / "METADATA").unlink()
    assert [one.kind for one in read(prefix).oddities if one.subject == "b"] == ["damaged-metadata"]


def test_what_changed_just_now_is_not_remembered(
    prefix: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlenv.caches.SETTLED", 2_000_000_000)
    read(prefix)
    assert opened(prefix, monkeypatch) == ["a-1.0.dist-info", "b-2.0.dist-info"]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b'{"made_by": [1, "0"], "folders": {}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_cache_is_read_past(prefix: Path, cache: Path, damage: bytes) -> None:
    expected = facts(read(prefix))
    (file,) = cache.iterdir()
    file.write_bytes(damage)
    assert facts(read(prefix)) == expected


@pytest.mark.parametrize("value", [None, 1, [], {}, ["x"], "lie"])
@pytest.mark.parametrize("at", range(7))
def test_an_entry_that_may_be_anything(prefix: Path, cache: Path, at: int, value: object) -> None:
    expected = facts(read(prefix))
    (file,) = cache.iterdir()
    held = json.loads(file.read_bytes())
    folder = next(one for one in held["folders"] if "a-1.0" in one)
    held["folders"][folder][at] = value
    file.write_text(json.dumps(held), "utf-8")
    found = facts(read(prefix))
    # a text in the place of a text can be told from the right one by nobody but its owner
    if not (isinstance(value, str) and at):
        assert found == expected


@pytest.fixture
def version(prefix: Path) -> Path:
    """Return the module in which torch speaks of its build."""
    site = prefix / "lib" / "python3.11" / "site-packages"
    write_distribution(site, {"name": "torch", "version": "2.9.1"})
    file = site / "torch" / "version.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        "__version__ = '2.9.1+cu128'\ncuda: Optional[str] = '12.8'\nhip = None\n", "utf-8"
    )
    return file


def truth(prefix: Path) -> tuple[str, str]:
    found = read(prefix).torch["torch"]
    return found.version, found.cuda


def test_what_torch_says_is_remembered_as_well(
    prefix: Path, version: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert truth(prefix) == ("2.9.1+cu128", "12.8")
    with monkeypatch.context() as patched:
        patched.setattr("mlenv.environment.truth.read_bytes", lambda *_: b"")
        assert truth(prefix) == ("2.9.1+cu128", "12.8")
    before = version.stat()
    version.write_text(version.read_text("utf-8").replace("12.8", "12.6"), "utf-8")
    os.utime(version, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert truth(prefix) == ("2.9.1+cu128", "12.6")
    version.unlink()
    assert "torch" not in read(prefix).torch


@pytest.mark.parametrize(
    "value", [None, 1, [], ["x"], [[], {}], [None, {"__version__": "1"}], "lie", {}]
)
def test_what_is_said_of_a_module_may_be_anything(
    prefix: Path, version: Path, cache: Path, value: object
) -> None:
    expected = truth(prefix)
    (file,) = cache.iterdir()
    held = json.loads(file.read_bytes())
    (module,) = held["modules"]
    for said in (value, [held["modules"][module][0], value]):
        file.write_text(json.dumps({**held, "modules": {module: said}}), "utf-8")
        assert said == [held["modules"][module][0], {}] or truth(prefix) == expected
    file.write_text(json.dumps({**held, "modules": value}), "utf-8")
    assert truth(prefix) == expected


def test_nothing_is_kept_in_what_is_audited(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(prefix / "cache"))
    read(prefix)
    assert not (prefix / "cache").exists()


def test_nothing_is_kept_unasked(prefix: Path, cache: Path) -> None:
    read_environment(str(prefix))
    assert not cache.exists()
