"""Shows how the time of an audit grows: each format and each shape of project in three sizes.

Ten times the input may take about ten times as long. What takes over fifteen times as long is
marked: something in it is not linear.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.machine.snapshot import read_snapshot
from mlenv.model.surroundings import Surroundings
from mlenv.report.registry import REPORTS, report_renderer
from mlenv.report.view import View

_SIZES = (1_000, 10_000, 100_000)
_SUSPICIOUS = 15.0
_LEAST = 0.02
"""Below this many seconds a growth says nothing."""
_PATIENCE = 20.0
"""After one size that takes so many seconds no larger one is tried."""

Files = dict[str, str]


def _lines(path: str, line: str, head: str = "", tail: str = "") -> Callable[[int], Files]:
    """Return what makes a file of as many lines; ``@`` in a line is its number."""
    return lambda n: {path: head + "".join(line.replace("@", str(i)) for i in range(n)) + tail}


_LOCKED = '[[package]]\nname = "p@"\nversion = "1.@"\n'
_FORMATS: Mapping[str, Callable[[int], Files]] = {
    "requirements": _lines("requirements.txt", "p@>=1.0,<2\n"),
    "constraints": _lines("constraints.txt", "p@<2\n"),
    "conda-env": _lines("environment.yml", "- p@=1.0\n", "channels: [c]\ndependencies:\n"),
    "conda-list": _lines(
        "requirements.txt", "p@    1.@   py310_0   c\n", "# packages in environment at /opt/x:\n"
    ),
    "pyproject": _lines(
        "pyproject.toml", '  "p@>=1",\n', '[project]\nname = "x"\ndependencies = [\n', "]\n"
    ),
    "setup-cfg": _lines("setup.cfg", "    p@>=1\n", "[options]\ninstall_requires =\n"),
    "setup-py": _lines("setup.py", "    'p@>=1',\n", "setup(install_requires=[\n", "])\n"),
    "pipfile": _lines("Pipfile", 'p@ = ">=1"\n', "[packages]\n"),
    "pixi": _lines("pixi.toml", 'p@ = ">=1"\n', '[workspace]\nname = "x"\n[dependencies]\n'),
    "conda-recipe": _lines("meta.yaml", "  - p@ >=1\n", "requirements:\n  run:\n"),
    "rapids-dependencies": _lines(
        "dependencies.yaml",
        "      - p@>=1\n",
        "files:\n  a: {output: requirements, includes: [b]}\ndependencies:\n  b:\n    common:\n"
        "    - output_types: [requirements]\n      packages:\n",
    ),
    "mlproject": _lines("MLproject", "  e@: {command: pip install p@}\n", "entry_points:\n"),
    "mlflow-python-env": _lines("python_env.yaml", "- p@>=1\n", "dependencies:\n"),
    "dockerfile": _lines("Dockerfile", "RUN pip install p@\n", "FROM python:3.11\n"),
    "one RUN of a Dockerfile": _lines("Dockerfile", " p@ \\\n", "FROM a\nRUN pip install \\\n"),
    "stages": _lines("Dockerfile", "FROM s@ AS t@\nRUN pip install p@\n"),
    "arguments of a Dockerfile": _lines("Dockerfile", "ARG A@=$A\nENV B@=$A@\n", "FROM a\n"),
    "cog": _lines("cog.yaml", "  - p@==1\n", "build:\n  python_packages:\n"),
    "bentofile": _lines("bentofile.yaml", "  - p@==1\n", "python:\n  packages:\n"),
    "compose": _lines("compose.yaml", "  s@: {image: 'a:@', runtime: nvidia}\n", "services:\n"),
    "devcontainer": _lines(
        "devcontainer.json", '"pip install p@",\n', '{"postCreateCommand": [\n', "]}"
    ),
    "github-workflow": _lines(
        ".github/workflows/a.yml", "    - run: pip install p@\n", "jobs:\n  a:\n    steps:\n"
    ),
    "gitlab-ci": _lines(".gitlab-ci.yml", "  - pip install p@\n", "a:\n  script:\n"),
    "readme": _lines("README.md", "pip install p@\n", "Python 3.10\n```bash\n", "```\n"),
    "system-packages": _lines("packages.txt", "libp@-dev\n"),
    "tool-versions": _lines(".tool-versions", "python 3.@\n"),
    "uv-lock": _lines("uv.lock", _LOCKED, "version = 1\n"),
    "poetry-lock": _lines("poetry.lock", _LOCKED),
    "pdm-lock": _lines("pdm.lock", _LOCKED),
    "pylock": _lines(
        "pylock.toml", _LOCKED.replace("package", "packages"), 'lock-version = "1.0"\n'
    ),
    "pipfile-lock": _lines(
        "Pipfile.lock", '"p@": {"version": "==1.@"},\n', '{"default": {\n', '"z": {}}}'
    ),
    "conda-lock": _lines(
        "conda-lock.yml",
        "- name: p@\n  version: 1.@\n  manager: conda\n  platform: linux-64\n  url: https://c.example/"
        "linux-64/p@-1.@-0.conda\n",
        "version: 1\npackage:\n",
    ),
    "pixi-lock": _lines(
        "pixi.lock",
        "- conda: https://c.example/linux-64/p@-1.@-0.conda\n",
        "version: 6\npackages:\n",
    ),
    "conda-explicit": _lines(
        "conda-linux-64.lock", "https://c.example/linux-64/p@-1.@-0.conda\n", "@EXPLICIT\n"
    ),
}
_SHAPES: Mapping[str, Callable[[int], Files]] = {
    "files": lambda n: {f"d{i % 100}/requirements-{i}.txt": "numpy\n" for i in range(n // 10)},
    "files that include one": lambda n: {
        "base.txt": "numpy\n",
        **{f"requirements-{i}.txt": "-r base.txt\n" for i in range(n // 10)},
    },
    "a file that includes many": lambda n: {
        "requirements.txt": "".join(f"-r b{i}.txt\n" for i in range(n // 10)),
        **{f"b{i}.txt": f"p{i}==1\n" for i in range(n // 10)},
    },
    "a hub of includes": lambda n: {
        "base.txt": "".join(f"-r b{i}.txt\n" for i in range(n // 20)),
        **{f"requirements-{i}.txt": "-r base.txt\n" for i in range(n // 20)},
        **{f"b{i}.txt": f"p{i}\n" for i in range(n // 20)},
    },
    "a chain of includes": lambda n: {
        f"requirements-{i}.txt": f"-r requirements-{i + 1}.txt\np{i}\n" for i in range(n // 10)
    },
    "missing includes": _lines("requirements.txt", "-r a@.txt\n"),
    "missing submodules": lambda n: {
        ".git/HEAD": "",
        ".gitmodules": "".join(f'[submodule "a{i}"]\n\tpath = a{i}\n' for i in range(n)),
        "requirements.txt": "".join(f"-r a{i}/requirements.txt\n" for i in range(n)),
    },
    "extras": lambda n: {
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ['
        + ", ".join(f'"p{i}"' for i in range(n // 10))
        + "]\n[project.optional-dependencies]\n"
        + "".join(f'e{i} = ["q{i}"]\n' for i in range(n // 10))
    },
    "groups that include the next": lambda n: {
        "pyproject.toml": "[dependency-groups]\n"
        + "".join(f'g{i} = [{{include-group = "g{i + 1}"}}, "p{i}"]\n' for i in range(n // 10))
    },
    "a workspace": lambda n: {
        "pyproject.toml": f"[tool.uv.workspace]\nmembers = {[f'm{i}/*' for i in range(n // 10)]}\n",
        "uv.lock": "version = 1\n",
        **{f"m{i}/a/pyproject.toml": '[project]\nname = "x"\n' for i in range(n // 10)},
    },
    "locks in many folders": lambda n: {
        path: text
        for i in range(n // 20)
        for path, text in {
            f"d{i}/uv.lock": "version = 1\n",
            f"d{i}/pyproject.toml": '[project]\nname = "x"\ndependencies = ["a"]\n',
        }.items()
    },
    "frozen lists in many folders": lambda n: {
        f"d{i}/requirements.txt": "a==1\nb==2\nc==3\nd @ file:///croot/d\n" for i in range(n // 20)
    },
    "channels": lambda n: {
        "environment.yml": "channels:\n"
        + "".join(f"- c{i}\n" for i in range(n))
        + "- pytorch\ndependencies:\n"
        + "".join(f"- p{i}\n" for i in range(n))
    },
    "findings on one line": lambda n: {
        "pyproject.toml": '[project]\nname = "x"\n'
        f"dependencies = {[f'p{i}==1,==2' for i in range(n)]}\n"
    },
    "statements on one name": _lines("requirements.txt", "numpy>=1.@\n"),
    "one line many times": _lines("requirements.txt", "numpy==1.0\n"),
    "broken lines": _lines("requirements.txt", "=a@=\n"),
    "options on one line": lambda n: {"requirements.txt": "numpy" + " -" * n + "\n"},
    "credentials on one line": lambda n: {
        "requirements.txt": "a @ https://x.example/" + "?token=abc" * n + "\n"
    },
    "suppressions": _lines("requirements.txt", "p@ # mlenv: ignore[PIN001] x\n"),
    "merge conflicts": _lines("requirements.txt", "<<<<<<< a\nx==@\n=======\nx==2\n>>>>>>> b\n"),
    "patterns of .gitignore": lambda n: {
        ".gitignore": "".join(f"a{i}\n" for i in range(n)),
        **{f"d{i}/requirements.txt": "numpy\n" for i in range(20)},
    },
}

_KNOWN = (
    *(
        "torch",
        "torchvision",
        "numpy",
        "scipy",
        "pandas",
        "transformers",
        "tokenizers",
        "accelerate",
    ),
    *("tensorflow", "keras", "protobuf", "scikit-learn", "jax", "jaxlib", "vllm", "flash-attn"),
)
"""Distributions of which the records know releases and what they require."""
_TOGETHER = "torch==2.1.0\ntorchvision==0.15.0\nnumpy\npandas==1.5.3\ntransformers>=4.30,<4.@\n"
_SNAPSHOT = (
    '[machine]\ndriver = "470.@"\ngpus = ["H100"]\npython = "3.10"\n'
    "[environment]\ncomplete = true\n"
    '[environment.packages]\ntorch = "1.7.1"\nnumpy = "2.0.0"\n'
)


def _numbered(text: str, number: int) -> str:
    return text.replace("@", str(number))


_KNOWLEDGE: Mapping[str, Callable[[int], Files]] = {
    "lines of known names": lambda n: {
        "requirements.txt": "".join(f"{_KNOWN[i % len(_KNOWN)]}!=0.{i}\n" for i in range(n))
    },
    "known names behind markers": lambda n: {
        "requirements.txt": "".join(
            f"{_KNOWN[i % len(_KNOWN)]}<9.{i}; python_version > '3.{i}'\n" for i in range(n)
        )
    },
    "install sets of known names": lambda n: {
        f"requirements-{i}.txt": _numbered(_TOGETHER, i) for i in range(n // 10)
    },
    "install sets without an answer": lambda n: {
        f"requirements-{i}.txt": "\n".join(_KNOWN) + f"\nnumpy!=2.{i},<1.20\npandas>2\n"
        for i in range(n // 10)
    },
    "extras of known names": lambda n: {
        "pyproject.toml": '[project]\nname = "x"\ndependencies = ["torch==2.1.0", "numpy"]\n'
        "[project.optional-dependencies]\n"
        + "".join(f'e{i} = ["transformers>4.{i % 50}", "scipy!=1.{i}"]\n' for i in range(n // 10))
    },
    "stages of known names": _lines("Dockerfile", "FROM s@\nRUN pip install torch==2.1.0 numpy\n"),
    "stages one upon the other": lambda n: {
        "Dockerfile": "FROM nvidia/cuda:12.1.0-base-ubuntu22.04 AS t0\n"
        + "".join(
            f"FROM t{i} AS t{i + 1}\nRUN pip install torch numpy!=1.{i}\n" for i in range(n // 10)
        )
    },
    "targets": lambda n: {
        "requirements.txt": _numbered(_TOGETHER, 1),
        **{f"target-{i}.toml": _numbered(_SNAPSHOT, i) for i in range(n // 50)},
    },
    "a target of many packages": lambda n: {
        "requirements.txt": _numbered(_TOGETHER, 1),
        "target-1.toml": _numbered(_SNAPSHOT, 1)
        + "".join(f'p{i} = "1.{i}"\n' for i in range(min(n, 40_000))),
    },
    "a target of many GPUs": lambda n: {
        "requirements.txt": _numbered(_TOGETHER, 1),
        "target-1.toml": f'[machine]\ndriver = "470.1"\ngpus = {["A100", "K80"] * (n // 250)}\n',
    },
    "Python files": lambda n: {
        "requirements.txt": "numpy==2.0.0\n",
        **{f"d{i % 50}/m{i}.py": "import numpy as np\nnp.float_(1)\n" for i in range(n // 10)},
    },
    "uses in a Python file": lambda n: {
        "requirements.txt": "numpy==2.0.0\n",
        "m.py": "import numpy as np\n" + "np.float_(1)\n" * n,
    },
    "aliases in a Python file": lambda n: {
        "requirements.txt": "numpy==2.0.0\n",
        "m.py": "".join(f"import numpy as n{i}\nn{i}.float_\n" for i in range(n // 10)),
    },
    "cells of a notebook": lambda n: {
        "requirements.txt": "numpy==2.0.0\n",
        "m.ipynb": '{"cells": ['
        + ", ".join(
            f'{{"cell_type": "code", "source": "import numpy as np\\nnp.float_({i})"}}'
            for i in range(n)
        )
        + "]}",
    },
    "models": lambda n: {
        "requirements.txt": "transformers==4.20.0\n",
        **{f"m{i}/config.json": '{"transformers_version": "4.45.0"}' for i in range(n // 10)},
    },
}
_ALL = {**_FORMATS, **_SHAPES, **_KNOWLEDGE}


@dataclass(frozen=True)
class Row:
    """The seconds that one kind of input took in each size; fewer where it took too long."""

    name: str
    seconds: tuple[float, ...]

    @property
    def growth(self) -> float:
        """The largest factor between neighbouring sizes, so far as they can be told apart."""
        pairs = zip(self.seconds, self.seconds[1:], strict=False)
        return max((after / max(before, _LEAST) for before, after in pairs), default=0.0)


def _measured(task: tuple[str, Sequence[int]]) -> Row:
    name, sizes = task
    found: list[float] = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for path, text in _ALL[name](size).items():
                place = Path(folder, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
            start = time.process_time()
            described = sorted(glob.glob(os.path.join(folder, "target-*.toml")))
            targets = tuple(map(read_snapshot, described))
            around = Surroundings(targets)
            report = audit_project((folder,), Config(), today="2026-01-01", around=around)
            for form in REPORTS:
                report_renderer(form)(report, View(verbose=True))
            found.append(time.process_time() - start)
        suspicious = len(found) > 1 and found[-1] > _SUSPICIOUS * max(found[-2], _LEAST)
        if suspicious or found[-1] > _PATIENCE:
            break
    return Row(name, tuple(found))


def main() -> int:
    """Print the table; 1 where something grows faster than its input."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--only", help="the names that hold this text")
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="the sizes, ascending")
    parser.add_argument("--workers", type=int, default=1, help="how many processes")
    asked = parser.parse_args()
    names = [name for name in _ALL if not asked.only or asked.only in name]
    # each in a process of its own, so that none pays for another's memory
    with get_context("fork").Pool(asked.workers, maxtasksperchild=1) as pool:
        print(f"{'':30} " + "".join(f"{size:>10,}" for size in asked.sizes) + "    growth")
        bad = 0
        for row in pool.imap(_measured, [(name, asked.sizes) for name in names]):
            seconds = "".join(f"{one:>10.3f}" for one in row.seconds)
            seconds += "         -" * (len(asked.sizes) - len(row.seconds))
            is_bad = row.growth > _SUSPICIOUS
            bad += is_bad
            print(f"{row.name:30} {seconds} {row.growth:>9.1f}{'  !' * is_bad}", flush=True)
    print(f"{bad} of {len(names)} grow faster than their input")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
