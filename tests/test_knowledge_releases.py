"""The records of releases and of what they require: their form, and that they fit each other."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import tomli
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mlenv.knowledge import KNOWLEDGE_DATE, Knowledge
from mlenv.knowledge.releases import Releases
from mlenv.model.requirement import canonical_name

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "src" / "mlenv" / "knowledge"
LARGEST = 1_100_000

RELEASES = tomli.loads((FOLDER / "releases.toml").read_text("utf-8"))
REQUIRES = tomli.loads((FOLDER / "requires.toml").read_text("utf-8"))
NAMES = sorted(RELEASES["releases"])
KNOWN = Knowledge().releases

WHEELS = re.compile(
    r"(linux_x86_64|linux_aarch64|macos_arm64|macos_x86_64|win_amd64)="
    r"(3\.\d+(-3\.\d+)?)?(,3\.\d+(-3\.\d+)?)*(,?3\.\d+\+)?(/\d+\.\d+)?"
)
REQUIREMENT = re.compile(r"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?([^; ]*)(?: ; (.+))?")


def entries(name: str) -> list[tuple[str, list[str]]]:
    """The lines of requires.toml that hold a version, each with those below it."""
    found: list[tuple[str, list[str]]] = []
    for line in REQUIRES["requires"][name].splitlines():
        if line.startswith(" "):
            found[-1][1].append(line[1:])
        else:
            found.append((line, []))
    return found


def versions(name: str) -> list[Version]:
    return [
        Version(line.split()[0])
        for line in RELEASES["releases"][name].splitlines()
        if not line.startswith("@")
    ]


def test_files_are_of_one_day_and_not_too_large() -> None:
    texts = [FOLDER / "releases.toml", FOLDER / "requires.toml"]
    assert {RELEASES["meta"]["date"], REQUIRES["meta"]["date"]} == {KNOWLEDGE_DATE}
    assert sum(path.stat().st_size for path in texts) < LARGEST
    assert sorted(REQUIRES["requires"]) == NAMES
    assert sorted(tomli.loads((ROOT / "scripts/derivation/covered.toml").read_text())["names"]) == (
        NAMES
    )
    assert len(NAMES) >= 260


@pytest.mark.parametrize("name", NAMES)
def test_releases_have_the_form_and_the_order(name: str) -> None:
    assert name == canonical_name(name)
    lines = RELEASES["releases"][name].splitlines()
    assert lines[0].startswith("@ ")
    for line in lines:
        first, *rest = line.split(" ")
        if first == "@":
            python, *words = rest
            SpecifierSet("" if python == "*" else python)
            platforms = [word for word in words if "=" in word]
            assert all(WHEELS.fullmatch(word) for word in platforms), line
            assert {*words} - {*platforms} <= {"any", "sdist", "unknown"}, line
            assert len({word.partition("=")[0] for word in words}) == len(words), line
        else:
            day, *flags = rest
            assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", day), line
            assert day <= KNOWLEDGE_DATE, line
            assert flags in ([], ["yanked"], ["about"]), line
    found = versions(name)
    assert all(one < other for one, other in pairwise(found))
    assert all(str(one) == line.split()[0] for one, line in zip(found, plain(lines), strict=True))


def plain(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("@")]


def test_headers_differ_from_the_one_before() -> None:
    for name in NAMES:
        headers = [line for line in RELEASES["releases"][name].splitlines() if line[0] == "@"]
        assert all(one != other for one, other in pairwise(headers)), name


@pytest.mark.parametrize("name", NAMES)
def test_requirements_have_the_form_and_name_what_is_on_record(name: str) -> None:
    released = versions(name)
    found = []
    for line, requirements in entries(name):
        version, *unknown = line.split(" ")
        assert unknown in ([], ["?"]), line
        assert not (unknown and requirements), line
        assert Version(version) in released, line
        found.append(Version(version))
        assert requirements == sorted(set(requirements)), line
        for text in requirements:
            match = REQUIREMENT.fullmatch(text)
            assert match is not None, text
            assert match[1] in RELEASES["releases"], text
            assert str(SpecifierSet(match[2])) == match[2], text
            assert not match[3] or str(Marker(match[3])) == match[3], text
    assert found == sorted(found)
    assert found[:1] == released[:1]


@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_is_met_by_a_release_on_record(name: str) -> None:
    """Else the lack of a release would be taken for a conflict.

    Some releases pin what never was on PyPI, such as jaxlib's builds for TPUs, or name it in an
    extra.
    """
    unmet = [
        (line, text)
        for line, requirements in entries(name)
        for text in requirements
        if (match := REQUIREMENT.fullmatch(text))
        and not match[2].startswith("==")
        and "extra ==" not in (match[3] or "")
        and not met(match[1], match[2])
    ]
    assert unmet == []


def met(name: str, specifier: str) -> bool:
    admitted = SpecifierSet(specifier)
    return any(admitted.contains(one, prereleases=True) for one in versions(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_reader_finds_all(name: str) -> None:
    assert [str(one.version) for one in KNOWN.of(name)] == [*map(str, versions(name))]
    last = KNOWN.of(name)[-1]
    known = entries(name)[-1]
    found = KNOWN.requires(name, last.version)
    assert (found is None) == known[0].endswith(" ?")
    assert len(found or ()) == len(known[1])
    assert all(one.name and one.versions.understood for one in found or ())


@pytest.mark.parametrize(
    ("name", "version", "day", "minors", "glibc"),
    [
        ("torch", "2.1.0", "2023-10-04", (8, 9, 10, 11), "2.5"),
        ("torch", "2.15.0", "2026-10-28", (11, 12, 13, 14, 15), "2.28"),
        ("numpy", "1.26.4", "2024-02-05", (9, 10, 11, 12), "2.17"),
    ],
)
def test_releases_known_to_all(
    name: str, version: str, day: str, minors: tuple[int, ...], glibc: str
) -> None:
    release = next(one for one in KNOWN.of(name) if str(one.version) == version)
    assert release.date == day
    assert release.files.platforms["linux_x86_64"].minors == minors
    assert release.files.platforms["linux_x86_64"].glibc == glibc


@pytest.mark.parametrize(
    ("name", "version", "text"),
    [
        ("torchvision", "0.16.0", "torch==2.1.0"),
        ("langchain", "0.2.17", "langchain-core<0.3.0,>=0.2.43"),
        ("transformers", "4.35.2", "tokenizers<0.19,>=0.14"),
        ("vllm", "0.33.0", "torch==2.14.0"),
        ("scipy", "1.10.1", "numpy<1.27.0,>=1.19.5"),
        ("tensorflow", "2.15.1", "keras<2.16,>=2.15.0"),
    ],
)
def test_requirements_known_to_all(name: str, version: str, text: str) -> None:
    release = next(one for one in KNOWN.of(name) if str(one.version) == version)
    found = KNOWN.requires(name, release.version)
    assert text in {f"{one.name}{one.text}" for one in found or ()}


def test_the_newest_come_first_with_the_files_of_their_own_heading() -> None:
    of_1 = "@ * any\n1.0 2020-01-01\n1.1 2020-02-01 yanked\n"
    of_2 = "@ * sdist\n2.0 2021-01-01\n"
    known = Releases(lambda _: f"[releases]\nthing = '''\n{of_1}{of_2}'''\n")
    unread = [*known.newest_first("thing")]
    assert [(str(one.version), one.yanked, one.files.is_pure) for one in unread] == [
        ("2.0", False, False),
        ("1.1", True, True),
        ("1.0", False, True),
    ]
    assert known.of("thing") == (*known.newest_first("thing"),)[::-1]
    assert known.knows("thing")
    assert not known.knows("another")
