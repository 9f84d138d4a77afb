"""What an installer would pick on a day, from records made for these tests."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import pytest

from mlenv.knowledge import Knowledge
from mlenv.knowledge.releases import Releases, versions_of
from mlenv.model.finding import Certainty
from mlenv.model.target import Target
from mlenv.model.text import SourceText, Span
from mlenv.project.load import load_project
from mlenv.reasoning.contradiction import contradictions
from mlenv.reasoning.setting import Setting
from mlenv.reasoning.settings import settings_of
from mlenv.reasoning.verdict import judge

RELEASES = """
[releases]
core = '''
@ >=3.8 any
1.0 2023-01-10
1.1 2023-06-10
@ >=3.10 any
2.0 2024-06-16
2.1 2025-01-10 yanked
2.2 2026-02-01
'''
plugin = '''
@ >=3.8 linux_x86_64=3.8-3.11/2.17 win_amd64=3.8-3.11
0.1 2023-02-01
0.2 2023-07-01
@ >=3.9 linux_x86_64=3.9-3.13/2.28 sdist
0.3 2024-08-01
'''
middle = '''
@ * any
5.0 2023-03-01
6.0 2025-03-01
'''
"""
REQUIRES = """
[requires]
core = '''
1.0
'''
plugin = '''
0.1
 core<2
0.2
 core
 middle>=6 ; extra == "more"
0.3
 core>=2
'''
middle = '''
5.0
 core<1.1
6.0
 core>=2.2 ; python_version >= "3.11"
'''
"""


class Records(Knowledge):
    """Knowledge whose releases are those above."""

    @cached_property
    def releases(self) -> Releases:
        return Releases({"releases": RELEASES, "requires": REQUIRES}.__getitem__)


def setting(folder: Path, text: str, day: str = "2026-11-20", python: str = "3.11") -> Setting:
    """Return the installation of a requirements file on a Python; empty where none is stated."""
    (folder / "requirements.txt").write_text(text)
    project = load_project((str(folder / "requirements.txt"),))
    stated = (machine(python),) if python else ()
    (found,) = settings_of(project, stated, Records(), day)
    return found


def machine(python: str) -> Target:
    text = SourceText("machine.toml", f'python = "{python}"')
    return Target("machine", Span(text, 0, len(text.text)), python=python)


def picks(found: Setting) -> dict[str, str]:
    return {name: str(one.version) for name, one in found.resolution.picks.items()}


@pytest.mark.parametrize(
    ("text", "day", "python", "expected"),
    [
        ("core\n", "2026-11-20", "3.14", {"core": "2.2"}),
        ("core\n", "2024-12-01", "3.12", {"core": "2.0"}),
        ("core\n", "2024-01-01", "3.11", {"core": "1.1"}),
        ("core<2\nplugin\n", "2026-11-20", "3.11", {"core": "1.1", "plugin": "0.2"}),
        ("plugin==0.1\n", "2026-11-20", "3.11", {"plugin": "0.1", "core": "1.1"}),
        ("plugin==0.1\ncore\n", "2026-11-20", "3.11", {"plugin": "0.1", "core": "1.1"}),
        ("plugin==0.2\ncore\n", "2026-11-20", "3.11", {"plugin": "0.2", "core": "2.2"}),
        ("middle==5.0\nplugin\n", "2026-11-20", "3.11", {"middle": "5.0", "plugin": "0.2"}),
        (
            "plugin[more]==0.2\n",
            "2026-11-20",
            "3.11",
            {"plugin": "0.2", "core": "2.2", "middle": "6.0"},
        ),
    ],
)
def test_the_newest_release_that_fits_is_picked(
    tmp_path: Path, text: str, day: str, python: str, expected: dict[str, str]
) -> None:
    found = setting(tmp_path, text, day, python="")
    assert found.python.name == python
    assert not found.python.stated
    assert {name: picks(found)[name] for name in expected} == expected


def test_what_is_brought_along_knows_its_chain(tmp_path: Path) -> None:
    found = setting(tmp_path, "plugin[more]==0.2\n")
    assert found.resolution.picks["middle"].chain == ("plugin",)
    assert found.place_of("middle") == found.choices["plugin"].span


def test_a_withdrawn_release_is_picked_only_where_it_is_pinned(tmp_path: Path) -> None:
    assert picks(setting(tmp_path, "core<2.2\n", python="3.14"))["core"] == "2.0"
    assert picks(setting(tmp_path, "core==2.1\n", python="3.14"))["core"] == "2.1"


def test_a_version_beyond_the_records_is_not_guessed_at(tmp_path: Path) -> None:
    found = setting(tmp_path, "core>=9\n", python="3.14")
    assert found.domain("core") is None
    assert found.pick("core") is None
    assert judge(found, {"core": versions_of(">=2")}) is not None  # whatever it will be
    assert judge(found, {"core": versions_of("<9.5")}) is None


@pytest.mark.parametrize(
    ("text", "when", "expected"),
    [
        ("core==2.0\nplugin==0.2\n", {"core": ">=2", "plugin": "<0.3"}, Certainty.CERTAIN),
        ("core>=2\nplugin==0.2\n", {"core": ">=2", "plugin": "<0.3"}, Certainty.CERTAIN),
        ("core\nplugin==0.2\n", {"core": ">=2", "plugin": "<0.3"}, Certainty.FRESH_INSTALL),
        ("plugin==0.2\n", {"core": ">=2", "plugin": "<0.3"}, Certainty.FRESH_INSTALL),
        ("core\nplugin==0.2\n", {"core": "<2", "plugin": "<0.3"}, Certainty.POSSIBLE),
        ("core\nplugin==0.1\n", {"core": ">=2", "plugin": "<0.3"}, None),
        ("plugin==0.1\n", {"core": ">=2", "plugin": "<0.3"}, None),
        ("core==1.0\n", {"core": ">=2"}, None),
        ("core\n", {"core": ">=2", "plugin": "<0.3"}, None),
    ],
)
def test_a_verdict_tells_always_from_today_from_perhaps(
    tmp_path: Path, text: str, when: dict[str, str], expected: Certainty | None
) -> None:
    found = setting(tmp_path, text) if "plugin" in text else setting(tmp_path, text, python="3.14")
    verdict = judge(found, {name: versions_of(one) for name, one in when.items()})
    assert (verdict.certainty if verdict else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plugin==0.1\ncore==2.0\n", [("plugin", "core")]),
        ("plugin==0.1\ncore>=2\n", [("plugin", "core")]),
        ("plugin<0.2\ncore>=2\n", [("plugin", "core")]),
        ("plugin\ncore>=2\n", []),
        ("plugin==0.2\ncore==2.0\n", []),
        ("plugin[more]==0.2\ncore==2.0\n", [("plugin", "core")]),
        ("plugin==0.1\ncore>=1\n", []),
    ],
)
def test_a_contradiction_is_found_with_its_chain(
    tmp_path: Path, text: str, expected: list[tuple[str, str]]
) -> None:
    found = [one.names for one in contradictions(setting(tmp_path, text))]
    assert found == expected


def test_a_chain_leads_through_what_is_not_declared(tmp_path: Path) -> None:
    (found,) = contradictions(setting(tmp_path, "plugin[more]==0.2\ncore==2.0\n"))
    assert [(link.name, link.required) for link in found.links] == [
        ("plugin", "middle"),
        ("middle", "core"),
    ]


def test_two_pins_that_contradict_each_other_do_not_hide_the_rest(tmp_path: Path) -> None:
    found = picks(setting(tmp_path, "plugin==0.1\ncore==2.2\nmiddle\n"))
    assert found == {"plugin": "0.1", "core": "2.2", "middle": "6.0"}
