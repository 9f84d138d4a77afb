"""What has to be built, and what base images and system packages hold: the records' own shape."""

from __future__ import annotations

import pytest

from mlenv.knowledge import Knowledge
from mlenv.knowledge.builds import IMPORTS, REQUIRES
from mlenv.knowledge.system_libraries import IMPORT, NO_MUSL
from mlenv.versions.version import Version, parse_version

KNOWLEDGE = Knowledge()


def version(text: str) -> Version:
    found = parse_version(text)
    assert found is not None
    return found


def test_a_build_says_what_it_takes() -> None:
    build = KNOWLEDGE.builds.of("flash-attn")
    assert build is not None
    assert (build.torch, build.nvcc, build.only_source) == (IMPORTS, True, True)
    assert build.programs == ("g++",)
    mamba = KNOWLEDGE.builds.of("mamba-ssm")
    assert mamba is not None
    assert mamba.torch == REQUIRES
    assert KNOWLEDGE.builds.of("numpy") is None


@pytest.mark.parametrize(
    ("numpy", "python", "fails"),
    [("1.25.2", "3.12", True), ("1.26.0", "3.12", False), ("1.25.2", "3.11", False)],
)
def test_old_numpy_cannot_be_built_on_new_pythons(numpy: str, python: str, fails: bool) -> None:
    found = KNOWLEDGE.builds.failing("numpy", version(numpy), version(python), "2026-11-20")
    assert (found is not None) == fails


def test_long_term_builds_of_torch_are_on_no_index_of_pypi() -> None:
    found = KNOWLEDGE.builds.elsewhere("torch", version("1.8.2+cu111"))
    assert found is not None
    assert found.minors == (6, 7, 8, 9)
    assert KNOWLEDGE.builds.elsewhere("torch", version("1.8.1+cu111")) is None


@pytest.mark.parametrize(
    ("image", "tag", "lacks", "has"),
    [
        ("python", "3.11-slim", ("libgl1", "git", "gcc"), ("libstdc++6",)),
        ("docker.io/library/python", "3.12-slim-bookworm", ("libgl1",), ()),
        ("python", "3.11", ("libgl1", "ffmpeg"), ("git", "gcc", "libglib2.0-0", "libgomp1")),
        ("python", "3.11-bookworm", ("libgl1",), ("g++",)),
        ("nvidia/cuda", "12.4.1-devel-ubuntu22.04", ("libgl1", "git"), ("nvcc", "g++")),
        ("nvidia/cuda", "12.4.1-cudnn-runtime-ubuntu22.04", ("nvcc", "g++"), ()),
    ],
)
def test_what_base_images_lack(
    image: str, tag: str, lacks: tuple[str, ...], has: tuple[str, ...]
) -> None:
    found = KNOWLEDGE.system_packages.lacking(image, tag)
    assert found is not None
    assert found.things.issuperset(lacks)
    assert found.things.isdisjoint(has)


@pytest.mark.parametrize(("image", "tag"), [("example/python", "3.11-slim"), ("python", "rc")])
def test_of_other_images_nothing_is_known(image: str, tag: str) -> None:
    assert KNOWLEDGE.system_packages.lacking(image, tag) is None


def test_packages_bring_others() -> None:
    packages = KNOWLEDGE.system_packages
    ffmpeg = packages.brought_by("ffmpeg", recommended=False)
    assert ffmpeg is not None
    assert {"libgl1", "libglib2.0-0", "libgomp1"} <= ffmpeg
    pip = packages.brought_by("python3-pip", recommended=False)
    assert pip is not None
    assert "gcc" not in pip
    assert "gcc" in (packages.brought_by("python3-pip", recommended=True) or ())
    glib = packages.brought_by("libglib2.0-0t64:amd64", recommended=False)
    assert glib == frozenset(("libglib2.0-0",))
    assert packages.brought_by("python3.10-venv", recommended=True) == frozenset()
    assert packages.brought_by("cuda-nvcc-12-4", recommended=True) == frozenset(("nvcc",))
    assert packages.brought_by("some-desktop", recommended=True) is None


def test_names_that_are_gone_have_another_one() -> None:
    gone = KNOWLEDGE.system_packages.gone("libgl1-mesa-glx")
    assert gone is not None
    assert gone.instead == "libgl1"
    assert "debian 13" in gone.releases
    assert "debian 12" not in gone.releases
    assert KNOWLEDGE.system_packages.gone("libgl1") is None


def test_needs_hold_for_versions() -> None:
    (xgboost,) = KNOWLEDGE.system_libraries.needs_of("xgboost", IMPORT)
    assert xgboost.libraries == ("libgomp.so.1",)
    assert xgboost.versions.admits(version("1.2.1"))
    assert not xgboost.versions.admits(version("1.3.3"))
    assert [*KNOWLEDGE.system_libraries.needs_of("requests")] == []
    assert len([*KNOWLEDGE.system_libraries.needs_of("torch", NO_MUSL)]) == 1
