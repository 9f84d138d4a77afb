"""Pasted text: what a terminal leaves of it, which cause leads, and what is so here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from machines import machine_of
from making import environment_of, write_environment

import mlenv
from mlenv.knowledge import Knowledge
from mlenv.model.surroundings import Surroundings
from mlenv.tracebacks.explain import Cause, causes_of
from mlenv.tracebacks.paste import MOST_BYTES, decoded, lines_of, modules_in
from mlenv.tracebacks.recognise import recognise

KNOWLEDGE = Knowledge()
TODAY = "2026-11-20"
NO_TORCH = "ModuleNotFoundError: No module named 'torch'"
CHAIN = """\
Traceback (most recent call last):
  File "/x/lib/python3.11/site-packages/transformers/utils/import_utils.py", line 1, in _get
  File "/x/lib/python3.11/site-packages/torchvision/_meta_registrations.py", line 2, in <module>
RuntimeError: operator torchvision::nms does not exist

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "run.py", line 2, in <module>
RuntimeError: Failed to import transformers.models.bert because of the following error:
cannot import name 'BertThing' from 'transformers' (unknown location)
"""


def ids(text: str) -> list[str]:
    return [one.id for one in recognise(text, KNOWLEDGE)]


def causes(
    text: str, environment: dict[str, Any] | None = None, machine: dict[str, Any] | None = None
) -> tuple[Cause, ...]:
    around = Surroundings(
        (),
        environment_of(environment) if environment is not None else None,
        machine_of(machine) if machine is not None else None,
    )
    return causes_of(recognise(text, KNOWLEDGE), around, KNOWLEDGE, text, TODAY)


def told(
    text: str, environment: dict[str, Any] | None = None, machine: dict[str, Any] | None = None
) -> list[str]:
    return [one.fact for one in causes(text, environment, machine)[0].here]


@pytest.mark.parametrize(
    ("pasted", "line"),
    [
        (f"\x1b[31m{NO_TORCH}\x1b[0m", NO_TORCH),
        (f"{NO_TORCH}\r", NO_TORCH),
        (f"  1%|          | 1/100\r 50%|#####     | 50/100\r{NO_TORCH}", NO_TORCH),
        (f"\x1b]0;title\x07{NO_TORCH}  ", NO_TORCH),
        (f"\x1b]8;;https://a.example\x1b\\{NO_TORCH}\x1b]8;;\x1b\\", NO_TORCH),
        ("\x1b[", "\x1b["),
    ],
)
def test_what_a_terminal_leaves_of_a_line(pasted: str, line: str) -> None:
    assert list(lines_of(pasted)) == [(1, line)]


def test_a_long_line_is_looked_at_in_pieces() -> None:
    text = "x" * 3_990 + NO_TORCH + "y" * 9_000
    pieces = [piece for _, piece in lines_of(text)]
    assert max(map(len, pieces)) <= 4_000
    assert any("named 'torch'" in piece and "Module" in piece for piece in pieces)
    assert {number for number, _ in lines_of(f"a\n{text}")} == {1, 2}


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_that_shells_write(codec: str) -> None:
    assert decoded(NO_TORCH.encode(codec)) == NO_TORCH
    assert decoded(b"\xff\xfe\x00") == "\N{REPLACEMENT CHARACTER}"


def test_any_bytes_can_be_pasted() -> None:
    content = bytes(range(256)) * 400
    assert recognise(decoded(content), KNOWLEDGE) == ()
    assert recognise("\x1b]" * 50_000, KNOWLEDGE) == ()
    assert recognise("undefined symbol: " * 20_000, KNOWLEDGE) == ()


def test_the_first_exception_of_a_chain_leads() -> None:
    found = recognise(CHAIN, KNOWLEDGE)
    assert [one.id for one in found] == ["nms", "cannot-import-name"]
    assert (found[0].line, found[0].weight, found[1].weight) == (4, "root", "symptom")


def test_a_cause_leads_though_it_stands_below_what_follows_from_it() -> None:
    text = f"{NO_TORCH}\nerror: externally-managed-environment\n"
    assert ids(text) == ["externally-managed", "no-torch-at-build"]


def test_what_is_said_in_passing_comes_last() -> None:
    text = "Could not find cuda drivers on your machine, GPU will not be used.\n" + NO_TORCH
    assert ids(text) == ["no-torch-at-build", "tf-no-drivers"]


def test_the_requirement_that_conflicts_goes_before_the_conflict() -> None:
    pip = (
        "ERROR: Cannot install torch==2.1.0 and torchvision==0.15.2 because these package versions "
        "have conflicting dependencies.\n\nThe conflict is caused by:\n"
        "    The user requested torch==2.1.0\n    torchvision 0.15.2 depends on torch==2.0.1\n\n"
        "ERROR: ResolutionImpossible: for help see the page\n"
    )
    assert ids(pip) == ["pip-depends", "resolution-impossible"]
    uv = (
        "error: No solution found when resolving dependencies\n  cause: Because there is no "
        "version of torch==2.2.0+cu122 and you require torch==2.2.0+cu122, we can conclude that"
    )
    assert ids(uv) == ["uv-no-version", "uv-no-solution"]


def test_one_cause_is_told_once() -> None:
    text = (
        "A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.2.6 as it may crash\n"
        "AttributeError: _ARRAY_API not found\nImportError: numpy.core.multiarray failed to import"
    )
    assert ids(text) == ["numpy-1-binary"]


def test_versions_that_fail_together_are_known_by_their_message() -> None:
    (found,) = recognise(
        '  File "/x/site-packages/gradio/oauth.py", line 1\n'
        "ImportError: cannot import name 'HfFolder' from 'huggingface_hub' (/x/__init__.py)",
        KNOWLEDGE,
    )
    assert found.id.startswith("breaks:hub1-gradio")
    assert found.rules == ("RMV001",)
    assert set(found.packages) == {"huggingface-hub", "gradio"}
    assert found.fix


def test_modules_are_read_from_paths() -> None:
    text = 'File "C:\\v\\site-packages\\torch\\a.py"\nsite-packages/numpy/b.py site-packages/'
    assert modules_in(text) == ("numpy", "torch")


def test_an_environment_tells_which_package_is_too_old_for_numpy_2() -> None:
    table = {
        "packages": {"numpy": "2.2.6", "pandas": "2.1.1"},
        "binaries": {
            "files": [
                {
                    "path": "lib/python3.11/site-packages/pandas/_libs/lib.so",
                    "owner": "pandas",
                    "is_extension": True,
                    "numpy": {"old": True, "new": False},
                }
            ]
        },
    }
    (cause,) = causes("ImportError: numpy.core.multiarray failed to import", table)
    facts = [one.fact for one in cause.here]
    assert facts == ["numpy 2.2.6 is installed", "built for NumPy 1 alone: pandas 2.1.1"]
    (finding,) = cause.findings
    assert finding.rule in ("NPY001", "NPY005")
    assert "pandas" in finding.packages
    assert "2.2.2" in finding.message + finding.help


def test_a_message_from_elsewhere_is_told_to_be() -> None:
    table = {
        "packages": {"numpy": "2.2.6", "pandas": "2.2.3"},
        "binaries": {
            "files": [{"path": "a.so", "owner": "pandas", "is_extension": True, "numpy": {}}]
        },
    }
    facts = told("AttributeError: _ARRAY_API not found", table)
    assert "no binary of this environment was built for NumPy 1 alone" in facts[1]


def test_what_would_bring_a_library() -> None:
    line = "ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory"
    table = {
        "packages": {"torch": "2.5.1"},
        "binaries": {
            "files": [
                {
                    "path": "torch/lib/libtorch_cuda.so",
                    "owner": "torch",
                    "needed": ["libcudnn.so.9"],
                }
            ]
        },
    }
    facts = told(line, table)
    assert facts[:2] == [
        "torch asks for libcudnn.so.9",
        "libcudnn.so.9: no installed package brings it",
    ]
    assert "nvidia-cudnn-cu12" in facts[2]
    table["binaries"]["files"].append(  # type: ignore[index]
        {"path": "nvidia/cudnn/lib/libcudnn.so.9", "owner": "nvidia-cudnn-cu12"}
    )
    assert "nvidia-cudnn-cu12 brings libcudnn.so.9 here" in told(line, table)
    assert "libgl1" in told("ImportError: libGL.so.1: cannot open shared object file")[0]


def test_what_torch_and_the_machine_are() -> None:
    line = "RuntimeError: The NVIDIA driver on your system is too old (found version 12020)."
    table = {
        "packages": {"torch": "2.9.1"},
        "torch": {"torch": {"version": "2.9.1+cu128", "cuda": "12.8", "location": "version.py"}},
    }
    gpu = {"gpus": [{"name": "NVIDIA H100"}], "driver": {"version": "535.104.05", "cuda": "12.2"}}
    assert told(line, table, gpu) == [
        "torch 2.9.1+cu128 is installed",
        "torch 2.9.1+cu128 was built for CUDA 12.8",
        "driver 535.104.05 offers CUDA 12.2",
    ]
    assert told(line, None, {"container": "docker"}) == [
        "no NVIDIA driver answers in this container (docker)"
    ]
    hangs = {"driver": {"problem": "hangs", "said": "no answer in 5 seconds"}}
    assert told(line, None, hangs) == ["the driver does not answer: no answer in 5 seconds"]


def test_hidden_gpus_are_told() -> None:
    machine = {"gpus": [{"name": "NVIDIA H100"}], "visible_devices": "-1"}
    (cause,) = causes("RuntimeError: No CUDA GPUs are available", None, machine)
    assert cause.here[1].fact == "CUDA_VISIBLE_DEVICES is -1, which leaves 0 of 1 GPUs"
    assert [one.rule for one in cause.findings] == ["GPU004"]


def test_which_folders_go_before_the_wheels() -> None:
    folder = {"path": "/opt/cuda/lib64", "libraries": {"libcudnn.so.9": "9.1.0"}}
    facts = told(
        "RuntimeError: cuDNN error: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH",
        None,
        {"library_folders": [folder]},
    )
    assert facts == ["/opt/cuda/lib64 in LD_LIBRARY_PATH holds libcudnn.so.9 9.1.0"]


def test_what_is_installed_under_another_name() -> None:
    facts = told("ModuleNotFoundError: No module named 'cv2'", {"packages": {"numpy": "2.2.6"}})
    assert "nothing that is installed brings cv2" in facts
    assert any("opencv-python" in fact for fact in facts)
    there = {"packages": {"opencv-python": "4.10.0.84"}, "modules": {"cv2": "opencv-python"}}
    facts = told("ModuleNotFoundError: No module named 'cv2'", there)
    assert "opencv-python 4.10.0.84 brings cv2, and is installed here" in facts


def test_a_message_without_an_environment_is_explained_too() -> None:
    (cause,) = causes("AssertionError: Torch not compiled with CUDA enabled")
    assert (cause.here, cause.findings) == ((), ())


def explain(
    folder: Path, *arguments: str, pasted: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    kept = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "mlenv", "explain", *arguments],
        cwd=folder,
        env={**kept, "CONDA_OVERRIDE_CUDA": "", "XDG_CACHE_HOME": str(folder / "c"), **variables},
        input=pasted,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_the_program_explains_what_is_pasted(tmp_path: Path) -> None:
    write_environment(tmp_path / ".venv", [{"name": "torch", "version": "2.5.1"}])
    for arguments in ((), ("-",)):
        done = explain(tmp_path, *arguments, pasted=CHAIN.encode())
        text = done.stdout.decode()
        assert (done.returncode, done.stderr) == (0, b"")
        assert text.startswith("line 4: RuntimeError: operator torchvision::nms does not exist")
        assert "torch 2.5.1 is installed" in text
        assert "most likely it follows from the cause above" in text
        assert text.endswith("checked against .venv\n")
        assert max(map(len, text.splitlines())) <= 80


def test_the_program_as_json(tmp_path: Path) -> None:
    done = explain(tmp_path, "--env", "none", "--format", "json", pasted=CHAIN.encode())
    document = json.loads(done.stdout)
    assert (document["schema"], document["environment"], document["lines"]) == (1, None, 11)
    first, second = document["causes"]
    assert (first["id"], first["line"], first["weight"]) == ("nms", 4, "root")
    assert first["rules"][0] == "CMP001"
    assert second["said"] == {"module": "transformers", "name": "BertThing"}


@pytest.mark.parametrize("env", ["none", "auto"])
def test_the_json_is_as_its_schema_has_it(tmp_path: Path, env: str) -> None:
    import jsonschema

    write_environment(
        tmp_path / ".venv",
        [
            {"name": "torch", "version": "2.4.1"},
            {"name": "torchvision", "version": "0.18.1", "requires": ["torch (==2.3.1)"]},
        ],
    )
    pasted = f"{CHAIN}ERROR: torchvision 0.18.1 requires torch==2.3.1, but you have torch 2.4.1 "
    pasted += "which is incompatible."
    done = explain(tmp_path, "--env", env, "--format", "json", pasted=pasted.encode())
    document = json.loads(done.stdout)
    schema = Path(mlenv.__file__).parent / "schemas" / "explain.schema.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8"))).validate(document)
    found = [one["rule"] for cause in document["causes"] for one in cause["findings"]]
    assert bool(found) is (env == "auto")


def test_no_credential_of_a_log_is_repeated(tmp_path: Path) -> None:
    line = (
        b"No matching distribution found for torch==9 from https://me:hunter2@index.example/simple"
    )
    for form in ("text", "json"):
        done = explain(tmp_path, "--format", form, pasted=line)
        assert done.returncode == 0
        assert b"torch" in done.stdout
        assert b"hunter2" not in done.stdout


def test_nothing_known_is_said_plainly(tmp_path: Path) -> None:
    done = explain(tmp_path, pasted=b"all is well\nindeed\n")
    assert (done.returncode, done.stdout) == (0, b"no known message in 2 lines\n")


def test_wrong_usage(tmp_path: Path) -> None:
    for pasted in (b"", b" \n"):
        done = explain(tmp_path, pasted=pasted)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"mlenv explain < traceback.txt" in done.stderr
    done = explain(tmp_path, pasted=b"x" * (MOST_BYTES + 1))
    assert done.returncode == 2
    assert b"larger than 1 MiB" in done.stderr


def test_what_is_pasted_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    line = b"No module named 'einops' \x1b[2J\x9b2J \xe2\x80\xae ::error::x ##[group]"
    line = b"ModuleNotFoundError: " + line
    done = explain(tmp_path, "--env", "none", pasted=line)
    assert b"einops" in done.stdout
    assert b"\x1b" not in done.stdout
    assert b"\xe2\x80\xae" not in done.stdout
    assert b"##[" not in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal is opened")
def test_at_a_terminal_without_an_argument_usage_is_told(tmp_path: Path) -> None:
    leader, follower = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mlenv", "explain"],
            cwd=tmp_path,
            stdin=follower,
            capture_output=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"RULE" in done.stderr
