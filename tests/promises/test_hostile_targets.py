"""Descriptions of machines that were written to do harm: refused in one line, or judged as any."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from outputs import AUDIT_FORMATS, assert_harmless
from test_linear_time import in_linear_time

from mlenv.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

_ACTING = '"\\u001b]0;x\\u0007 A100\\n::error::x", "::warning::y\\u202e"'
_MANY = "".join(f"p{number} = '1.{number}'\n" for number in range(10_000))

JUDGED = {
    "names that act": f'{{"machine": {{"gpus": [{_ACTING}], "driver": "470.1"}}}}',
    "things that act": f'{{"machine": {{"missing_libraries": [{_ACTING}], "driver": "470"}},'
    f'"environment": {{"torch": {{"cuda": "11.0", "arch_list": [{_ACTING}]}},'
    f'"conda_packages": {{"\\u001b[1m": "\\u001b[31m"}}, "packages": {{"torch": "1.7.1"}}}}}}',
    "packages that act": '{"environment": {"complete": true, "packages": '
    '{"\\u001b[31m\\n::error::torch": "1.0", "torch": "1.7.1", "\\ud800": "1"}}}',
    "versions of nothing": "[machine]\ndriver = '0'\npython = '0'\nglibc = '0'\ncudnn = '0.0'\n"
    "gpus = [{compute_capability = '0.0'}]\ncuda_toolkit = '0'\ndriver_cuda = '0'\n"
    "[environment]\ncomplete = true\npackages = {torch = '0', numpy = '0', python = '0'}\n",
    "versions of the far future": "[machine]\ndriver = '999999.999999'\npython = '999999.999999'\n"
    "gpus = [{compute_capability = '999.9', count = 1000000}]\nglibc = '999999'\n"
    "[environment]\npackages = {torch = '1!9.9.9', numpy = '99999999999999999999999.1'}\n",
    "many packages": f"[environment.packages]\ntorch = '1.7.1'\n{_MANY}",
    "many GPUs": f"[machine]\ngpus = {['A100', 'K80'] * 400}\ndriver = '470'\n",
    "lines alone": "\n" * (1 << 20),
}
REFUSED = {
    "brackets of TOML": "a = " + "[" * 100_000,
    "brackets of JSON": '{"machine":' * 50_000,
    "dots": "a" + ".a" * 100_000 + " = 1",
    "a number": "[machine]\ngpus = [{name = 'A100', count = " + "9" * 5_000 + "}]\n",
    "a number of JSON": '{"machine": {"gpus": [{"name": "A", "count": ' + "9" * 5_000 + "}]}}",
    "an infinite number": '{"machine": {"gpus": [{"name": "A", "compute_capability": 1e999}]}}',
    "no number": '{"machine": {"gpus": [{"name": "A", "compute_capability": NaN}]}}',
    "a key that acts": '{"machine": {"\\u001b[31m\\n::error::x": 1}}',
    "a package that acts": '{"environment": {"packages": {"\\u001b[31m\\n::error::x": "\\u001b"}}}',
    "NULs": "\0" * 1_000,
    "more than a MiB": "#" * ((1 << 20) + 1),
    "another type": '{"machine": [1]}',
}
INLINE = {
    "gpu=\x1b[31mA100,driver=470": 1,
    "gpu=A\n::error::x,driver=470": 1,
    "gpu=\u202eA100\u009b,driver=470,cc=9.0": 1,
    "\x1b[31m=1": 2,
    "\x1b]0;x\x07": 2,
    "x\n::error::x": 2,
    "driver=" + "9" * 100_000: 2,
    "gpu=" + "A100+" * 20_000 + "T4": 2,
    "driver=470," * 10_000: 2,
    "/dev/zero": 2,
    "": 2,
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("torch==1.7.1\nnumpy==2.0.0\ntorchvision==0.15.0\n")
    monkeypatch.chdir(folder)
    return folder


def audited(
    target: str, form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str, str]:
    """Audit for a target by the command; return its exit code and what it says."""
    monkeypatch.setattr(sys, "argv", ["mlenv", "audit", ".", "--target", target, "--format", form])
    with in_linear_time(30):
        code = main()
    said = capsys.readouterr()
    assert_harmless(said.err, "text")
    return code, said.out, said.err


@pytest.mark.parametrize("name", JUDGED)
def test_a_hostile_target_is_judged_as_any(
    project: Path,
    name: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = JUDGED[name]
    path = project.parent / f"machine.{'json' if text.startswith('{') else 'toml'}"
    path.write_text(text)
    for form in AUDIT_FORMATS if len(text) < 10_000 else ("text",):
        code, out, _ = audited(str(path), form, capsys, monkeypatch)
        assert code == 1
        assert "NPY001" in out or form == "cyclonedx"
        assert_harmless(out, form)


@pytest.mark.parametrize("name", REFUSED)
def test_a_target_that_is_none_is_refused_in_one_line(
    project: Path,
    name: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = REFUSED[name]
    path = project.parent / f"machine.{'json' if text.startswith('{') else 'toml'}"
    path.write_text(text)
    code, out, err = audited(str(path), "text", capsys, monkeypatch)
    assert (code, out) == (2, "")
    assert err.startswith("mlenv: error: ")
    assert err.count("\n") == 1
    assert len(err) < 1_000


@pytest.mark.parametrize("number", range(len(INLINE)))
def test_a_hostile_text_on_the_command_line(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, expected = [*INLINE.items()][number]
    for form in ("text", "github", "json", "sarif"):
        code, out, err = audited(text, form, capsys, monkeypatch)
        assert code == expected, err
        assert bool(out) == (expected == 1)
        if out:
            assert_harmless(out, form)
