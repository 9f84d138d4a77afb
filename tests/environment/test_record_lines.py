"""The lines of records: what several claim, found without taking most of them apart."""

from __future__ import annotations

import string
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.environment import record_lines
from mlenv.environment.entries import UNSTATED
from mlenv.environment.record_lines import claims, entry_of, folders, path_of, plain

HASH = "sha256=" + "A" * 43

parts = st.sampled_from(
    [
        "a",
        "b",
        "numpy",
        "nump",
        "numpy.libs",
        "a,b",
        "é",
        "x.py",
        'q"q',
        "__init__.py",
        "__pycache__",
    ]
)
starts = st.sampled_from(["", "", "", "../../../bin/", "/usr/share/", "C:/x/"])


@st.composite
def paths(draw: st.DrawFn) -> str:
    return draw(starts) + "/".join(draw(st.lists(parts, min_size=1, max_size=4)))


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, tuple[str, int]], bytes]:
    """Return what a record says, and how some installer may have written it."""
    files = {
        path: (draw(st.sampled_from(["", HASH, HASH[:-1] + "B"])), draw(st.integers(0, 3)))
        for path in draw(st.lists(paths(), max_size=30))
    }
    order = draw(st.permutations(list(files))) if draw(st.booleans()) else sorted(files)
    again = draw(st.lists(st.sampled_from(order), max_size=3)) if order else []
    backslashes = draw(st.booleans())
    quotes = draw(st.booleans())
    lines = []
    for path in [*order, *again]:
        digest, size = files[path]
        written = path.replace("/", "\\") if backslashes else path
        if quotes or "," in path or '"' in path:
            written = '"' + written.replace('"', '""') + '"'
        lines.append(f"{written},{digest},{size if digest else ''}")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = end.join(lines) + draw(st.sampled_from(["", end, end + end]))
    return files, text.encode(draw(st.sampled_from(["utf-8", "latin-1"])))


def naive(all_files: list[dict[str, tuple[str, int]]]) -> dict[str, dict[int, tuple[str, int]]]:
    """Return what several records claim with a hash, by looking at everything."""
    found: dict[str, dict[int, tuple[str, int]]] = {}
    for number, files in enumerate(all_files):
        for path, (digest, size) in files.items():
            if digest and not path.startswith("__pycache__/"):
                found.setdefault(path, {})[number] = (digest, size)
    return {path: owners for path, owners in found.items() if len(owners) > 1}


@given(st.lists(records(), min_size=2, max_size=4), st.sampled_from([0, 40, 200, 2048]))
@settings(max_examples=400, deadline=None)
def test_what_several_records_claim_is_what_a_look_at_every_line_finds(
    some: list[tuple[dict[str, tuple[str, int]], bytes]], short: int
) -> None:
    read = [plain(data) for _, data in some]
    with patch.object(record_lines, "_SHORT", short):
        found = claims(read, [folders(data) for data in read])
    # one and the same name has other bytes in other encodings
    texts = {path: path.decode("latin-1") for path in found}
    got = {
        texts[path]: {
            number: (entry.digest.decode(), entry.size) for number, entry in entries.items()
        }
        for path, entries in found.items()
    }
    expected = naive(
        [
            {
                path.encode(_encoding_of(data)).decode("latin-1"): said
                for path, said in files.items()
            }
            for files, data in some
        ]
    )
    assert got == expected


def _encoding_of(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


@given(st.binary(max_size=400), st.sampled_from([0, 20, 2048]))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_a_record(data: bytes, short: int) -> None:
    read = plain(data)
    with patch.object(record_lines, "_SHORT", short):
        claims([read, read], [folders(read), folders(read)])


def lines_of(folder: str, count: int) -> Iterator[str]:
    return (f"{folder}/module_{number:05}.py,{HASH},{number}" for number in range(count))


def test_a_line_within_the_stretch_of_another_folder_is_found() -> None:
    lines = [*lines_of("torch", 500), f"numpy/__init__.py,{HASH},3", *lines_of("torchgen", 3)]
    lines += [*lines_of("torch", 500)]
    one, other = "\n".join(lines).encode(), f"numpy/__init__.py,{HASH[:-1]}B,4\n".encode()
    assert set(claims([one, other], [folders(one), folders(other)])) == {b"numpy/__init__.py"}


def test_a_folder_of_a_similar_name_is_another() -> None:
    data = "\n".join([*lines_of("nump", 90), *lines_of("numpy", 90), *lines_of("numpy.libs", 9)])
    assert set(folders(data.encode())) == {b"nump/", b"numpy/", b"numpy.libs/"}


def test_a_record_without_order_is_read_in_time_that_grows_with_its_length() -> None:
    # a folder for each line, and one that comes back between them
    lines = [
        line for pair in zip(lines_of("a", 20_000), _each_its_own(), strict=False) for line in pair
    ]
    found = folders("\n".join(lines).encode())
    assert len(found) == 20_001


def test_many_files_beside_the_packages_are_read_in_time_that_grows_with_their_number() -> None:
    data = "".join(f"file{number}.py,{HASH},1\n" for number in range(20_000)).encode()
    found = folders(data)
    assert len(claims([data, data], [found, found])) == 20_000


def _each_its_own() -> Iterator[str]:
    return (f"b{number}/x.py,{HASH},1" for number in range(20_000))


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (f"a/b.py,{HASH},12", (b"a/b.py", 12)),
        (f"a/b.py,{HASH},12\r", (b"a/b.py", 12)),
        (f"a/b.py,{HASH}=,", (b"a/b.py", UNSTATED)),
        (f"a/b.py,{HASH},{'9' * 99}", (b"a/b.py", UNSTATED)),
        ("a/b.pyc,,", None),
        ("a/b.py", None),
        ("", None),
        (",,", None),
        ("a/b.py,not a hash,12", None),
    ],
)
def test_a_line_says_path_hash_and_size(line: str, entry: tuple[bytes, int] | None) -> None:
    found = entry_of(line.encode())
    assert (found and (found.path, found.size)) == entry
    if found is not None:
        assert found.digest == HASH.encode()


def test_the_path_of_a_line_without_further_fields_is_the_line() -> None:
    assert path_of(b"a/b.py") == b"a/b.py"


def test_a_comma_in_a_path_is_one() -> None:
    found = entry_of(plain(f'"a/b,c.py",{HASH},12\n'.encode()).strip())
    assert found is not None
    assert found.path == b"a/b,c.py"


def test_a_field_of_csv_that_is_too_long_ends_nothing() -> None:
    long = string.ascii_letters * 4000
    data = f'a/b.py,{HASH},1\n"{long}",{HASH},1\n'.encode()
    assert b"a/" in folders(plain(data))
