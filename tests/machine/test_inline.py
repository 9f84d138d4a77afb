"""A machine in one text of the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlenv.errors import UsageError
from mlenv.machine.inline import read_inline
from mlenv.model.target import Gpu


def test_every_key() -> None:
    text = (
        "driver=535.104,gpu=8xA100+T4, python = 3.10,cuda=12.2,os=linux,arch=amd64,glibc=2.31,"
        "toolkit=12.1,cudnn=8.9,image-cuda=12.4,wants-gpu=yes,builds_extensions=false"
    )
    found = read_inline(text)
    assert (found.name, found.span.text, found.span.target) == (text, text, text)
    assert (found.driver, found.driver_cuda, found.python) == ("535.104", "12.2", "3.10")
    assert found.gpus == (Gpu("A100", (8, 0), 8), Gpu("T4", (7, 5)))
    assert (found.os, found.arch, found.glibc) == ("linux", "x86_64", "2.31")
    assert (found.cuda_toolkit, found.cudnn, found.image_cuda) == ("12.1", "8.9", "12.4")
    assert (found.wants_gpu, found.builds_extensions) == (True, False)
    assert found.where("python").text == "python = 3.10"
    assert found.where("gpus").text == "gpu=8xA100+T4"


@pytest.mark.parametrize(
    ("text", "gpu"),
    [
        ("cc=8.6", Gpu("", (8, 6))),
        ("gpu=2x3090,compute-capability=sm_86", Gpu("3090", (8, 6), 2)),
        ("GPU=RTX 4090", Gpu("RTX 4090", (8, 9))),
    ],
)
def test_a_capability_can_be_stated(text: str, gpu: Gpu) -> None:
    assert read_inline(text).gpus == (gpu,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("drvr=5", "unknown key 'drvr'; did you mean 'driver'?"),
        ("imagecuda=12", "unknown key 'imagecuda'; did you mean 'image-cuda'?"),
        ("driver=535,", "unknown key ''"),
        ("driver", "'driver' has no value: write driver=…"),
        ("driver=,gpu=T4", "'driver' has no value"),
        ("driver=new", "'driver' must be a version such as"),
        ("gpu=A100,gpus=T4", "'gpus' stands twice"),
        ("gpu=A100+", "'gpus' must be the name of a GPU"),
        ("gpu=0xA100", "'gpus' must be a whole number from 1"),
        ("gpu=A100+T4,cc=8.0", "'compute-capability' goes with one kind of GPU"),
        ("cc=new", "'compute-capability' must be a compute capability"),
        ("wants-gpu=maybe", "'wants-gpu' must be true or false"),
        ("os=BeOS", "'os' must be linux, windows or macos"),
    ],
)
def test_what_is_wrong_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_inline(text)
    assert str(caught.value).startswith("--target: ")
    assert why in str(caught.value)


@given(st.text(alphabet="drivegpu=,x+1.\x1b ", max_size=30))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        found = read_inline(text)
    except UsageError:
        return
    assert all(span.text in text for span in found.spans.values())
