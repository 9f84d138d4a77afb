"""Whatever happens to an environment, a run that remembers finds what a first run would."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import write_distribution, write_environment

from mlenv.audit import audit_surroundings
from mlenv.config import Config
from mlenv.environment.read import read_environment
from mlenv.knowledge import KNOWLEDGE_DATE
from mlenv.model.surroundings import Surroundings

TICK = 0.01
"""Longer than the clocks of file systems take to tick, in seconds."""
NAMES = ("a", "b", "numpy", "opencv-python", "opencv-python-headless", "torch")
Step = Callable[[Path], None]

names = st.sampled_from(NAMES)
versions = st.sampled_from(["1.0", "2.0", "2.9.1", "3.0rc1"])
lines = st.lists(
    st.builds(
        "{}{}".format,
        st.sampled_from([*NAMES, "gone", "b[x]", "!"]),
        st.sampled_from(
            ["", ">=2", "<2", "==1.0", " ; extra == 'x'", " ; python_version < '3.12'"]
        ),
    ),
    max_size=3,
)


def infos(site: Path, ending: str = ".dist-info") -> list[Path]:
    return sorted(one for one in site.iterdir() if one.name.endswith(ending))


def installs(name: str, version: str, requires: list[str], content: str, tag: str) -> Step:
    def step(site: Path) -> None:
        module = "cv2" if name.startswith("opencv") else name
        files = {f"{module}/__init__.py": content, f"{module}/core.py": "1"}
        table = {"name": name, "version": version, "requires": requires, "extras": ["x"]}
        write_distribution(site, {**table, "files": files, "tags": [tag]})

    return step


def removes(at: int, file: str) -> Step:
    def step(site: Path) -> None:
        found = infos(site)
        if found and file:
            (found[at % len(found)] / file).unlink(missing_ok=True)
        elif found:
            shutil.rmtree(found[at % len(found)])

    return step


def edits(at: int, before: str, after: str) -> Step:
    """Change metadata where they lie, as people do."""

    def step(site: Path) -> None:
        files = [one for one in infos(site) if (one / "METADATA").is_file()]
        if files:
            file = files[at % len(files)] / "METADATA"
            file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")

    return step


def renames(at: int) -> Step:
    def step(site: Path) -> None:
        found = infos(site)
        if found:
            one = found[at % len(found)]
            left = len(infos(site, ".left"))
            one.rename(site / f"~{one.name[1:]}.{left}.left")

    return step


def writes(path: str, text: str) -> Step:
    def step(site: Path) -> None:
        file = site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_dir():
            file.write_text(text, "utf-8")

    return step


def changes_python(version: str) -> Step:
    return writes("../../../pyvenv.cfg", f"version = {version}\n")


numbers = st.integers(0, 5)
steps = st.one_of(
    st.builds(
        installs,
        names,
        versions,
        lines,
        st.sampled_from(["", "x", "longer"]),
        st.sampled_from(["py3-none-any", "cp310-cp310-win32"]),
    ),
    st.builds(removes, numbers, st.sampled_from(["", "METADATA", "RECORD"])),
    st.builds(
        edits, numbers, st.sampled_from(["b", "2", "numpy"]), st.sampled_from(["a", "", ">"])
    ),
    st.builds(renames, numbers),
    st.builds(
        writes,
        st.sampled_from(["cv2/__init__.py", "numpy/core.py", "torch/version.py", "x.pth"]),
        st.sampled_from(["", "y", "__version__ = '2.9.1+cu128'\ncuda = '12.8'\n", "../gone\n"]),
    ),
    st.builds(writes, st.just("old-1.0.egg-info"), st.just("Name: old\nVersion: 1.0\n")),
    st.builds(changes_python, st.sampled_from(["3.11.7", "3.12.1"])),
)


def told(prefix: Path, *, use_cache: bool) -> list[tuple[str, ...]]:
    environment = read_environment(str(prefix), "env", is_project=True, use_cache=use_cache)
    assert environment is not None
    report = audit_surroundings(Surroundings((), environment), Config(), KNOWLEDGE_DATE)
    return [
        (one.rule, one.severity.value, one.message, one.help, one.span.text if one.span else "")
        for one in report.findings
    ]


@given(many=st.lists(steps, min_size=2, max_size=6))
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_remembered_changes_nothing_that_is_found(
    tmp_path: Path, long_there: None, monkeypatch: pytest.MonkeyPatch, many: list[Step]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    prefix = tmp_path / "env"
    shutil.rmtree(prefix, ignore_errors=True)
    site = write_environment(prefix, [{"name": "a", "requires": ["b>=2"]}, {"name": "b"}])
    for step in many:
        time.sleep(TICK)
        step(site)
        expected = told(prefix, use_cache=False)
        assert told(prefix, use_cache=True) == expected
        assert told(prefix, use_cache=True) == expected
