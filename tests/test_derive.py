"""The script that derives what was released and what it requires, on recorded answers."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from derivation.index import Fetch

SCRIPTS = Path(__file__).parent.parent / "scripts"
INDEX = "https://index.example"
FILES = f"{INDEX}/files"
EMPTY = "# A file of records.\n\n[releases]\n"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


class Recorded:
    """An index that answers from memory and counts what it was asked."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.asked: list[tuple[str, tuple[int, int] | None]] = []

    def __call__(self, url: str, part: tuple[int, int] | None = None) -> bytes:
        self.asked.append((url, part))
        if url not in self.content:
            raise OSError(f"no {url}")
        content = self.content[url]
        return content if part is None else content[part[0] : part[1] + 1]

    def project(self, name: str, *files: dict[str, Any]) -> None:
        releases: dict[str, list[dict[str, Any]]] = {}
        for file in files:
            releases.setdefault(file.pop("version"), []).append(file)
        answer = json.dumps({"info": {}, "releases": {**releases, "0.0.0": []}})
        self.content[f"{INDEX}/pypi/{name}/json"] = answer.encode()

    def metadata(self, file: str, *required: str) -> None:
        self.content[f"{FILES}/{file}.metadata"] = metadata(*required)


def metadata(*required: str) -> bytes:
    lines = ["Metadata-Version: 2.1", "Name: demo", *(f"Requires-Dist: {one}" for one in required)]
    return "\n".join([*lines, "", "Requires-Dist: numpy is what the description says", ""]).encode()


def file(name: str, day: str, **more: object) -> dict[str, Any]:
    return {
        "version": name.removesuffix(".tar.gz").split("-")[1],
        "filename": name,
        "url": f"../../files/{name}",
        "size": 10,
        "upload_time": f"{day}T10:00:00",
        "requires_python": None,
        "yanked": False,
        "core-metadata": {"sha256": "0"},
        **more,
    }


@pytest.fixture
def index() -> Recorded:
    return Recorded()


@pytest.fixture
def derive(
    index: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., int]]:
    """Runs the script on the recorded index; the knowledge is in the folder ``knowledge``."""
    import derive as script

    covered = tmp_path / "covered.toml"
    covered.write_text(
        'names = ["demo", "numpy", "other"]\nextras = ["cuda*"]\n[dropped]\nother = ["cuda-all"]\n'
    )
    monkeypatch.setattr(script, "COVERED", covered)
    monkeypatch.delenv("MLENV_INDEX", raising=False)
    folder = tmp_path / "knowledge"
    folder.mkdir()
    for name in ("releases.toml", "requires.toml"):
        (folder / name).write_text(EMPTY, "utf-8")

    def run(*arguments: str, read: Fetch = index) -> int:
        places = ["--cache", str(tmp_path / "cache"), "--knowledge", str(folder)]
        return script.main([*arguments, *places, "--index-url", INDEX], read)

    yield run
    sys.modules.pop("derive")


def written(tmp_path: Path, name: str) -> str:
    text = (tmp_path / "knowledge" / f"{name}.toml").read_text("utf-8")
    assert text.startswith(EMPTY)
    return text.removeprefix(EMPTY)


def test_releases_and_what_they_require(
    index: Recorded, derive: Callable[..., int], tmp_path: Path
) -> None:
    index.project(
        "demo",
        file("demo-1.10.0-py3-none-any.whl", "2024-03-02", requires_python=">=3.9, <4"),
        file("demo-1.9.0-py3-none-any.whl", "2024-01-02", requires_python=">=3.8"),
        file("demo-1.9.0.tar.gz", "2024-01-03"),
        file("demo-1.9.1-py3-none-any.whl", "2024-02-02", requires_python=">=3.8", yanked=True),
        file("demo-1.9.1.tar.gz", "2024-02-02", requires_python=">=3.8", yanked=True),
        file("demo-1.10.0rc1-py3-none-any.whl", "2024-03-01"),
        file("demo-1.8.0-py3-none-any.whl", "2017-12-31"),
        file("demo-2.0.0-py3-none-any.whl", "2026-11-21"),
    )
    index.metadata("demo-1.9.0-py3-none-any.whl", "numpy (>=1.17)", "pytest ; extra == 'dev'")
    index.metadata("demo-1.9.1-py3-none-any.whl", "NumPy>=1.17")
    index.metadata(
        "demo-1.10.0-py3-none-any.whl",
        "numpy<3,>=1.17",
        "left-pad",
        "other[CUDA12]==1.* ; extra == 'cuda12'",
        "other ; extra == 'cuda-all'",
        "other ; extra == 'test'",
    )
    assert derive("demo") == 0
    assert written(tmp_path, "releases") == (
        "demo = '''\n"
        "@ >=3.8 any sdist\n1.9.0 2024-01-02\n1.9.1 2024-02-02 yanked\n"
        "@ >=3.9,<4 any\n1.10.0 2024-03-02\n'''\n"
    )
    assert written(tmp_path, "requires") == (
        "demo = '''\n"
        "1.9.0\n numpy>=1.17\n"
        "1.10.0\n numpy<3,>=1.17\n"
        ' other ; extra == "cuda-all"\n other[cuda12]==1.* ; extra == "cuda12"\n'
        "'''\n"
    )


@pytest.mark.parametrize(
    ("names", "serves"),
    [
        (["demo-1.0-cp310-cp310-win_amd64.whl"], "* win_amd64=3.10"),
        (
            [
                "demo-1.0-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
                "demo-1.0-cp310-cp310-manylinux_2_28_x86_64.whl",
                "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
                "demo-1.0-cp313-cp313t-manylinux_2_28_x86_64.whl",
                "demo-1.0-cp311-cp311-musllinux_1_2_x86_64.whl",
            ],
            "* linux_x86_64=3.9-3.10,3.12/2.17",
        ),
        (["demo-1.0-cp38-abi3-manylinux1_x86_64.whl"], "* linux_x86_64=3.8+/2.5"),
        (["demo-1.0-cp38-none-win_amd64.whl"], "* win_amd64=3.8"),
        (["demo-1.0-py3-none-manylinux_2_18_aarch64.whl"], "* linux_aarch64=3.6+/2.18"),
        (
            [
                "demo-1.0-cp311-cp311-macosx_11_0_universal2.whl",
                "demo-1.0-cp312-cp312-macosx_11_0_arm64.whl",
            ],
            "* macos_arm64=3.11-3.12 macos_x86_64=3.11",
        ),
        (["demo-1.0-py2-none-any.whl", "demo-1.0-py2.py3-none-any.whl"], "* any"),
        (["demo-1.0-py2-none-any.whl"], "*"),
        (["demo-1.0-cp27-cp27m-win_amd64.whl", "demo-1.0.tar.gz"], "* sdist"),
        (["demo-1.0-py3.8.egg", "demo-1.0.zip"], "* sdist"),
    ],
)
def test_what_files_serve(names: list[str], serves: str) -> None:
    from derivation.index import File
    from derivation.wheels import header

    assert header([File(name, f"{FILES}/{name}", 10, "2024-01-01") for name in names]) == serves


def test_metadata_out_of_a_wheel_is_read_in_parts(
    index: Recorded, derive: Callable[..., int], tmp_path: Path
) -> None:
    name = "demo-1.0-cp311-cp311-manylinux1_x86_64.whl"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("demo/library.so", bytes(3_000_000))
        archive.writestr("demo/vendored/x.dist-info/METADATA", metadata("numpy==0.1"))
        archive.writestr("demo-1.0.dist-info/METADATA", metadata("numpy>=1.17"))
    whole = content.getvalue()
    index.content[f"{FILES}/{name}"] = whole
    entry = {"size": len(whole), "core-metadata": False}
    index.project("demo", file(name, "2024-01-01", **entry))
    assert derive("demo") == 0
    assert written(tmp_path, "requires") == "demo = '''\n1.0\n numpy>=1.17\n'''\n"
    parts = [part for url, part in index.asked if url.endswith(name)]
    assert all(part is not None for part in parts)
    assert sum(part[1] - part[0] + 1 for part in parts if part) < 200_000


def test_metadata_of_a_wheel_for_linux_stands_for_a_release() -> None:
    from derivation.index import File
    from derivation.wheels import speaking_wheel

    names = [
        "demo-1.0-cp311-cp311-win_amd64.whl",
        "demo-1.0-cp311-cp311-manylinux_2_28_aarch64.whl",
        "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "demo-1.0.tar.gz",
    ]
    found = speaking_wheel([File(name, "", 10, "2024-01-01") for name in names])
    assert found is not None
    assert found.name == names[2]


def test_source_releases_require_what_is_not_known(
    index: Recorded, derive: Callable[..., int], tmp_path: Path
) -> None:
    index.project("demo", file("demo-1.0.tar.gz", "2024-01-01"))
    assert derive("demo") == 0
    assert written(tmp_path, "requires") == "demo = '''\n1.0 ?\n'''\n"


def test_a_change_inside_of_a_line_is_found_by_halves() -> None:
    from derivation.requirements import changes
    from packaging.version import Version

    line = [Version(f"1.2.{patch}") for patch in range(64)]
    asked = []

    def read(version: Version) -> tuple[str, ...]:
        asked.append(version)
        return ("numpy<2",) if version >= line[41] else ("numpy",)

    assert [*changes(line, read)] == [(line[0], ("numpy",)), (line[41], ("numpy<2",))]
    assert len(asked) == len(set(asked)) < 10


def test_each_line_is_read_at_its_ends_only() -> None:
    from derivation.requirements import changes
    from packaging.version import Version

    texts = [
        "0.0.1",
        "0.0.2",
        "0.0.9",
        "0.0.11",
        "0.0.19",
        "1.0",
        "1.0.1",
        "1.0.2",
        "2024.5",
        "2024.6",
    ]
    asked = []

    def read(version: Version) -> tuple[str, ...]:
        asked.append(str(version))
        return ()

    assert len([*changes([*map(Version, texts)], read)]) == 1
    assert asked == ["0.0.1", "0.0.9", "0.0.11", "0.0.19", "1.0", "1.0.2", "2024.5", "2024.6"]


def test_check_prints_the_difference_and_writes_nothing(
    index: Recorded, derive: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.project("demo", file("demo-1.0-py3-none-any.whl", "2024-01-01"))
    index.metadata("demo-1.0-py3-none-any.whl", "numpy")
    assert derive("demo", "--check") == 1
    assert "+1.0 2024-01-01\n" in capsys.readouterr().out
    assert written(tmp_path, "releases") == ""
    assert derive("demo") == 0
    assert derive("demo", "--check") == 0
    assert capsys.readouterr().out == ""


def test_other_distributions_stay_and_a_second_run_asks_nothing(
    index: Recorded, derive: Callable[..., int], tmp_path: Path
) -> None:
    for name in ("demo", "other"):
        index.project(name, file(f"{name}-1.0-py3-none-any.whl", "2024-01-01"))
        index.metadata(f"{name}-1.0-py3-none-any.whl")
        assert derive(name) == 0
    both = written(tmp_path, "releases")
    assert [line.split()[0] for line in both.splitlines() if " = " in line] == ["demo", "other"]
    index.asked.clear()
    assert derive("--all", "--check") == 1  # numpy is on the list, and the index has none
    assert [url for url, _ in index.asked] == [f"{INDEX}/pypi/numpy/json"]
    assert written(tmp_path, "releases") == both


def test_what_the_index_has_not_is_named(
    index: Recorded, derive: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert derive("demo") == 1
    assert "demo: no https://index.example/pypi/demo/json" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["left-pad"]])
def test_names_that_are_not_on_the_list_are_not_asked_for(
    index: Recorded, derive: Callable[..., int], arguments: list[str]
) -> None:
    assert derive(*arguments) == 2
    assert index.asked == []
