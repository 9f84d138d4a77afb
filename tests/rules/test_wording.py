"""What findings say where that depends on more than the rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlenv.audit import audit_project
from mlenv.config import Config

_HEAD = "[project]\nname = 'x'\nversion = '1'\nrequires-python = "


@pytest.mark.parametrize(
    ("code", "name", "text", "message"),
    [
        (
            "PYV004",
            "pyproject.toml",
            f"{_HEAD}'>=3.8,<3.10'\n",
            "Python 3.9, the newest that this admits, has had no security fixes since 2025-10",
        ),
        (
            "PYV004",
            "pyproject.toml",
            f"{_HEAD}'>=3.9,<3.10'\n",
            "Python 3.9 has had no security fixes since 2025-10",
        ),
        (
            "PRS004",
            "requirements.txt",
            "pip install a\npip install b\npip install c\npip install d\n",
            "installers cannot read 4 lines of this file: this is a command, not a requirement",
        ),
        (
            "PRS004",
            "requirements.txt",
            "pip install a\nStep one: drink tea!\nb>=1.*\nc==2.\n",
            "the file holds mostly text that is no requirement: 4 of its lines",
        ),
    ],
)
def test_the_message_says_what_is_there(
    tmp_path: Path, code: str, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    report = audit_project((str(tmp_path),), Config(select=(code,)), today="2026-11-20")
    assert [finding.message for finding in report.findings] == [message]
