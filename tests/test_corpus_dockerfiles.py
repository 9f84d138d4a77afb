"""Dockerfiles of real repositories against another parser, where a corpus lies beside the checkout.

The reference is dockerfile-parse, which takes the lines of here-documents for instructions and
does not follow a variable within a variable.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlenv.model.text import SourceText
from mlenv.project.images import dockerfile
from mlenv.project.images.dockerfile_instructions import instructions

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"
REFERENCE = CORPUS / "reference.json"
PARSES = (
    {
        path: parse
        for path, parse in json.loads(REFERENCE.read_text("utf-8"))["files"].items()
        if parse["kind"] == "dockerfile"
    }
    if REFERENCE.is_file()
    else {}
)
WITH_HEREDOCS = {
    "Physical-Intelligence__openpi/examples/aloha_real/Dockerfile": [[63, 66, "RUN"]],
    "Physical-Intelligence__openpi/examples/libero/Dockerfile": [[52, 58, "RUN"]],
    "huggingface__lerobot/docker/Dockerfile.benchmark.robotwin": [
        [74, 88, "RUN"],
        [93, 109, "RUN"],
        [120, 130, "RUN"],
    ],
}
"""The reference takes the lines of these here-documents for instructions."""
OTHER_BASES = {
    # the reference leaves the variable in the default of another one
    "fishaudio__fish-speech/dockerfile.dev": ["ghcr.io/fishaudio/fish-speech:dev"],
    # the reference puts nothing in the place of an ARG without a default
    "rapidsai__cuml/.devcontainer/Dockerfile": ["${BASE}", "${BASE}", "conda-base"],
    # the reference finds a FROM among the lines of Python in a here-document
    "huggingface__lerobot/docker/Dockerfile.benchmark.robotwin": ["huggingface/lerobot-gpu:latest"],
}

pytestmark = pytest.mark.skipif(
    not PARSES, reason="no corpus of real manifests lies beside this checkout"
)


def text_of(path: str) -> SourceText:
    return SourceText(path, (CORPUS / path).read_bytes().decode("utf-8-sig"))


def test_the_corpus_holds_what_is_compared() -> None:
    assert len(PARSES) == 111
    assert {*WITH_HEREDOCS, *OTHER_BASES} <= set(PARSES)


@pytest.mark.parametrize("path", PARSES)
def test_instructions_agree_with_the_reference(path: str) -> None:
    found = [[one.line, one.last_line, one.name] for one in instructions(text_of(path))]
    expected = PARSES[path]["instructions"]
    if path in WITH_HEREDOCS:
        spanned = WITH_HEREDOCS[path]
        expected = [
            one
            for one in expected
            if not any(first <= one[0] <= last for first, last, _ in spanned)
        ]
        expected = sorted([*expected, *spanned])
    assert found == expected


@pytest.mark.parametrize("path", PARSES)
def test_base_images_agree_with_the_reference(path: str) -> None:
    found = [stage.image for stage in dockerfile.read(text_of(path)).stages]
    assert found == OTHER_BASES.get(path, PARSES[path]["parents_resolved"])


@pytest.mark.parametrize("path", PARSES)
def test_a_real_dockerfile_gives_no_problem(path: str) -> None:
    source = dockerfile.read(text_of(path))
    assert not source.problems
    for requirement in source.requirements:
        if requirement.name_span is not None:
            assert requirement.name_span.text == requirement.written
