"""Versions and version sets say what ``packaging`` says, on whatever PEP 440 can write."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as Reference

from mlenv.records import replace
from mlenv.versions.bounds import within
from mlenv.versions.version import parse_version
from mlenv.versions.version_set import VersionSet, exactly, pep440

numbers = st.integers(0, 3)
releases = st.lists(numbers, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
phases = st.sampled_from(["", "", "", "a1", "b0", "rc2", ".alpha", "-preview3", "_c"])
posts = st.sampled_from(["", "", "", ".post0", ".post1", "-2", "rev", "r4"])
devs = st.sampled_from(["", "", "", ".dev0", "dev1", "-dev"])
local_parts = st.sampled_from(["", "", "", "+cu118", "+CPU", "+1.2", "+cu11.8_b", "+0"])
epochs = st.sampled_from(["", "", "", "", "1!"])
versions = st.tuples(epochs, releases, phases, posts, devs, local_parts).map("".join)
operators = st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "~=", "==="])
specifiers = st.tuples(operators, versions).map("".join) | st.tuples(
    st.sampled_from(["==", "!="]), releases, st.sampled_from([".*", "a1.*"])
).map("".join)
specifier_sets = st.lists(specifiers, min_size=1, max_size=3).map(",".join)


def reference_set(text: str) -> SpecifierSet | None:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


@given(st.lists(versions, min_size=2, max_size=6))
def test_versions_sort_alike(texts: list[str]) -> None:
    ours = sorted(texts, key=lambda text: parsed(text).key)
    theirs = sorted(texts, key=Reference)
    assert ours == theirs
    assert [str(parsed(text)) for text in texts] == [str(Reference(text)) for text in texts]


@given(versions)
@example("3")
@example("1!2.10.4rc1+cu118")
def test_the_minor_line_is_the_first_two_numbers_as_written(text: str) -> None:
    assert parsed(text).minor_line == ".".join(map(str, Reference(text).release[:2]))


@given(st.text(alphabet="0123456789.!abcrdevpost+-_ *v", max_size=12))
def test_the_same_texts_are_versions(text: str) -> None:
    try:
        expected: Reference | None = Reference(text)
    except InvalidVersion:
        expected = None
    found = parse_version(text)
    assert (found is None) == (expected is None)
    assert found is None or found.is_prerelease == expected.is_prerelease  # type: ignore[union-attr]


@given(specifier_sets, versions)
@settings(max_examples=1500)
@example("<1.0.post1", "1.0.post1.dev0")
@example(">1.0.dev1", "1.0.post1")
@example("==1.0a1.*", "1.0")
@example("==1.0 .*", "1.0")
@example("<=1.0", "1.0+cu118")
@example(">1.0", "1.0+cu118")
@example("===1.0+CU118", "1.0+cu118")
def test_sets_admit_alike(specifier: str, version: str) -> None:
    expected = reference_set(specifier)
    found = pep440(specifier)
    assert (found is None) == (expected is None), specifier
    if found is None or expected is None:
        return
    # packaging keeps one of several clauses that mean the same
    assert set(found.text.split(",")) >= set(str(expected).split(","))
    assert SpecifierSet(found.text) == expected
    assert found.admits(parsed(version), prereleases=True) == expected.contains(
        version, prereleases=True
    )


@given(specifiers, versions)
def test_prereleases_count_alike(specifier: str, version: str) -> None:
    expected = reference_set(specifier)
    found = pep440(specifier)
    if found is not None and expected is not None:
        assert found.prereleases == bool(Specifier(specifier).prereleases)
        assert found.admits(parsed(version)) == expected.contains(
            version, prereleases=bool(Specifier(specifier).prereleases)
        )


@given(specifier_sets, specifier_sets, versions)
@settings(max_examples=500)
def test_set_algebra_agrees_with_membership(left: str, right: str, version: str) -> None:
    one, two = pep440(left), pep440(right)
    if one is None or two is None:
        return
    candidate = parsed(version)
    in_one = one.admits(candidate, prereleases=True)
    in_two = two.admits(candidate, prereleases=True)
    assert (one & two).admits(candidate, prereleases=True) == (in_one and in_two)
    if "===" not in left + right:
        assert (one | two).admits(candidate, prereleases=True) == (in_one or in_two)
    if in_one and in_two:
        assert one.intersects(two)
        assert not (one & two).is_empty


@given(specifier_sets)
def test_an_empty_set_admits_nothing_known(specifier: str) -> None:
    found = pep440(specifier)
    if found is not None and found.is_empty:
        assert SpecifierSet(specifier).is_unsatisfiable()


@given(specifier_sets, st.lists(versions, max_size=8))
def test_the_newest_is_the_one_an_installer_takes(specifier: str, texts: list[str]) -> None:
    found, expected = pep440(specifier), reference_set(specifier)
    if found is None or expected is None:
        return
    admitted = list(expected.filter(texts))
    newest = found.newest([parsed(text) for text in texts])
    assert (newest is None) == (not admitted)
    if newest is not None:
        assert Reference(newest.text) == max(map(Reference, admitted))


def parsed(text: str):  # type: ignore[no-untyped-def]
    version = parse_version(text)
    assert version is not None, text
    return version


def made(text: str) -> VersionSet:
    found = pep440(text)
    assert found is not None, text
    return found


@given(versions, versions)
def test_the_set_of_one_version_is_what_its_specifier_admits(text: str, other: str) -> None:
    version, another = parse_version(text), parse_version(other)
    assert version is not None
    assert another is not None
    stated, made = pep440(f"=={text}"), exactly(version)
    assert stated is not None
    assert made.intervals == stated.intervals
    assert made.exact == version
    assert made.admits(another, prereleases=True) == stated.admits(another, prereleases=True)


@given(specifier_sets, versions)
@settings(max_examples=1500)
@example("<2.0", "2.0rc1")
@example(">=1.0", "1.0+cu118")
@example("<1.0.post1", "1.0+cu118")
@example("<1.0.post1", "1.0.post1.dev0")
@example(">1.0.dev1", "1.0.post1")
@example(">1.0rc1", "1.0rc2")
@example("~=1.0.0", "1.1.dev0")
@example("~=1", "1.0")
@example("!=1.0.*", "1.0.dev0")
@example("!=1!1.*", "1.0")
@example("==1.0.0.*", "1")
@example("==1.*.*", "1.0")
@example(">=1..0", "1.0")
def test_comparisons_say_what_the_set_says(specifier: str, text: str) -> None:
    version = parsed(text)
    quick, stated = within(specifier, version), pep440(specifier)
    if quick is not None:
        assert stated is not None
        assert quick == stated.admits(version, prereleases=True)


@given(
    st.lists(st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "~="]), min_size=1, max_size=3),
    st.lists(releases, min_size=3, max_size=3),
    releases,
)
def test_plain_versions_need_no_set(found: list[str], stated: list[str], text: str) -> None:
    specifier = ",".join(
        operator + (f"{one}.0" if operator == "~=" else one)
        for operator, one in zip(found, stated, strict=False)
    )
    expected = SpecifierSet(specifier).contains(text, prereleases=True)
    assert within(specifier, parsed(text)) is expected
    assert within(f"{specifier},==1.*", parsed(text)) is (expected and parsed(text).release[0] == 1)


@given(st.text(alphabet="0123456789.+_ \u0663\n", max_size=9) | versions)
@example("1.0.0")
@example("0.0")
@example("\u0661.\u0662")
@example("1.\n2")
@example("." * 5000)
@example("1" * 5000)
def test_plain_versions_are_made_as_all_others(text: str) -> None:
    found, other = parse_version(text), parse_version(f"v{text.strip()}")
    assert (found is None) == (other is None)
    if found is not None and other is not None:
        assert repr(found) == repr(replace(other, text=found.text))
