"""Names of distributions are compared as PEP 503 has it."""

from __future__ import annotations

import re
import sys

from hypothesis import example, given
from hypothesis import strategies as st

from mlenv.model.requirement import canonical_name


def by_the_text_of_the_pep(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@given(st.text(alphabet="aZ9-_. İẞ\u0307\uff0e\n") | st.text())
@example("-._" * 5_000)
@example("__init__.py--")
def test_names_are_compared_as_the_pep_says(name: str) -> None:
    assert canonical_name(name) == by_the_text_of_the_pep(name)
    assert canonical_name(canonical_name(name)) == by_the_text_of_the_pep(canonical_name(name))


def test_no_sign_of_any_script_becomes_a_separator() -> None:
    name = "x".join(map(chr, range(sys.maxunicode + 1)))
    assert canonical_name(name) == by_the_text_of_the_pep(name)
