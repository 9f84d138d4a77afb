"""Poetry's constraints: the conversions that its documentation lists, and an oracle of tuples."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlenv.versions.poetry import poetry_clauses, poetry_versions
from mlenv.versions.version import parse_version

Release = tuple[int, ...]

releases = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple)
operators = st.sampled_from(["^", "~", "~=", "==", "=", "", "!=", "<", "<=", ">", ">="])
blanks = st.sampled_from(["", " "])


def dotted(release: Release) -> str:
    return ".".join(map(str, release))


def padded(release: Release) -> Release:
    return (*release, 0, 0, 0, 0)[:4]


def bumped(release: Release, place: int) -> Release:
    return padded((*release[:place], release[place] + 1))


def admitted(operator: str, bound: Release, candidate: Release) -> bool:
    """Whether a plain release satisfies one comparison, by the documentation's own words."""
    low, this = padded(bound), padded(candidate)
    if operator == "^":
        shown = bound[:3]
        nonzero = [place for place, number in enumerate(shown) if number]
        return low <= this < bumped(bound, nonzero[0] if nonzero else len(shown) - 1)
    if operator == "~":
        return low <= this < bumped(bound, 0 if len(bound) == 1 else 1)
    if operator == "~=":
        return low <= this < bumped(bound, max(len(bound) - 2, 0))
    return {
        "": this == low,
        "=": this == low,
        "==": this == low,
        "!=": this != low,
        "<": this < low,
        "<=": this <= low,
        ">": this > low,
        ">=": this >= low,
    }[operator]


terms = st.tuples(operators, releases)
alternatives = st.lists(terms, min_size=1, max_size=3)


@given(
    st.lists(alternatives, min_size=1, max_size=2),
    st.sampled_from([", ", ",", " ", " , "]),
    st.sampled_from([" || ", "||", "|"]),
    blanks,
    st.lists(releases, min_size=1, max_size=8),
)
@settings(max_examples=800)
def test_admits_what_the_documentation_says(
    choices: list[list[tuple[str, Release]]],
    comma: str,
    bar: str,
    blank: str,
    candidates: list[Release],
) -> None:
    text = bar.join(
        comma.join(op + (blank if op else "") + dotted(release) for op, release in choice)
        for choice in choices
    )
    versions = poetry_versions(text)
    assert versions.understood
    for candidate in candidates:
        version = parse_version(dotted(candidate))
        assert version is not None
        expected = any(all(admitted(op, b, candidate) for op, b in choice) for choice in choices)
        assert versions.admits(version) == expected, (text, dotted(candidate))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^1.2.3", "<2.0.0,>=1.2.3"),
        ("^2.1", "<3.0,>=2.1"),
        ("^0.2.3", "<0.3.0,>=0.2.3"),
        ("^0.0.3", "<0.0.4,>=0.0.3"),
        ("^0.0", "<0.1,>=0.0"),
        ("^0", "<1,>=0"),
        ("^0.46b0", "<0.47,>=0.46b0"),
        ("^v1.2", "<2.0,>=1.2"),
        ("^1!2.0", "<1!3.0,>=1!2.0"),
        ("^2.1.0+cu118", "<3.0.0,>=2.1.0"),
        ("~1", "<2,>=1"),
        ("~1.2", "<1.3,>=1.2"),
        ("~1.2.3", "<1.3.0,>=1.2.3"),
        ("~=1.2.3", "~=1.2.3"),
        ("1.*", "==1.*"),
        ("!=1.2.*", "!=1.2.*"),
        (">=1.2.*", ">=1.2"),
        ("1.2.3", "==1.2.3"),
        ("=1.2.3", "==1.2.3"),
        ("==2.1.0+cu118", "==2.1.0+cu118"),
        (">=1.0, !=1.5,<2", "!=1.5,<2,>=1.0"),
        (">= 1.0 <2,", "<2,>=1.0"),
        ("^1.0 || ^3.0", "<2.0,>=1.0 || <4.0,>=3.0"),
        ("*", ""),
        ("x.x", ""),
        ("^1.0 || *", ""),
    ],
)
def test_text_is_pep440_where_it_can_be_said(text: str, expected: str) -> None:
    versions = poetry_versions(text)
    assert versions.understood
    assert versions.text == expected


@pytest.mark.parametrize(
    "text", ["", "latest", "^1.2.*", ">=1<2", "===1.0", "1.0 - 2.0", "^", "{{ version }}", "1.0 ||"]
)
def test_what_is_no_constraint_is_not_understood(text: str) -> None:
    versions = poetry_versions(text)
    assert not versions.understood
    assert not versions.is_any


@given(st.text(alphabet="^~<>=!|*., 0123abx+-v", max_size=20))
def test_any_text_gives_a_set(text: str) -> None:
    versions = poetry_versions(text)
    assert not versions.understood or poetry_clauses(text) is not None
