"""A conda environment on a disk: its history, and what others installed over its packages."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from making import write_distribution

from mlenv.environment.conda_history import read_history
from mlenv.environment.read import read_environment
from mlenv.knowledge import Knowledge
from mlenv.model.environment import CondaPackage, Environment
from mlenv.rules.installed_conda import conda_after_pip, pip_wrote_over_conda

SITE = "lib/python3.11/site-packages"
HISTORY = """\
==> 2024-05-01 12:00:00 <==
# cmd: /opt/conda/bin/conda create -n ml numpy
# conda version: 24.3.0
+conda-forge/linux-64::numpy-1.26.4-py311h64a7726_0
+conda-forge/noarch::python-dateutil-2.9.0-pyhd8ed1ab_0
# update specs: ['numpy']
==> 2024-06-01 08:30:00 <==
# cmd: /opt/conda/bin/conda install scipy
-conda-forge/linux-64::numpy-1.26.4-py311h64a7726_0
+defaults::NumPy-1.25.0-py311_1
"""


def written(folder: Path, text: str) -> Path:
    (folder / "conda-meta").mkdir(exist_ok=True)
    (folder / "conda-meta/history").write_text(text, "utf-8")
    return folder


def test_the_changes_of_a_history(tmp_path: Path) -> None:
    first, second = read_history(str(written(tmp_path, HISTORY)))
    assert (first.at, second.at) == ("2024-05-01 12:00:00", "2024-06-01 08:30:00")
    assert (first.added, first.removed) == (("numpy", "python-dateutil"), ())
    assert (second.added, second.removed) == (("numpy",), ("numpy",))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("// not relevant for this tool\n", []),
        ("+numpy-1.26.4-py311_0\n", []),
        ("==> 2014-05-01 12:00:00 <==\nzlib-1.2.8-0\npython-2.7.6-1\n", [("zlib", "python")]),
        ("==> 2014-05-01 12:00:00 <==\r\n+a-1-0\r\n", [("a",)]),
        ("==> yesterday <==\n+a-1-0\n", []),
        ("==> 2014-05-01 12:00:00 <==\n+\n-\n+a\n+a-1\n\0\n" + "x" * 9999, [()]),
        ("==> 2014-05-01 12:00:00 <==\n" * 3, [(), (), ()]),
    ],
)
def test_a_history_in_any_state(tmp_path: Path, text: str, names: list[tuple[str, ...]]) -> None:
    assert [one.added for one in read_history(str(written(tmp_path, text)))] == names


def test_no_history_is_none(tmp_path: Path) -> None:
    assert read_history(str(tmp_path)) == ()


class Prefix:
    """A conda environment that is written file by file."""

    def __init__(self, folder: Path) -> None:
        self.folder = written(folder, HISTORY)
        self.site = folder / SITE
        self.site.mkdir(parents=True)
        self.conda("python", "3.11.7", {"bin/python3.11": ""}, at=1000)

    def conda(self, name: str, version: str, files: dict[str, str], *, at: int) -> None:
        for path, text in files.items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8")
            os.utime(place, (500, 500))
        record = self.folder / f"conda-meta/{name}-{version}-0.json"
        said = {"name": name, "version": version, "build": "0", "files": list(files)}
        record.write_text(json.dumps(said), "utf-8")
        os.utime(record, (at, at))

    def distribution(self, name: str, version: str, installer: str, at: int, **files: str) -> str:
        inner = {key.replace("__", "/").replace("_py", ".py"): text for key, text in files.items()}
        table = {"name": name, "version": version, "installer": installer, "files": inner}
        home = write_distribution(self.site, table)
        os.utime(home / "RECORD", (at, at))
        return f"{SITE}/{home.name}"

    def read(self) -> Environment:
        found = read_environment(str(self.folder))
        assert found is not None
        return found


def messages(environment: Environment) -> list[str]:
    knowledge = Knowledge()
    found = [*pip_wrote_over_conda.check(environment, knowledge)]
    found += conda_after_pip.check(environment, knowledge)
    return [f"{one.severity.value if one.severity else ''}: {one.message}" for one in found]


def files_of(home: str, **more: str) -> dict[str, str]:
    site = {
        f"{SITE}/{key.replace('__', '/').replace('_py', '.py')}": text for key, text in more.items()
    }
    return {
        f"{home}/METADATA": "Name: numpy\nVersion: 1.26.4\n",
        f"{home}/INSTALLER": "conda",
        **site,
    }


def test_a_sound_environment_of_conda_and_pip(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path)
    home = f"{SITE}/numpy-1.26.4.dist-info"
    prefix.conda("numpy", "1.26.4", files_of(home, numpy__a_py="1"), at=1000)
    prefix.distribution("einops", "0.8.0", "pip", 90_000, einops__a_py="1")
    environment = prefix.read()
    assert set(environment.distributions) == {"numpy", "einops"}
    assert [change.at for change in environment.conda_changes] == [
        "2024-05-01 12:00:00",
        "2024-06-01 08:30:00",
    ]
    assert environment.files.overlaps == ()
    assert messages(environment) == []


def test_pip_over_conda_under_the_same_name_is_told_once(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path)
    home = f"{SITE}/numpy-1.26.4.dist-info"
    prefix.conda("numpy", "1.26.4", files_of(home, numpy__a_py="1"), at=1000)
    for name in ("METADATA", "INSTALLER"):
        (tmp_path / home / name).unlink()
    (tmp_path / home).rmdir()
    prefix.distribution("numpy", "2.0.1", "pip", 90_000, numpy__a_py="22")
    environment = prefix.read()
    assert environment.files.overlaps == ()
    assert messages(environment) == ["note: pip installed numpy 2.0.1 over conda's numpy 1.26.4"]


def test_pip_over_conda_under_another_name(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path)
    prefix.conda(
        "py-opencv", "4.9.0", {f"{SITE}/cv2/version.py": "1", f"{SITE}/cv2/x.h": ""}, at=1000
    )
    prefix.distribution(
        "opencv-python", "4.10.0", "pip", 90_000, cv2__version_py="22", cv2__o_py=""
    )
    environment = prefix.read()
    (overlap,) = environment.files.overlaps
    assert (overlap.conda, overlap.owners, overlap.holder) == (
        "py-opencv",
        ("opencv-python",),
        "opencv-python",
    )
    assert overlap.paths == (f"{SITE}/cv2/version.py",)
    (message,) = messages(environment)
    assert message == (
        ": opencv-python 4.10.0 and conda's py-opencv 4.9.0 are installed over each other: 1 file "
        "such as cv2/version.py; the copies there are those of opencv-python"
    )


def test_a_namespace_of_both_is_nobodys(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path)
    prefix.conda(
        "google-auth", "2.0", {f"{SITE}/google/__init__.py": "", f"{SITE}/google/a.py": ""}, at=1
    )
    prefix.distribution("google-x", "1.0", "pip", 90_000, google____init___py="", google__x_py="")
    assert prefix.read().files.overlaps == ()


def test_conda_after_pip_by_the_times_of_the_files(tmp_path: Path) -> None:
    prefix = Prefix(tmp_path)
    home = f"{SITE}/numpy-1.26.4.dist-info"
    prefix.distribution("einops", "0.8.0", "pip", 5000, einops__a_py="1")
    prefix.conda("numpy", "1.26.4", files_of(home, numpy__a_py="1"), at=90_000)
    assert messages(prefix.read()) == [": conda installed numpy after pip had installed einops"]
    written(tmp_path, HISTORY.partition("==> 2024-06")[0])
    assert messages(prefix.read()) == []


def test_a_package_may_say_any_files() -> None:
    from mlenv.model.conda_files import held_by
    from mlenv.model.text import SourceText

    files = (
        "lib/python3.11/site-packages/torch-2.1.0-py3.11.egg-info/PKG-INFO",
        "Lib/site-packages/PyYAML-6.0.dist-info/METADATA",
        "site-packages/old-1.0-py2.7.egg-info",
        "share/-info/METADATA",
        "-.dist-info/METADATA",
        "a-1.dist-info/licenses/METADATA",
    )
    span = SourceText("environment x", "x").line_span(1)
    package = CondaPackage("x", "1", "0", "", (), files, span)
    assert [(one.name, one.version) for one in held_by(package)] == [
        ("torch", "2.1.0"),
        ("pyyaml", "6.0"),
        ("old", "1.0"),
    ]
