"""Promise 1: no input takes more than linear time.

Each input is large enough for a quadratic reading of it to take minutes, and a linear one some
milliseconds; what is asserted lies far from both, so that a busy machine makes no difference.
"""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from outputs import AUDIT_FORMATS, DEPS_FORMATS
from wellformed import PATHS

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.project.classify import by_content
from mlenv.project.decode import decode
from mlenv.project.gitignore import compile_pattern
from mlenv.project.load import load_project
from mlenv.project.readers import read_as
from mlenv.report.escape import clean
from mlenv.report.registry import deps_renderer, report_renderer
from mlenv.report.view import View
from mlenv.suppress import read_comments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SECONDS = 6.0
_LENGTH = 40_000
"""Of one line. A regular expression that tries every pair of places takes 800 million steps."""


@contextmanager
def in_linear_time(seconds: float = _SECONDS) -> Iterator[None]:
    """Fail where the block takes longer than no linear reading does; end it there where we can."""

    def give_up(*_: object) -> None:
        raise AssertionError(f"it took more than {seconds} s")

    can_interrupt = hasattr(signal, "SIGALRM") and (
        threading.current_thread() is threading.main_thread()
    )
    start = monotonic()
    if can_interrupt:
        before = signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if can_interrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert monotonic() - start < seconds


# What a regular expression with two neighbouring repetitions, or a loop that begins anew at each
# place, would choke on. Each is a line that nearly reads as something.
_LINES: dict[str, Callable[[int], str]] = {
    "blanks within": lambda n: "a" + " " * n + "b",
    "tabs within": lambda n: "a" + "\t" * n + "b",
    "blanks before a mark": lambda n: "a" + " " * n + "b#c",
    "blanks before an option": lambda n: "a " + " " * n + "-b",
    "blanks in a bound": lambda n: "a>" + " " * n + ",",
    "blanks in a comment": lambda n: "# python" + " " * n + "!",
    "blanks in brackets": lambda n: "a[" + " " * n + "x" + " " * n + "!",
    "semicolons": lambda n: "a" + ";" * n,
    "commas": lambda n: "a" + ",1" * n + " x",
    "bounds": lambda n: "a" + ">1" * n,
    "bounds with commas": lambda n: "a" + ",".join(f"!={i}" for i in range(n // 5)),
    "alternatives": lambda n: "a " + "||".join(map(str, range(n // 5))),
    "bars": lambda n: "a " + "|" * n,
    "carets": lambda n: "a " + "^" * n,
    "wildcards": lambda n: "a==1" + ".*" * n + "x",
    "numbers": lambda n: "a==" + "1." * n + "1",
    "numbers behind a hyphen": lambda n: "a-" + "1." * n + "1!",
    "digits": lambda n: "a==" + "9" * n,
    "phases": lambda n: "a==1" + "rc1" * n,
    "local parts": lambda n: "a==1+" + "a." * n + "!",
    "debian builds": lambda n: "a==1" + "build" * n + " x",
    "equals": lambda n: "=" * n,
    "equals between": lambda n: "a=b" * n,
    "fields": lambda n: "a[" + "x=" * n + "']",
    "fields without end": lambda n: "a[" + "x" * n + "]",
    "opening brackets": lambda n: "a" + "[" * n,
    "nested brackets": lambda n: "a; " + "(" * n + "os_name == 'x'" + ")" * n,
    "closing brackets": lambda n: "a" + ")" * n,
    "braces": lambda n: "{{" * n + "}" * n,
    "not": lambda n: "a; " + "not " * n,
    "or": lambda n: "a; " + " or ".join(["os_name == 'x'"] * (n // 20)),
    "in": lambda n: "a; x in (" * n,
    "escaped quotes": lambda n: 'a -x "' + '\\"' * n,
    "mixed quotes": lambda n: "-e " + "'\"" * n + "x",
    "backslashes": lambda n: "a" + "\\" * n,
    "continuations": lambda n: "a \\\n" * n,
    "options": lambda n: "a " + "--hash=sha256:00 " * (n // 8),
    "stray words": lambda n: "-e a " + "b " * n,
    "hyphens": lambda n: "-" * n,
    "names with hyphens": lambda n: "a-" * n,
    "a long name": lambda n: "a" * n + "!",
    "underscores": lambda n: "a" + "_" * n + "!",
    "at signs": lambda n: "a" + "@" * n,
    "hashes": lambda n: "a @ https://x.example/" + "#" * n,
    "eggs": lambda n: "git+https://x.example/" + "#egg=a[" * n,
    "revisions": lambda n: "a @ git+https://x.example/y@" + "_1" * n + "!",
    "urls": lambda n: "a @ " + "https://u:p@h/" * (n // 4),
    "wheels": lambda n: "https://x.example/" + "a-" * n + ".whl",
    "archives": lambda n: "./a-1" + ".tar.x" * n,
    "slashes": lambda n: "./" + "/" * n + "?",
    "colons": lambda n: "a" + ":" * n,
    "commands": lambda n: "pip install -m " * (n // 4),
    "proxies": lambda n: "--proxy=" * n,
    "suppressions": lambda n: "a # " + "mlenv: ignore[" * n,
    "zeros": lambda n: "a\0" * n,
    "letters that fold": lambda n: "a" + "\u0130" * n,
}


def _quoted(text: str) -> str:
    return json.dumps(text)


_WRAPPED: dict[str, Callable[[str], str]] = {
    "conda-env": lambda s: (
        f"channels:\n- {_quoted(s)}\ndependencies:\n- {_quoted(s)}\n- pip:\n  - {_quoted(s)}\n"
    ),
    "conda-list": lambda s: f"# packages in environment at x\n{s}\n",
    "conda-explicit": lambda s: f"@EXPLICIT\n{s}\n",
    "pyproject": lambda s: (
        f'[project]\nname = "x"\ndependencies = [{_quoted(s)}]\n[tool.poetry.dependencies]\n'
        f"a = {_quoted(s[1:])}\nb = {{version = {_quoted(s)}, markers = {_quoted(s[2:])}}}\n"
        f"[tool.pdm.dev-dependencies]\nd = [{_quoted('-e ' + s)}]\n"
        f"[tool.uv]\noverride-dependencies = [{_quoted(s)}]\n"
        f"[tool.pixi.dependencies]\nz = {_quoted(s[1:])}\n"
    ),
    "tool-versions": lambda s: f"python {s}",
    "uv-lock": lambda s: f"[[package]]\nname = {_quoted(s)}\nversion = {_quoted(s)}\n",
    "pipfile-lock": lambda s: f'{{"default": {{{_quoted(s)}: {{"version": {_quoted(s)}}}}}}}',
    "conda-lock": lambda s: (
        f"version: 1\npackage:\n- name: {_quoted(s)}\n  version: {_quoted(s)}\n  manager: conda\n"
        f"  platform: linux-64\n  url: {_quoted(s)}\n"
    ),
    "setup-cfg": lambda s: f"[options]\ninstall_requires =\n    {s}\nx = {s}\n[{s}]\n{s}\n",
    "setup-py": lambda s: f"x = {_quoted(s)}\nsetup(install_requires=[x, {_quoted(s)}])\n{s}\n",
    "pipfile": lambda s: (
        f"[packages]\na = {_quoted(s)}\n{_quoted(s)} = 1\n[[source]]\nurl = {_quoted(s)}\n"
    ),
    "conda-recipe": lambda s: (
        f"package:\n  name: {_quoted(s)}\nrequirements:\n  run:\n  - {_quoted(s)}\n  - {s}\n"
    ),
    "rapids-dependencies": lambda s: (
        "files:\n  a: {output: conda, includes: [b]}\ndependencies:\n  b:\n    common:\n"
        f"    - {{output_types: conda, packages: [{_quoted(s)}, {{pip: [{_quoted(s)}]}}]}}\n"
    ),
    "mlproject": lambda s: (
        f"docker_env: {{image: {_quoted(s)}}}\nentry_points: {{a: {{command: {_quoted(s)}}}}}\n"
    ),
    "mlflow-python-env": lambda s: f"python: {_quoted(s)}\ndependencies:\n- {_quoted(s)}\n",
    "dockerfile": lambda s: (
        f"ARG A={s}\nFROM {s}\nENV B={s}\nRUN {s}\nRUN pip install {s}\nRUN pip install '{s}'\n"
        f"WORKDIR {s}\nCOPY {s} {s}\nRUN [{_quoted(s)}]\nRUN <<E\n{s}\nE\n"
    ),
    "cog": lambda s: (
        f"build:\n  cuda: {_quoted(s)}\n  python_packages: [{_quoted(s)}]\n  run: [{_quoted(s)}]\n"
    ),
    "bentofile": lambda s: (
        f"python: {{packages: [{_quoted(s)}], index_url: {_quoted(s)}}}\n"
        f"docker: {{cuda_version: {_quoted(s)}}}\n"
    ),
    "compose": lambda s: f"services: {{a: {{image: {_quoted(s)}, command: {_quoted(s)}}}}}\n",
    "devcontainer": lambda s: (
        f'{{"image": {_quoted(s)}, "postCreateCommand": {_quoted("pip install " + s)}}} // {s}\n'
    ),
    "github-workflow": lambda s: (
        f"jobs: {{a: {{container: {_quoted(s)}, steps: [{{run: {_quoted('pip ' + s)}}}]}}}}\n"
    ),
    "gitlab-ci": lambda s: f"a: {{image: {_quoted(s)}, script: [{_quoted('pip install ' + s)}]}}\n",
    "readme": lambda s: f"# {s}\n{s}\n```\npip install {s}\n```\n`pip install {s}`\n",
    "system-packages": lambda s: f"libgl1\n{s}\n",
    "uv-toml": lambda s: (
        f"index-url = {_quoted(s)}\n[[index]]\nname = {_quoted(s)}\nurl = {_quoted(s)}\n"
    ),
    "pixi-lock": lambda s: f"version: 6\npackages:\n- conda: {_quoted(s)}\n- pypi: {_quoted(s)}\n",
}


_SHORTER = {
    "pyproject": 4,
    **dict.fromkeys(
        ("dockerfile", "readme", "cog", "mlproject", "devcontainer", "compose", "bentofile"), 8
    ),
    **dict.fromkeys(("github-workflow", "gitlab-ci", "setup-py", "rapids-dependencies"), 8),
}
"""By how much a line is shorter for readers that read each line several times, or as a shell."""


@pytest.mark.parametrize("kind", ["requirements", *_WRAPPED])
def test_a_long_line_is_read_in_linear_time(kind: str) -> None:
    for make in _LINES.values():
        line = make(_LENGTH // _SHORTER.get(kind, 1))
        for text in {line, _WRAPPED.get(kind, str)(line)}:
            with in_linear_time():
                read_as(kind, decode(PATHS[kind], text.encode()))


def test_a_long_line_is_told_apart_and_made_harmless_in_linear_time() -> None:
    for make in _LINES.values():
        line = make(_LENGTH)
        with in_linear_time():
            for kind in ("requirements?", "conda-env?", "conda-env", "conda-explicit?"):
                by_content(kind, line)
            clean(line)
            for _ in read_comments(read_as("requirements", decode("r.txt", line.encode()))):
                pass


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("conda-env?", "dependencies:\n" + "\n" * 200_000),
        ("conda-env?", "dependencies:\n- a\n" + " \n" * 200_000),
        ("conda-env?", "dependencies:\n" * 50_000),
        ("conda-env?", "dependencies:\n" + "#\n" * 100_000),
        ("conda-env", "channels\n" * 50_000),
        ("requirements", "=a=\n" * 50_000),
        ("requirements?", "a" + " " * 100_000 + "b"),
    ],
    ids=str,
)
def test_a_file_is_told_apart_in_linear_time(kind: str, text: str) -> None:
    with in_linear_time():
        by_content(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("pipfile-lock", '{"default": {"' + '\\"' * 100_000),
        ("pipfile-lock", '{"default": {' + '"a": x, ' * 50_000),
        ("pipfile-lock", "[" * 100_000),
        ("uv-lock", '[[package]]\nname = "a"\nfiles = [\n' + '    "x",\n' * 20_000),
        ("uv-lock", "a = [\n" * 20_000),
        ("uv-lock", "[[package]]\n" * 20_000),
        ("pyproject", "a = " + "[" * 100_000),
        ("pyproject", "a" + ".a" * 100_000 + " = 1\n"),
        ("pyproject", '"' * 100_000),
        ("pyproject", 'a = """' + '\\"' * 100_000),
        ("conda-env", "dependencies: " + "[" * 100_000),
        ("conda-env", "dependencies:\n- " + "{a: " * 50_000),
        ("conda-env", "dependencies:\n" + "- " * 50_000),
        ("conda-env", "dependencies:\n" + "? " * 50_000),
        ("conda-env", "dependencies:\n- a\n" + "  b\n" * 50_000),
        ("conda-env", "dependencies:\n- &a [a]\n" + "- *a\n" * 20_000),
        ("conda-env", "dependencies:\n- " + "{{ x }}" * 20_000),
        ("conda-env", "%TAG !a! x\n" * 100_000 + "---\ndependencies:\n- a\n"),
        ("conda-env", "".join(f"%TAG !a{i}! x\n" for i in range(120_000)) + "---\na: b\n"),
        ("conda-lock", "package:\n" + "- name: a\n" * 20_000),
        ("conda-explicit", "@EXPLICIT\n" + " " * 100_000 + "\n" * 100_000),
        ("setup-py", "setup(install_requires=" + "[" * 100_000),
        ("setup-py", "setup(install_requires=[" + "'a' + " * 30_000),
        ("setup-py", "a = ['x']\n" + "a = a + a\n" * 5_000 + "setup(install_requires=a)\n"),
        ("setup-cfg", "[options]\n" + "".join(f"a{i} = %(a{i + 1})s\n" for i in range(20_000))),
        ("setup-cfg", "[options]\ninstall_requires =\n" + "  a\n\n" * 20_000),
        ("dockerfile", "FROM a\n" + "ENV A=$A$A\n" * 10_000 + "RUN pip install $A\n"),
        ("dockerfile", "".join(f"FROM s{i} AS s{i + 1}\n" for i in range(10_000))),
        ("dockerfile", "FROM a\nRUN <<E\n" + "pip install a\n" * 10_000),
        ("dockerfile", "FROM a\n" + "RUN <<E <<F\n" * 10_000),
        ("dockerfile", "FROM a\nRUN a \\\n" + "# b\n\\\n" * 20_000),
        ("dockerfile", "FROM a\nRUN " + "$(" * 20_000),
        ("dockerfile", "FROM a\nRUN " + "cd a && " * 10_000 + "pip install -r b\n"),
        ("dockerfile", "FROM a\nWORKDIR a\n" + "WORKDIR a\n" * 10_000 + "RUN pip install -r b\n"),
        ("dockerfile", "FROM a\nRUN " + "bash -c '" * 10_000),
        ("readme", "```\n" * 40_000),
        ("readme", "`" * 100_000),
        ("readme", "~~~\npip install a\n" * 10_000),
        ("devcontainer", "/*" * 50_000),
        ("devcontainer", '{"a": ' * 50_000),
        ("compose", "services:\n" + "".join(f"  a{i}: {{image: '$A'}}\n" for i in range(5_000))),
        ("github-workflow", "jobs:\n a:\n  steps:\n" + "  - run: pip install a\n" * 5_000),
        ("gitlab-ci", "".join(f"a{i}: {{extends: a{i + 1}}}\n" for i in range(5_000))),
        ("conda-recipe", "{% set a = 'b' %}\n" * 10_000 + "package:\n  name: {{ a }}\n"),
        (
            "conda-recipe",
            "".join(f"{{% set a{i} = a{i - 1} ~ a{i - 1} %}}\n" for i in range(5_000)),
        ),
        ("requirements", "<<<<<<<\n" * 20_000),
        ("requirements", "a \\\n" + " --hash=sha256:0 \\\n" * 10_000),
        ("requirements", "# coding: punycode\n" + "a-" * 100_000),
    ],
    ids=lambda value: value[:24],
)
def test_a_long_file_is_read_in_linear_time(kind: str, text: str) -> None:
    with in_linear_time():
        read_as(kind, decode(PATHS[kind], text.encode()))


def test_no_pattern_of_gitignore_takes_long() -> None:
    path = "/".join(["a" * 255] * 10)
    for pattern in ("*a" * 60 + "b", "**/a/" * 60 + "b", "a*" * 120, "[!b]*" * 40 + "b", "?*" * 60):
        compiled = compile_pattern(pattern)
        assert compiled is not None
        with in_linear_time():
            compiled.matches(path)


_COUNT = 1_200
_PROJECTS: dict[str, Callable[[int], dict[str, str]]] = {
    "names": lambda n: {"requirements.txt": "".join(f"p{i}\n" for i in range(n))},
    "pins of one name": lambda n: {"requirements.txt": "".join(f"numpy=={i}\n" for i in range(n))},
    "bounds of one name": lambda n: {
        "requirements.txt": "".join(f"numpy>={i}\n" for i in range(n))
    },
    "pip sections": lambda n: {
        "environment.yml": "dependencies:\n" + "".join(f"- pip:\n  - a=={i}\n" for i in range(n))
    },
    "one line many times": lambda n: {"requirements.txt": "numpy==1.0\n" * n},
    "indexes": lambda n: {
        "requirements.txt": "".join(f"-f https://u:p@index.example/{i}\n" for i in range(n))
    },
    "missing includes": lambda n: {"requirements.txt": "".join(f"-r {i}.txt\n" for i in range(n))},
    "one include many times": lambda n: {"requirements.txt": "-r a.txt\n" * n, "a.txt": "b\n"},
    "itself": lambda n: {"requirements.txt": "-r requirements.txt\n" * n},
    "includes from outside": lambda n: {"requirements.txt": "-r ../x\n" * n},
    "suppressions": lambda n: {
        "requirements.txt": "".join(f"p{i} # mlenv: ignore[PIN001]\n" for i in range(n))
    },
    "suppressions on one line": lambda n: {
        "requirements.txt": "a " + "# mlenv: ignore[PIN001] " * n
    },
    "credentials on one line": lambda n: {
        "requirements.txt": "a @ https://x.example/" + "?token=abc" * n
    },
    "one line of TOML": lambda n: {
        "pyproject.toml": f'[project]\nname = "x"\ndependencies = {[f"p{i}=1" for i in range(n)]}\n'
    },
    "one line of YAML": lambda n: {
        "environment.yml": f"channels: [c]\ndependencies: {[f'p{i}' for i in range(n)]}\n"
    },
    "keys": lambda n: {
        "environment.yml": "dependencies:\n- a\n" + "".join(f"x{i}: 1\n" for i in range(n))
    },
    "conda and pip": lambda n: {
        "environment.yml": "dependencies:\n"
        + "".join(f"- p{i}=1\n" for i in range(n))
        + "- pip:\n"
        + "".join(f"  - p{i}==2\n" for i in range(n)),
        "requirements.txt": "".join(f"p{i}==3\n" for i in range(n)),
    },
    "conflicts": lambda n: {"requirements.txt": "<<<<<<< a\nx==1\n=======\nx==2\n>>>>>>> b\n" * n},
    "columns": lambda n: {"requirements.txt": "a   1.0\n" * n},
    "locked": lambda n: {
        "uv.lock": "".join(f'[[package]]\nname = "p{i}"\nversion = "1"\n' for i in range(n))
    },
    "gitignore": lambda n: {
        ".gitignore": "*a" * 50 + "b\n",
        f"{'a' * 200}/requirements.txt": "a\n",
    },
    "stages": lambda n: {
        "Dockerfile": "FROM a AS s0\n"
        + "".join(f"FROM s{i} AS s{i + 1}\nRUN pip install p{i}\n" for i in range(n))
    },
    "commands": lambda n: {
        "Dockerfile": "FROM a\n" + "".join(f"RUN pip install p{i} -r {i}.txt\n" for i in range(n)),
        "README.md": "```\n" + "".join(f"pip install p{i}\n" for i in range(n)) + "```\n",
    },
    "extras": lambda n: {
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ['
        + ", ".join(f'"p{i}"' for i in range(n))
        + "]\n[project.optional-dependencies]\n"
        + "".join(f'e{i} = ["q{i}"]\n' for i in range(n))
    },
    "groups": lambda n: {
        "pyproject.toml": "[dependency-groups]\n"
        + "".join(f'g{i} = [{{include-group = "g{i + 1}"}}, "p{i}"]\n' for i in range(n))
    },
    "channels": lambda n: {
        "environment.yml": "channels:\n"
        + "".join(f"- c{i}\n" for i in range(n))
        + "- pytorch\ndependencies:\n"
        + "".join(f"- pytorch=2.{i}\n" for i in range(n))
    },
    "missing submodules": lambda n: {
        ".gitmodules": "".join(f'[submodule "a{i}"]\n\tpath = a{i}\n' for i in range(n)),
        "requirements.txt": "".join(f"-r a{i}/b.txt\n" for i in range(n)),
    },
    "globs of a workspace": lambda n: {
        "pyproject.toml": f"[tool.uv.workspace]\nmembers = {[f'm{i}/*' for i in range(n)]}\n",
        "uv.lock": "version = 1\n",
        **{f"m{i}/pyproject.toml": '[project]\nname = "x"\n' for i in range(n // 10)},
    },
    "a hub of includes": lambda n: {
        "base.txt": "".join(f"-r b{i}.txt\n" for i in range(n // 4)),
        **{f"requirements-{i}.txt": "-r base.txt\n" for i in range(n // 4)},
        **{f"b{i}.txt": f"p{i}==1\n" for i in range(n // 4)},
    },
    "stages of known names": lambda n: {
        "Dockerfile": "FROM a\nRUN pip install torch==2.1.0 numpy\n" * (n // 4)
    },
    "sets of known names": lambda n: {
        f"requirements-{i}.txt": f"torch==2.1.0\nnumpy!=1.{i}\ntransformers\npandas==1.5.3\n"
        for i in range(n // 10)
    },
    "lines of a known name": lambda n: {
        "requirements.txt": "".join(f"numpy!=1.{i}; python_version>'3.{i}'\n" for i in range(n))
    },
    "Python files": lambda n: {
        "requirements.txt": "numpy==2.0.0\n",
        **{f"d/m{i}.py": "import numpy as np\nnp.float_(1)\n" for i in range(n)},
    },
    "uses in a notebook": lambda n: {
        "requirements.txt": "numpy==2.0.0\n",
        "a.ipynb": json.dumps(
            {"cells": [{"cell_type": "code", "source": "import numpy\nnumpy.float_"}] * n}
        ),
    },
    "folders": lambda n: {f"{i}/requirements.txt": "numpy\n" for i in range(n // 10)},
    "a chain of includes": lambda n: {
        f"requirements-{i}.txt": f"-r requirements-{i + 1}.txt\n" for i in range(n // 10)
    },
}


@pytest.mark.parametrize("name", _PROJECTS)
def test_a_large_project_is_audited_and_shown_in_linear_time(tmp_path: Path, name: str) -> None:
    for path, text in _PROJECTS[name](_COUNT).items():
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_text(text)
    with in_linear_time():
        report = audit_project((str(tmp_path),), Config())
        for form in AUDIT_FORMATS:
            report_renderer(form)(report, View(verbose=True))
        project = load_project((str(tmp_path),))
        for form in DEPS_FORMATS:
            deps_renderer(form)(project, View())
