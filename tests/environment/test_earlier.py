"""A verdict on requirements is kept while all metadata are what they were, and is never trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import write_distribution, write_environment

from mlenv.environment.read import read_environment
from mlenv.reasoning.installed_requirements import Requirements

TABLES: list[dict[str, Any]] = [
    {"name": "a", "requires": ["b>=3", "gone", "b[x]", "!", "c; python_version > '4'"]},
    {"name": "b", "version": "2.0", "requires": ["lost; extra == 'x'"], "extras": ["x"]},
    {"name": "c", "requires": ["a", "c"]},
]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mlenv" / "worked"


@pytest.fixture
def prefix(tmp_path: Path, long_there: None) -> Path:
    env = tmp_path / "env"
    write_environment(env, TABLES)
    return env


def verdict(prefix: Path, *, use_cache: bool = True) -> tuple[object, ...]:
    environment = read_environment(str(prefix), use_cache=use_cache)
    assert environment is not None
    found = Requirements(environment)
    return (
        [(one.origin, one.shown) for one in found.missing],
        [(one.origin, one.shown) for one in found.conflicts],
        found.unreadable,
        [(asking.shown, one.shown) for asking, one in found.of_extras],
        found.unrequired,
    )


EXPECTED = (
    [("a", "gone")],
    [("a", "b>=3")],
    (("a", "!"),),
    [("b[x]", "lost")],
    {"c"},
)


def test_a_second_run_judges_no_requirement_that_is_met(
    prefix: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict(prefix) == EXPECTED
    assert len(list(cache.iterdir())) == 1
    with monkeypatch.context() as patched:
        patched.setattr(Requirements, "of", property(lambda _: pytest.fail("judged anew")))
        assert verdict(prefix) == EXPECTED
    assert verdict(prefix, use_cache=False) == EXPECTED


def test_whatever_changes_has_all_judged_anew(prefix: Path, cache: Path) -> None:
    verdict(prefix)
    site = prefix / "lib" / "python3.11" / "site-packages"
    write_distribution(site, {"name": "gone"})
    assert verdict(prefix)[0] == []
    metadata = site / "b-2.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text("utf-8").replace("lost", "gone"), "utf-8")
    assert verdict(prefix)[3] == []
    (site / "c-1.0.dist-info" / "METADATA").unlink()
    (site / "c-1.0.dist-info" / "RECORD").unlink(missing_ok=True)
    damaged = verdict(prefix)
    assert damaged == verdict(prefix, use_cache=False)
    (prefix / "pyvenv.cfg").write_text("version = 4.0.0\n", "utf-8")
    assert verdict(prefix) == verdict(prefix, use_cache=False)


def test_the_python_is_part_of_what_a_verdict_is_for(prefix: Path, cache: Path) -> None:
    for minor in ("3.11.7", "3.12.1", "3.11.7"):
        (prefix / "pyvenv.cfg").write_text(f"version = {minor}\n", "utf-8")
        assert verdict(prefix) == verdict(prefix, use_cache=False)
    (file,) = cache.iterdir()
    assert len(json.loads(file.read_bytes())["worked"]) == 4


def test_what_has_no_whole_metadata_keeps_nothing(prefix: Path, cache: Path) -> None:
    site = prefix / "lib" / "python3.11" / "site-packages"
    (site / "old-1.0.egg-info").write_text("Name: old\nVersion: 1.0\n", "utf-8")
    assert verdict(prefix)[:-1] == EXPECTED[:-1]
    assert not cache.exists()


anything = st.recursive(
    st.none() | st.integers() | st.sampled_from(["a", "b", "c", "b>=3", "gone", "!", "b[x]"]),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@given(value=anything, at=st.integers(-1, 3))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_kept_may_be_anything_and_invents_nothing(
    prefix: Path, cache: Path, value: object, at: int
) -> None:
    assert verdict(prefix) == EXPECTED
    (file,) = cache.iterdir()
    before = file.read_bytes()
    held = json.loads(before)
    what = next(one for one in held["worked"] if one.startswith("requirements"))
    if at < 0:
        held["worked"][what] = value
    else:
        held["worked"][what][at] = value
    file.write_text(json.dumps(held), "utf-8")
    found = verdict(prefix)
    file.write_bytes(before)
    missing, conflicts, unreadable, of_extras, _ = found
    for said, true in zip((missing, conflicts, of_extras), (0, 1, 3), strict=True):
        assert isinstance(said, list)
        expected = EXPECTED[true]
        assert isinstance(expected, list)
        # another line of the same distribution may stand there, if what it says is so
        assert all(one in expected or one == ("a", "lost") for one in said), (at, value)
    assert isinstance(unreadable, tuple)
    assert {*unreadable} <= {("a", "!")}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"of": [1]}', b"[" * 100_000])
def test_a_damaged_file_is_read_past(prefix: Path, cache: Path, damage: bytes) -> None:
    verdict(prefix)
    (file,) = cache.iterdir()
    file.write_bytes(damage)
    assert verdict(prefix) == EXPECTED
