"""Typed questions on torch's builds, CUDA, drivers and what packages ask of a GPU."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from mlenv.knowledge import KNOWLEDGE_DATE, Knowledge
from mlenv.knowledge.torch import cuda_of_label, label_of_cuda, read_architectures
from mlenv.model.finding import Evidence
from mlenv.model.target import parse_capability
from mlenv.versions.version import parse_version
from mlenv.versions.version_set import pep440

KNOWN = Knowledge()
TOLD = Evidence("told", "a test")


@pytest.mark.parametrize(
    ("label", "cuda"),
    [("cu121", "12.1"), ("cu92", "9.2"), ("cpu", ""), ("rocm6.4", ""), ("xpu", ""), ("nv24", None)],
)
def test_what_a_label_stands_for(label: str, cuda: str | None) -> None:
    assert cuda_of_label(label) == cuda
    if cuda:
        assert label_of_cuda(cuda) == label


@pytest.mark.parametrize(
    ("version", "platform", "label"),
    [
        ("1.10.1", "linux_x86_64", "cu102"),
        ("2.0.1", "linux_x86_64", "cu117"),
        ("2.8.0", "linux_x86_64", "cu128"),
        ("2.15.0", "linux_x86_64", "cu132"),
        ("2.10.0", "linux_aarch64", "cpu"),
        ("2.11.0", "linux_aarch64", "cu130"),
        ("2.11.0", "win_amd64", "cpu"),
        ("2.11.0", "macos_arm64", "cpu"),
        ("1.6.0", "linux_aarch64", ""),
    ],
)
def test_what_pypi_holds(version: str, platform: str, label: str) -> None:
    found = KNOWN.torch.release(parse_version(version))  # type: ignore[arg-type]
    assert found is not None
    assert found.default(platform) == label


def test_every_release_holds_together() -> None:
    releases = KNOWN.torch.releases
    assert len(releases) > 40
    for before, after in pairwise(releases):
        assert before.version < after.version
    for one in releases:
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", one.released)
        assert one.released <= KNOWLEDGE_DATE
        assert one.default("linux_x86_64") in one.labels
        assert "cpu" in one.labels
        assert one.evidence.source


def test_every_list_of_kernels_belongs_to_a_build() -> None:
    for one in KNOWN.torch.releases:
        label = one.default("linux_x86_64")
        if one.version.release < (1, 4):
            continue  # the lists begin later
        listed = KNOWN.torch.architectures(one.version, label, "linux_x86_64")
        assert listed is not None, one.version
        assert listed.cubins == tuple(sorted(listed.cubins))
        toolkit = KNOWN.cuda.toolkit(cuda_of_label(label) or "")
        assert toolkit is not None
        assert toolkit.lowest <= listed.cubins[0] <= listed.cubins[-1] <= toolkit.highest


@pytest.mark.parametrize(
    ("version", "label", "gpu", "runs"),
    [
        ("2.5.1", "cu121", "8.9", True),
        ("2.5.1", "cu121", "9.0", True),
        ("2.5.1", "cu121", "12.0", False),
        ("2.7.1", "cu128", "12.1", True),
        ("2.7.1", "cu128", "7.0", False),
        ("2.8.0", "cu128", "7.0", True),
        ("2.8.0", "cu128", "6.1", False),
        ("2.8.0", "cu126", "6.1", True),
        ("1.10.1", "cu111", "8.0", True),
        ("1.10.1", "cu102", "8.0", False),
        ("1.10.1", "cu102", "7.5", True),
        # chips of embedded boards run only their own kernels
        ("2.8.0", "cu126", "8.7", False),
        ("2.8.0", "cu126", "7.2", False),
    ],
)
def test_which_gpus_a_build_has_kernels_for(version: str, label: str, gpu: str, runs: bool) -> None:
    known, capability = parse_version(version), parse_capability(gpu)
    assert known is not None
    assert capability is not None
    listed = KNOWN.torch.architectures(known, label, "linux_x86_64")
    assert listed is not None
    assert listed.serve(capability) is runs


def test_what_torch_itself_lists() -> None:
    listed = read_architectures(("sm_80", "sm_90a", "compute_90"), TOLD)
    assert listed is not None
    assert listed.text == "8.0, 9.0a, 9.0+PTX"
    assert [listed.serve(one) for one in ((7, 5), (8, 6), (9, 0), (12, 0))] == [
        False,
        True,
        True,
        True,
    ]
    assert read_architectures(("gfx90a",), TOLD) is None


def test_kernels_for_one_gpu_alone_run_on_no_other() -> None:
    listed = read_architectures(("sm_100a",), TOLD)
    assert listed is not None
    assert listed.serve((10, 0))
    assert not listed.serve((10, 3))


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("cu118", "2.0.0", "2.7.1"),
        ("cu121", "2.1.0", "2.5.1"),
        ("cu126", "2.6.0", "2.14.1"),
        ("cu128", "2.7.0", "2.11.0"),
    ],
)
def test_when_a_label_was_in_use(label: str, first: str, last: str) -> None:
    built = KNOWN.torch.built_with(label)
    assert (built[0].version.text, built[-1].version.text) == (first, last)


@pytest.mark.parametrize("label", ["cu112", "cu122", "cu123", "cu125", "cu127", "cu131", "cu133"])
def test_labels_that_never_were(label: str) -> None:
    assert not KNOWN.torch.may_exist(label)


def test_the_newest_release_of_a_day() -> None:
    versions = pep440(">=2")
    assert versions is not None
    found = KNOWN.torch.newest(versions, "cu121", "2024-08-01")
    assert found is not None
    assert found.text == "2.4.0"


def test_the_cudnn_of_a_build() -> None:
    version = parse_version("2.4.1")
    assert version is not None
    assert KNOWN.torch.cudnn(version, "cu121") == "9.1.0.70"
    assert KNOWN.torch.cudnn(version, "cu999") == ""


@pytest.mark.parametrize(
    ("driver", "cuda", "system", "runs"),
    [
        ("535.104.05", "12.4", "linux", True),
        ("525.60.13", "12.9", "linux", True),
        ("525.60.11", "12.0", "linux", False),
        ("525", "12.0", "linux", True),
        ("470.82", "12.1", "linux", False),
        ("470.82", "11.8", "linux", True),
        ("450.80.02", "11.8", "linux", True),
        ("570.124.06", "13.0", "linux", False),
        ("580.65.06", "13.2", "linux", True),
        ("527.41", "12.4", "windows", True),
        ("522.06", "12.4", "windows", False),
        ("452.39", "11.1", "windows", True),
        # before CUDA 11 each toolkit needs the driver that came with it
        ("440.33", "10.2", "linux", True),
        ("418.87", "10.2", "linux", False),
        ("what?", "12.1", "linux", None),
        ("535", "99.1", "linux", None),
    ],
)
def test_which_driver_runs_what(driver: str, cuda: str, system: str, runs: bool | None) -> None:
    assert KNOWN.cuda.runs(driver, cuda, system) is runs


@pytest.mark.parametrize(
    ("driver", "cuda"),
    [
        ("535.104.05", "12.2"),
        ("536.25", "12.2"),
        ("550", "12.4"),
        ("470.82", "11.4"),
        ("472.12", "11.4"),
        ("580.82.07", "13.0"),
        ("300", ""),
    ],
)
def test_the_newest_cuda_of_a_driver(driver: str, cuda: str) -> None:
    assert KNOWN.cuda.newest_for(driver) == cuda


@pytest.mark.parametrize(
    ("text", "cuda"), [("==11.3.1", "11.3"), ("==12.4.*", "12.4"), (">=11,<12", None), ("", None)]
)
def test_the_one_cuda_that_a_constraint_leaves(text: str, cuda: str | None) -> None:
    versions = pep440(text)
    assert versions is not None
    assert KNOWN.cuda.only(versions) == cuda


def test_toolkits_and_drivers_rise_together() -> None:
    toolkits = [KNOWN.cuda.toolkit(version) for version in KNOWN.cuda.versions]
    drivers = [parse_version(one.linux) for one in toolkits if one is not None]
    assert len(drivers) == len(KNOWN.cuda.versions) > 20
    for before, after in pairwise(drivers):
        assert before is not None
        assert after is not None
        assert before < after


def test_what_packages_ask_of_a_gpu() -> None:
    (newest, oldest) = KNOWN.gpu_needs.about("flash-attn")
    assert {newest.least, oldest.least} == {(8, 0), (7, 5)}
    assert [one.severity.value for one in KNOWN.gpu_needs.about("bitsandbytes")] == [
        "error",
        "note",
    ]
    assert list(KNOWN.gpu_needs.about("numpy")) == []
