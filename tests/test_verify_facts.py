"""The script that compares the records with the metadata of wheels and of locks."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


def verify(path: Path) -> int:
    from verify_facts import main

    return main([str(path)])


def package(name: str, version: str, *dependencies: str, python: str = ">=3.8") -> str:
    return "\n".join(
        [
            "[[package]]",
            f'name = "{name}"',
            f'version = "{version}"',
            f'python-versions = "{python}"',
            "files = []",
            "[package.dependencies]",
            *dependencies,
            "",
        ]
    )


CUDA = 'nvidia-cuda-runtime-cu12 = {{version = "{}", markers = "platform_system == \\"Linux\\""}}'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (package("torchvision", "0.16.0", 'torch = "2.1.0"'), ""),
        (
            package("torchvision", "0.16.0", 'torch = "2.0.1"'),
            "requires torch==2.0.1, which is not",
        ),
        (package("torchvision", "0.16.0", python=">=3.7"), "requires Python >=3.7, on record"),
        (package("torch", "2.4.1", CUDA.format("12.1.105")), ""),
        (
            package("torch", "2.4.1", CUDA.format("12.4.127")),
            "pins CUDA 12.4.127, on record is cu1",
        ),
    ],
)
def test_what_a_lock_tells(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "poetry.lock").write_text(text, "utf-8")
    assert verify(tmp_path) == bool(told)
    out = capsys.readouterr().out
    assert told in out
    assert out.endswith(f"{0 if told else 1} of 1 pairs agree\n")


@pytest.mark.parametrize(
    ("file", "requires", "told"),
    [
        ("torchvision-0.16.0-cp311-cp311-manylinux1_x86_64.whl", ("torch==2.1.0",), "does not"),
        ("torchvision-0.16.0-cp313-cp313-manylinux1_x86_64.whl", ("torch==2.1.0",), "not served"),
    ],
)
def test_what_a_wheel_tells(
    file: str,
    requires: tuple[str, ...],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = ["Metadata-Version: 2.1", "Name: torchvision", "Requires-Python: >=3.8"]
    lines += [f"Requires-Dist: {one}" for one in requires]
    with zipfile.ZipFile(tmp_path / file, "w") as archive:
        archive.writestr("torchvision-0.16.0.dist-info/METADATA", "\n".join([*lines, "", ""]))
    assert verify(tmp_path) == 1
    out = capsys.readouterr().out
    assert told in out
    assert out.endswith("0 of 1 pairs agree\n")


def test_what_no_record_speaks_of_is_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = package("left-pad", "1.0") + package("torch", "99.0")
    (tmp_path / "poetry.lock").write_text(text, "utf-8")
    (tmp_path / "broken.whl").write_text("no zip file")
    (tmp_path / "other.lock").write_text("no lock [")
    assert verify(tmp_path) == 0
    assert capsys.readouterr().out == "0 of 0 pairs agree\n"


def test_constraints_of_poetry() -> None:
    from derivation.locks import lock_records

    dependencies = (
        'numpy = ">=1.6.2,<1.7 || >1.7,<2"',
        'scipy = "^1.2"',
        'pandas = {version = "*", extras = ["test"]}',
        'torch = {version = ">=1.0", optional = true}',
        'rich = [{version = "<1", markers = "a"}, {version = ">=1", markers = "b"}]',
    )
    (record,) = lock_records(package("demo", "1.0", *dependencies), "lock")
    assert record.requires == (
        "numpy>=1.6.2,!=1.7,<2",
        "pandas[test]",
        "rich<1 ; a",
        "rich>=1 ; b",
    )
