"""mlenv against manifests of real repositories, where a corpus of them lies beside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from mlenv.audit import audit_project
from mlenv.config import Config
from mlenv.project.load import load_project

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"
REPOS = sorted(path for path in CORPUS.iterdir() if path.is_dir()) if CORPUS.is_dir() else []

pytestmark = pytest.mark.skipif(
    not REPOS, reason="no corpus of real manifests lies beside this checkout"
)


@pytest.mark.parametrize("repo", REPOS, ids=lambda path: str(path.name))
def test_a_real_repository_is_read_whole(repo: Path) -> None:
    report = audit_project((str(repo),), Config(), today="2026-11-20")
    assert report.files or report.skipped
    for finding in report.findings:
        assert finding.span is not None
        assert 0 <= finding.span.start <= finding.span.end <= len(finding.span.source.text)
    for source in load_project((str(repo),)).sources.values():
        for requirement in source.requirements:
            assert requirement.span.text.strip()
            if requirement.name_span is not None:
                assert requirement.name_span.text == requirement.written


def test_the_model_agrees_with_the_reference_parses() -> None:
    script = sysconfig.get_path("scripts")
    mlenv = shutil.which("mlenv", path=f"{script}{os.pathsep}{os.environ.get('PATH', '')}")
    assert mlenv is not None
    done = subprocess.run(
        [
            sys.executable,
            str(CORPUS / "compare.py"),
            str(CORPUS),
            str(CORPUS / "reference.json"),
            mlenv,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_file_that_a_reference_parser_reads_is_passed_over_in_silence() -> None:
    project = load_project((str(CORPUS),))
    named = {*project.sources, *(unread.path for unread in project.unread)}
    reference = json.loads((CORPUS / "reference.json").read_text("utf-8"))["files"]
    silent = [
        path
        for path in reference
        if (CORPUS / path).is_file() and not any(_covers(one, path) for one in named)
    ]
    assert not silent


def _covers(named: str, path: str) -> bool:
    return path == named or path.startswith(f"{named}/")
