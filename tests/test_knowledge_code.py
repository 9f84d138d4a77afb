"""The names that records look for in a project's own code: well formed, and found where used."""

from __future__ import annotations

import re
from pathlib import Path

from mlenv.knowledge import Knowledge
from mlenv.project.load import load_project


def names() -> list[str]:
    return sorted(
        {name for record in Knowledge().breaks.all for name in (*record.code, *record.used)}
    )


def test_the_names_are_told_without_parsing_the_records() -> None:
    assert sorted(Knowledge().breaks.code) == names()
    assert "tensorflow.contrib" in names()


def test_every_name_is_one_that_code_can_use() -> None:
    for name in names():
        assert re.fullmatch(r"[A-Za-z_]\w*(?:\.\w+)*(?::\w+)?", name), name


def test_every_name_is_found_in_code_that_uses_it(tmp_path: Path) -> None:
    lines = []
    for name in names():
        dotted, _, keyword = name.partition(":")
        lines.append(f"import {dotted.partition('.')[0]}")
        lines.append(f"{dotted}({keyword}=1)" if keyword else dotted)
    (tmp_path / "train.py").write_text("\n".join(lines) + "\n", "utf-8")
    found = load_project((str(tmp_path),)).code.uses(names())
    assert sorted(found) == names()
    assert not any(use.guarded for uses in found.values() for use in uses)
