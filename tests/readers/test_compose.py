"""Compose files: the images that services run on, and which services want a GPU."""

from __future__ import annotations

import pytest
from spoiled import assert_inside, spoiled

from mlenv.model.source import CONTEXT, UNREADABLE_FILE, Source
from mlenv.model.text import SourceText
from mlenv.project.images import compose

SAMPLE = """\
x-shared: &shared
  image: ${REGISTRY:-registry.example}/train:${TAG-1.0}
  environment: {A: "$$B"}
services:
  train:
    <<: *shared
    runtime: nvidia
  serve:
    build: .
    image: registry.example/serve:dev
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 1
              capabilities: [gpu]
  db:
    image: "postgres:16"
"""


def read(text: str) -> Source:
    source = compose.read(SourceText("compose.yaml", text))
    assert_inside(source)
    return source


def images(text: str) -> list[tuple[str, bool]]:
    return [(stage.image, stage.is_complete) for stage in read(text).stages]


def test_images_and_gpus() -> None:
    source = read(SAMPLE)
    assert (source.kind, source.role, source.problems) == ("compose", CONTEXT, ())
    assert [(s.image, s.span.text) for s in source.stages] == [
        ("registry.example/train:1.0", "${REGISTRY:-registry.example}/train:${TAG-1.0}"),
        ("postgres:16", "postgres:16"),
    ]
    assert [(s.subject, s.span.text) for s in source.statements] == [
        ("gpu", "nvidia"),
        ("gpu", "nvidia"),
    ]


@pytest.mark.parametrize(
    ("written", "image", "is_complete"),
    [
        ("a:$TAG", "a:$TAG", False),
        ("a:${TAG}", "a:${TAG}", False),
        ("a:${TAG:?not set}", "a:${TAG:?not set}", False),
        ("a:${TAG:-}", "a:", True),
        ("a:${X:-${Y:-2}}", "a:2", True),
        ("a@sha256:00", "a@sha256:00", True),
    ],
)
def test_variables(written: str, image: str, is_complete: bool) -> None:
    assert images(f"services:\n  x:\n    image: '{written}'\n") == [(image, is_complete)]


def test_what_is_built_is_no_base_image() -> None:
    assert images("services:\n  x:\n    image: a:1\n    build: {context: .}\n") == []


@pytest.mark.parametrize(
    ("service", "values"),
    [
        ("gpus: all", ["all"]),
        ("runtime: runc", []),
        ("deploy: {resources: {reservations: {devices: [{capabilities: [gpu, x]}]}}}", ["gpu"]),
        ("deploy: {resources: {reservations: {devices: [{capabilities: [[gpu]]}]}}}", ["gpu"]),
        ("deploy: {resources: {reservations: {devices: [{driver: cdi}]}}}", []),
    ],
)
def test_ways_to_ask_for_a_gpu(service: str, values: list[str]) -> None:
    source = read(f"services:\n  x:\n    {service}\n")
    assert [s.value for s in source.statements] == values


def test_a_shared_image_is_named_once() -> None:
    text = "x: &x {image: a}\nservices:\n  b: *x\n  c: *x\n"
    assert images(text) == [("a", True)]


def test_a_broken_file_is_told() -> None:
    source = read("services:\n  x:\n    image: a:1\n  y: [\n")
    assert [p.kind for p in source.problems] == [UNREADABLE_FILE]
    assert [s.image for s in source.stages] == ["a:1"]


def test_nothing_makes_it_fail() -> None:
    for text in spoiled(SAMPLE, 300):
        read(text)
