"""The README: what it promises, what it shows to run, and the settings of a Space."""

from __future__ import annotations

import pytest
from spoiled import assert_inside, spoiled

from mlenv.model.source import CONTEXT, MANIFEST, UNREADABLE_FILE, Source
from mlenv.model.text import SourceText
from mlenv.project.context import readme

SPACE = """\
---
title: Demo
sdk: gradio
sdk_version: 4.19.1
python_version: "3.10"
suggested_hardware: t4-small
---
# Demo

Requires Python 3.8+ and CUDA 11.8.
"""
GUIDE = """\
# Tool
[![Python](https://img.example/badge/python-3.9%20%7C%203.10-blue.svg)](https://www.example)

## Requirements
* Python >= 3.9, < 3.12 and a GPU
- **CUDA** 11.3 or newer

## News
- 2023: Python 3.5 support

### 1.2
Needs Python 3.6+

## Install
```bash
conda create -n tool python=3.9 -y
pip install torch==2.1.0 --index-url https://index.example/whl/cu118
```

```python
subprocess.run("pip install nothing")
```

1. ```console
   (tool) $ pip install \\
       first
   Collecting pip install output
   $ uv venv --python 3.11
   ```

        pip install second
"""


def read(text: str, path: str = "README.md") -> Source:
    source = readme.read(SourceText(path, text))
    assert_inside(source)
    return source


def promised(text: str) -> list[tuple[str, str, str]]:
    """Return subject, value and versions of what a text promises."""
    source = read(text)
    for statement in source.statements:
        assert statement.span.text == statement.value
        assert not statement.binding
    return [(s.subject, s.value, s.versions.text if s.versions else "") for s in source.statements]


@pytest.mark.parametrize(
    ("line", "value", "versions"),
    [
        ("Python 3.8+", "3.8+", ">=3.8"),
        ("- Python >= 3.9", ">= 3.9", ">=3.9"),
        ("* `python>=3.8`", ">=3.8", ">=3.8"),
        ("* python (>=3.8, <3.12)", ">=3.8, <3.12", "<3.12,>=3.8"),
        ("1. Python 3.10 or newer", "3.10 or newer", ">=3.10"),
        ("Python 3.10 or higher is needed.", "3.10 or higher", ">=3.10"),
        ("- Python 3.10 and above", "3.10 and above", ">=3.10"),
        ("- Python 3.10 (or later)", "3.10 (or later", ">=3.10"),
        ("It needs at least Python 3.9", "3.9", ">=3.9"),
        ("We require a Python version ≥ 3.9", "≥ 3.9", ">=3.9"),
        ("It requires Python 3.7.", "3.7", ""),
        ("The code was tested with Python 3.8 and PyTorch 1.7.", "3.8", ""),
        ("- **Python** 3.8", "3.8", ""),
        ("- [Python](https://www.example/) 3.6+", "3.6+", ">=3.6"),
        ("| Python | 3.9 - 3.11 |", "3.9 - 3.11", "<3.12,>=3.9"),
        ("| Python | 3.9 to 3.11 | x |", "3.9 to 3.11", "<3.12,>=3.9"),
        (
            "Supports Python 3.8, 3.9 and 3.10",
            "3.8, 3.9 and 3.10",
            "==3.8.* || ==3.9.* || ==3.10.*",
        ),
        ("Supports Python <= 3.11", "<= 3.11", "<3.12"),
        ("- Python == 3.8", "== 3.8", "==3.8.*"),
        ("- Python: 3.8.10", "3.8.10", ""),
        ("Run `conda create -n x python=3.8` first", "3.8", ""),
        ("![Python 3.9+](x.svg)", "3.9+", ">=3.9"),
        ("![x](https://img.example/badge/python-3.7+-green)", "3.7+", ">=3.7"),
        ("![x](https://img.example/badge/python-3.7--3.9-green)", "3.7--3.9", "<3.10,>=3.7"),
        ("![x](https://img.example/badge/python-%3E%3D3.7-green)", "%3E%3D3.7", ">=3.7"),
        ("![x](https://img.example/badge/Python_version-3.8-a?logo=b-c)", "3.8", ""),
    ],
)
def test_promises_of_python(line: str, value: str, versions: str) -> None:
    assert promised(f"# Tool\n\n{line}\n") == [("python", value, versions)]


@pytest.mark.parametrize(
    ("line", "value", "versions"),
    [
        ("- CUDA 11.8", "11.8", ""),
        ("- CUDA >= 11.3", ">= 11.3", ">=11.3"),
        ("- CUDA Toolkit 12+", "12+", ">=12"),
        ("Tested with CUDA 11.8 or 12.1.", "11.8 or 12.1", "==11.8.* || ==12.1.*"),
        ("- NVIDIA driver and CUDA v12.1.1", "v12.1.1", ""),
        ("    pip install torch --index-url https://index.example/whl/cu118", "cu118", ""),
        ("    conda install pytorch pytorch-cuda=11.8 -c nvidia", "11.8", ""),
    ],
)
def test_promises_of_cuda(line: str, value: str, versions: str) -> None:
    found = promised(
        f"# Tool\n\n{line} with a GPU\n" if "driver" in line else f"# Tool\n\n{line}\n"
    )
    assert found == [("cuda", value, versions)]


@pytest.mark.parametrize(
    "line",
    [
        "Python 3 and PyTorch",
        "Python 2.7 works too",
        "We dropped Python 3.6",
        "Python 3.12 is not supported yet.",
        "Python 3.8 or older does not work",
        "- Python 3.11+ ships with another parser",
        "requires opencv-python 4.5.1 and ipython 3.1",
        "requires micropython 3.4",
        "run `python3.10 -m tool`",
        "- 2021-03-04 works with Python 3.9+",
        "v1.2.3: requires Python 3.9+",
        "the new syntax of Python 3.10+",
        "CUDA compute capability 7.5 is required",
        "requires CUDA_HOME=/usr/local/cuda-11.8",
        "Python 3.8.1.2 is required",
        "see https://www.example/python/3.8/library",
    ],
)
def test_what_is_no_plain_promise_is_passed_over(line: str) -> None:
    assert promised(f"# Tool\n\n{line}\n") == []


def test_a_guide() -> None:
    source = read(GUIDE)
    assert (source.kind, source.role, source.requirements) == ("readme", CONTEXT, ())
    assert (source.problems, source.includes) == ((), ())
    assert promised(GUIDE) == [
        ("python", "3.9%20%7C%203.10", "==3.9.* || ==3.10.*"),
        ("python", ">= 3.9, < 3.12", "<3.12,>=3.9"),
        ("cuda", "11.3 or newer", ">=11.3"),
        ("python", "3.9", ""),
        ("cuda", "cu118", ""),
        ("python", "3.11", ""),
    ]
    assert [[r.name for r in c.requirements] for c in source.commands if c.tool == "pip"] == [
        ["torch"],
        ["first"],
        ["second"],
    ]
    indexes = [i.url for c in source.commands for i in c.indexes]
    assert indexes == ["https://index.example/whl/cu118"]


def test_a_section_on_the_past_ends_with_the_next_one() -> None:
    text = "Tool\n====\n\nChangelog\n---------\n- Python 3.6+\n\n{}\n---\n- Python 3.9+\n"
    assert promised(text.format("Install")) == [("python", "3.9+", ">=3.9")]
    assert promised(text.format("2.0 (2021)")) == []


def test_only_the_first_lines_are_read() -> None:
    assert promised("\n" * 1990 + "- Python 3.9+\n") != []
    assert promised("\n" * 2010 + "- Python 3.9+\n") == []


def test_what_is_said_twice_is_told_once() -> None:
    assert len(promised("- Python 3.9+\n\nIt requires Python 3.9+\n")) == 1


def test_restructured_text() -> None:
    text = (
        "Install\n=======\n\n.. code-block:: bash\n\n    pip install tool\n\nNeeds Python 3.9+.\n"
    )
    source = read(text, "README.rst")
    assert [[r.name for r in c.requirements] for c in source.commands] == [["tool"]]
    assert [s.value for s in source.statements] == ["3.9+"]


def test_a_space() -> None:
    source = read(SPACE)
    assert (source.role, source.problems) == (MANIFEST, ())
    (sdk,) = source.requirements
    assert (sdk.name, sdk.versions.text, sdk.span.text) == ("gradio", "==4.19.1", "4.19.1")
    assert sdk.name_span is not None
    assert sdk.name_span.text == "gradio"
    assert [(s.subject, s.value, s.binding) for s in source.statements] == [
        ("python", "3.10", True),
        ("gpu", "t4-small", True),
        ("python", "3.8+", False),
        ("cuda", "11.8", False),
    ]


@pytest.mark.parametrize(
    ("settings", "role", "versions"),
    [
        ("sdk: gradio\n", MANIFEST, [""]),
        ("sdk: streamlit\nsdk_version: '1.30'\n", MANIFEST, ["==1.30"]),
        ("sdk: docker\nsdk_version: 1.0\n", CONTEXT, []),
        ("sdk: static\n", CONTEXT, []),
        ("license: mit\ntags: [a]\n", CONTEXT, []),
        ("layout: page\n  broken: [\n", CONTEXT, []),
    ],
)
def test_only_some_spaces_install(settings: str, role: str, versions: list[str]) -> None:
    source = read(f"---\n{settings}---\n# Text\n")
    assert (source.role, source.problems) == (role, ())
    assert [r.versions.text for r in source.requirements] == versions


def test_hardware_without_a_gpu() -> None:
    assert read("---\nsdk: gradio\nsuggested_hardware: cpu-upgrade\n---\n").statements == ()


def test_broken_settings_of_a_space_are_told() -> None:
    source = read("---\nsdk: gradio\ntags: [\n---\n# Text\n")
    assert [p.kind for p in source.problems] == [UNREADABLE_FILE]


@pytest.mark.parametrize("end", ["${", "$(", '"', "'", "$(( ", "\\"])
@pytest.mark.parametrize("block", ["```sh\n", "    ", "```\n$ "])
def test_what_a_command_leaves_open_ends_with_the_file(block: str, end: str) -> None:
    source = read(f"{block}pip install {end}")
    assert [command.tool for command in source.commands] == ["pip"]
    assert_inside(source)


def test_nothing_makes_it_fail() -> None:
    for text in spoiled(GUIDE, 300):
        read(text)
    for text in spoiled(SPACE, 300):
        read(text)


@pytest.mark.parametrize(
    "line",
    [
        "python " * 5000,
        "python (" * 5000,
        "Python 3.8, " * 5000,
        "/badge/python-" + "3" * 20000,
        "```" * 5000,
        "$ " * 5000,
        "[python](" * 3000,
        "cuda |" + " " * 9000 + "|",
    ],
)
def test_hostile_lines_stay_cheap(line: str) -> None:
    read(f"{line}\n" * 200)
