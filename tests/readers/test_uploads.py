"""When the files of locked packages were uploaded."""

from __future__ import annotations

import time

from mlenv.model.requirement import LockedPackage
from mlenv.model.source import LOCK, Source
from mlenv.model.text import SourceText
from mlenv.project.locks import pipfile_lock, pylock, uv_lock
from mlenv.project.locks.uploads import uploads

UV = """\
version = 1
revision = 3
requires-python = ">=3.10"

[[package]]
name = "Sfepy_x"
version = "2023.4"
source = { registry = "https://index.example/simple" }
dependencies = [
    { name = "NumPy" },
    { name = "scipy", marker = "python_full_version < '3.12'" },
]
sdist = { url = "https://index.example/sfepy_x-2023.4.tar.gz", hash = "sha256:aa", size = 1, \
upload-time = "2023-12-20T09:00:00Z" }
wheels = [
    { url = "https://index.example/sfepy_x-2023.4-cp310-cp310-win_amd64.whl", hash = "sha256:ab", \
size = 1, upload-time = "2023-12-19T10:00:00Z" },
]

[package.optional-dependencies]
docs = [
    { name = "sphinx" },
]

[[package]]
name = "pure"
version = "1"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/pure-1-py3-none-any.whl", hash = "sha256:ac", size = 1, \
upload-time = "2020-01-01T10:00:00Z" },
]

[[package]]
name = "undated"
version = "1"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/undated-1-cp310-cp310-win_amd64.whl", hash = "sha256:ad" },
]
"""

PYLOCK = """\
lock-version = '1.0'
created-by = 'x'

[[packages]]
name = 'one'
version = '1'

[[packages.wheels]]
name = 'one-1-cp39-abi3-win_amd64.whl'
upload-time = 2024-02-03T10:00:00Z
url = 'https://index.example/one-1-cp39-abi3-win_amd64.whl'

[[packages]]
name = 'two'
version = '1'
wheels = [{ name = 'two-1-py3-none-win_amd64.whl', upload-time = 2024-02-04T10:00:00Z, url = 'x' }]
"""


def lock(text: str, kind: str = "uv") -> Source:
    read = {"uv": uv_lock.read, "pylock": pylock.read, "pipfile": pipfile_lock.read}[kind]
    return read(SourceText("lock", text))


def test_the_last_upload_counts_and_what_is_depended_on() -> None:
    first, second = uploads(lock(UV))
    assert (first.package.name, first.day, first.compiled) == ("sfepy-x", "2023-12-20", True)
    assert first.requires == frozenset(("numpy", "scipy"))
    assert (second.package.name, second.compiled, second.requires) == ("pure", False, None)


def test_wheels_without_the_interface_of_an_interpreter_hold_no_extension() -> None:
    found = {one.package.name: (one.day, one.compiled) for one in uploads(lock(PYLOCK, "pylock"))}
    assert found == {"one": ("2024-02-03", True), "two": ("2024-02-04", False)}


def test_formats_that_date_nothing_yield_nothing() -> None:
    text = '{"_meta": {}, "default": {"one": {"version": "==1"}}, "develop": {}}'
    assert [*uploads(lock(text, "pipfile"))] == []


def test_long_lines_take_time_in_proportion() -> None:
    started = time.monotonic()
    for filler in ("-cp311", "a.b_", "-abi3-", "\ndependencies = [\n", "upload-time = ", "\n "):
        text = SourceText("uv.lock", "a x.whl upload-time = '2024-01-01'\n" + filler * 100_000)
        package = LockedPackage("a", "a", "1", text.span(0, 1))
        (found,) = uploads(Source(text, "uv-lock", LOCK, locked=(package,)))
        assert found.day == "2024-01-01"
    assert time.monotonic() - started < 20
