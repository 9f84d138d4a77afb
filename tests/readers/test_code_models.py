"""Configurations of models: who wrote them, and which of them are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.project.code import models
from mlenv.project.files import Tree
from mlenv.project.load import load_project


def said(folder: Path, files: dict[str, bytes]) -> list[tuple[str, str, str, str]]:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    saved = load_project((str(folder),)).code.saved
    return [(one.span.path, one.package, one.version, one.span.text) for one in saved]


def test_each_library_has_its_own_key(tmp_path: Path) -> None:
    files = {
        "a/config.json": b'{"transformers_version" : "4.36.2", "x": 1}',
        "b/generation_config.json": b'{\n "transformers_version": "4.40.0.dev0"\n}',
        "c/adapter_config.json": b'{"peft_version": "0.18.0"}',
        "d/model_index.json": b'{"_diffusers_version": "0.30.0"}',
    }
    assert said(tmp_path, files) == [
        ("a/config.json", "transformers", "4.36.2", "4.36.2"),
        ("b/generation_config.json", "transformers", "4.40.0.dev0", "4.40.0.dev0"),
        ("c/adapter_config.json", "peft", "0.18.0", "0.18.0"),
        ("d/model_index.json", "diffusers", "0.30.0", "0.30.0"),
    ]


def test_other_files_and_broken_ones_say_nothing(tmp_path: Path) -> None:
    files = {
        "my_config.json": b'{"transformers_version": "4.36.2"}',
        "a/config.json": b'{"version": "4.36.2"}',
        "b/config.json": b'{"transformers_version": 4.36}',
        "c/config.json": b'{"transformers_version": "' + b"[" * 9000,
        "d/config.json": b"\xff\xfe\0" + b"transformers_version" * 9,
        "e/config.json": b'{"transformers_version": "4.36.2"}' + b" " * (1 << 18),
        ".gitignore": b"f/config.json\n",
        "f/config.json": b'{"transformers_version": "4.36.2"}',
        "node_modules/config.json": b'{"transformers_version": "4.36.2"}',
    }
    assert said(tmp_path, files) == []


def test_only_so_many_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_MOST", 3)
    files = {f"{at}/config.json": b'{"transformers_version": "4.36.2"}' for at in range(9)}
    assert len(said(tmp_path, files)) == 3


def test_none_is_opened_where_nothing_loads_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    read = Tree.read_bytes

    def noting(self: Tree, path: str, *, limit: int) -> object:
        opened.append(path)
        return read(self, path, limit=limit)

    monkeypatch.setattr(Tree, "read_bytes", noting)
    (tmp_path / "requirements.txt").write_text("tqdm==4.66.0\n")
    (tmp_path / "config.json").write_text('{"transformers_version": "4.36.2"}')
    audit_project((str(tmp_path),), Config(), today="2026-11-20")
    assert "config.json" not in opened
