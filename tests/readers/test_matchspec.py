"""Match specifications: the parts, where they stand, and what conda refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlenv.model.requirement import Requirement
from mlenv.model.text import Fragment, SourceText
from mlenv.project.matchspec import read_match_spec
from mlenv.project.pep508 import Refusal


def read(text: str) -> Requirement | Refusal:
    source = SourceText("environment.yml", f"  - {text}\n")
    return read_match_spec(Fragment.of(source, 4, 4 + len(text)))


def accepted(text: str) -> Requirement:
    found = read(text)
    assert isinstance(found, Requirement), found
    return found


@pytest.mark.parametrize(
    ("text", "name", "versions", "build", "channel"),
    [
        ("scipy", "scipy", "", "", ""),
        ("SciPy", "scipy", "", "", ""),
        ("scipy=1.9", "scipy", "==1.9.*", "", ""),
        ("scipy==1.9", "scipy", "==1.9", "", ""),
        ("scipy =1.9", "scipy", "==1.9.*", "", ""),
        ("scipy 1.9", "scipy", "==1.9", "", ""),
        ("scipy 1.9.*", "scipy", "==1.9.*", "", ""),
        ("scipy 1.9.* py310_0", "scipy", "==1.9.*", "py310_0", ""),
        ("scipy=1.9=py310_0", "scipy", "==1.9", "py310_0", ""),
        ("pytorch=2.1.0=py3.10_cuda11.8*", "pytorch", "==2.1.0", "py3.10_cuda11.8*", ""),
        ("pytorch>=2.7.0=cuda12*", "pytorch", ">=2.7.0", "cuda12*", ""),
        ("scipy>=1.9,<2", "scipy", "<2,>=1.9", "", ""),
        ("scipy >= 1.9 , < 2 py310", "scipy", "<2,>=1.9", "py310", ""),
        ("scipy >=  1.9", "scipy", ">=1.9", "", ""),
        ("scipy>=1.5.*", "scipy", ">=1.5", "", ""),
        ("blas * openblas", "blas", "", "openblas", ""),
        ("blas=*=openblas", "blas", "", "openblas", ""),
        ("jpeg=9e", "jpeg", "===9e", "", ""),
        ("scipy=", "scipy", "", "", ""),
        ("pytorch::torchvision", "torchvision", "", "", "pytorch"),
        ("nvidia/label/cuda-11.8.0::cuda", "cuda", "", "", "nvidia/label/cuda-11.8.0"),
        ("conda-forge/linux-64::cupy", "cupy", "", "", "conda-forge"),
        ("https://conda.example/main::flask", "flask", "", "", "https://conda.example/main"),
        ("https://10.0.0.1:443/c::flask=1", "flask", "==1.*", "", "https://10.0.0.1:443/c"),
        ("a[version='>=1.2',build=*cuda*,channel=x]", "a", ">=1.2", "*cuda*", "x"),
        ("a=1[version='>=1.2,<2' build='b']", "a", "<2,>=1.2", "b", ""),
        ("a[version=1.2.*]", "a", "==1.2.*", "", ""),
        ("a (optional)", "a", "", "", ""),
        ("a (>=1|<0.5),!=2", "a", "(>=1|<0.5),!=2", "", ""),
        ("a >=1 # why", "a", ">=1", "", ""),
        ("a >=1 if python <3", "a", ">=1", "", ""),
        ("__cuda>=11", "__cuda", ">=11", "", ""),
        ("lib*=1.0", "lib*", "==1.0.*", "", ""),
    ],
)
def test_the_parts(text: str, name: str, versions: str, build: str, channel: str) -> None:
    found = accepted(text)
    assert (found.name, found.versions.text, found.build, found.channel) == (
        name,
        versions,
        build,
        channel,
    )
    assert found.name_span is not None
    assert found.name_span.text == found.written


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("scipy=1.9=py310_0", "=1.9"),
        ("scipy >=1.9, <2 py310", ">=1.9, <2"),
        ("conda-forge::scipy  1.9.*", "1.9.*"),
        ("scipy[version='>=1.2',build=x]", ">=1.2"),
        ("scipy[build=x]>=1.2", ">=1.2"),
        ("scipy", None),
    ],
)
def test_where_the_version_stands(text: str, specifier: str | None) -> None:
    span = accepted(text).specifier_span
    assert (span.text if span else None) == specifier


def test_a_package_file_is_a_direct_reference() -> None:
    url = "https://conda.example/main/linux-64/cupy-13.0-py310_0.conda"
    found = accepted(url)
    assert (found.name, found.versions.text, found.build) == ("cupy", "==13.0", "py310_0")
    assert (found.url, found.channel) == (url, "https://conda.example/main")
    local = accepted("/opt/dist/my-tool-1.2-0.tar.bz2")
    assert (local.name, local.path, local.url) == ("my-tool", "/opt/dist/my-tool-1.2-0.tar.bz2", "")


def test_extras_that_conda_passes_over_are_kept() -> None:
    assert accepted("requests[security]>=2").extras == ("security",)
    assert accepted("requests[extras=[security, socks]]").extras == ("security", "socks")


def test_fields_fill_url_and_hashes() -> None:
    found = accepted("a[url=https://conda.example/a.conda, md5=abc, sha256='def']")
    assert found.url == "https://conda.example/a.conda"
    assert found.hashes == ("sha256:def", "md5:abc")


def test_a_tracked_feature_names_no_package() -> None:
    assert accepted("mkl@").name == ""


@pytest.mark.parametrize(
    ("text", "reason", "help_", "name"),
    [
        ("a==", "no version follows ==", "state a version after ==, or drop it", "a"),
        ("a=>1.2", "=> is no operator", "write a>=1.2", "a"),
        ("a>=1.2,", "a version is missing at the end", "drop the last character: a>=1.2", "a"),
        ("A>=1<2", "1<2 is no version", "put a comma between the two bounds: A>=1,<2", "a"),
        ("a,b", "a package name cannot hold ','", "", "a"),
        ("a==1.0=py-3", "1.0=py-3 is no version", "", "a"),
        ("-r base.txt", "not a package name", "what is meant for pip goes under pip:", ""),
        (
            "git+https://e.example/x",
            "not a package name",
            "what is meant for pip goes under pip:",
            "",
        ),
        ("./tool", "not a package name", "a path to be installed by pip goes under pip:", ""),
        ("$NAME=1", "not a package name", "", ""),
        ("[build=x]", "no package name found", "", ""),
        ("thing.conda", "the file name states no name, version and build", "", ""),
        ("a [optional", "[optional is no version", "", "a"),
    ],
)
def test_what_conda_refuses(text: str, reason: str, help_: str, name: str) -> None:
    found = read(text)
    assert isinstance(found, Refusal)
    assert (found.reason, found.help, found.name) == (reason, help_, name)
    assert (found.requirement is not None) == bool(name)
    if found.requirement is not None:
        assert found.requirement.name == name
        assert not found.requirement.versions.understood


def test_an_escaped_text_has_no_spans_of_its_parts() -> None:
    source = SourceText("environment.yml", '- "sci\\x70y>=1"\n')
    found = read_match_spec(Fragment.decoded("scipy>=1", source.span(2, 15)))
    assert isinstance(found, Requirement)
    assert (found.name_span, found.specifier_span) == (None, None)


@given(st.text(alphabet="ab1.=<>!~*|,:/#@[]()'\" -_+^$", max_size=30))
def test_every_span_lies_inside_and_names_what_it_says(text: str) -> None:
    found = read(text)
    requirement = found.requirement if isinstance(found, Refusal) else found
    if requirement is None:
        return
    for span in (requirement.span, requirement.name_span, requirement.specifier_span):
        assert span is None or 0 <= span.start <= span.end <= len(span.source.text)
    if requirement.name_span is not None:
        assert requirement.name_span.text == requirement.written
