"""Requirements that the grammar takes and no program can handle: what they are is told anyway."""

from __future__ import annotations

import pytest

from mlenv.model.text import Fragment, SourceText
from mlenv.project.pep508 import Refusal, read_requirement

LONG = "9" * 4301
"""One digit more than Python turns into an integer."""


@pytest.mark.parametrize(
    "text",
    [
        f"torch<{LONG}",
        f"torch>=2,<{LONG}",
        f"torch (>=2,<2.{LONG})",
        f"torch>=2,!=1.{LONG}.*",
        f"torch>=2,~=1.{LONG}",
        f"torch>=2,==1+{LONG}",
        f"torch==1.{LONG},==1.{LONG}; python_version < '3.9'",
    ],
)
def test_numbers_too_long_for_an_integer_are_no_versions(text: str) -> None:
    found = read_requirement(Fragment.of(SourceText("requirements.txt", text), 0, len(text)))
    requirement = found.requirement if isinstance(found, Refusal) else found
    assert requirement is not None
    assert requirement.name == "torch"
    assert not requirement.versions.understood


@pytest.mark.parametrize("name", ["python_version", "python_full_version", "platform_release"])
def test_numbers_too_long_for_an_integer_may_stand_in_markers(name: str) -> None:
    text = f"torch>=2 ; {name} < '3.{LONG}'"
    found = read_requirement(Fragment.of(SourceText("requirements.txt", text), 0, len(text)))
    assert not isinstance(found, Refusal)
    assert found.name == "torch"
