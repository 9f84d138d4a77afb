"""A team's own facts: what they may say, what is refused, and what they change in an audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlenv.errors import ConfigError
from mlenv.knowledge import Knowledge
from mlenv.knowledge.extra import read_extra
from mlenv.model.finding import Severity
from mlenv.versions.version import parse_version


def facts(folder: Path, text: str) -> Knowledge:
    (folder / "facts.toml").write_text(text)
    return Knowledge(read_extra(("facts.toml",), str(folder)))


def test_an_in_house_package_gets_releases_and_requirements(tmp_path: Path) -> None:
    known = facts(
        tmp_path,
        "[releases]\nIn_House = '''\n@ >=3.9 any\n1.0 2025-01-01\n1.1 2026-01-01\n'''\n"
        "[requires]\nin-house = '''\n1.0\n numpy<2\n'''\n",
    )
    assert [str(one.version) for one in known.releases.of("in-house")] == ["1.0", "1.1"]
    version = parse_version("1.1")
    assert version is not None
    (required,) = known.releases.requires("in-house", version) or ()
    assert (required.name, required.text) == ("numpy", "<2")


def test_what_a_team_says_of_a_public_package_goes_before_the_records(tmp_path: Path) -> None:
    known = facts(tmp_path, "[releases]\nnumpy = '''\n@ >=3.9 any\n1.0 2025-01-01\n'''\n")
    assert [str(one.version) for one in known.releases.of("numpy")] == ["1.0"]


def test_a_pair_of_the_team_is_a_record_like_any_other(tmp_path: Path) -> None:
    known = facts(
        tmp_path,
        "[[breaks]]\nid = 'ours'\nwhen = { In_House = '<2', numpy = '>=2' }\nseverity = 'warning'\n"
        "effect = 'in-house was built for NumPy 1'\nfix = ['numpy<2', 'in-house>=2']\n",
    )
    (found,) = known.breaks.within({"in-house", "numpy", "rich"}, ("cohorts",))
    assert (found.id, found.severity, set(found.when)) == (
        "ours",
        Severity.WARNING,
        {"in-house", "numpy"},
    )
    assert found.evidence.source == "facts.toml"


def test_a_pair_of_the_team_may_be_bounded_as_those_of_mlenv_are(tmp_path: Path) -> None:
    known = facts(
        tmp_path,
        "[[breaks]]\nid = 'ours'\nwhen = { in-house = '<2' }\neffect = 'it fails'\nfix = []\n"
        "unless = { In_House_Shim = '>=1' }\nsince = '2026-02-01'\nbuilds = true\n"
        "channels = ['conda-forge']\nlatest = { In_House = '' }\n",
    )
    (found,) = known.breaks.within({"in-house"}, ("cohorts",))
    assert {name: one.text for name, one in found.unless.items()} == {"in-house-shim": ">=1"}
    assert (found.since, found.builds) == ("2026-02-01", True)
    assert found.channels == ("conda-forge",)
    assert found.latest == {"in-house": ""}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[forbid]]\npackage = 'x'\n", "unknown key 'forbid'"),
        ("[[forbidden]]\nversions = '<2'\n", "needs 'package'"),
        ("[[forbidden]]\npackage = 'x'\nversions = 'old'\n", "'old' is no version specifier"),
        ("[[forbidden]]\npackage = 1\n", "'package' must be a string"),
        ("[forbidden]\npackage = 'x'\n", "must be tables"),
        ("[[breaks]]\nid = 'x'\n", "needs 'when'"),
        (
            "[[breaks]]\nid = 'x'\nwhen = { a = 1 }\neffect = 'e'\nfix = []\n",
            "'when' must be a table of texts",
        ),
        (
            "[[breaks]]\nid = 'x'\nwhen = { a = '<2' }\neffect = 'e'\nfix = []\ntopic = 'pins'\n",
            "'topic' is one of",
        ),
        (
            "[[breaks]]\nid = 'x'\nwhen = { a = '<2' }\neffect = 'e'\nfix = []\nsince = 'May'\n",
            "'since' and 'latest' take days",
        ),
        (
            "[[breaks]]\nid = 'x'\nwhen.a = '<2'\neffect = 'e'\nfix = []\nunless.b = 'new'\n",
            "'new' is no version specifier",
        ),
        (
            "[[breaks]]\nid = 'x'\nwhen = { a = '<2' }\neffect = 'e'\nfix = []\nchannels = 'x'\n",
            "'channels' must be a list of strings",
        ),
        (
            "[[breaks]]\nid = 'x'\nwhen = { a = '<2' }\neffect = 'e'\nfix = []\nbuilds = 'x'\n",
            "'builds' must be true or false",
        ),
        ("[releases]\nx = 1\n", "must be a table of texts"),
        ("[releases\n", "is no TOML"),
        ("[releases]\nx = '''\n@ * linux_x86_64=3.x\n'''\n", "releases.x: not understood"),
        ("[releases]\nx = '''\n@ * win=3.0-3.999999999\n'''\n", "not understood: '@ * win"),
        ("[releases]\nx = '''\n1.0 yesterday\n'''\n", "not understood: '1.0 yesterday'"),
        ("[requires]\nx = '''\n1.0\n ;numpy\n'''\n", "not understood: ' ;numpy'"),
        *(
            (f"[[breaks]]\nid = 'x'\nwhen = {{ a = '<2' }}\neffect = 'e'\n{line}\n", why)
            for line, why in (
                ("fix = [1]", "'fix' must be a list of strings"),
                ("fix = []\nsystems = 1", "'systems' must be a list of strings"),
                ("fix = []\nwithout = [1]", "'without' must be a list of strings"),
                ("fix = []\npython = ['x']", "'python' must be a string"),
                ("fix = []\npython = 'new'", "'new' is no version specifier"),
                ("fix = []\nerror = 1", "'error' must be a string"),
            )
        ),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match="extra-facts") as raised:
        facts(tmp_path, text)
    assert why in str(raised.value)


def test_a_file_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text("password = 1\n")
    inner = tmp_path / "repo"
    inner.mkdir()
    (inner / "link.toml").symlink_to(tmp_path / "secret.toml")
    for path in ("../secret.toml", str(tmp_path / "secret.toml"), "link.toml"):
        with pytest.raises(ConfigError, match="leads out"):
            read_extra((path,), str(inner))
    with pytest.raises(ConfigError, match="there is no file"):
        read_extra(("missing.toml",), str(inner))


def test_a_name_that_no_system_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        read_extra(("a\0b.toml",), str(tmp_path))
