"""uv.toml: the places for packages that it names."""

from __future__ import annotations

from mlenv.model.source import CONTEXT
from mlenv.model.text import SourceText
from mlenv.project.manifests.uv_toml import read


def test_places_for_packages() -> None:
    source = read(
        SourceText(
            "uv.toml",
            'extra-index-url = ["https://one.example/simple"]\n'
            '[[index]]\nname = "cu"\nurl = "https://index.example/whl/cu121"\nexplicit = true\n'
            '[pip]\nfind-links = ["./wheels"]\ntorch-backend = "cu121"\n',
        )
    )
    assert source.role == CONTEXT
    assert source.packaging is None
    assert [(one.kind, one.url, one.name) for one in source.indexes] == [
        ("explicit", "https://index.example/whl/cu121", "cu"),
        ("extra", "https://one.example/simple", ""),
        ("find-links", "./wheels", ""),
    ]
    assert [(one.subject, one.value) for one in source.statements] == [("torch-backend", "cu121")]


def test_a_broken_file_is_a_problem() -> None:
    source = read(SourceText("uv.toml", "[[index\n"))
    assert source.indexes == ()
    assert source.problems
