"""Whose files lie on the disk, told by the records of made environments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from making import write_environment

from mlenv.environment.read import read_environment
from mlenv.model.environment import Environment
from mlenv.model.installed_files import Altered, Overlap
from mlenv.model.installed_path import ASIDE, COMPILED, DATA, MODULE, weight

SITE = "lib/python3.11/site-packages"


def read(prefix: Path, *, verify: bool = False) -> Environment:
    found = read_environment(str(prefix), verify=verify)
    assert found is not None
    return found


def written(prefix: Path, **files: dict[str, str]) -> Environment:
    """Return an environment whose distributions were installed one after the other."""
    write_environment(
        prefix,
        [{"name": name, "files": content, "installer": "pip"} for name, content in files.items()],
    )
    for number, name in enumerate(files):
        record = prefix / SITE / f"{name}-1.0.dist-info" / "RECORD"
        os.utime(record, (1000 + number, 1000 + number))
    return read(prefix)


def only(found: Environment) -> Overlap:
    (overlap,) = found.files.overlaps
    return overlap


def told(overlap: Overlap) -> tuple[tuple[str, ...], int, str, int]:
    return overlap.owners, overlap.count, overlap.holder, overlap.identical


def test_the_last_one_installed_holds_the_files(tmp_path: Path) -> None:
    environment = written(
        tmp_path,
        second={"cv2/cv2.so": "long", "cv2/version.py": "two", "cv2/same.py": "1"},
        first={"cv2/cv2.so": "longer", "cv2/version.py": "one!", "cv2/same.py": "1"},
    )
    overlap = only(environment)
    assert told(overlap) == (("second", "first"), 2, "first", 1)
    assert overlap.paths == (f"{SITE}/cv2/cv2.so", f"{SITE}/cv2/version.py")
    assert overlap.weight == COMPILED


def test_copies_of_one_size_are_told_apart_by_their_hashes(tmp_path: Path) -> None:
    environment = written(tmp_path, one={"m/core.py": "a = 1"}, two={"m/core.py": "a = 2"})
    assert told(only(environment)) == (("one", "two"), 1, "two", 0)
    (tmp_path / SITE / "m/core.py").write_text("a = 1", "utf-8")
    assert only(read(tmp_path)).holder == "one"


def test_nobody_holds_mixed_files_or_those_of_somebody_else(tmp_path: Path) -> None:
    environment = written(
        tmp_path,
        one={"m/a.py": "a = 1", "m/b.py": "b = 1"},
        two={"m/a.py": "a = 22", "m/b.py": "b = 22"},
    )
    assert only(environment).holder == "two"
    (tmp_path / SITE / "m/a.py").write_text("a = 1", "utf-8")
    assert only(read(tmp_path)).holder == ""
    for name in ("a", "b"):
        (tmp_path / SITE / f"m/{name}.py").write_text("neither of the two", "utf-8")
    assert only(read(tmp_path)).holder == ""


def test_equal_copies_are_no_overlap(tmp_path: Path) -> None:
    environment = written(tmp_path, mlflow={"mlflow/a.py": "1"}, mlflow_skinny={"mlflow/a.py": "1"})
    assert environment.files.overlaps == ()


def test_what_some_of_three_share_belongs_to_the_three(tmp_path: Path) -> None:
    environment = written(
        tmp_path,
        a={"cv2/a.py": "1", "cv2/b.py": "1", "docs/x.py": "1"},
        b={"cv2/a.py": "22", "cv2/b.py": "22", "docs/x.py": "22"},
        c={"cv2/a.py": "333"},
    )
    overlap = only(environment)
    assert overlap.owners == ("a", "b", "c")
    assert overlap.count == 3
    assert overlap.paths[-1] == f"{SITE}/docs/x.py"


def test_pairs_without_a_third_are_two(tmp_path: Path) -> None:
    environment = written(
        tmp_path, a={"m/a.py": "1"}, b={"m/a.py": "22", "n/b.py": "1"}, c={"n/b.py": "22"}
    )
    assert [one.owners for one in environment.files.overlaps] == [("a", "b"), ("b", "c")]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("", "# a comment\n"),
        ("__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n", ""),
        (
            "__import__('pkg_resources').declare_namespace(__name__)\n",
            "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n",
        ),
        ('"""Nothing else."""\n', "# Copyright\n\n'''\nNothing.\n'''\n"),
    ],
)
def test_a_namespace_of_several_is_no_overlap(tmp_path: Path, one: str, two: str) -> None:
    environment = written(
        tmp_path,
        google_a={"google/__init__.py": one, "google/a/__init__.py": "1"},
        google_b={"google/__init__.py": two, "google/b/__init__.py": "1"},
    )
    assert environment.files.overlaps == ()


def test_a_package_whose_beginning_was_emptied_is_an_overlap(tmp_path: Path) -> None:
    environment = written(
        tmp_path,
        first={"m/__init__.py": "from m.core import run\n", "m/core.py": "def run(): ...\n"},
        second={"m/__init__.py": "", "m/other/__init__.py": ""},
    )
    assert told(only(environment)) == (("first", "second"), 1, "second", 0)


def test_a_package_hides_the_module_of_another(tmp_path: Path) -> None:
    environment = written(
        tmp_path,
        pynvml={"pynvml/__init__.py": "1", "pynvml/nvml.py": "1"},
        nvidia_ml_py={"pynvml.py": "1", "other.py": "1", "spaces.so": "1"},
        other={"other/inner.py": "1", "spaces/__init__.pyi": "1"},
    )
    overlap = only(environment)
    assert (overlap.owners, overlap.holder) == (("nvidia-ml-py", "pynvml"), "pynvml")
    assert (overlap.hides, overlap.weight) == ("pynvml", MODULE)
    assert overlap.paths == (f"{SITE}/pynvml/__init__.py", f"{SITE}/pynvml.py")


def test_what_all_have_tells_whose_copy_lies_there(tmp_path: Path) -> None:
    environment = written(
        tmp_path,
        contrib={"cv2/cv2.so": "1", "cv2/a_qt.so": "1"},
        plain={"cv2/cv2.so": "22", "cv2/a_qt.so": "22"},
        headless={"cv2/cv2.so": "333"},
    )
    assert only(environment).holder == "headless"
    assert only(environment).paths[0] == f"{SITE}/cv2/cv2.so"


def test_compiled_python_scripts_and_what_has_no_hash_do_not_count(tmp_path: Path) -> None:
    write_environment(tmp_path, [{"name": "a"}, {"name": "b"}])
    for name, size in (("a", 1), ("b", 2)):
        record = tmp_path / SITE / f"{name}-1.0.dist-info" / "RECORD"
        record.write_text(
            f"__pycache__/m.cpython-311.pyc,sha256={'A' * 42}{name},{size}\n"
            f"m/__pycache__/x.cpython-311.pyc,,\nm/version.py,,{size}\n",
            "utf-8",
        )
    assert read(tmp_path).files.overlaps == ()


@pytest.mark.parametrize("path", ["tests/__init__.py", "docs/conf.py", "LICENSE", "../../../bin/x"])
def test_what_nobody_imports_tells_little(tmp_path: Path, path: str) -> None:
    environment = written(tmp_path, a={path: "import a"}, b={path: "import bb"})
    assert only(environment).weight == ASIDE


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("cv2/cv2.abi3.so", COMPILED),
        ("nvidia/nccl/lib/libnccl.so.2", COMPILED),
        ("torch/lib/c10.DLL", COMPILED),
        ("six.py", MODULE),
        ("torch/testing/__init__.py", MODULE),
        ("utils/helpers.py", MODULE),
        ("cv2/data/faces.xml", DATA),
        ("cv2/py.typed", ASIDE),
        ("numpy/tests/test_a.py", ASIDE),
        ("examples/a.py", ASIDE),
        ("nvidia/cublas/include/cublas.h", ASIDE),
        ("a/README.md", ASIDE),
        ("LICENSE", ASIDE),
        ("data.bin", ASIDE),
        ("bin/tool.py", ASIDE),
        ("../../../share/x.so", ASIDE),
        ("/usr/lib/x.so", ASIDE),
        ("C:/x/y.dll", ASIDE),
    ],
)
def test_how_much_a_file_tells(path: str, expected: int) -> None:
    assert weight(path) == expected


def altered(environment: Environment) -> Altered:
    (found,) = environment.files.altered
    return found


def names(paths: tuple[str, ...]) -> list[str]:
    return [path.removeprefix(f"{SITE}/") for path in paths]


def test_a_folder_that_is_gone_is_missed_in_any_distribution(tmp_path: Path) -> None:
    environment = written(tmp_path, tool={"tool/a.py": "1", "tool/b.so": "1", "tool.py": "1"})
    assert environment.files.altered == ()
    for name in ("a.py", "b.so"):
        (tmp_path / SITE / "tool" / name).unlink()
    (tmp_path / SITE / "tool").rmdir()
    found = altered(read(tmp_path))
    assert names(found.missing) == ["tool/b.so", "tool/a.py"]
    assert (found.changed, found.weight, found.looked_at) == ((), COMPILED, 3)


def test_what_goes_with_another_that_is_removed_is_missing(tmp_path: Path) -> None:
    written(tmp_path, a={"cv2/cv2.so": "1", "cv2/x.py": "1"}, b={"cv2/cv2.so": "22"})
    # an uninstallation takes what its record names
    (tmp_path / SITE / "cv2/cv2.so").unlink()
    for file in (tmp_path / SITE / "b-1.0.dist-info").iterdir():
        file.unlink()
    (tmp_path / SITE / "b-1.0.dist-info").rmdir()
    # a name of no weight is looked at when it is asked for
    assert read(tmp_path).files.altered == ()
    found = altered(read(tmp_path, verify=True))
    assert (found.name, names(found.missing)) == ("a", ["cv2/cv2.so"])


def test_a_library_that_was_cut_off_is_found_where_it_matters(tmp_path: Path) -> None:
    files = {f"numpy/m{number}.py": "1" for number in range(400)}
    write_environment(
        tmp_path,
        [
            {
                "name": "numpy",
                "installer": "uv",
                "files": {**files, "numpy/_core.so": "library " * 99},
                "tags": ["cp311-cp311-manylinux_2_28_x86_64"],
            }
        ],
    )
    assert read(tmp_path).files.altered == ()
    (tmp_path / SITE / "numpy/_core.so").write_text("lib", "utf-8")
    found = altered(read(tmp_path))
    assert (names(found.changed), found.missing) == (["numpy/_core.so"], ())
    assert (found.weight, found.looked_at, found.recorded) == (COMPILED, 401, 402)


@pytest.mark.parametrize("gone", ["numpy/__init__.py", "numpy/linalg/__init__.py"])
def test_what_a_package_begins_with_is_looked_for_where_it_matters(
    tmp_path: Path, gone: str
) -> None:
    files = {f"numpy/{name}.py": "1" for name in (*map(str, range(400)), "__init__")}
    files |= {f"numpy/linalg/{name}.py": "1" for name in ("__init__", "one", "two")}
    files |= {f"numpy/z{number}.py": "1" for number in range(400)}
    assert written(tmp_path, numpy=files).files.altered == ()
    (tmp_path / SITE / gone).unlink()
    assert names(altered(read(tmp_path)).missing) == [gone]


def test_a_file_that_a_full_disk_left_empty_is_as_good_as_missing(tmp_path: Path) -> None:
    written(tmp_path, numpy={"numpy/a.py": "a = 1", "numpy/b.py": "1", "numpy/__init__.py": ""})
    assert read(tmp_path).files.altered == ()
    (tmp_path / SITE / "numpy/a.py").write_text("", "utf-8")
    found = altered(read(tmp_path))
    assert (names(found.missing), found.changed) == (["numpy/a.py"], ())


def test_a_module_that_was_edited_is_found_by_its_hash(tmp_path: Path) -> None:
    written(tmp_path, pure={"pure/a.py": "a = 1"})
    (tmp_path / SITE / "pure/a.py").write_text("a = 2", "utf-8")
    assert read(tmp_path).files.altered == ()
    assert names(altered(read(tmp_path, verify=True)).changed) == ["pure/a.py"]


def test_what_another_wrote_over_is_not_altered_as_well(tmp_path: Path) -> None:
    written(tmp_path, numpy={"m/a.py": "1", "numpy/b.py": "1"}, two={"m/a.py": "22"})
    for verify in (False, True):
        environment = read(tmp_path, verify=verify)
        assert only(environment).holder == "two"
        assert environment.files.altered == ()


def test_what_two_share_and_a_third_took_along_is_missing_in_both(tmp_path: Path) -> None:
    written(
        tmp_path,
        opencv_python={"cv2/cv2.so": "1", "cv2/x.so": "1", "cv2/__init__.py": "1"},
        opencv_contrib={"cv2/cv2.so": "22", "cv2/x.so": "22", "cv2/__init__.py": "1"},
    )
    (tmp_path / SITE / "cv2/cv2.so").unlink()
    found = read(tmp_path)
    assert told(only(found)) == (("opencv-python", "opencv-contrib"), 1, "opencv-contrib", 1)
    assert names(only(found).paths) == ["cv2/x.so"]
    assert [(one.name, names(one.missing), one.changed) for one in found.files.altered] == [
        ("opencv-contrib", ["cv2/cv2.so"], ()),
        ("opencv-python", ["cv2/cv2.so"], ()),
    ]


def test_tests_that_somebody_removed_are_no_loss(tmp_path: Path) -> None:
    written(tmp_path, numpy={"numpy/a.py": "1", "tests/b.py": "1", "numpy/tests/c.py": "1"})
    (tmp_path / SITE / "tests/b.py").unlink()
    (tmp_path / SITE / "tests").rmdir()
    (tmp_path / SITE / "numpy/tests/c.py").unlink()
    assert read(tmp_path).files.altered == ()
    found = altered(read(tmp_path, verify=True))
    assert names(found.missing) == ["numpy/tests/c.py", "tests/b.py"]
    assert found.weight == ASIDE


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"installer": "conda"},
        {"installer": "debian"},
        {"installer": "pip", "origin": '{"url": "file:///x", "dir_info": {"editable": true}}'},
    ],
)
def test_packages_of_systems_and_sources_in_place_are_not_looked_at(
    tmp_path: Path, table: dict[str, Any]
) -> None:
    write_environment(tmp_path, [{"name": "numpy", "files": {"numpy/a.py": "1"}, **table}])
    if "origin" in table:
        place = tmp_path / SITE / "numpy-1.0.dist-info/direct_url.json"
        place.write_text(table["origin"], "utf-8")
    (tmp_path / SITE / "numpy/a.py").write_text("22", "utf-8")
    assert read(tmp_path, verify=True).files.altered == ()


def test_a_folder_of_packages_by_itself_is_looked_at_wherever_it_lies(tmp_path: Path) -> None:
    written(tmp_path, one={"m/core.py": "a = 1"}, two={"m/core.py": "a = 22"})
    for home in ("/somewhere", str(tmp_path), str(tmp_path / "lib")):
        found = read_environment(str(tmp_path / SITE), variables={"HOME": home})
        assert found is not None
        assert only(found).holder == "two"


def test_who_owns_a_module(tmp_path: Path) -> None:
    environment = written(
        tmp_path,
        PyYAML={"yaml/__init__.py": "", "_yaml.cpython-311-x86_64-linux-gnu.so": ""},
        google_auth={"google/auth/__init__.py": ""},
        google={"google/x/__init__.py": ""},
        six={"six.py": "", "six-extra/x.py": "", "__pycache__/six.pyc": "", "six.libs/y.so": ""},
    )
    egg = tmp_path / SITE / "Old-1.0-py3.11.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Name: Old\nVersion: 1.0\n", "utf-8")
    (egg / "top_level.txt").write_text("old\n_old\n", "utf-8")
    modules = read(tmp_path).files.modules()
    assert " ".join(f"{module}:{name}" for module, name in modules.items()) == (
        "_old:old _yaml:pyyaml google:google old:old six:six yaml:pyyaml"
    )
    assert environment.files.modules()["yaml"] == "pyyaml"


HOSTILE = [
    "../../../../../../../../etc/passwd,sha256=AAAA,1",
    "/etc/passwd,sha256=AAAA,1",
    "a/../../../../../../../etc/passwd,sha256=AAAA,1",
    "\0,sha256=AAAA,1",
    f"{'x' * 5000}/a.py,sha256=AAAA,1",
    "pipe/a.py,sha256=AAAA,1",
    "loop/a.py,sha256=AAAA,1",
    "a/b.py,shake_128=AAAA,1",
    "a/b.py,nonsense=AAAA,1",
    "\udcff/a.py,sha256=AAAA,1",
]


@pytest.mark.parametrize("line", HOSTILE)
@pytest.mark.parametrize("verify", [False, True])
def test_a_record_may_say_anything(tmp_path: Path, line: str, *, verify: bool) -> None:
    write_environment(tmp_path, [{"name": one, "installer": "pip"} for one in ("numpy", "torch")])
    site = tmp_path / SITE
    (site / "pipe").mkdir()
    os.mkfifo(site / "pipe/a.py")
    (site / "loop").symlink_to("loop")
    (site / "a").mkdir()
    (site / "a/b.py").write_text("1", "utf-8")
    for name in ("numpy", "torch"):
        record = site / f"{name}-1.0.dist-info/RECORD"
        other = line.replace("AAAA", "BBBB") if name == "torch" else line
        record.write_bytes((other + "\n").encode("utf-8", "surrogateescape"))
    environment = read(tmp_path, verify=verify)
    said: list[Overlap | Altered] = [*environment.files.overlaps, *environment.files.altered]
    environment.files.modules()
    assert all(path.encode("utf-8") for one in said for path in _paths(one))
    if "passwd" in line:
        assert environment.files.altered == ()


def _paths(one: Overlap | Altered) -> tuple[str, ...]:
    return one.paths if isinstance(one, Overlap) else one.missing + one.changed
