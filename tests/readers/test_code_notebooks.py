"""Notebooks: their code cells as one script, each use with its line in the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_code import uses


def cell(*lines: str, kind: str = "code") -> dict[str, Any]:
    source = [f"{line}\n" for line in lines[:-1]] + [*lines[-1:]]
    return {"cell_type": kind, "metadata": {}, "source": source}


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}, indent=1)


def told(folder: Path, text: str) -> list[tuple[str, str, str]]:
    found = uses(folder, {"play.ipynb": text})
    return [(use.name, use.span.text, use.span.source.line_text(use.span.line).strip())
            for use in found]  # fmt: skip


def test_an_import_of_one_cell_counts_in_the_next(tmp_path: Path) -> None:
    text = notebook(
        cell("np.float_ in prose", kind="markdown"),
        cell("%matplotlib inline", "import numpy as np"),
        cell("x = 1", "y = np.float_(x)"),
    )
    assert told(tmp_path, text) == [("numpy.float_", "np.float_", '"y = np.float_(x)"')]


def test_a_line_with_escapes_is_named_as_a_whole(tmp_path: Path) -> None:
    text = notebook(cell("import numpy as np", 'print("é", np.float_)'))
    line = r"print(\"\u00e9\", np.float_)"
    assert told(tmp_path, text) == [("numpy.float_", line, f'"{line}"')]


@pytest.mark.parametrize(
    "lines",
    [
        ["!pip install numpy \\", "  torch", "np.Inf"],
        ["files = !ls", "np.Inf"],
        ["%%time", "np.Inf"],
        ["np.array?", "np.Inf"],
        ["for x in y:", "    !ls", "np.Inf"],
    ],
)
def test_magics_do_not_hide_the_rest(tmp_path: Path, lines: list[str]) -> None:
    text = notebook(cell("import numpy as np"), cell(*lines))
    assert told(tmp_path, text) == [("numpy.Inf", "np.Inf", '"np.Inf"')]


@pytest.mark.parametrize(
    "lines", [["%%bash", "np.Inf"], ["def broken(:", "np.Inf"], ["print 'two'", "np.Inf"]]
)
def test_a_cell_that_is_no_python_is_left_out(tmp_path: Path, lines: list[str]) -> None:
    text = notebook(cell("import numpy as np"), cell(*lines), cell("np.float_"))
    assert told(tmp_path, text) == [("numpy.float_", "np.float_", '"np.float_"')]


def test_a_cell_may_be_one_string_and_the_file_of_the_old_format(tmp_path: Path) -> None:
    old = {"worksheets": [{"cells": [
        {"cell_type": "code", "input": "import numpy as np\nnp.Inf"}]}]}  # fmt: skip
    assert [one[:2] for one in told(tmp_path, json.dumps(old))] == [("numpy.Inf", "np.Inf")]


@pytest.mark.parametrize(
    "text",
    [
        notebook(cell("import numpy as np", "np.Inf"), kernelspec={"language": "R"}),
        notebook(cell("import numpy as np", "np.Inf"), kernelspec={"name": "python2"}),
        "import numpy as np; np.Inf",
        '{"cells": [numpy.Inf',
        "[" * 100_000 + "numpy.Inf",
        '["numpy.Inf"]',
        '{"cells": "numpy.Inf"}',
        '{"cells": [1, {"cell_type": "code", "source": 3}], "x": "numpy.Inf"}',
        '{"metadata": [], "cells": [{"cell_type": "code", "source": [1, "numpy.Inf"]}]}',
    ],
)
def test_other_files_of_that_name_say_nothing(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text) == []
