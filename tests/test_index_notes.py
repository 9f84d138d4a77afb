"""Scripts and notes that speak of an index, looked for where a build needs one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlenv.project.load import load_project

_SPEAKS = "pip install -r requirements.txt --extra-index-url https://index.example/whl/cu118\n"


@pytest.mark.parametrize("name", ["Makefile", "scripts/setup.sh", "docs/install.md", "pip.conf"])
def test_found_where_a_build_needs_it(tmp_path: Path, name: str) -> None:
    _write(tmp_path, "requirements.txt", "torch==2.1.0+cu118\n")
    _write(tmp_path, name, _SPEAKS)
    note = load_project((str(tmp_path),)).index_note
    assert note is not None
    assert (note.path, note.text) == (name, "--extra-index-url")


def test_not_looked_for_otherwise(tmp_path: Path) -> None:
    _write(tmp_path, "requirements.txt", "torch==2.1.0\n")
    _write(tmp_path, "Makefile", _SPEAKS)
    assert load_project((str(tmp_path),)).index_note is None


def test_no_link_leads_out(tmp_path: Path) -> None:
    _write(tmp_path, "outside/notes.md", _SPEAKS)
    _write(tmp_path, "inside/requirements.txt", "torch==2.1.0+cu118\n")
    (tmp_path / "inside/notes.md").symlink_to(tmp_path / "outside/notes.md")
    (tmp_path / "inside/docs").symlink_to(tmp_path / "outside")
    assert load_project((str(tmp_path / "inside"),)).index_note is None


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
