"""Which packages bring a shared library: well-formed records, and the questions on them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tomli

from mlenv import knowledge
from mlenv.knowledge import KNOWLEDGE_DATE, Knowledge
from mlenv.knowledge.releases import versions_of
from mlenv.versions.version import parse_version

SONAMES = Knowledge().sonames
RELEASES = {"debian 12", "debian 13", "ubuntu 22.04", "ubuntu 24.04"}


@cache
def records() -> dict[str, Any]:
    return tomli.loads((Path(knowledge.__file__).parent / "sonames.toml").read_text("utf-8"))


def test_the_records_are_well_formed() -> None:
    assert set(records()) == {"meta", "driver", "cuda", "loaded", "soname"}
    assert records()["meta"]["date"] <= KNOWLEDGE_DATE
    for one in records()["soname"]:
        assert set(one) <= {"so", "apt", "renamed", "releases", "conda"}
        assert re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", one["apt"]), one
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]+", one["conda"]), one
        assert set(one.get("releases", ())) <= RELEASES, one
        assert one.get("renamed", f"{one['apt']}t64") == f"{one['apt']}t64", one
    for one in records()["cuda"]:
        assert set(one) == {"so", "pypi", "conda"}
    for one in records()["loaded"]:
        assert set(one) <= {"packages", "versions", "files", "fails", "any", "fact", "source"}
        assert one["fact"], one
        assert one["source"], one
        assert versions_of(one.get("versions", "")) is not None


def test_each_library_is_named_once_and_is_one() -> None:
    names = [so for table in ("soname", "cuda") for one in records()[table] for so in one["so"]]
    names += records()["driver"]["names"]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"lib[\w.+-]+\.so(\.\d+)*", name) for name in names)


@pytest.mark.parametrize(
    ("soname", "apt", "pypi"),
    [
        ("libGL.so.1", "libgl1", ""),
        ("libglib-2.0.so.0", "libglib2.0-0", ""),
        ("libgomp.so.1", "libgomp1", ""),
        ("libcudart.so.12", "", "nvidia-cuda-runtime-cu12"),
        ("libcudnn.so.9", "", "nvidia-cudnn-cu13 or nvidia-cudnn-cu12"),
    ],
)
def test_what_brings_a_library(soname: str, apt: str, pypi: str) -> None:
    found = SONAMES.brings(soname)
    assert found is not None
    assert (found.soname, found.apt, found.pypi) == (soname, apt, pypi)
    assert soname in found.evidence.fact
    assert found.evidence.source


def test_a_package_that_got_another_name_and_one_of_a_single_release() -> None:
    glib, ffmpeg = SONAMES.brings("libglib-2.0.so.0"), SONAMES.brings("libavcodec.so.59")
    assert glib is not None
    assert ffmpeg is not None
    assert (glib.renamed, glib.releases) == ("libglib2.0-0t64", ())
    assert (ffmpeg.apt, ffmpeg.releases) == ("libavcodec59", ("debian 12",))


def test_what_is_not_known_is_not_guessed() -> None:
    assert SONAMES.brings("libhouse.so.1") is None
    assert SONAMES.loaded_by("in-house", None) is None


def test_what_the_driver_brings() -> None:
    assert SONAMES.is_of_driver("libcuda.so.1")
    assert not SONAMES.is_of_driver("libcudart.so.12")
    assert SONAMES.driver_evidence.source


def test_what_is_loaded_by_its_path_depends_on_the_release() -> None:
    site = "lib/python3.11/site-packages"
    older = SONAMES.loaded_by("torchcodec", parse_version("0.7.0"))
    newer = SONAMES.loaded_by("torchcodec", parse_version("0.17.0"))
    unknown = SONAMES.loaded_by("torchvision", None)
    assert older is not None
    assert newer is not None
    assert unknown is not None
    assert older.any
    assert older.has(f"{site}/torchcodec/libtorchcodec_core6.so")
    assert not newer.has(f"{site}/torchcodec/libtorchcodec_core6.so")
    assert unknown.has("torchvision/_C.so")
    assert unknown.has(f"{site}/torchvision/_C.so")
    assert not unknown.has(f"{site}/my_torchvision/_C.so")
