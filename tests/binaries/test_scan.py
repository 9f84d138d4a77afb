"""The compiled files of an environment: which are found, and what a second scan knows."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from elf_making import make_elf, make_extension

from mlenv.binaries.cache import BinaryCache, open_cache
from mlenv.binaries.scan import Scan, read_binaries

SITE = "lib/python3.11/site-packages"
NEEDS_LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
OLD = b"\0numpy.core._multiarray_umath\0"
Put = Callable[..., Path]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    folder = tmp_path / "env"
    (folder / SITE).mkdir(parents=True)
    return folder


@pytest.fixture
def put(prefix: Path) -> Put:
    """Put a file into the folder of packages, as old as an installed one is."""

    def putting(path: str, data: bytes) -> Path:
        file = prefix / SITE / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    return putting


@pytest.fixture
def cache(tmp_path: Path, long_there: None) -> BinaryCache:
    return BinaryCache(str(tmp_path / "cache"))


def scan(prefix: Path, cache: BinaryCache | None = None) -> Scan:
    return read_binaries(str(prefix), ["lib", SITE], lambda path: "", cache=cache)


def paths(found: Scan) -> list[str]:
    return [one.path.removeprefix(f"{SITE}/") for one in found.files]


def test_compiled_files_are_found_by_name_and_content(prefix: Path, put: Put) -> None:
    put("b/_b.cpython-311-x86_64-linux-gnu.so", make_extension("_b"))
    put("b.libs/libgomp-a34b3233.so.1.0.0", make_elf(soname="libgomp-a34b3233.so.1.0.0"))
    put("a.abi3.so", make_extension("a"))
    put("b/data.some.parquet", make_elf())
    put("tbb/libtbb.so", b"INPUT(libtbb.so.2)\n")
    put("b/broken.so", b"\0\1\2\3")
    put("b/short.so", make_elf()[:100])
    found = scan(prefix)
    assert paths(found) == [
        "a.abi3.so",
        "b.libs/libgomp-a34b3233.so.1.0.0",
        "b/_b.cpython-311-x86_64-linux-gnu.so",
    ]
    assert [one.is_extension for one in found.files] == [True, False, True]
    assert [path.removeprefix(f"{SITE}/") for path, _ in found.unread] == [
        "b/broken.so",
        "b/short.so",
    ]


def test_a_file_with_a_damaged_part_is_there_and_named(
    prefix: Path, put: Put, cache: BinaryCache
) -> None:
    put("libx.so", make_elf(soname="libx.so", sections={".nv_fatbin": b"\x50\xed\x55\xba" * 9}))
    for _ in range(2):
        found = scan(prefix, cache)
        assert [one.soname for one in found.files] == ["libx.so"]
        assert [path for path, _ in found.unread] == [f"{SITE}/libx.so"]
    assert found.from_cache == 1


def test_a_binary_is_told_whole(prefix: Path, put: Put) -> None:
    put("p/x.so", make_elf(soname="x", needed=["libm.so.6"], runpath="$ORIGIN", exports=["f"]))
    found = read_binaries(str(prefix), [SITE], lambda path: "p" if path.endswith("p/x.so") else "")
    (one,) = found.files
    assert (one.owner, one.format, one.machine, one.soname) == ("p", "elf", "x86_64", "x")
    assert (one.needed, one.rpath, one.runpath) == (("libm.so.6",), (), ("$ORIGIN",))
    assert one.size == (prefix / one.path).stat().st_size
    assert (one.numpy, one.kernels) == (None, None)


def test_nested_and_repeated_folders_are_walked_once(prefix: Path, put: Put) -> None:
    put("x.so", make_elf())
    folders = ["lib", SITE, str(prefix / SITE), "lib/../lib", "absent"]
    assert len(read_binaries(str(prefix), folders, lambda path: "").files) == 1


def test_a_folder_outside_of_the_prefix_is_named_whole(
    prefix: Path, put: Put, tmp_path: Path
) -> None:
    put("x.so", make_elf())
    user = tmp_path / "user"
    user.mkdir()
    (user / "y.so").write_bytes(make_elf())
    found = read_binaries(str(prefix), [SITE, str(user)], lambda path: "")
    assert {one.path for one in found.files} == {f"{SITE}/x.so", (user / "y.so").as_posix()}


@NEEDS_LINKS
def test_only_a_link_to_a_file_elsewhere_is_followed(
    prefix: Path, put: Put, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.so").write_bytes(make_elf(soname="secret"))
    inside = put("libx.so.1.2", make_elf())
    (prefix / SITE / "libx.so").symlink_to(inside.name)
    (prefix / SITE / "away.so").symlink_to(outside / "secret.so")
    (prefix / SITE / "gone.so").symlink_to("nothing")
    (prefix / SITE / "loop.so").symlink_to("loop.so")
    (prefix / SITE / "folder").symlink_to(outside)
    (prefix / SITE / "up").symlink_to(prefix)
    found = scan(prefix)
    # as uv links into its cache; what a link within leads to is found itself
    assert paths(found) == ["away.so", "libx.so.1.2"]
    assert found.unread == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes among its files")
def test_a_pipe_does_not_hold_up_the_scan(prefix: Path, put: Put) -> None:
    os.mkfifo(prefix / SITE / "pipe.so")
    put("x.so", make_elf())
    assert paths(scan(prefix)) == ["x.so"]


def test_a_file_with_two_names_is_read_once(
    prefix: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put("one.so", make_elf(soname="both"))
    os.link(first, prefix / SITE / "two.so")
    opened: list[str] = []
    real = read_binaries.__globals__["read_binary"]

    def reading(full: str, path: str) -> object:
        opened.append(path)
        return real(full, path)

    monkeypatch.setattr("mlenv.binaries.scan.read_binary", reading)
    found = scan(prefix)
    assert paths(found) == ["one.so", "two.so"]
    assert [one.soname for one in found.files] == ["both", "both"]
    assert len(opened) == 1


def test_where_reading_waits_several_files_are_read_at_a_time(
    prefix: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number:02}.so" for number in range(70)]
    for name in names:
        put(name, make_elf(soname=name))
    real = read_binaries.__globals__["read_binary"]
    readers: set[int] = set()

    def reading(full: str, path: str) -> object:
        readers.add(threading.get_ident())
        time.sleep(0.005)
        return real(full, path)

    monkeypatch.setattr("mlenv.binaries.scan.read_binary", reading)
    found = scan(prefix)
    assert [one.soname for one in found.files] == paths(found) == names
    assert len(readers) > 2


def test_progress_counts_to_the_end(prefix: Path, put: Put) -> None:
    for number in range(3):
        put(f"{number}.so", make_elf())
    said: list[tuple[int, int]] = []
    read_binaries(
        str(prefix), [SITE], lambda path: "", progress=lambda done, of: said.append((done, of))
    )
    assert said == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_second_scan_opens_nothing(
    prefix: Path, put: Put, cache: BinaryCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.so", make_extension("a", OLD, nv_fatbin=b""))
    put("b.so", make_elf(soname="b", rpath="/x:/y", needs={"libc.so.6": ["GLIBC_2.3"]}))
    put("text.so", b"INPUT(x)\n")
    first = scan(prefix, cache)
    monkeypatch.setattr("mlenv.binaries.scan.read_binary", None)
    second = scan(prefix, cache)
    assert (first.from_cache, second.from_cache) == (0, 3)
    assert list(map(repr, second.files)) == list(map(repr, first.files))


def test_who_owns_a_file_is_asked_anew(prefix: Path, put: Put, cache: BinaryCache) -> None:
    put("a.so", make_elf())
    for owner in ("before", "after"):
        found = read_binaries(str(prefix), [SITE], {f"{SITE}/a.so": owner}.__getitem__, cache=cache)
        assert [one.owner for one in found.files] == [owner]


def test_new_content_is_read_though_size_and_times_are_restored(
    prefix: Path, put: Put, cache: BinaryCache
) -> None:
    file = put("a.so", make_elf(soname="before"))
    before = file.stat()
    scan(prefix, cache)
    time.sleep(0.05)
    file.write_bytes(make_elf(soname="beyond"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    if sys.platform != "win32":
        assert [one.soname for one in scan(prefix, cache).files] == ["beyond"]


def test_a_file_that_just_changed_is_not_remembered(prefix: Path, put: Put, tmp_path: Path) -> None:
    put("a.so", make_elf())
    cache = BinaryCache(str(tmp_path / "cache"))
    scan(prefix, cache)
    assert scan(prefix, cache).from_cache == 0


def test_what_could_not_be_read_is_tried_again(prefix: Path, put: Put, cache: BinaryCache) -> None:
    put("a.so", b"\0\1")
    for _ in range(2):
        found = scan(prefix, cache)
        assert (len(found.unread), found.from_cache) == (1, 0)


def test_what_is_gone_is_forgotten(prefix: Path, put: Put, cache: BinaryCache) -> None:
    put("a.so", make_elf())
    gone = put("b.so", make_elf())
    scan(prefix, cache)
    gone.unlink()
    scan(prefix, cache)
    assert list(cache.load(str(prefix.resolve())).files) == [f"{SITE}/a.so"]


SPOILED = [
    b"",
    b"\xff\xfe",
    b"[" * 100_000,
    b"null",
    b'{"made_by": [1, "0.1.0"]}',
    b'{"made_by": 3, "files": {}}',
]


@pytest.mark.parametrize("data", SPOILED, ids=lambda data: repr(data[:20]))
def test_a_spoiled_cache_is_as_none(
    data: bytes, prefix: Path, put: Put, cache: BinaryCache, tmp_path: Path
) -> None:
    put("a.so", make_elf())
    scan(prefix, cache)
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(data)
    assert scan(prefix, cache).from_cache == 0
    assert scan(prefix, cache).from_cache == 1


def test_no_type_in_a_cache_is_trusted(
    prefix: Path, put: Put, cache: BinaryCache, tmp_path: Path
) -> None:
    """Each value in an entry is exchanged for others; what comes of it is read anew or sound."""
    put("a.so", make_extension("a", OLD))
    expected = repr(scan(prefix, cache).files)
    (file,) = (tmp_path / "cache").iterdir()
    whole = json.loads(file.read_bytes())
    (name,) = whole["files"]
    identity, read = whole["files"][name]
    strange: list[object] = [None, True, 7, -1, 1.5, "x", [], {}, [[]], [None] * 12]
    spoiled: list[object] = [*strange]
    for value in strange:
        spoiled += [[identity, value]] if value is not None else []
        for at in range(5):
            spoiled.append([[*identity[:at], value, *identity[at + 1 :]], read])
        for at in range(len(read)):
            if type(value) is not type(read[at]) or isinstance(value, list):
                usable = value == [] and isinstance(read[at], list)
                usable = usable or (value is None and at in (9, 10))
                spoiled += [] if usable else [[identity, [*read[:at], value, *read[at + 1 :]]]]
    for entry in spoiled:
        file.write_text(json.dumps({**whole, "files": {name: entry}}))
        assert repr(scan(prefix, cache).files) == expected, entry


def test_another_version_of_mlenv_reads_anew(
    prefix: Path, put: Put, cache: BinaryCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.so", make_elf())
    scan(prefix, cache)
    monkeypatch.setattr("mlenv.binaries.cache.__version__", "99")
    assert scan(prefix, cache).from_cache == 0


def test_only_so_many_environments_are_remembered(
    prefix: Path, put: Put, cache: BinaryCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlenv.caches._MOST_FILES", 3)
    put("a.so", make_elf())
    for number in range(6):
        copy = tmp_path / f"env{number}"
        shutil.copytree(prefix, copy)
        scan(copy, cache)
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_cache_that_cannot_be_written_does_no_harm(
    prefix: Path, put: Put, tmp_path: Path
) -> None:
    put("a.so", make_elf())
    (tmp_path / "cache").write_text("a file")
    assert paths(scan(prefix, BinaryCache(str(tmp_path / "cache")))) == ["a.so"]


def test_the_cache_is_the_users_and_never_in_what_is_audited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "local"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "caches"))
    assert open_cache([str(tmp_path / "project")]) is not None
    assert open_cache([str(tmp_path / "project"), str(home)]) is None
    assert open_cache([str(tmp_path)]) is None
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the specification has it ignored
    assert open_cache([str(tmp_path / "project")]) is not None


def test_nothing_is_written_below_the_prefix(prefix: Path, put: Put, cache: BinaryCache) -> None:
    put("a.so", make_elf())
    before = {path: path.stat().st_mtime_ns for path in prefix.rglob("*")}
    scan(prefix, cache)
    assert {path: path.stat().st_mtime_ns for path in prefix.rglob("*")} == before


def test_a_folder_that_may_be_opened_and_not_listed_is_passed_over(
    prefix: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a.so", make_elf())
    (prefix / "lib" / "closed").mkdir()
    real = os.scandir

    @contextmanager
    def scandir(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
        def listed() -> Iterator[os.DirEntry[str]]:
            if folder.endswith("closed"):
                raise PermissionError(folder)
            yield from held

        with real(folder) as held:
            yield listed()

    monkeypatch.setattr("mlenv.binaries.scan.os.scandir", scandir)
    assert paths(scan(prefix)) == ["a.so"]
