"""What the names and pages of prebuilt wheels say."""

from __future__ import annotations

import pytest

from mlenv.model.text import SourceText
from mlenv.reasoning.prebuilt import Prebuilt, read_label, read_page


@pytest.mark.parametrize(
    ("label", "torches", "cuda", "abi"),
    [
        ("cu118torch2.2cxx11abitrue", ("2.2",), "11.8", True),
        ("cu12torch2.4cxx11abifalse", ("2.4",), "12", False),
        ("cu128torch2.9.0cxx11abifalse", ("2.9",), "12.8", False),
        ("cu123torch2.4", ("2.4",), "12.3", None),
        ("pt26cu118", ("2.6",), "11.8", None),
        ("pt22cpu", ("2.2",), "", None),
        ("pt113cu117", ("1.13", "1.1"), "11.7", None),
        ("pt212cu130", ("2.12", "2.1"), "13.0", None),
        ("pt270cu126", ("2.7",), "12.6", None),
        ("torch230cu121", ("2.3",), "12.1", None),
        ("torch2100cu128", ("2.10", "2.1"), "12.8", None),
        ("18f6958pt2.0.1cu118", ("2.0",), "11.8", None),
        ("cu102", (), "10.2", None),
        ("cuda12.cudnn89", (), None, None),
        ("nv24.05", (), None, None),
        ("ubuntu1", (), None, None),
    ],
)
def test_labels(label: str, torches: tuple[str, ...], cuda: str | None, abi: bool | None) -> None:
    assert read_label(label) == (torches, cuda, abi)


@pytest.mark.parametrize(
    ("address", "torches", "cuda"),
    [
        ("https://files.example/whl/torch-2.2.1+cpu.html", ("2.2",), ""),
        ("https://files.example/mmcv/dist/cu118/torch2.1/index.html", ("2.1",), "11.8"),
        ("https://files.example/mmcv/dist/cu111/torch1.9.0/index.html", ("1.9",), "11.1"),
        ("https://files.example/wheels/py310_cu121_pyt230/download.html", ("2.3",), "12.1"),
        ("https://files.example/kaolin/torch-2.1.0_cu118.html", ("2.1",), "11.8"),
        ("https://files.example/wheels/torch-2.4/cu121/repo.html", ("2.4",), "12.1"),
        ("https://files.example/whl/cu124/torch2.5/", ("2.5",), "12.4"),
        ("https://index.example/whl/torch_stable.html", (), None),
        ("https://index.example/whl/cu121", (), None),
        ("https://torch2.example/simple", (), None),
    ],
)
def test_pages(address: str, torches: tuple[str, ...], cuda: str | None) -> None:
    assert read_page(address)[:2] == (torches, cuda)


@pytest.mark.parametrize(
    ("tags", "abi", "platform", "python", "system"),
    [
        (("cp310",), "cp310", "linux_x86_64", True, True),
        (("cp311",), "cp311", "linux_x86_64", False, True),
        (("cp39",), "abi3", "manylinux_2_28_x86_64", True, True),
        (("cp311",), "abi3", "linux_aarch64", False, False),
        (("py3",), "none", "any", True, True),
        (("py2", "py3"), "none", "win_amd64", True, False),
        (("cp310",), "cp310", "manylinux_2_17_x86_64.manylinux2014_x86_64", True, True),
        (("cp310",), "cp310", "macosx_11_0_universal2", True, False),
    ],
)
def test_tags(tags: tuple[str, ...], abi: str, platform: str, python: bool, system: bool) -> None:
    span = SourceText("requirements.txt", "x").span(0, 1)
    wheel = Prebuilt("x", "x.whl", span, pythons=tags, abi=abi, platforms=(*platform.split("."),))
    assert (wheel.serves_python(10), wheel.serves_platform("linux_x86_64")) == (python, system)
