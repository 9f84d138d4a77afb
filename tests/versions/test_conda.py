"""conda's version specifications: what they admit, what stays exact, and what conda refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlenv.versions.conda import CondaVersionError, conda_versions, parse_conda_versions
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import ANY

releases = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(
    lambda parts: ".".join(map(str, parts))
)
operators = st.sampled_from(["", "=", "==", "!=", "<=", ">=", "<", ">"])
terms = st.tuples(operators, releases).map("".join)
junk = st.text(alphabet="0123456789.*=<>!~|,()^$ abqr+_-", max_size=30)


def version(text: str) -> Version:
    found = parse_version(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "pep440"),
    [
        ("1.2", "==1.2"),
        ("==1.2", "==1.2"),
        ("=1.2", "==1.2.*"),
        ("= 1.2", "==1.2.*"),
        ("1.2.*", "==1.2.*"),
        ("1.2*", "==1.2.*"),
        ("=1.2.*", "==1.2.*"),
        ("==1.2.*", "==1.2.*"),
        (">=1.5.*", ">=1.5"),
        ("<2.*", "<2"),
        ("!=1.2.*", "!=1.2.*"),
        ("~=1.2.3", "~=1.2.3"),
        (">=1.2,<2", "<2,>=1.2"),
        ("==26.10.*,>=0.0.0a0", "==26.10.*,>=0.0.0a0"),
        (">=0.0.0a0,==26.10.*", "==26.10.*,>=0.0.0a0"),
        ("=3.13.0rc1", "==3.13.0rc1"),
        ("1!164.3095", "==1!164.3095"),
        ("*", ""),
        ("", ""),
        ("1.2|1.3", "==1.2 || ==1.3"),
    ],
)
def test_what_pep_440_can_say_is_said_in_it(text: str, pep440: str) -> None:
    found = parse_conda_versions(text.replace(" ", ""))
    assert found.text == pep440
    assert found.understood


def test_a_lone_equals_sign_is_exact_where_a_build_follows() -> None:
    assert conda_versions("=1.2", exact=True).text == "==1.2"
    assert conda_versions("=1.2.*", exact=True).text == "==1.2.*"
    assert conda_versions("=1.2,<3", exact=True).text == "<3,==1.2.*"


@pytest.mark.parametrize(
    "text", ["9e", "1.1.1q", "2023c", "2021a", "1.1build1", "2_6_7", "=1.1.1q", "==9e"]
)
def test_a_pin_that_pep_440_cannot_say_is_still_a_pin(text: str) -> None:
    found = parse_conda_versions(text)
    assert found.exact_text == text.lstrip("=")
    assert found.has_upper_bound
    assert not found.is_any
    assert not found.admits(version("1.1.1"), prereleases=True)


def test_two_such_pins_contradict_each_other_and_either_of_them_does_not() -> None:
    assert not conda_versions("9d").intersects(conda_versions("9e"))
    either = conda_versions("9d|9e")
    assert not either.is_any
    assert either.intersects(conda_versions("9f"))


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("<2", "2.0a1", "2.0"),
        (">1.0", "1.0.post1", "1.0"),
        ("<=1.2", "1.2", "1.2.post1"),
        ("(1.2|1.3),!=1.3.0", "1.2", "1.3"),
        ("1.2|>=3,<4", "3.5", "2.0"),
        ("=1", "1.9", "10"),
        (">=1.2|<1", "0.9", "1.1"),
    ],
)
def test_intervals_have_condas_meaning(text: str, inside: str, outside: str) -> None:
    found = parse_conda_versions(text)
    assert found.admits(version(inside), prereleases=True)
    assert not found.admits(version(outside), prereleases=True)


@pytest.mark.parametrize("text", ["^1.[0-9]$", "1.*.2", "!=1.2*", ">=1.1.1q", "~=1"])
def test_patterns_are_not_understood_and_admit_anything(text: str) -> None:
    found = parse_conda_versions(text)
    assert not found.understood
    assert found.admits(version("7"))
    assert not found.is_any


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (">=", "no version follows >="),
        ("=>1.2", "=> is no operator"),
        ("1.2,", "a version is missing at the end"),
        (",1.2", "a version is missing before ,"),
        ("1..2", "1..2 has an empty part"),
        ("1.2<2", "1.2<2 is no version"),
        ("(1.2", "a bracket is not closed"),
        ("(1)2", "2 stands where a comma or a bar belongs"),
        ("^1.2", "a pattern begins with ^ and ends with $"),
        ("~=1.2.*", "~= takes no wildcard"),
        ("(" * 60 + "1", "brackets nest too deeply"),
    ],
)
def test_what_conda_refuses_is_told_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(CondaVersionError) as caught:
        parse_conda_versions(text)
    assert str(caught.value) == reason
    assert not conda_versions(text).understood


def test_very_long_texts_are_left_alone() -> None:
    found = conda_versions("|".join(["1.2"] * 5000))
    assert not found.understood


@given(junk)
def test_nothing_makes_it_fail(text: str) -> None:
    for exact in (False, True):
        found = conda_versions(text, exact=exact)
        assert found.is_any == (found.understood and not found.text)
        found.admits(version("1.2"))


@given(st.lists(terms, min_size=1, max_size=3), releases)
def test_a_comma_means_all_and_a_bar_means_any(parts: list[str], candidate: str) -> None:
    admitted = [lone(part).admits(version(candidate), prereleases=True) for part in parts]
    every = parse_conda_versions(",".join(parts))
    some = parse_conda_versions("|".join(parts))
    assert every.admits(version(candidate), prereleases=True) == all(admitted)
    assert some.admits(version(candidate), prereleases=True) == any(admitted)


@given(releases, releases)
def test_operators_part_the_versions_between_them(bound: str, candidate: str) -> None:
    held = [
        operator
        for operator in ("<", "==", ">")
        if lone(operator + bound).admits(version(candidate), prereleases=True)
    ]
    assert len(held) == 1
    for pair in (("<", ">="), (">", "<="), ("==", "!=")):
        both = [lone(o + bound).admits(version(candidate), prereleases=True) for o in pair]
        assert sorted(both) == [False, True]


def lone(text: str):  # type: ignore[no-untyped-def]
    found = parse_conda_versions(text)
    assert found is ANY or found.understood
    return found
