"""Every known message: recognised as itself, by a pattern that takes linear time."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import tomli

from mlenv.knowledge import Knowledge
from mlenv.knowledge.messages import FACTS, WEIGHTS, Message, filled
from mlenv.rules.registry import RULES
from mlenv.tracebacks.here import SEEKERS
from mlenv.tracebacks.recognise import recognise

KNOWLEDGE = Knowledge()
MESSAGES = KNOWLEDGE.messages.all
SAMPLES: dict[str, Any] = tomli.loads((Path(__file__).with_name("samples.toml")).read_text("utf-8"))
CODES = {rule.code for rule in RULES}
MOST_REPEATED = 300


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: one.id)
def test_a_message_is_recognised_as_itself_alone(message: Message) -> None:
    sample = SAMPLES[message.id]
    found = recognise(sample["line"], KNOWLEDGE)
    assert [one.id for one in found] == [message.id]
    (one,) = found
    for name, text in sample.get("said", {}).items():
        assert one.said[name] == text
    assert sample.get("cause", "") in one.cause
    # no place is left open, and none is filled with nothing but blanks
    assert not re.search(r"[{}]|\s{2}|^\s|\s$", " | ".join((one.cause, *one.fix)))


def test_every_sample_has_a_record() -> None:
    assert list(SAMPLES) == [one.id for one in MESSAGES]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: one.id)
def test_a_record_is_whole(message: Message) -> None:
    assert set(message.rules) <= CODES
    assert set(message.facts) <= set(FACTS)
    assert message.weight in WEIGHTS
    assert message.evidence.source
    assert message.fix or "library" in message.facts
    known = set(re.compile(message.pattern).groupindex)
    for text in (message.cause, *message.fix, *message.packages):
        assert set(re.findall(r"\{([a-z]+)", text)) <= known


def test_every_fact_is_sought() -> None:
    assert set(SEEKERS) == set(FACTS)


def repeats(parsed: Any, inside: bool = False) -> list[tuple[int, bool]]:
    """Return for each repetition in a pattern how often at most, and whether another holds it."""
    found: list[tuple[int, bool]] = []
    for operation, argument in parsed:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _least, most, body = argument
            # what may be there once or not repeats nothing
            is_loop = most > 1
            if is_loop:
                found.append((int(most), inside))
            found += repeats(body, inside or is_loop)
        elif name == "SUBPATTERN":
            found += repeats(argument[-1], inside)
        elif name == "BRANCH":
            for branch in argument[1]:
                found += repeats(branch, inside)
        elif name in ("ASSERT", "ASSERT_NOT"):
            found += repeats(argument[1], inside)
    return found


def is_linear(pattern: str) -> bool:
    """Whether a pattern is bounded everywhere; a repeated group may hold only a bounded one."""
    parser = import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
    found = repeats(parser.parse(pattern))
    return all(most <= (8 if inside else MOST_REPEATED) for most, inside in found)


def test_no_pattern_repeats_without_a_bound() -> None:
    assert not is_linear(r"a+")
    assert not is_linear(r"(?:a{1,20}){1,9}")
    assert is_linear(r"a{1,200}(?:\.[0-9]{1,8}){0,4}")
    assert [one.id for one in MESSAGES if not is_linear(one.pattern)] == []


def test_what_is_sought_first_occurs_in_every_match() -> None:
    for message in MESSAGES:
        match = re.search(message.pattern, SAMPLES[message.id]["line"])
        assert match is not None, message.id
        assert message.has in match[0] or message.has in SAMPLES[message.id]["line"], message.id


def test_a_number_of_cuda_is_a_version() -> None:
    assert filled("CUDA {found:cuda}, {found}", {"found": "12080"}) == "CUDA 12.8, 12080"
    assert filled("CUDA {found:cuda}", {"found": "new"}) == "CUDA new"
    assert filled("a {missing} b", {}) == "a b"


def harmless() -> str:
    """Two hundred lines as training, serving and installing print them when all is well."""
    lines = [
        "Collecting torch==2.5.1",
        "  Downloading torch-2.5.1-cp311-cp311-manylinux1_x86_64.whl (906.4 MB)",
        "Requirement already satisfied: numpy<2 in ./.venv/lib/python3.11/site-packages",
        "Successfully installed numpy-1.26.4 torch-2.5.1 torchvision-0.20.1",
        "Using CUDA device cuda:0 (NVIDIA H100 80GB HBM3), driver 550.54.15",
        "INFO: found 8 GPUs, CUDA_VISIBLE_DEVICES=0,1,2,3",
        "CUDA_HOME=/usr/local/cuda nvcc=/usr/local/cuda/bin/nvcc",
        "W tf2xla: TF-TRT Warning: Could not find TensorRT",
        "providers=['CUDAExecutionProvider', 'CPUExecutionProvider']",
        "import cv2  # 4.10.0",
        "numpy.core is an alias here",
        "DEBUG huggingface_hub.file_download: cached",
        "Traceback (most recent call last): none",
        "KeyboardInterrupt",
        "loading shared library libcudnn.so.9 from the wheel",
        "glibc 2.35, GLIBCXX_3.4.30 is there",
        "Resolved 214 packages in 812ms",
        "error: 0 failed, 120 passed",
        "ImportError was handled",
        "GPU memory: 79.1 GiB free",
    ]
    steps = [
        f"step {number}: loss {3 / number:.4f}, lr 1.0e-04, {number * 512} tokens/s"
        for number in range(1, 181)
    ]
    return "\n".join((*lines, *steps))


def test_harmless_logs_are_not_recognised() -> None:
    text = harmless()
    assert text.count("\n") == 199
    assert recognise(text, KNOWLEDGE) == ()


def quoted() -> list[tuple[str, str]]:
    """Return the messages that the rules' explanations quote, with the codes."""
    found = []
    for rule in RULES:
        _, there, after = rule.explanation.partition("Messages that users see:")
        said = " ".join(after.partition("\n\n")[0].split()) if there else ""
        found += [(rule.code, one) for one in re.findall(r'"([^"]{12,})"', said)]
    return found


def test_most_messages_that_rules_quote_are_recognised() -> None:
    """Shortened quotations and those of no telling words are the rest."""
    every = quoted()
    unknown = [(code, text) for code, text in every if not recognise(text, KNOWLEDGE)]
    assert len(every) > 100
    assert len(unknown) < 0.4 * len(every), unknown


def test_what_versions_that_fail_together_print_is_recognised() -> None:
    said = {one.error for one in KNOWLEDGE.breaks.all if len(one.error) > 30}
    unknown = [text for text in said if not recognise(text, KNOWLEDGE)]
    assert len(said) > 100
    assert unknown == []


def test_a_quoted_message_leads_back_to_its_rule() -> None:
    for code in ("DRV001", "DRV006", "DRV009", "GPU001", "CUB002", "CMP001", "NPY005", "SYS001"):
        mine = [text for one, text in quoted() if one == code]
        rules = {rule for text in mine for one in recognise(text, KNOWLEDGE) for rule in one.rules}
        assert code in rules, code
