"""The search through many files: what is opened, what is passed over, and what ends it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from test_code import uses

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.project.code import search
from mlenv.project.files import Tree
from mlenv.project.load import load_project

USE = "import numpy as np\nnp.float_\n"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read, in order."""
    paths: list[str] = []
    read = Tree.read_bytes

    def noting(self: Tree, path: str, *, limit: int) -> object:
        paths.append(path)
        return read(self, path, limit=limit)

    monkeypatch.setattr(Tree, "read_bytes", noting)
    return paths


def test_no_code_is_opened_where_nothing_asks(tmp_path: Path, opened: list[str]) -> None:
    (tmp_path / "requirements.txt").write_text("tqdm==4.66.0\nnumpy==1.22.4\n")
    (tmp_path / "train.py").write_text(USE)
    assert load_project((str(tmp_path),)).code.paths == ["train.py"]
    audit_project((str(tmp_path),), Config(), today="2026-11-20")
    assert "train.py" not in opened


def test_each_file_is_read_once_for_all_names(tmp_path: Path, opened: list[str]) -> None:
    (tmp_path / "train.py").write_text(USE)
    code = load_project((str(tmp_path),)).code
    for _ in range(2):
        assert list(code.uses(["numpy.float_", "numpy.Inf"])) == ["numpy.float_"]
    assert opened == ["train.py"]


def test_files_without_the_words_are_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(search, "read_module", lambda path, *_: asked.append(path))
    files = {
        "a.py": "import numpy as np\nnp.float64\n",
        "b.py": "import torch\nx.float_\n",
        "c.py": "import numpy as np\nint(np.array(1)), torch.int\n",
        "d.py": USE,
    }
    assert uses(tmp_path, files, "numpy.float_", "numpy.int") == []
    assert asked == ["d.py"]


def test_vendored_ignored_and_installed_code_does_not_count(tmp_path: Path) -> None:
    files = dict.fromkeys(
        (
            "third_party/x.py", "external/x.py", "build/lib/x.py", "venv/lib/x.py",
            "lib/site-packages/x.py", "node_modules/x.py", "scratch.py", "out/x.py", "own.py",
        ),
        USE,
    )  # fmt: skip
    files |= {"venv/pyvenv.cfg": "", ".gitignore": "scratch.py\nout/\n"}
    assert [use.span.path for use in uses(tmp_path, files)] == ["own.py"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.py").write_text(USE)
    (root / "own.py").write_text(USE)
    for name, target in (("out.py", "../outside.py"), ("twice.py", "own.py"), ("up", "..")):
        (root / name).symlink_to(target)
    assert [use.span.path for use in uses(root, {})] == ["own.py"]


HOSTILE = {
    "brackets": "(" * 100_000,
    "attributes": "a" + ".a" * 100_000,
    "sum": "1" + "+1" * 100_000,
    "minus": "-" * 100_000 + "1",
    "not": "x = " + "not " * 50_000 + "1",
    "lambdas": "lambda:" * 5_000 + "1",
    "comparisons": "1" + "<1" * 100_000,
    "else": "if a: b\n" + "elif a: b\n" * 20_000,
    "indents": "".join(" " * at + "if a:\n" for at in range(500)),
    "string": '"' * 100_001,
    "zeros": "x = '\0'",
    "surrogate": "x = '\ud800'",
    "python 2": "print 'two'",
    "coding": "# coding: punycode\nx",
    "number": "x = " + "9" * 100_000,
    "formatted": "f'" + "{f'" * 200,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_files_are_passed_over_and_the_others_read(tmp_path: Path, name: str) -> None:
    text = f"{USE}{HOSTILE[name]}\n"
    found = uses(tmp_path, {"bad.py": text, "good.py": USE})
    assert "good.py" in [use.span.path for use in found]
    notebook = '{"cells": [{"cell_type": "code", "source": "import numpy as np\\nnp.float_"}]}'
    (tmp_path / "play.ipynb").write_text(notebook.replace("np.float_", "np.float_ " + "(" * 9000))
    assert "good.py" in [use.span.path for use in uses(tmp_path, {})]


def test_what_is_passed_over_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"a.py": USE, "b.py": f"{USE}(", "c.py": USE + "#" * 400}.items():
        (tmp_path / name).write_text(text)
    paths = ["a.py", "b.py", "c.py", "gone.py"]

    def passed_over(**limits: int) -> tuple[int, int]:
        with monkeypatch.context() as patch:
            for name, value in limits.items():
                patch.setattr(search, name, value)
            one = search.Search(Tree(str(tmp_path)), paths, lambda _: False)
            return len(one.run(["numpy.float_"])["numpy.float_"]), one.passed_over

    assert passed_over() == (2, 2)
    assert passed_over(LARGEST=300) == (1, 3)
    assert passed_over(MOST_FILES=1) == (1, 3)
    assert passed_over(MOST_BYTES=100) == (1, 3)
    assert passed_over(MOST_PARSED=100) == (1, 3)


def test_a_name_that_is_used_everywhere_is_told_a_few_times(tmp_path: Path) -> None:
    text = "import numpy as np\n" + "np.float_\n" * 500
    assert len(uses(tmp_path, {"a.py": text, "b.py": text})) == 20


def test_a_named_file_of_a_repository_has_its_code_around_it(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(USE)
    (tmp_path / "requirements.txt").write_text("numpy\n")
    named = (str(tmp_path / "requirements.txt"),)
    assert list(load_project(named).code.paths) == []
    (tmp_path / ".git").mkdir()
    assert load_project(named).code.paths == ["own.py"]
