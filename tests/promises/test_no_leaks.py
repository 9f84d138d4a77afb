"""Promise 6: no text of a project acts on a terminal or a runner, and no credential is shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outputs import AUDIT_FORMATS, DEPS_FORMATS, assert_harmless, shown
from program import SOURCE, program

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.project.load import load_project

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\r\x08\x08",
    "\u202egnp.exe\u2066",
    "\u200b\u2060\ufeff",
    "\u2028\u2029\x85",
    "::error::owned",
    "::set-output name=x::y",
    "::add-mask::x",
    "##[error]owned",
    "##vso[task.complete result=Failed]",
    "%0A::error::owned",
    "\n::stop-commands::x\n",
    "\t::warning file=a::b",
    "[link](javascript:x)<script>",
    "\0",
    "\U000e0041\ufff9",
)


def everything(root: Path) -> dict[str, str]:
    """Return all that could be shown of a project."""
    return shown(
        audit_project((str(root),), Config(), today="2026-01-01"), load_project((str(root),))
    )


def lines(hostile: str) -> dict[str, str]:
    """Return files that hold a text wherever a report may show one."""
    quoted = "".join(f"\\U{ord(character):08x}" for character in hostile)
    bare = hostile.replace("\n", " ")
    return {
        "requirements.txt": "".join(
            f"{line}\n"
            for line in (
                f"numpy=={bare}",
                f"a{bare}b==1",
                bare,
                f"-r {bare}",
                f"-c '{bare}.txt'",
                f"a @ https://x.example/{bare}",
                f"git+https://x.example/{bare}#egg=y",
                f"a==1; os_name == '{bare}'",
                f"a==1; {bare} == 'x'",
                f"a[{bare}]==1",
                f"a==1 --extra-index-url {bare}",
                f"--index-url {bare}",
                f"--pre {bare}",
                f"--{bare}",
                f"a # mlenv: ignore[{bare}] until={bare}",
                f"a==1 --hash={bare}",
            )
        ),
        "environment.yml": (
            f'name: "{quoted}"\nchannels: ["{quoted}", defaults, conda-forge]\n"{quoted}": 1\n'
            f'dependencies:\n- "{quoted}"\n- "a={quoted}"\n- "a=1={quoted}"\n- "{quoted}::b"\n'
            f'- "numpy[version=\'{quoted}\']"\n- "{quoted}": x\n- pip:\n  - "{quoted}"\n'
            f'  - "b=={quoted}"\nprefix: "{quoted}"\ndependencies: []\n'
        ),
        "pyproject.toml": (
            f'[project]\nname = "{quoted}"\nrequires-python = "{quoted}"\n'
            f'dependencies = ["{quoted}", "a=={quoted}"]\n[project.optional-dependencies]\n'
            f'"{quoted}" = ["numpy==1", "numpy==2", "b"]\n[dependency-groups]\n'
            f'g = [{{include-group = "{quoted}"}}]\n'
            f'[tool.poetry.dependencies]\n"{quoted}" = "{quoted}"\n'
            f'c = {{version = "1", markers = "{quoted}"}}\n'
        ),
        "poetry.lock": f'[[package]]\nname = "{quoted}"\nversion = "{quoted}"\n',
        "Pipfile.lock": '{"default": {"%s": {"version": "%s"}}}'
        % ((hostile.encode("unicode_escape").decode().replace("\\x", "\\u00"),) * 2),
        "uv.lock": f"version = {bare}\n",
    }


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_nothing_in_a_file_acts_on_who_reads_the_report(tmp_path: Path, hostile: str) -> None:
    for name, text in lines(hostile).items():
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    for form, text in everything(tmp_path).items():
        assert_harmless(text, form)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
@pytest.mark.parametrize("hostile", [h for h in HOSTILE if "\0" not in h], ids=ascii)
def test_no_file_name_acts_on_who_reads_the_report(tmp_path: Path, hostile: str) -> None:
    name = hostile.replace("/", "_")
    (tmp_path / name).mkdir()
    (tmp_path / name / "requirements.txt").write_text("numpy\nb=1\nc==1\nc==2\n-r x.txt\n")
    (tmp_path / f"requirements{name}.txt").write_text("numpy\nnumpy==1,==2\n-r ../a\n")
    (tmp_path / name / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["a"]\n')
    (tmp_path / name / "site-packages").mkdir()
    texts = everything(tmp_path)
    for form, text in texts.items():
        assert_harmless(text, form)
    for arguments in (("audit", name), ("deps", name), ("audit", f"{name}/nowhere")):
        done = program(tmp_path, *arguments, PYTHONPATH=SOURCE)
        assert done.returncode < 4
        assert_harmless(done.stdout, "text")
        assert_harmless(done.stderr, "text")


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=8), max_size=6).map("".join))
def test_no_mixture_of_these_does(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    root = tmp_path_factory.mktemp("mixture")
    for name, content in lines(text).items():
        (root / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    for form, shown_text in everything(root).items():
        assert_harmless(shown_text, form)


PASSWORD = "hunter2topsecret"
CONDA_TOKEN = "ab-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
GITHUB_TOKEN = "ghp_0123456789abcdefABCDEF0123456789abcd"
WITH_PASSWORD = f"https://user:{PASSWORD}@index.example/simple"
WITH_TOKEN = f"https://{GITHUB_TOKEN}@git.example/a/b.git"
WITH_QUERY = f"https://files.example/a-1.0.tar.gz?token={PASSWORD}&x=1"
CHANNEL = f"https://conda.example/t/{CONDA_TOKEN}/private"
SECRETS = (PASSWORD, CONDA_TOKEN, CONDA_TOKEN[3:], GITHUB_TOKEN)

LEAKY = {
    "options of pip": {
        "requirements.txt": f"--index-url {WITH_PASSWORD}\n--extra-index-url={WITH_QUERY}\n"
        f"-f {WITH_PASSWORD}/x\n--trusted-host user:{PASSWORD}@x\nnumpy\n"
    },
    "options on a requirement's line": {
        "requirements.txt": f"torch==2.1.0+cu118 --extra-index-url {WITH_PASSWORD}\n"
        f"numpy -i {WITH_QUERY}\nscipy --find-links={WITH_PASSWORD}\n"
    },
    "requirements on an option's line": {
        "requirements.txt": f"--pre a @ {WITH_PASSWORD}/a.zip\n-r x.txt {WITH_PASSWORD}\n"
    },
    "direct references": {
        "requirements.txt": f"a @ {WITH_QUERY}\nb @ git+{WITH_TOKEN}\n"
        f"-e git+{WITH_TOKEN}@main#egg=c\n"
        f"{WITH_PASSWORD}/d-1.0-py3-none-any.whl\ngit+ssh://git:{PASSWORD}@git.example/e.git\n"
    },
    "lines that cannot be read": {
        "requirements.txt": f"a =  {WITH_PASSWORD}\n{WITH_PASSWORD} b\n--nope={WITH_PASSWORD}\n"
        f"a==1 ; {WITH_PASSWORD}\na[{WITH_PASSWORD}]\n!{WITH_TOKEN}\na+{WITH_PASSWORD}\n"
        f"'{WITH_PASSWORD}'\na=={WITH_PASSWORD}\n"
    },
    "includes": {
        "requirements.txt": f"-r {WITH_PASSWORD}/r.txt\n-c {WITH_QUERY}\n-r ../{WITH_TOKEN}\n"
    },
    "comments": {
        "requirements.txt": f"numpy  # from {WITH_PASSWORD}\nscipy # {GITHUB_TOKEN}\n"
        f"a # mlenv: ignore[X] {WITH_PASSWORD}\n"
    },
    "continued lines": {
        "requirements.txt": f"numpy \\\n  --index-url \\\n  {WITH_PASSWORD}\n"
        f"b @ \\\n {WITH_QUERY}\n"
    },
    "conda": {
        "environment.yml": f"channels:\n- {CHANNEL}\n- {WITH_PASSWORD}\n- defaults\n- conda-forge\n"
        f"dependencies:\n- numpy\n- {CHANNEL}::torch\n- a[channel={WITH_PASSWORD}]\n"
        f"- {CHANNEL}/linux-64/b-1.0-0.conda\n- c=={WITH_PASSWORD}\n"
        f"- pip:\n  - --index-url {WITH_PASSWORD}\n  - d @ {WITH_QUERY}\n"
        f"  - numpy==2 -i {WITH_TOKEN}\n"
    },
    "channels that are no list": {
        "environment.yml": f"channels: {CHANNEL}\ndependencies: {WITH_PASSWORD}\n{WITH_TOKEN}: 1\n"
    },
    "conda's explicit lists": {
        "conda-linux-64.lock": f"@EXPLICIT\n{CHANNEL}/linux-64/b-1.0-0.conda\n{WITH_PASSWORD}/x\n"
        f"# pip a @ {WITH_QUERY}\n"
    },
    "pyproject": {
        "pyproject.toml": f'[project]\nname = "x"\ndependencies = ["a @ {WITH_QUERY}", '
        f'"b=={WITH_PASSWORD}"]\nrequires-python = "{WITH_PASSWORD}"\n'
        f'[tool.uv]\nindex-url = "{WITH_PASSWORD}"\nextra-index-url = ["{WITH_QUERY}"]\n'
        f'[[tool.uv.index]]\nname = "i"\nurl = "{WITH_PASSWORD}"\n[tool.uv.sources]\n'
        f'a = {{git = "{WITH_TOKEN}"}}\n[tool.poetry.dependencies]\nc = {{url = "{WITH_QUERY}"}}\n'
        f'd = "{WITH_PASSWORD}"\n[[tool.poetry.source]]\nname = "s"\nurl = "{WITH_PASSWORD}"\n'
        f'[[tool.pdm.source]]\nname = "s"\nurl = "{WITH_PASSWORD}"\n[tool.pixi.workspace]\n'
        f'channels = ["{CHANNEL}"]\n[dependency-groups]\ng = [{{include-group = "{WITH_TOKEN}"}}]\n'
    },
    "a broken pyproject": {
        "pyproject.toml": f'[project]\ndependencies = ["{WITH_PASSWORD}" "{WITH_QUERY}"\n'
    },
    "locks": {
        "uv.lock": f'version = 1\n\n[[package]]\nname = "a"\nversion = "1"\n'
        f'source = {{ registry = "{WITH_PASSWORD}" }}\n\n[[package]]\nname = "b"\nversion = "1"\n'
        f'source = {{ git = "{WITH_TOKEN}?rev=1#0" }}\n',
        "poetry.lock": '[[package]]\nname = "a"\nversion = "1"\n[package.source]\ntype = "legacy"\n'
        f'url = "{WITH_PASSWORD}"\n',
        "Pipfile.lock": f'{{"_meta": {{"sources": [{{"name": "p", "url": "{WITH_PASSWORD}"}}]}}, '
        f'"default": {{"a": {{"index": "p", "version": "==1"}}, "b": {{"git": "{WITH_TOKEN}"}}}}}}',
        "conda-lock.yml": "version: 1\npackage:\n- name: a\n  version: '1'\n  manager: conda\n"
        f"  platform: linux-64\n  url: {CHANNEL}/linux-64/a-1-0.conda\n",
        "pixi.lock": f"version: 6\npackages:\n- conda: {CHANNEL}/linux-64/a-1-0.conda\n"
        f"- pypi: {WITH_PASSWORD}/b-1-py3-none-any.whl\n",
    },
}


@pytest.mark.parametrize("name", LEAKY)
def test_no_credential_is_shown_in_any_format(tmp_path: Path, name: str) -> None:
    for path, text in LEAKY[name].items():
        (tmp_path / path).write_text(text)
    for form, text in everything(tmp_path).items():
        for secret in SECRETS:
            assert secret not in text, (form, text)


def test_no_credential_is_shown_by_the_program(tmp_path: Path) -> None:
    for name, files in LEAKY.items():
        folder = tmp_path / name.replace(" ", "-").replace("'", "")
        folder.mkdir()
        for path, text in files.items():
            (folder / path).write_text(text)
    for command, forms in (("audit", AUDIT_FORMATS), ("deps", DEPS_FORMATS)):
        for form in forms:
            options = ("-v",) if command == "audit" else ()
            done = program(tmp_path, command, ".", "--format", form, *options, PYTHONPATH=SOURCE)
            assert done.returncode < 2
            assert "****" in done.stdout
            for secret in SECRETS:
                assert secret not in done.stdout + done.stderr, (command, form)


def test_no_credential_is_shown_in_an_error_message(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a\n")
    wrong = (
        ("audit", WITH_PASSWORD),
        ("audit", "--config", WITH_PASSWORD),
        ("audit", "--select", WITH_PASSWORD),
        ("audit", "--output", f"{WITH_PASSWORD}/x"),
        ("deps", WITH_TOKEN),
        ("explain", WITH_PASSWORD),
    )
    for arguments in wrong:
        done = program(tmp_path, *arguments, PYTHONPATH=SOURCE)
        assert (done.returncode, done.stdout) == (2, "")
        assert "****" in done.stderr
        for secret in SECRETS:
            assert secret not in done.stderr, arguments
    (tmp_path / "mlenv.toml").write_text(f'"{WITH_PASSWORD}" = 1\n')
    done = program(tmp_path, "audit", PYTHONPATH=SOURCE)
    assert done.returncode == 2
    assert PASSWORD not in done.stderr
