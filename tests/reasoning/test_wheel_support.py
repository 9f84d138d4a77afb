"""Which files of a release an interpreter can use."""

from __future__ import annotations

import pytest

from mlenv.knowledge import Knowledge
from mlenv.knowledge.releases import Releases
from mlenv.reasoning.wheel_support import (
    EXCLUDED,
    NOTHING,
    SOURCE,
    WHEEL,
    minors_text,
    platform_text,
    release_like,
    served,
    support,
    wheel_minors,
)
from mlenv.versions.version import Version, parse_version

TEXT = """[releases]
thing = '''
@ * any sdist unknown
0.1.0 2018-01-01
@ >=3.7 linux_x86_64=3.7-3.9/2.17 win_amd64=3.7-3.9
1.0.0 2021-01-01
1.0.4 2021-03-01
@ >=3.9 sdist linux_x86_64=3.9-3.11/2.28
2.0.0 2023-01-01
'''
"""
RELEASES = Releases(lambda _: TEXT).of("thing")


def version(text: str) -> Version:
    found = parse_version(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("release", "python", "platform", "state"),
    [
        (1, "3.8", "linux_x86_64", WHEEL),
        (1, "3.10", "linux_x86_64", NOTHING),
        (1, "3.6", "linux_x86_64", EXCLUDED),
        (1, "3.8", "macos_arm64", NOTHING),
        (1, "3.8", "", WHEEL),
        (3, "3.12", "linux_x86_64", SOURCE),
        (3, "3.10.4", "linux_x86_64", WHEEL),
    ],
)
def test_support(release: int, python: str, platform: str, state: str) -> None:
    assert support(RELEASES[release], version(python), platform) == state


def test_served_leaves_out_what_was_not_read_and_what_came_later() -> None:
    found = served(RELEASES, version("3.9"), "linux_x86_64", "2022-01-01")
    assert [str(one) for one in found] == ["1.0.0", "1.0.4"]


def test_a_release_between_two_that_are_alike() -> None:
    found = release_like(RELEASES, version("1.0.2+cu111"))
    assert found is not None
    assert str(found.version) == "1.0.2"
    assert wheel_minors(found, "linux_x86_64") == (7, 8, 9)


@pytest.mark.parametrize("text", ["0.9", "1.0.5", "1.5.0", "3.0"])
def test_of_other_releases_nothing_is_known(text: str) -> None:
    assert release_like(RELEASES, version(text)) is None


def test_texts() -> None:
    assert minors_text((6, 7, 8, 10)) == "3.6 to 3.8, 3.10"
    assert minors_text(range(9, 17)) == "3.9 and later"
    assert platform_text("win_amd64") == "Windows (x86_64)"


def test_torch_on_record_has_wheels_for_the_pythons_of_its_time() -> None:
    release = Knowledge().releases.find("torch", version("1.9.1"))
    assert release is not None
    assert wheel_minors(release, "linux_x86_64") == (6, 7, 8, 9)
