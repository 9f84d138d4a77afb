"""The verdict on requirements is that of ``pip check``, on environments that nobody would make.

Each is written to a disk and read from it, and judged by the rules; beside them by ``packaging`` in
the way of pip's ``operations/check.py``, and by pip itself where it is installed.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import environment_of
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag, sys_tags
from packaging.utils import canonicalize_name
from packaging.version import Version

from mlenv.environment.read import read_environment
from mlenv.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlenv.model.environment import Environment
    from mlenv.model.finding import Finding

NAMES = ("a", "B_b", "c.C", "Dd-d", "e", "zope.e", "F", "g_g")
VERSIONS = (
    "1",
    "1.0",
    "2.0rc1",
    "1.0+cpu",
    "1!0.5",
    "1.1.dev3",
    "1.0.post2",
    "0.9",
    "2.3.4",
    "2.0",
)
SPECIFIERS = (
    *("", "", ">=1", ">=1.0,<2", "==1.*", "==1.0", "===1.0", "~=1.0", "!=1.0", ">1.0", "<2.0"),
    *(
        "<=1.0",
        ">=2.0",
        "==1.0+cpu",
        "!=2.*",
        ">=1!0",
        ">=1.1.dev1",
        "<1.1",
        ">2.0rc1",
        ">= 1, < 3",
    ),
)
MARKERS = (
    *("", "", "", 'python_version >= "3.8"', 'python_version < "3.10"', 'os_name == "nt"'),
    *('sys_platform == "linux"', 'sys_platform != "darwin"', 'platform_system == "Windows"'),
    *('extra == "x"', 'extra != "x"', 'extra == ""', 'python_full_version >= "3.12.4"'),
    *('python_version in "3.9, 3.10, 3.11"', 'python_version not in "3.10"'),
    *('platform_machine == "x86_64" or extra == "x"', '"3.9" <= python_version'),
    *('implementation_name == "cpython" and python_version > "3.10"', "os_name in 'posix nt'"),
    *('platform_python_implementation == "PyPy"', 'platform_machine in "x86_64 AMD64 arm64"'),
    *('(sys_platform == "win32" or os_name == "java") and extra != "y"',),
    "(sys_platform == 'linux' or sys_platform == 'win32') and extra == 'x'",
    "(sys_platform == 'linux') or (os_name == 'nt') and extra == 'x'",
    "(sys_platform == 'linux' or extra == 'x') and os_name != 'java'",
    *('implementation_version < "3.11.5"', '"linux" in sys_platform', 'python_version ~= "3.8"'),
)
FORMS = (
    "{name}{specifier}{marker}",
    "{name} ({specifier}){marker}",
    "{name}[x,y] {specifier}{marker}",
)
PYTHONS = (
    "",
    "",
    ">=3.8",
    ">=3.12",
    "<3.11",
    "!=3.11.*",
    ">=3.11.5,<4",
    "~=3.9",
    "==3.12.*",
    "<4.0",
)
TAGS = (
    *("py3-none-any", "py2.py3-none-any", "py2-none-any", "py39-none-any", "py313-none-any"),
    *("cp39-abi3-manylinux_2_17_x86_64", "cp311-cp311-manylinux1_x86_64", "cp38-cp38-win_amd64"),
    *("cp312-cp312-macosx_11_0_arm64", "cp310-cp310-linux_x86_64", "pp39-pypy39_pp73-win_amd64"),
    *("cp311-cp311-manylinux_2_5_x86_64.manylinux1_x86_64", "cp311-none-any", "cp310-none-any"),
    *("cp311-cp311-musllinux_1_2_x86_64", "cp311-cp311-manylinux_2_99_x86_64", "py3-none-win32"),
    *(
        "cp311-abi3-manylinux2014_x86_64",
        "cp313-cp313t-manylinux_2_28_x86_64",
        "py3-none-linux_x86_64",
    ),
    *("cp312-cp312-manylinux_2_28_x86_64", "cp312-abi3-manylinux2014_x86_64", "cp310-cp310-any"),
)
OPTIONAL = '; extra == "x"'


class Installed(NamedTuple):
    """A distribution as its metadata have it."""

    name: str
    version: str
    requires: tuple[str, ...]
    python: str
    tags: tuple[str, ...]


class Machine(NamedTuple):
    """A Python and its system, and what markers say of them."""

    version: str
    system: str
    machine: str

    @property
    def variables(self) -> dict[str, str]:
        """The variables of PEP 508."""
        names = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
        return {
            "implementation_name": "cpython",
            "implementation_version": self.version,
            "os_name": "nt" if self.system == "win32" else "posix",
            "platform_machine": self.machine,
            "platform_release": "",
            "platform_system": names[self.system],
            "platform_version": "",
            "python_full_version": self.version,
            "platform_python_implementation": "CPython",
            "python_version": ".".join(self.version.split(".")[:2]),
            "sys_platform": self.system,
        }


class Verdict(NamedTuple):
    """What a checker says."""

    missing: frozenset[tuple[str, str]]
    conflicts: frozenset[tuple[str, str, str]]
    python: frozenset[str]


HEADS = {
    "x86_64": b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, 62),
    "aarch64": b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, 183),
    "arm64": b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C),
    "AMD64": b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x8664),
}
"""The beginnings of interpreters, by which a system and a processor are told."""
SYSTEMS = {"x86_64": "linux", "aarch64": "linux", "arm64": "darwin", "AMD64": "win32"}

machines = st.builds(
    lambda version, machine: Machine(version, SYSTEMS[machine], machine),
    st.sampled_from(("3.8.18", "3.9.0", "3.10.13", "3.11.7", "3.12.4", "3.13.0", "3.14.2")),
    st.sampled_from(tuple(HEADS)),
)


def _requirement(name: str, specifier: str, marker: str, form: str, url: bool) -> str:
    said = f" ; {marker}" if marker else ""
    if url:
        return f"{name} @ https://files.example/{name}-1.0.zip#sha256=00{said}"
    if not specifier:
        form = form.replace(" ({specifier})", "")
    return form.format(name=name, specifier=specifier, marker=said)


names = st.sampled_from(NAMES) | st.sampled_from(NAMES).map(str.upper)
requirements = st.builds(
    _requirement,
    names | st.sampled_from(("absent", "Not_There")),
    st.sampled_from(SPECIFIERS),
    st.sampled_from(MARKERS),
    st.sampled_from(FORMS),
    st.sampled_from((False, False, False, False, True)),
)
distributions = st.lists(
    st.builds(
        Installed,
        names,
        st.sampled_from(VERSIONS),
        st.lists(requirements, max_size=5).map(tuple),
        st.sampled_from(PYTHONS),
        st.lists(st.sampled_from(TAGS), min_size=1, max_size=2).map(tuple),
    ),
    max_size=6,
    unique_by=lambda one: canonicalize_name(one.name),
)


def write(prefix: Path, machine: Machine, installed: Sequence[Installed]) -> Path:
    """Write an environment; return its folder of packages."""
    minor = ".".join(machine.version.split(".")[:2])
    is_windows = machine.system == "win32"
    site = prefix / ("Lib" if is_windows else f"lib/python{minor}") / "site-packages"
    site.mkdir(parents=True)
    programs = prefix / ("Scripts" if is_windows else "bin")
    programs.mkdir()
    (programs / ("python.exe" if is_windows else "python")).write_bytes(
        HEADS[machine.machine] + bytes(64)
    )
    (prefix / "pyvenv.cfg").write_text(f"home = {programs}\nversion = {machine.version}\n")
    for one in installed:
        folder = site / f"{one.name.replace('-', '_')}-{one.version}.dist-info"
        folder.mkdir()
        lines = [f"Name: {one.name}", f"Version: {one.version}", "Metadata-Version: 2.1"]
        lines += [f"Requires-Python: {one.python}"] if one.python else []
        lines += [f"Requires-Dist: {line}" for line in one.requires]
        (folder / "METADATA").write_text("\n".join([*lines, "", "Requires-Dist: in-the-text"]))
        (folder / "WHEEL").write_text("".join(f"Tag: {tag}\n" for tag in one.tags))
        (folder / "RECORD").write_text("")
    return site


def expected(installed: Sequence[Installed], machine: Machine) -> Verdict:
    """Return what pip says: requirements that only an extra brings do not count."""
    there = {canonicalize_name(one.name): one for one in installed}
    missing: set[tuple[str, str]] = set()
    conflicts: set[tuple[str, str, str]] = set()
    for name, one in there.items():
        for line in one.requires:
            asked = Requirement(line)
            wanted = canonicalize_name(asked.name)
            if asked.marker and not asked.marker.evaluate({**machine.variables, "extra": ""}):
                continue
            if wanted not in there:
                missing.add((name, wanted))
            elif not asked.specifier.contains(there[wanted].version, prereleases=True):
                conflicts.add((name, wanted, _one_form(line)))
    refusing = {
        name
        for name, one in there.items()
        if one.python and not SpecifierSet(one.python).contains(Version(machine.version))
    }
    return Verdict(frozenset(missing), frozenset(conflicts), frozenset(refusing))


def said(environment: Environment) -> Verdict:
    """Return what the rules say of an environment."""
    missing = {
        (origin, finding.packages[0])
        for finding in of_rule("ENV001", environment)
        for origin in finding.packages[1:]
    }
    by_line = {environment.where(name): name for name in environment.distributions}
    conflicts = {
        (by_line[one.span], finding.packages[0], _one_form(one.message.removeprefix("requires ")))
        for finding in of_rule("ENV002", environment)
        for one in finding.related
    }
    refusing = {name for finding in of_rule("ENV003", environment) for name in finding.packages}
    return Verdict(frozenset(missing), frozenset(conflicts), frozenset(refusing))


def of_rule(code: str, environment: Environment) -> list[Finding]:
    return list(next(one.check for one in RULES if one.code == code)(environment))


def test_what_is_missing_is_asked_for_as_the_extras_of_others_ask_for_it() -> None:
    listed = [
        {"name": "cudnn", "requires": ["cublas"]},
        {"name": "torch", "requires": ["toolkit[blas]"]},
        {"name": "toolkit", "extras": ["blas"], "requires": ["cublas==13.0.*; extra == 'blas'"]},
    ]
    (found,) = of_rule("ENV001", environment_of({"distributions": listed}))
    assert found.help == "install it: uv pip install 'cublas==13.0.*'"
    assert of_rule("ENV009", environment_of({"distributions": listed})) == []


def _one_form(line: str) -> str:
    asked = Requirement(line)
    return f"{canonicalize_name(asked.name)}{asked.specifier}"


@settings(max_examples=300, deadline=None)
@given(machines, distributions)
def test_requirements_are_judged_as_packaging_does(
    machine: Machine, installed: Sequence[Installed]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "env"), machine, installed)
        environment = read_environment(str(Path(folder, "env")))
    assert environment is not None
    assert set(environment.distributions) == {canonicalize_name(one.name) for one in installed}
    assert said(environment) == expected(installed, machine)
    assert not of_rule("ENV005", environment)


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.skipif(platform.python_implementation() != "CPython", reason="the tags are CPython's")
def test_tags_are_judged_as_packaging_does(tmp_path: Path, tag: str) -> None:
    machine = this_machine()
    site = write(tmp_path / "env", machine, [Installed("a", "1.0", (), "", (tag,))])
    like_here(tmp_path / "env")
    environment = read_environment(str(tmp_path / "env"))
    assert site.is_dir()
    assert environment is not None
    is_supported = bool(parse_tag(tag).intersection(sys_tags()))
    assert bool(of_rule("ENV004", environment)) is not is_supported


def this_machine() -> Machine:
    head = {"AMD64": "AMD64", "arm64": "arm64"}.get(platform.machine(), platform.machine())
    version = ".".join(map(str, sys.version_info[:3]))
    return Machine(version, sys.platform, head if head in HEADS else "x86_64")


def like_here(prefix: Path) -> None:
    """Put this interpreter's file where an environment has its own."""
    name = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    shutil.copy(os.path.realpath(sys.executable), prefix / name)


PIP_CHECK = """
import json, sys
from pip._internal.metadata import get_environment
from pip._internal.operations import check
from pip._internal.utils.compatibility_tags import get_supported

library = [path for path in sys.path if "-packages" not in path]

def of(site):
    sys.path[:] = [site, *library]
    there, _ = check.create_package_set_from_installed()
    missing, conflicts = check.check_package_set(there)
    found = get_environment([site]).iter_all_distributions()
    return (
        sorted({(who, one[0]) for who, found in missing.items() for one in found}),
        sorted({(who, str(one[2])) for who, found in conflicts.items() for one in found}),
        sorted(one.canonical_name for one in check.check_unsupported(found, get_supported())),
    )

print(json.dumps([of(site) for site in sys.argv[1:]]))
"""


def _pip() -> Version:
    return Version(version("pip")) if find_spec("pip") else Version("0")


@pytest.mark.skipif(
    _pip() < Version("24.2"),
    reason="no pip beside this Python that looks at tags, and evaluates markers as packaging does",
)
def test_requirements_and_tags_are_judged_as_pip_does(tmp_path: Path) -> None:
    rng, machine = Random(11), this_machine()
    sites, prefixes = [], []
    for number in range(60):
        installed = random_distributions(rng)
        prefixes.append(tmp_path / str(number))
        sites.append(str(write(prefixes[-1], machine, installed)))
        like_here(prefixes[-1])
    done = subprocess.run(
        [sys.executable, "-c", PIP_CHECK, *sites],
        # what pip uses before Python 3.11 remembers the first path for all
        env={**os.environ, "_PIP_USE_IMPORTLIB_METADATA": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    found = 0
    for prefix, (missing, conflicts, unsupported) in zip(
        prefixes, json.loads(done.stdout), strict=True
    ):
        environment = read_environment(str(prefix))
        assert environment is not None
        ours = said(environment)
        assert ours.missing == {(who, name) for who, name in missing}
        theirs = {(who, _one_form(line)) for who, line in conflicts}
        assert {(who, line) for who, _, line in ours.conflicts} == theirs
        named = {name for one in of_rule("ENV004", environment) for name in one.packages}
        assert named == set(unsupported)
        found += len(missing) + len(conflicts) + len(unsupported)
    assert found > 60


def random_distributions(rng: Random) -> list[Installed]:
    """Return distributions by chance, always the same ones for a seed."""
    return [
        Installed(
            name,
            rng.choice(VERSIONS),
            tuple(
                _requirement(
                    rng.choice((*NAMES, "absent")),
                    rng.choice(SPECIFIERS),
                    rng.choice(MARKERS),
                    rng.choice(FORMS),
                    url=rng.random() < 0.1,
                )
                for _ in range(rng.randrange(5))
            ),
            "",
            (rng.choice(TAGS),),
        )
        for name in rng.sample(NAMES, rng.randrange(1, 6))
    ]
