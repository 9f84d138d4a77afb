"""What of an environment's binaries would not load: made files, resolved as the loader does."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from elf_making import make_elf
from test_ld_cache import X86_64, new

from mlenv.binaries.link import Links, link
from mlenv.binaries.scan import read_binaries
from mlenv.model.binary import ELF, MACHO, Binary

SITE = "lib/python3.11/site-packages"
NEW = "_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
OLD = "_ZN3c106detail14torchCheckFailEPKcS2_jRKSs"


def module(name: str, *needed: str, rpath: str = "", runpath: str = "", **more: object) -> bytes:
    options = {"exports": [f"PyInit_{name}"], **more}
    return make_elf(needed=needed, rpath=rpath, runpath=runpath, **options)  # type: ignore[arg-type]


def linked(
    prefix: Path, files: Mapping[str, bytes | str], *, root: Path | None = None, path: str = ""
) -> Links:
    """Write files, relative to the folder of packages unless a slash begins them, and link them."""
    for name, data in files.items():
        place = prefix / (name[1:] if name.startswith("/") else f"{SITE}/{name}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data if isinstance(data, bytes) else data.encode())
    found = read_binaries(str(prefix), ("lib",), lambda one: one.split("/")[-2])
    system = root or made_system(prefix.parent / "system")
    return link(
        found.files,
        str(prefix),
        (SITE,),
        root=str(system),
        library_path=[path] if path else (),
    )


def made_system(folder: Path, *sonames: str, **cached: str) -> Path:
    """Make a system whose folders hold some libraries, and whose cache knows some more."""
    for soname in ("libc.so.6", *sonames):
        place = folder / "usr/lib" / soname
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"")
    entries = [(X86_64, soname.replace("_", "."), path) for soname, path in cached.items()]
    (folder / "etc").mkdir(parents=True, exist_ok=True)
    (folder / "etc/ld.so.cache").write_bytes(new(entries))
    return folder


def missing(links: Links) -> dict[str, tuple[str, ...]]:
    return {one.soname: one.imports for one in links.missing}


def test_a_library_that_nothing_provides_and_whose_import_fails_for_it(tmp_path: Path) -> None:
    links = linked(
        tmp_path / "env",
        {
            "a/__init__.py": "from . import fast",
            "a/fast.so": module("fast", "libin.so.1", runpath="$ORIGIN/../a.libs"),
            "a.libs/libin.so.1": make_elf(soname="libin.so.1", needed=["libgone.so.2"]),
            "b/__init__.py": "try:\n    from . import fast\nexcept ImportError:\n    pass",
            "b/fast.so": module("fast", "libgone.so.2"),
            "c/plugin.so": make_elf(needed=["libnone.so"]),
        },
    )
    assert missing(links) == {"libgone.so.2": ("a",), "libnone.so": ()}
    assert links.missing[0].needed_by == (f"{SITE}/a.libs/libin.so.1", f"{SITE}/b/fast.so")


@pytest.mark.parametrize("form", ["rpath", "runpath"])
@pytest.mark.parametrize("folder", ["$ORIGIN/libs", "${ORIGIN}/../a/libs", "/gone:$ORIGIN/libs/"])
def test_a_binary_finds_libraries_in_its_own_folders(
    tmp_path: Path, form: str, folder: str
) -> None:
    extension = module("fast", "libin.so", **{form: folder})
    # the name of the library is that of the file alone
    assert (
        missing(linked(tmp_path / "env", {"a/fast.so": extension, "a/libs/libin.so": make_elf()}))
        == {}
    )


def test_a_folder_anywhere_on_the_system_is_looked_at_but_for_those_of_the_kernel(
    tmp_path: Path,
) -> None:
    root = made_system(tmp_path / "root")
    for folder in ("apps/mpi/lib", "proc/1/lib"):
        (root / folder).mkdir(parents=True)
        (root / folder / f"lib{folder[0]}.so").write_bytes(b"")
    extension = module("a", "liba.so", "libp.so", runpath="/apps/mpi/lib:/proc/1/lib")
    links = linked(tmp_path / "env", {"a.so": extension}, root=root)
    assert set(missing(links)) == {"libp.so"}


def test_what_the_system_has_is_there_by_its_cache_and_by_its_folders(tmp_path: Path) -> None:
    root = made_system(tmp_path / "root", "libin.so.1", libcached_so_3="/opt/x/libcached.so.3")
    files = {"a.so": module("a", "libin.so.1", "libcached.so.3", "libgone.so")}
    assert set(missing(linked(tmp_path / "env", files, root=root))) == {"libgone.so"}


def test_what_is_loaded_by_another_package_counts(tmp_path: Path) -> None:
    files = {
        "torch/lib/libtorch.so": make_elf(soname="libtorch.so"),
        "vision/_C.so": module("_C", "libtorch.so", "libmpi.so.12", "libpython3.11.so.1.0"),
        "/lib/libmpi.so.12": b"",
    }
    assert missing(linked(tmp_path / "env", files)) == {}


def test_packages_of_the_base_python_bring_libraries_too(tmp_path: Path) -> None:
    base = tmp_path / "base"
    (base / "torch/lib").mkdir(parents=True)
    (base / "torch/lib/libc10.so").write_bytes(b"")
    files = [Binary(f"{SITE}/a.so", "a", ELF, "x86_64", 1, needed=("libc10.so", "libgone.so"))]
    root = made_system(tmp_path / "root")
    links = link(files, str(tmp_path), (SITE, str(base)), root=str(root))
    assert set(missing(links)) == {"libgone.so"}


def test_a_private_copy_of_another_wheel_does_not_count(tmp_path: Path) -> None:
    private = "libgfortran-040039e1.so.5.0.0"
    files = {
        "a/x.so": module("x", private, rpath="$ORIGIN/../a.libs"),
        "b/x.so": module("x", private, rpath="$ORIGIN/../b.libs"),
        "b.libs/libquad.so": make_elf(needed=[private]),
        f"b.libs/{private}": make_elf(soname=private),
    }
    (found,) = linked(tmp_path / "env", files).missing
    assert (found.soname, found.bundled) == (private, True)
    assert found.needed_by == (f"{SITE}/a/x.so",)


def test_a_private_copy_counts_for_the_rest_of_its_wheel(tmp_path: Path) -> None:
    private, loads = "libQt5Core-39545cc7.so.5.15.0", "libQt5Gui-a7aedf18.so.5.15.0"
    needed = {
        "cv2/qt/libqxcb.so": (private, loads),
        f"opencv_python.libs/{loads}": (private,),
        f"opencv_python.libs/{private}": (),
    }
    # the RPATH of the libraries leads nowhere, as in the wheel of opencv-python 4.8.1
    wrong = ("opencv_python.libs",)
    files = [
        Binary(f"{SITE}/{name}", "opencv-python", ELF, "x86_64", 1, needed=sonames, rpath=wrong)
        for name, sonames in needed.items()
    ]
    found = link(files, str(tmp_path), (SITE,), root=str(made_system(tmp_path / "system")))
    assert found.missing == ()
    gone = link(files[:2], str(tmp_path), (SITE,), root=str(made_system(tmp_path / "system")))
    (lost,) = gone.missing
    assert (lost.soname, lost.needed_by) == (private, tuple(one.path for one in files[:2]))


def test_another_major_of_a_library_is_named(tmp_path: Path) -> None:
    files = {
        "cuda/libcudart.so.13": make_elf(soname="libcudart.so.13"),
        "a.so": module("a", "libcudart.so.12"),
    }
    (found,) = linked(tmp_path / "env", files).missing
    assert (found.soname, found.other) == ("libcudart.so.12", "libcudart.so.13")


def test_a_system_that_cannot_be_looked_at_lacks_only_what_wheels_bring() -> None:
    needed = ("libGL.so.1", "libgfortran-040039e1.so.5.0.0")
    files = [Binary(f"{SITE}/a.so", "a", ELF, "x86_64", 1, needed=needed, is_extension=True)]
    (found,) = link(files, "/nowhere", (SITE,), root=None).missing
    assert (found.soname, found.bundled) == ("libgfortran-040039e1.so.5.0.0", True)


def test_a_system_that_keeps_its_libraries_elsewhere_cannot_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "nix").mkdir()
    files = {"a.so": module("a", "libc.so.6", "libGL.so.1")}
    assert missing(linked(tmp_path / "env", files, root=tmp_path / "nix")) == {}


def test_this_machine_says_nothing_of_another_processor() -> None:
    files = [Binary(f"{SITE}/a.so", "a", ELF, "sparc", 1, needed=("libgone.so.1",))]
    assert link(files, "/nowhere", (SITE,)).missing == ()


def test_links_of_a_root_do_not_lead_out_of_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "libin.so.1").write_bytes(b"")
    root = tmp_path / "root"
    made_system(root)
    (root / "lib").symlink_to(outside)
    files = {"a.so": module("a", "libin.so.1")}
    assert set(missing(linked(tmp_path / "env", files, root=root))) == {"libin.so.1"}


def test_binaries_of_another_processor_take_no_part(tmp_path: Path) -> None:
    files = {
        "a.so": module("a", "libin.so.1"),
        "b.so": module("b", "libin.so.1"),
        "c/libin.so.1": make_elf(machine=183, soname="libin.so.1", needed=["libarm.so"]),
    }
    assert set(missing(linked(tmp_path / "env", files))) == {"libin.so.1"}


def test_symbols_that_the_installed_torch_does_not_have(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "torch/lib/libc10.so": make_elf(soname="libc10.so", exports=[NEW, "_ZN3c104hereEv"]),
        "torch/_C.so": module("_C", "libc10.so"),
        "good.so": module("good", "libc10.so", takes=["_ZN3c104hereEv", "PyErr_Clear"]),
        "sibling.so": module("sibling", "libc10.so", takes=["_ZN2at5ownedEv"]),
        "other.so": module("other", "libc10.so", exports=["PyInit_other", "_ZN2at5ownedEv"]),
        "unlinked.so": module("unlinked", takes=["_ZN3c104goneEv"]),
        "weak.so": module("weak", "libc10.so", weak=["_ZN3c104goneEv"]),
        "bad/__init__.py": "import bad.fast",
        "bad/fast.so": module(
            "fast", "libc10.so", takes=["_ZN3c104goneEv", "torch_gone", "_ZN3c104hereEv"]
        ),
        "old.so": module("old", "libc10.so", takes=[OLD]),
    }
    found = {
        one.path.removeprefix(f"{SITE}/"): one for one in linked(tmp_path / "env", files).symbols
    }
    assert sorted(found) == ["bad/fast.so", "old.so"]
    bad, old = found["bad/fast.so"], found["old.so"]
    assert (bad.symbols, bad.count, bad.abi, bad.imports) == (
        ("_ZN3c104goneEv", "torch_gone"),
        2,
        "",
        ("bad",),
    )
    assert (old.symbols, old.count, old.abi) == ((OLD,), 1, "old")


def test_of_libraries_for_each_torch_one_is_enough(tmp_path: Path) -> None:
    files = {
        "torch/lib/libc10.so": make_elf(soname="libc10.so", exports=["_ZN3c104hereEv"]),
        "dgl/libadapter_2.1.so": make_elf(needed=["libc10.so"], takes=["_ZN3c104goneEv"]),
        "dgl/libadapter_2.2.so": make_elf(needed=["libc10.so"], takes=["_ZN3c104hereEv"]),
        "dgl/libother_2.1.so": make_elf(needed=["libc10.so"], takes=["_ZN3c104goneEv"]),
        "dgl/libother_2.3.so": make_elf(needed=["libc10.so"], takes=["_ZN3c104lostEv"]),
    }
    found = [one.path.rpartition("/")[2] for one in linked(tmp_path / "env", files).symbols]
    assert found == ["libother_2.1.so", "libother_2.3.so"]


def test_torch_of_conda_lies_in_the_prefix(tmp_path: Path) -> None:
    (tmp_path / "env/conda-meta").mkdir(parents=True)
    files = {
        "/lib/libc10.so": make_elf(soname="libc10.so", exports=["_ZN3c104hereEv"]),
        "/lib/libtorch_cpu.so": make_elf(soname="libtorch_cpu.so", exports=["_ZN2at4hereEv"]),
        "torch/lib/libshm.so": make_elf(soname="libshm.so"),
        "good.so": module(
            "good", "libc10.so", "libtorch_cpu.so", takes=["_ZN3c104hereEv", "_ZN2at4hereEv"]
        ),
        "bad.so": module("bad", "libc10.so", takes=["_ZN3c104goneEv"]),
    }
    assert [one.path for one in linked(tmp_path / "env", files).symbols] == [f"{SITE}/bad.so"]


def test_where_a_library_of_torch_is_not_seen_nothing_is_said(tmp_path: Path) -> None:
    files = {
        "torch/lib/libc10.so": make_elf(soname="libc10.so"),
        "a.so": module("a", "libc10.so", "libtorch_cpu.so", takes=["_ZN2at4hereEv"]),
    }
    assert linked(tmp_path / "env", files).symbols == ()


def test_without_torch_there_are_no_symbols_to_miss(tmp_path: Path) -> None:
    files = {"a.so": module("a", "libc10.so", takes=["_ZN3c104goneEv"])}
    links = linked(tmp_path / "env", files)
    assert links.symbols == ()
    assert set(missing(links)) == {"libc10.so"}


def test_an_interface_that_the_library_does_not_have_yet(tmp_path: Path) -> None:
    own = make_elf(soname="libstdc++.so.6", defines=["GLIBCXX_3.4", "GLIBCXX_3.4.40"])
    needs = {"libstdc++.so.6": ["GLIBCXX_3.4.32", "CXXABI_1.3"], "libc.so.6": ["GLIBC_2.9"]}
    root = made_system(tmp_path / "root")
    for soname, defines in (
        ("libstdc++.so.6", ["GLIBCXX_3.4", "GLIBCXX_3.4.30", "CXXABI_1.3"]),
        ("libc.so.6", ["GLIBC_2.2.5", "GLIBC_2.31"]),
    ):
        (root / "usr/lib").mkdir(parents=True, exist_ok=True)
        (root / "usr/lib" / soname).write_bytes(make_elf(soname=soname, defines=defines))
    files: dict[str, bytes | str] = {
        "a/__init__.py": "from . import fast",
        "a/fast.so": module("fast", "libstdc++.so.6", "libc.so.6", needs=needs),
        "b/fast.so": module("fast", "libstdc++.so.6", "libc.so.6", needs=needs, runpath="$ORIGIN"),
        "b/libstdc++.so.6": own,
    }
    (found,) = linked(tmp_path / "env", files, root=root).not_found
    assert (found.version, found.library, found.has) == (
        "GLIBCXX_3.4.32",
        "libstdc++.so.6",
        "GLIBCXX_3.4.30",
    )
    assert (found.needed_by, found.imports) == ((f"{SITE}/a/fast.so",), ("a",))


def test_conda_has_its_own_libraries_for_what_pip_installs(tmp_path: Path) -> None:
    (tmp_path / "env/conda-meta").mkdir(parents=True)
    root = made_system(tmp_path / "root", "libgomp.so.1")
    files = {
        "/lib/libgomp.so.1": make_elf(soname="libgomp.so.1"),
        "a.so": module("a", "libgomp.so.1"),
    }
    assert [one.path for one in linked(tmp_path / "env", files, root=root).runtimes] == [
        "lib/libgomp.so.1"
    ]


def test_the_runtimes_that_binaries_load(tmp_path: Path) -> None:
    root = made_system(tmp_path / "root", "libgomp.so.1")
    files = {
        "torch/lib/libgomp.so.1": make_elf(soname="libgomp.so.1"),
        "torch/lib/libtorch.so": make_elf(needed=["libgomp.so.1"], rpath="$ORIGIN"),
        "a.libs/libgomp-1234abcd.so.1.0.0": make_elf(soname="libgomp-1234abcd.so.1.0.0"),
        "a/x.so": module("x", "libgomp-1234abcd.so.1.0.0", rpath="$ORIGIN/../a.libs"),
        "b/libomp.so.5": make_elf(soname="libomp.so.5"),
        "c/x.so": module("x", "libgomp.so.1"),
        "mkl/libmkl_intel_thread.so.2": make_elf(),
        "mkl/libiomp5.so": make_elf(soname="libiomp5.so"),
        "mkl/libiomp5_db.so": make_elf(soname="libiomp5_db.so"),
    }
    found = [
        (one.family, one.path.removeprefix(f"{SITE}/"))
        for one in linked(tmp_path / "env", files, root=root).runtimes
    ]
    assert found == [
        ("libgomp", "a.libs/libgomp-1234abcd.so.1.0.0"),
        ("libiomp5", "mkl/libiomp5.so"),
        ("libgomp", "torch/lib/libgomp.so.1"),
        ("libgomp", "libgomp.so.1"),
    ]


def test_runtimes_of_other_systems_go_by_their_names() -> None:
    def made(path: str, owner: str, *needed: str) -> Binary:
        return Binary(path, owner, MACHO, "arm64", 1, needed=needed)

    files = (
        made("sklearn/.dylibs/libomp.dylib", "scikit-learn"),
        made("sklearn/x.so", "scikit-learn", "@loader_path/.dylibs/libomp.dylib"),
        made("torch/lib/libomp.dylib", "torch"),
        made("torch/lib/libtorch.dylib", "torch", "@rpath/libomp.dylib"),
        made("unused/libomp.dylib", "unused"),
    )
    links = link(files, "/nowhere", ("",), root=None)
    assert [(one.family, one.path, one.owner) for one in links.runtimes] == [
        ("libomp", "sklearn/.dylibs/libomp.dylib", "scikit-learn"),
        ("libomp", "torch/lib/libomp.dylib", "torch"),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has LD_LIBRARY_PATH")
def test_libraries_of_the_process_go_before_the_systems(tmp_path: Path) -> None:
    folder = tmp_path / "env/mine"
    folder.mkdir(parents=True)
    (folder / "libgomp.so.1").write_bytes(make_elf(soname="libgomp.so.1"))
    files = [Binary("a.so", "a", ELF, os.uname().machine, 1, needed=("libgomp.so.1",))]
    links = link(files, str(tmp_path / "env"), ("",), library_path=[str(folder)])
    assert [one.path for one in links.runtimes] == ["libgomp.so.1"]
    assert missing(links) == {}


def test_what_there_is_is_named(tmp_path: Path) -> None:
    root = made_system(tmp_path / "root", "libz.so.1", libcached_so_3="/opt/x/libcached.so.3")
    files: dict[str, bytes | str] = {
        "a/libin.so.1": make_elf(soname="libin.so.1"),
        "/lib/libmpi.so.12": b"",
    }
    found = linked(tmp_path / "env", files, root=root).provided
    assert found >= {"libc.so.6", "libz.so.1", "libcached.so.3", "libin.so.1", "libmpi.so.12"}
    assert link((), str(tmp_path), (), root=None).provided == frozenset()


def test_no_binaries_have_nothing_to_link() -> None:
    links = link((), "/nowhere", ())
    assert (links.missing, links.symbols, links.not_found, links.runtimes) == ((), (), (), ())


def test_a_chain_of_broken_libraries_is_followed_in_bounded_time() -> None:
    files = [
        Binary(
            f"{SITE}/lib{at}.so",
            "",
            ELF,
            "x86_64",
            1,
            soname=f"lib{at}.so",
            needed=(f"lib{at - 1}.so", f"libgone{at}-0123abcd.so"),
        )
        for at in range(3_000)
    ]
    start = time.process_time()
    links = link(files, "/nowhere", (SITE,), root=None)
    assert len(links.missing) == len(files)
    assert time.process_time() - start < 5
