"""What is known of GPUs: names as drivers and people write them, and CUDA's range for each."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tomli

from mlenv import knowledge
from mlenv.knowledge import KNOWLEDGE_DATE, Knowledge
from mlenv.model.target import parse_capability
from mlenv.versions.version import parse_version

GPUS = Knowledge().gpus


@cache
def records() -> dict[str, Any]:
    return tomli.loads((Path(knowledge.__file__).parent / "gpu.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("NVIDIA A100-SXM4-80GB", "8.0"), ("A100", "8.0"), ("GRID A100-10C", "8.0"),
        ("NVIDIA A10G", "8.6"), ("A10", "8.6"), ("V100 32G", "7.0"), ("Tesla V100S-PCIE", "7.0"),
        ("Tesla T4", "7.5"), ("Tesla P4", "6.1"), ("Tesla P40", "6.1"), ("L40S", "8.9"),
        ("4090", "8.9"), ("NVIDIA 4090", "8.9"), ("RTX 4090 Laptop GPU", "8.9"),
        ("rtx3090ti", "8.6"),
        ("GTX 1080 Ti", "6.1"), ("NVIDIA GeForce GTX 1050 Mobile", "6.1"), ("1080ti", "6.1"),
        ("NVIDIA GeForce RTX 5090", "12.0"), ("GeForce RTX 4070 Ti SUPER", "8.9"),
        ("Quadro RTX 6000", "7.5"), ("NVIDIA RTX 6000 Ada Generation", "8.9"), ("A6000", "8.6"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "12.0"), ("RTX PRO 6000", "12.0"),
        ("H100 PCIe", "9.0"), ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "9.0"), ("GH200", "9.0"),
        ("Jetson Orin", "8.7"), ("Orin (nvgpu)", "8.7"), ("Jetson Orin Nano", "8.7"),
        ("Jetson Nano", "5.3"), ("NVIDIA TITAN X (Pascal)", "6.1"), ("GeForce GTX TITAN X", "5.2"),
    ],
)  # fmt: skip
def test_a_gpu_is_known_by_any_of_its_names(name: str, capability: str) -> None:
    assert GPUS.capability_of(name) == parse_capability(capability)


@pytest.mark.parametrize(
    "name",
    [
        "", "GPU", "Titan X", "RTX 5000", "A100 or V100", "A1000", "A100X",
        "Apple M2", "AMD Radeon RX 4090", "AMD Instinct MI100", "Intel Arc A40", "Radeon HD 5070",
    ],
)  # fmt: skip
def test_what_is_not_known_is_not_guessed(name: str) -> None:
    assert GPUS.capability_of(name) is None


def test_names_of_other_vendors_are_told_apart() -> None:
    assert GPUS.is_foreign("Apple M2")
    assert not GPUS.is_foreign("NVIDIA Mystery")


def test_names_for_data_centers() -> None:
    assert all(map(GPUS.is_data_center, ("NVIDIA A100-SXM4-80GB", "Tesla T4", "H100 PCIe")))
    assert not any(map(GPUS.is_data_center, ("RTX 4090", "T4 and RTX 4090", "Quadro P4000", "?")))


@pytest.mark.parametrize(
    ("capability", "cuda", "is_known"),
    [
        ("7.0", "8.0", False), ("7.0", "9.0", True), ("7.0", "12.9.1", True),
        ("7.0", "13.0", False),
        ("12.0", "12.6", False), ("12.0", "12.8", True), ("12.0", "99", True), ("8.0", "11", True),
        ("3.0", "10.2", True), ("3.0", "11.0", False), ("9.0", "11.7", False),
        ("9.0", "11.8", True),
    ],
)  # fmt: skip
def test_each_cuda_knows_a_range_of_gpus(capability: str, cuda: str, is_known: bool) -> None:
    number, version = parse_capability(capability), parse_version(cuda)
    assert number is not None
    assert version is not None
    architecture = GPUS.architecture(number)
    assert architecture is not None
    assert architecture.is_known_to(version) is is_known
    assert capability in architecture.evidence.fact
    assert architecture.evidence.source


def test_an_architecture_that_is_not_known() -> None:
    assert GPUS.architecture((99, 0)) is None


def test_every_record_is_whole() -> None:
    data = records()
    assert data["meta"]["date"] == KNOWLEDGE_DATE
    assert data["data_center"]["source"]
    known = {parse_capability(one["capability"]) for one in data["architecture"]}
    names = [name for one in data["gpu"] for name in one["names"]]
    assert len(set(names)) == len(names)
    assert all(name == " ".join(name.lower().split()) for name in names)
    assert set(data["data_center"]["names"]) <= set(names)
    for one in data["gpu"]:
        assert set(one) <= {"capability", "source", "confidence", "names"}
        assert parse_capability(one["capability"]) in known
        assert one.get("confidence", "medium") == "medium"
        for name in one["names"]:
            assert GPUS.capability_of(name) == parse_capability(one["capability"])
    for one in (*data["gpu"], *data["architecture"]):
        assert one["source"] in data["sources"]
    for one in data["architecture"]:
        versions = [parse_version(one[key]) for key in ("first_cuda", "last_cuda") if key in one]
        assert all(versions)


def test_a_name_of_any_length_is_read_in_no_time() -> None:
    began = time.perf_counter()
    assert GPUS.capability_of("rtx " * 1_000_000) is None
    assert time.perf_counter() - began < 1
