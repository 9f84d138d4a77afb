"""What a base image's name and tag tell of its contents."""

from __future__ import annotations

import pytest

from mlenv.knowledge import Knowledge
from mlenv.knowledge.bases import BaseImage
from mlenv.model.image import Stage
from mlenv.model.text import SourceText, Span

BASES = Knowledge().bases


def base(image: str, day: str = "2026-11-20") -> BaseImage | None:
    text = SourceText("Dockerfile", f"FROM {image}\n")
    return BASES.of(Stage(image, Span(text, 5, 5 + len(image))), day)


@pytest.mark.parametrize(
    ("image", "cuda", "cudnn", "flavor", "system", "glibc"),
    [
        (
            "nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04",
            *("12.4.1", "any", "devel", "ubuntu 22.04", "2.35"),
        ),
        (
            "nvcr.io/nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu20.04",
            *("11.8.0", "8", "runtime", "ubuntu 20.04", "2.31"),
        ),
        ("nvidia/cuda:12.2.2-base-rockylinux8", "12.2.2", "", "base", "el 8", "2.28"),
        ("nvidia/cuda:11.3.1-devel", "11.3.1", "", "devel", "", ""),
    ],
)
def test_a_cuda_image(
    image: str, cuda: str, cudnn: str, flavor: str, system: str, glibc: str
) -> None:
    found = base(image)
    assert found is not None
    assert (found.cuda, found.cudnn, found.flavor) == (cuda, cudnn, flavor)
    assert (found.system, found.glibc) == (system, glibc)
    assert found.has_nvcc == (flavor == "devel")


def test_an_image_of_pytorch_holds_torch() -> None:
    found = base("pytorch/pytorch:2.4.1-cuda12.4-cudnn9-devel")
    assert found is not None
    assert (str(found.torch), found.cuda, found.cudnn, found.has_nvcc) == (
        "2.4.1",
        "12.4",
        "9",
        True,
    )


def test_nvidias_own_torch_is_a_prerelease() -> None:
    found = base("nvcr.io/nvidia/pytorch:25.01-py3")
    assert found is not None
    assert found.torch is not None
    assert found.torch.is_prerelease
    assert found.cuda == "12.8"


@pytest.mark.parametrize(
    ("image", "day", "system", "floats", "slim"),
    [
        ("python:3.11-slim-bookworm", "2026-11-20", "debian 12", False, True),
        ("python:3.11-slim", "2026-11-20", "debian 13", True, True),
        ("python:3.11-slim", "2024-01-01", "debian 12", True, True),
        ("python:3.9", "2022-01-01", "debian 11", True, False),
        ("python:3.9", "2020-01-01", "debian 10", True, False),
        ("python:slim", "2025-08-11", "debian 12", True, True),
        ("python:3.11-slim@sha256:00", "2026-11-20", "", True, True),
        ("registry.example:5000/library/python", "2026-11-20", "debian 13", True, False),
        (
            "ghcr.io/astral-sh/uv:0.5.1-python3.12-bookworm-slim",
            "2026-11-20",
            *("debian 12", False, True),
        ),
        ("debian:stable-slim", "2026-11-20", "debian 13", True, True),
    ],
)
def test_a_python_image_stands_on_the_debian_of_its_day(
    image: str, day: str, system: str, floats: bool, slim: bool
) -> None:
    found = base(image, day)
    assert found is not None
    assert (found.system, found.system_floats, found.is_slim) == (system, floats, slim)


def test_alpine_has_another_c_library() -> None:
    for image in ("python:3.12-alpine", "python:3.12.1-alpine3.19", "alpine:3.20"):
        found = base(image)
        assert found is not None, image
        assert found.is_musl, image


@pytest.mark.parametrize(
    "image",
    [
        "our/base:1.0",
        "nvidia/cuda",
        "pytorch/pytorch:latest",
        "python:rc-slim",
        "bitnami/python:3.11",
        "registry.example/devcontainers/python:3.12",
        "ghcr.io/astral-sh/uv:latest",
        "public.ecr.aws/lambda/python:latest",
        "scratch",
        "debian:sid",
    ],
)
def test_what_a_name_does_not_tell_is_not_known(image: str) -> None:
    assert base(image) is None


@pytest.mark.parametrize(
    ("image", "python", "floats"),
    [
        ("python:3.11-slim", "3.11", False),
        ("python:3-slim-bookworm", "3", True),
        ("python:alpine", "3", True),
        ("python:2", "2.7", False),
        ("python:3-slim@sha256:00", "", True),
        ("public.ecr.aws/lambda/python:3.12-arm64", "3.12", False),
        ("ghcr.io/astral-sh/uv:python3.12-alpine", "3.12", False),
    ],
)
def test_the_python_of_an_image(image: str, python: str, floats: bool) -> None:
    found = base(image)
    assert found is not None
    assert (found.python, found.python_floats) == (python, floats)


@pytest.mark.parametrize(
    ("image", "system", "glibc"),
    [
        ("public.ecr.aws/lambda/python:3.11", "amazonlinux 2", "2.26"),
        ("amazon/aws-lambda-python:3.8.2024.05.20", "amazonlinux 2", "2.26"),
        ("public.ecr.aws/lambda/python:3.12", "amazonlinux 2023", "2.34"),
    ],
)
def test_images_for_functions_stand_on_amazon_linux(image: str, system: str, glibc: str) -> None:
    found = base(image)
    assert found is not None
    assert (found.system, found.glibc) == (system, glibc)
