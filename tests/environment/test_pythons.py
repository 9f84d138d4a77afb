"""Folders of another Python in an environment, and an interpreter that the system keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from making import write_distribution, write_environment

from mlenv.environment.read import read_environment
from mlenv.model.environment import MANAGED, OTHER_PYTHON

if TYPE_CHECKING:
    from pathlib import Path


def odd(prefix: Path, kind: str) -> list[tuple[str, str]]:
    found = read_environment(str(prefix))
    assert found is not None
    return [(one.path, one.detail) for one in found.oddities if one.kind == kind]


def test_packages_of_an_older_python_are_told(tmp_path: Path) -> None:
    write_environment(tmp_path, [{"name": "numpy", "version": "2.2.6"}])
    old = tmp_path / "lib/python3.9/site-packages"
    old.mkdir(parents=True)
    assert odd(tmp_path, OTHER_PYTHON) == []
    for name in ("numpy", "torch"):
        write_distribution(old, {"name": name})
    assert odd(tmp_path, OTHER_PYTHON) == [("lib/python3.9/site-packages", "2 distributions")]


def test_pythons_side_by_side_under_a_systems_prefix_are_usual(tmp_path: Path) -> None:
    for minor in ("3.9", "3.11"):
        folder = tmp_path / f"lib/python{minor}/site-packages"
        folder.mkdir(parents=True)
        write_distribution(folder, {"name": "six"})
    assert odd(tmp_path, OTHER_PYTHON) == []


def test_a_system_keeps_its_python(tmp_path: Path) -> None:
    folder = tmp_path / "lib/python3.11/site-packages"
    folder.mkdir(parents=True)
    write_distribution(folder, {"name": "six"})
    assert odd(tmp_path, MANAGED) == []
    (tmp_path / "lib/python3.11/EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    assert odd(tmp_path, MANAGED) == [("lib/python3.11/EXTERNALLY-MANAGED", "")]


def test_an_interpreter_whose_file_ends_early(tmp_path: Path) -> None:
    write_environment(tmp_path)
    (tmp_path / "bin").mkdir()
    for content in (b"\xcf\xfa\xed\xfe\0", b"\x7fELF\2", b"MZ", b"\xca\xfe\xba\xbe", b""):
        (tmp_path / "bin" / "python3").write_bytes(content)
        environment = read_environment(str(tmp_path))
        assert environment is not None
        assert environment.interpreter is not None
        assert environment.interpreter.version == "3.11.7"


def test_a_version_that_no_python_has_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    write_environment(tmp_path, config="home = /usr/bin\nversion = 3.11a1\n", python="3.11.7")
    environment = read_environment(str(tmp_path))
    assert environment is not None
    assert environment.interpreter is not None
    assert environment.interpreter.version == "3.11"
