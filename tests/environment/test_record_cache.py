"""What is remembered of records: it saves reading them, and changes no answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import write_environment

from mlenv.environment import record_cache, sheets
from mlenv.environment.read import read_environment
from mlenv.environment.records import Records
from mlenv.model.environment import Environment

SITE = "lib/python3.11/site-packages"
LIBRARY = "library " * 999


@pytest.fixture
def cache(tmp_path: Path, long_there: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mlenv" / "records"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    files: list[dict[str, str]] = [
        {"m/core.py": "a = 1", "numpy/a.so": LIBRARY, "numpy/b.py": "1", "é/x.py": "1"},
        {"m/core.py": "a = 22", "hidden.py": "1", "m/same.py": "1"},
        {"hidden/__init__.py": "1"},
    ]
    names = ("numpy", "torch", "tool")
    tables = [
        {"name": name, "installer": "pip", "files": some, "tags": ["cp311-cp311-linux_x86_64"]}
        for name, some in zip(names, files, strict=True)
    ]
    write_environment(tmp_path / "env", tables)
    return tmp_path / "env"


def read(prefix: Path, *, use_cache: bool = True) -> Environment:
    found = read_environment(str(prefix), use_cache=use_cache)
    assert found is not None
    return found


def told(environment: Environment) -> list[Any]:
    files = environment.files
    return [
        [(one.owners, one.paths, one.count, one.holder, one.hides) for one in files.overlaps],
        [(one.name, one.missing, one.changed, one.looked_at) for one in files.altered],
    ]


def refuse(path: str, limit: int) -> bytes:
    raise AssertionError(path)


def test_a_second_run_reads_no_record_and_says_the_same(
    prefix: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = told(read(prefix, use_cache=False))
    assert not cache.exists()
    assert [one[4] for one in expected[0]] == ["", "hidden"]
    assert told(read(prefix)) == expected
    monkeypatch.setattr(sheets, "read_bytes", refuse)
    assert told(read(prefix)) == expected
    with pytest.raises(AssertionError):
        told(read(prefix, use_cache=False))


def test_who_records_a_file_is_remembered(
    prefix: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = ("numpy/a.so", "hidden.py", "hidden/__init__.py", "m/other.py", "none.so")
    owners = ["numpy", "torch", "tool", "", ""]

    def owners_of() -> list[str]:
        files = read(prefix).files
        assert isinstance(files, Records)
        return [files.owner_of(f"{SITE}/{one}") for one in paths]

    assert owners_of() == owners
    record = prefix / SITE / "torch-1.0.dist-info/RECORD"
    with record.open("a", encoding="utf-8") as file:
        file.write("none.so,,\n")
    owners[4] = "torch"
    assert owners_of() == owners
    monkeypatch.setattr(sheets, "read_bytes", lambda path, limit: b"m/other.py,,\n")
    # only what several may have recorded is looked up in the records themselves
    assert owners_of() == [*owners[:3], "numpy", "torch"]


def test_what_lies_on_the_disk_is_looked_at_each_time(prefix: Path, cache: Path) -> None:
    assert told(read(prefix))[1] == []
    assert cache.is_dir()
    (prefix / SITE / "numpy/a.so").write_text("cut off", "utf-8")
    (prefix / SITE / "m/core.py").write_text("a = 1", "utf-8")
    overlap, _ = read(prefix).files.overlaps
    (altered,) = read(prefix).files.altered
    assert (overlap.holder, altered.changed) == ("numpy", (f"{SITE}/numpy/a.so",))
    (prefix / SITE / "é/x.py").unlink()
    (prefix / SITE / "é").rmdir()
    (altered,) = read(prefix).files.altered
    assert altered.missing == (f"{SITE}/é/x.py",)


def test_a_record_that_changed_is_read_anew(prefix: Path, cache: Path) -> None:
    assert len(read(prefix).files.overlaps) == 2
    assert cache.is_dir()
    record = prefix / SITE / "torch-1.0.dist-info/RECORD"
    record.write_text("", "utf-8")
    assert read(prefix).files.overlaps == ()
    record.unlink()
    assert read(prefix).files.overlaps == ()


def test_what_was_written_just_now_is_not_remembered(
    prefix: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlenv.caches.SETTLED", 1 << 40)
    told(read(prefix))
    assert not cache.exists()


def test_another_version_remembers_anew(
    prefix: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(read(prefix))
    (file,) = cache.iterdir()
    before = file.read_bytes()
    monkeypatch.setattr(record_cache, "__version__", "99")
    told(read(prefix))
    assert file.read_bytes() != before


def test_nothing_is_written_into_what_is_audited(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(prefix / "cache"))
    told(read(prefix))
    assert not (prefix / "cache").exists()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(data=st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_the_cache_holds_is_no_reason_to_fail(
    prefix: Path, cache: Path, data: st.DataObject
) -> None:
    told(read(prefix))
    (file,) = cache.iterdir()
    said = json.loads(file.read_bytes())
    # one place of what was written is something else
    holder: Any = said
    key: Any = "sites"
    while isinstance(holder[key], list | dict) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        keys = [*holder] if isinstance(holder, dict) else [*range(len(holder))]
        key = data.draw(st.sampled_from(keys))
    holder[key] = data.draw(anything)
    file.write_text(json.dumps(said), "utf-8")
    told(read(prefix))
    file.unlink()
