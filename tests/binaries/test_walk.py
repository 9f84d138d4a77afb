"""The folders of an environment are listed again where they changed, and nothing else is missed."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from elf_making import make_elf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlenv.binaries import walk as walking
from mlenv.binaries.cache import BinaryCache
from mlenv.binaries.scan import read_binaries
from mlenv.binaries.walk import Walk

ON_POSIX = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows tells too little of folders to remember them"
)
TICK = 0.02
"""Longer than the clocks of file systems take to tick, in seconds."""
LATER = 1 << 62


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    folder = tmp_path / "env"
    for path in ("a.so", "p/b.so", "p/deep/er/c.so.1", "q/plain.py", "q/r/s/t.txt"):
        file = folder / "lib" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(make_elf(soname=file.name))
    return folder


@pytest.fixture
def cache(tmp_path: Path, long_there: None) -> BinaryCache:
    return BinaryCache(str(tmp_path / "cache"))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the folders that are listed."""
    found: list[str] = []
    real = os.scandir

    def scandir(folder: str) -> Any:
        if os.path.basename(folder) != "cache":
            found.append(os.path.basename(folder))
        return real(folder)

    monkeypatch.setattr("mlenv.binaries.walk.os.scandir", scandir)
    return found


def scanned(prefix: Path, cache: BinaryCache | None = None) -> list[tuple[str, str]]:
    """Return the binaries that are found, and what they call themselves."""
    found = read_binaries(str(prefix), ["lib"], lambda path: "", cache=cache)
    assert found.unread == ()
    return [(one.path.removeprefix("lib/"), one.soname) for one in found.files]


def changed(prefix: Path, cache: BinaryCache, change: Callable[[], object]) -> list[str]:
    """Return what is found after a change, which is what would be found without a cache."""
    scanned(prefix, cache)
    scanned(prefix, cache)
    time.sleep(TICK)
    change()
    found = scanned(prefix, cache)
    assert found == scanned(prefix)
    return [path for path, _ in found]


@ON_POSIX
def test_a_second_walk_lists_nothing(prefix: Path, cache: BinaryCache, listed: list[str]) -> None:
    first = scanned(prefix, cache)
    assert first == [("a.so", "a.so"), ("p/b.so", "b.so"), ("p/deep/er/c.so.1", "c.so.1")]
    assert sorted(listed) == ["deep", "er", "lib", "p", "q", "r", "s"]
    listed.clear()
    assert scanned(prefix, cache) == first
    assert listed == []


@ON_POSIX
def test_only_the_folder_that_changed_is_listed(
    prefix: Path, cache: BinaryCache, listed: list[str]
) -> None:
    scanned(prefix, cache)
    time.sleep(TICK)
    (prefix / "lib/q/r/new.so").write_bytes(make_elf())
    listed.clear()
    assert len(scanned(prefix, cache)) == 4
    assert listed == ["r"]


def test_a_new_file_is_found_wherever_it_is(prefix: Path, cache: BinaryCache) -> None:
    for folder in ("", "p", "p/deep", "p/deep/er", "q/r/s"):
        new = prefix / "lib" / folder / "new.so"
        found = changed(prefix, cache, lambda new=new: new.write_bytes(make_elf()))  # type: ignore[misc]
        assert f"{folder}/new.so".lstrip("/") in found


def test_what_is_removed_or_renamed_is_gone(prefix: Path, cache: BinaryCache) -> None:
    lib = prefix / "lib"
    assert "a.so" not in changed(prefix, cache, (lib / "a.so").unlink)
    renamed = changed(prefix, cache, lambda: (lib / "p/b.so").rename(lib / "p/z.so"))
    assert renamed == ["p/deep/er/c.so.1", "p/z.so"]
    moved = changed(prefix, cache, lambda: (lib / "p/z.so").rename(lib / "q/r/s/z.so"))
    assert moved == ["p/deep/er/c.so.1", "q/r/s/z.so"]
    assert changed(prefix, cache, lambda: shutil.rmtree(lib / "p")) == ["q/r/s/z.so"]


@pytest.mark.parametrize("restores", [False, True])
def test_a_file_that_is_written_over_in_place_is_read_anew(
    prefix: Path, cache: BinaryCache, restores: bool
) -> None:
    file = prefix / "lib/p/deep/er/c.so.1"
    before = file.stat()

    def write() -> None:
        file.write_bytes(make_elf(soname="d.so.2"))
        if restores and sys.platform != "win32":
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    changed(prefix, cache, write)
    assert file.stat().st_size == before.st_size
    assert scanned(prefix, cache)[2] == ("p/deep/er/c.so.1", "d.so.2")


def test_a_file_that_is_exchanged_or_touched_is_told_as_it_is(
    prefix: Path, cache: BinaryCache, tmp_path: Path
) -> None:
    file, other = prefix / "lib/a.so", tmp_path / "other"
    other.write_bytes(make_elf(soname="z.so"))
    changed(prefix, cache, lambda: os.replace(other, file))
    assert scanned(prefix, cache)[0] == ("a.so", "z.so")
    changed(prefix, cache, file.touch)
    assert scanned(prefix, cache)[0] == ("a.so", "z.so")


def test_what_is_written_through_another_name_of_a_file_is_noticed(
    prefix: Path, cache: BinaryCache, tmp_path: Path
) -> None:
    """Installers link files from their caches; the environment's folders do not change then."""
    outside = tmp_path / "outside"
    os.link(prefix / "lib/p/b.so", outside)
    changed(prefix, cache, lambda: outside.write_bytes(make_elf(soname="o.so")))
    assert scanned(prefix, cache)[1] == ("p/b.so", "o.so")
    found = changed(prefix, cache, lambda: os.link(outside, prefix / "lib/q/second.so"))
    assert found == ["a.so", "p/b.so", "p/deep/er/c.so.1", "q/second.so"]


def test_folders_that_come_and_go_are_noticed(prefix: Path, cache: BinaryCache) -> None:
    lib = prefix / "lib"

    def add() -> None:
        (lib / "q/r/s/new/er").mkdir(parents=True)
        (lib / "q/r/s/new/er/n.so").write_bytes(make_elf())

    assert "q/r/s/new/er/n.so" in changed(prefix, cache, add)
    found = changed(prefix, cache, lambda: (lib / "q/r").rename(lib / "p/deep/q"))
    assert "p/deep/q/s/new/er/n.so" in found
    assert "q/r/s/new/er/n.so" not in found


@ON_POSIX
def test_a_folder_that_is_exchanged_is_listed_anew(
    prefix: Path, cache: BinaryCache, tmp_path: Path
) -> None:
    lib, other = prefix / "lib", tmp_path / "other"
    shutil.copytree(lib / "p", other)
    (other / "deep/er/c.so.1").rename(other / "deep/er/e.so.1")

    def exchange() -> None:
        (lib / "p").rename(tmp_path / "away")
        other.rename(lib / "p")

    assert changed(prefix, cache, exchange) == ["a.so", "p/b.so", "p/deep/er/e.so.1"]

    def link() -> None:
        (lib / "p").rename(other)
        (lib / "p").symlink_to(other)

    assert changed(prefix, cache, link) == ["a.so"]  # what a link leads to is not the environment's

    def back() -> None:
        (lib / "p").unlink()
        other.rename(lib / "p")

    assert changed(prefix, cache, back) == ["a.so", "p/b.so", "p/deep/er/e.so.1"]


@ON_POSIX
def test_a_folder_whose_time_was_set_back_is_listed_anew(prefix: Path, cache: BinaryCache) -> None:
    folder = prefix / "lib/q/r"
    before = folder.stat()

    def add() -> None:
        (folder / "new.so").write_bytes(make_elf())
        os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert "q/r/new.so" in changed(prefix, cache, add)
    assert folder.stat().st_mtime_ns == before.st_mtime_ns


@ON_POSIX
def test_a_link_to_a_file_elsewhere_is_followed_each_time(
    prefix: Path, cache: BinaryCache, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.so"
    outside.write_bytes(make_elf(soname="before"))
    (prefix / "lib/q/away.so").symlink_to(outside)
    changed(prefix, cache, lambda: outside.write_bytes(make_elf(soname="after")))
    assert ("q/away.so", "after") in scanned(prefix, cache)
    assert "q/away.so" not in changed(prefix, cache, outside.unlink)


@ON_POSIX
def test_what_changes_while_a_folder_is_listed_is_found_next_time(
    prefix: Path, cache: BinaryCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Walk._listed

    def listing(walk: Walk, folder: str) -> Any:
        found = real(walk, folder)
        time.sleep(TICK)
        (Path(folder) / "late.so").write_bytes(make_elf())
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Walk, "_listed", listing)
        assert len(scanned(prefix, cache)) == 3
    assert len(scanned(prefix, cache)) == 10


def test_a_folder_that_just_changed_is_listed_again(
    prefix: Path, tmp_path: Path, listed: list[str]
) -> None:
    cache = BinaryCache(str(tmp_path / "cache"))
    for _ in range(2):
        listed.clear()
        assert len(scanned(prefix, cache)) == 3
        assert "lib" in listed


def test_a_folder_that_cannot_be_listed_is_tried_again(
    prefix: Path, cache: BinaryCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    @contextmanager
    def scandir(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        def some() -> Iterator[os.DirEntry[str]]:
            yield from sorted(held, key=lambda one: one.name)[:1]
            raise PermissionError(folder)

        with real(folder) as held:
            yield some() if os.path.basename(folder) == "p" else held

    with monkeypatch.context() as patch:
        patch.setattr("mlenv.binaries.walk.os.scandir", scandir)
        assert [path for path, _ in scanned(prefix, cache)] == ["a.so", "p/b.so"]
    assert len(scanned(prefix, cache)) == 3


@ON_POSIX
def test_where_folders_have_no_times_they_are_listed_each_time(
    prefix: Path, cache: BinaryCache, listed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "_state_of", lambda folder: [1, 2, 0, 0, 0])
    first = scanned(prefix, cache)
    listed.clear()
    assert scanned(prefix, cache) == first
    assert len(listed) == 7


@ON_POSIX
@pytest.mark.parametrize("flag", [0, os.ST_RDONLY if sys.platform != "win32" else 1])
def test_what_is_mounted_for_reading_is_listed_each_time(
    prefix: Path, cache: BinaryCache, listed: list[str], monkeypatch: pytest.MonkeyPatch, flag: int
) -> None:
    class Mounted:
        f_flag = flag

    monkeypatch.setattr("mlenv.binaries.walk.os.statvfs", lambda folder: Mounted)
    first = scanned(prefix, cache)
    listed.clear()
    assert scanned(prefix, cache) == first
    assert len(listed) == (7 if flag else 0)


@ON_POSIX
@pytest.mark.parametrize("name", ["_MOST_REMEMBERED", "_MOST_ENTRIES"])
def test_of_more_folders_than_any_environment_has_none_is_remembered(
    prefix: Path, listed: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(walking, name, 2)
    found = Walk(str(prefix), ["lib"], {}, LATER)
    assert found.folders == {} if name == "_MOST_REMEMBERED" else len(listed) < 7
    listed.clear()
    again = Walk(str(prefix), ["lib"], found.folders, LATER)
    assert [one.path for one in again.found] == [one.path for one in found.found]
    assert listed[0] == "lib"


def test_what_is_below_the_deepest_folder_is_left_out(
    prefix: Path, cache: BinaryCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "_DEEPEST", 1)
    for _ in range(2):
        assert [path for path, _ in scanned(prefix, cache)] == ["a.so", "p/b.so"]


def test_without_a_cache_no_folder_is_asked_for_its_state(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "_state_of", None)
    assert len(scanned(prefix)) == 3


plain = st.none() | st.booleans() | st.integers()
anything = st.recursive(
    plain | st.text(max_size=5) | st.just("../../p"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(data=st.data())
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_the_cache_says_of_folders_changes_nothing(
    prefix: Path, cache: BinaryCache, tmp_path: Path, data: st.DataObject
) -> None:
    expected = scanned(prefix, cache)
    (file,) = (tmp_path / "cache").iterdir()
    said = json.loads(file.read_bytes())
    # one place of what was written is something else
    holder: Any = said
    key: Any = "folders"
    while isinstance(holder[key], (list, dict)) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        key = data.draw(st.sampled_from(keys))
    # names are believed where the state is the one that the folder has, if names they are
    is_row = isinstance(holder, list) and len(holder) == len(("state", "names", "folders"))
    is_named = isinstance(holder[key], str) or (is_row and key != 0)
    holder[key] = data.draw(plain if is_named else anything)
    file.write_text(json.dumps(said), "utf-8")
    assert scanned(prefix, cache) == expected
    file.unlink()


@ON_POSIX
@pytest.mark.parametrize("name", ["../outside.so", "/outside.so", "", ".", "..", 3, None, "a\0.so"])
def test_no_name_in_a_cache_leads_out_of_its_folder(
    prefix: Path, cache: BinaryCache, tmp_path: Path, name: object
) -> None:
    expected = scanned(prefix, cache)
    (prefix / "outside.so").write_bytes(make_elf())
    (file,) = (tmp_path / "cache").iterdir()
    said = json.loads(file.read_bytes())
    ((top, (state, names, folders)),) = said["folders"].items()
    for row in ([state, [*names, name], folders], [state, names, {**folders, str(name): []}]):
        file.write_text(json.dumps({**said, "folders": {top: row}}), "utf-8")
        found = read_binaries(str(prefix), ["lib"], lambda path: "", cache=cache)
        assert [one.path.removeprefix("lib/") for one in found.files] == [
            path for path, _ in expected
        ]


NAMES = ("a.so", "b.so", "p", "q", "p/a.so", "p/q", "p/q/b.so", "q/p", "q/p/a.so", "q/b.so.1")


def do(lib: Path, action: str, one: str, other: str) -> None:
    """Change something below a folder, or nothing where that cannot be done."""
    here, there = lib / one, lib / other
    try:
        if action == "write":
            here.write_bytes(make_elf(soname=f"{other}.{time.time_ns()}"))
        elif action == "folder":
            here.mkdir()
        elif action == "remove":
            shutil.rmtree(here) if here.is_dir() and not here.is_symlink() else here.unlink()
        elif action == "rename":
            here.rename(there)
        elif action == "link":
            there.symlink_to(here)
        else:
            os.link(here, there)
    except OSError:
        pass


@ON_POSIX
@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from(("write", "write", "folder", "remove", "rename", "link", "name")),
            st.sampled_from(NAMES),
            st.sampled_from(NAMES),
        ),
        max_size=12,
    )
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_walk_that_remembers_finds_what_one_finds_that_does_not(
    tmp_path: Path, cache: BinaryCache, changes: list[tuple[str, str, str]]
) -> None:
    lib = tmp_path / "made" / "lib"
    shutil.rmtree(lib, ignore_errors=True)
    (lib / "p/q").mkdir(parents=True)
    (lib / "q/p").mkdir(parents=True)
    for number, change in enumerate(changes):
        do(lib, *change)
        if number % 3 == 2:
            assert scanned(lib.parent, cache) == scanned(lib.parent)
            time.sleep(TICK)
    assert scanned(lib.parent, cache) == scanned(lib.parent)
