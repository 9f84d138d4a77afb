"""Promise 5: nothing of an environment is imported or run; every file in this one leaves a mark."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from guarding import GUARD, plant, ran
from program import SOURCE, environment

from mlenv.machine.presence import may_have_driver

PYTHON = "3.9"
"""Older than any that runs mlenv, so that no interpreter of ours takes it for its own."""
MODULES = ("numpy", "torch", "torchvision", "cv2", "flash_attn", "xformers", "demo", "tensorflow")
BEFORE_ALL = ("sitecustomize", "usercustomize", "_virtualenv", "distutils_precedence", "conda")
FINDER = "__editable___demo_editable_0_1_finder"
PROGRAMS = (
    *("python", "python3", f"python{PYTHON}", "pip", "uv", "conda", "mamba", "pixi", "git", "demo"),
    *("nvidia-smi", "nvcc", "ldconfig", "ldd", "readelf", "objdump", "cuobjdump", "rocm-smi"),
    *("gcc", "file", "hostname", "uname", "lspci", "modinfo", "brew", "dpkg"),
)
TRACEBACK = """\
Traceback (most recent call last):
  File "{site}/demo.py", line 1, in <module>
    import numpy
ImportError: numpy.core.multiarray failed to import
A module that was compiled using NumPy 1.x cannot be run in NumPy 2.0.1
"""
MARKING_LIBRARY = """\
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void mark(void) {
    int file = open(MARK, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file >= 0 && write(file, "library ", 8) == 8) close(file);
}
void PyInit_demo(void) {}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project and an environment in which everything leaves a mark wherever it is run."""
    root = tmp_path / "root"
    prefix, site = root / ".venv", root / ".venv" / "lib" / f"python{PYTHON}" / "site-packages"
    for folder in (site, prefix / "bin", prefix / "conda-meta", root / "home"):
        folder.mkdir(parents=True)
    (root / "requirements.txt").write_text("numpy==1.26.4\ntorch==2.1.0\nhttpx\n")
    (prefix / "pyvenv.cfg").write_text(f"home = {prefix}/bin\nversion = {PYTHON}.7\n")
    (prefix / "conda-meta" / "history").write_text("==> 2026-01-01 10:00:00 <==\n")
    for name in PROGRAMS:
        plant_program(prefix / "bin" / name, root)
    activate = prefix / "etc" / "conda" / "activate.d"
    activate.mkdir(parents=True)
    plant_program(activate / "activate.sh", root)
    for module in (*MODULES, *BEFORE_ALL, FINDER):
        plant(site, module)
    for module in MODULES:
        plant_package(site, module)
    mark = f"open({str(root / 'RAN')!r}, 'a').write('pth ')"
    (site / "evil.pth").write_text(f"import os; {mark}\n")
    (site / "__editable__.demo_editable-0.1.pth").write_text(f"import {FINDER}; {mark}\n")
    users = root / "home" / ".local" / "lib" / f"python{PYTHON}" / "site-packages"
    users.mkdir(parents=True)
    plant(users, "usercustomize")
    plant_distributions(site)
    return root


def plant_program(path: Path, root: Path) -> None:
    path.write_text(f"#!/bin/sh\necho {path.name} >> '{root}/RAN'\n")
    path.chmod(0o755)


def plant_package(site: Path, name: str) -> None:
    """Make a package whose every file leaves a mark; also that which says what it was built for."""
    folder = site / name
    folder.mkdir()
    for module in ("__init__", "__main__", "_C", "setup"):
        plant(folder, module)
    plant(folder, "version")
    with (folder / "version.py").open("a") as file:
        file.write("__version__ = '2.1.0+cu118'\ncuda = '11.8'\nhip = open('RAN', 'w') and None\n")


def plant_distributions(site: Path) -> None:
    releases = {"numpy": "2.0.1", "torch": "2.1.0+cu118", "demo": "1.0", "demo-editable": "0.1"}
    for name, version in releases.items():
        folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        needs = "Requires-Dist: absent\nRequires-Dist: numpy<2\n"
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n{needs}")
        (folder / "WHEEL").write_text("Tag: cp39-cp39-linux_x86_64\n")
        (folder / "RECORD").write_text(f"{name}/__init__.py,sha256=AAAA,3\n{name}/gone.py,,\n")
        (folder / "entry_points.txt").write_text(f"[console_scripts]\n{name} = {name}:main\n")
        (folder / "INSTALLER").write_text("pip\n")
    editable = {"url": "file:///nowhere/demo", "dir_info": {"editable": True}}
    (site / "demo_editable-0.1.dist-info" / "direct_url.json").write_text(json.dumps(editable))
    (site / "setup.py").write_text("raise SystemExit\n")


def surrounded(root: Path, tmp_path: Path) -> dict[str, str]:
    """Return the variables of somebody who is in that environment, with the guard before all.

    Nothing may be written but the cache, which lies in a folder of its own.
    """
    folder, cache = tmp_path / "guard", str(tmp_path / "cache")
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(GUARD)
    prefix = str(root / ".venv")
    return environment(
        PYTHONPATH=os.pathsep.join((str(folder), SOURCE)),
        GUARDED=str(root),
        PYTHONDONTWRITEBYTECODE="1",
        PATH=str(root / ".venv" / "bin"),
        VIRTUAL_ENV=prefix,
        CONDA_PREFIX=prefix,
        CONDA_EXE=f"{prefix}/bin/conda",
        CUDA_HOME=prefix,
        HOME=str(root / "home"),
        XDG_CACHE_HOME=cache,
        LOCALAPPDATA=cache,
        MAY_WRITE=cache,
    )


def run(
    folder: Path, variables: dict[str, str], *arguments: str, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "mlenv", *arguments]
        if sys.version_info >= (3, 11)
        else [sys.executable, "-m", "mlenv", *arguments],
        cwd=folder,
        env=variables,
        input=given,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


COMMANDS = (
    ("audit", ".", "--no-cache"),
    ("audit", ".", "--env", ".venv", "--no-cache", "--format", "json"),
    ("audit", ".", "--env", ".venv/bin/python", "--no-cache", "--target", "none"),
    ("audit", ".", "--env", ".venv", "--no-binaries", "--target", "local", "-v"),
    ("env", "--no-cache"),
    ("env", "--no-cache", "--format", "json"),
    ("env", "--no-cache", "--format", "markdown"),
    ("snapshot", "--no-binaries"),
    ("diff", "machine.json"),
    ("tree",),
    ("tree", "--format", "json"),
    ("tree", "--format", "mermaid"),
    ("explain",),
)

LOOKING = (("audit", ".", "--no-cache"), ("env", "--no-cache"), ("tree",))


@pytest.mark.skipif(may_have_driver({}), reason="a driver is asked by a process of its own")
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("inside", ["", ".venv", f".venv/lib/python{PYTHON}/site-packages"])
def test_nothing_is_run_written_or_imported(
    root: Path, tmp_path: Path, arguments: tuple[str, ...], inside: str
) -> None:
    folder = root / inside
    (folder / "machine.json").write_text('{"machine": {"python": "3.9"}}')
    given = [str(root / word) if word.startswith(".venv") else word for word in arguments]
    pasted = TRACEBACK.format(site=root / ".venv") if arguments[0] == "explain" else ""
    done = run(folder, surrounded(root, tmp_path), *given, given=pasted)
    assert "refused" not in done.stderr
    assert done.returncode in (0, 1, 3), done.stderr
    assert done.stdout or done.returncode == 3
    assert ran(root) == ""


def test_the_folders_of_packages_on_the_path_are_not_imported_from(
    root: Path, tmp_path: Path
) -> None:
    site = root / ".venv" / "lib" / f"python{PYTHON}" / "site-packages"
    for name in BEFORE_ALL:  # Python itself would import these before any program
        (site / f"{name}.py").unlink()
    variables = surrounded(root, tmp_path)
    variables["PYTHONPATH"] += os.pathsep + str(site)
    for arguments in LOOKING:
        done = run(root, variables, *arguments)
        assert "refused" not in done.stderr
        assert done.returncode in (0, 1), done.stderr
        assert ran(root) == ""


def test_only_the_cache_is_written_to(root: Path, tmp_path: Path) -> None:
    variables = surrounded(root, tmp_path)
    if sys.platform == "darwin":
        variables["HOME"] = variables["MAY_WRITE"]
    before = set(root.rglob("*"))
    for _ in range(2):
        done = run(root, variables, "audit", ".", "--env", ".venv", "--format", "json")
        assert "refused" not in done.stderr
        assert done.returncode == 1
        assert json.loads(done.stdout)["findings"]
    assert set(root.rglob("*")) == before
    assert ran(root) == ""


COMPILER = shutil.which("gcc") or shutil.which("cc")


@pytest.mark.skipif(COMPILER is None or os.name == "nt", reason="there is no C compiler here")
def test_no_library_is_loaded(root: Path, tmp_path: Path) -> None:
    assert COMPILER is not None
    source = tmp_path / "mark.c"
    source.write_text(MARKING_LIBRARY)
    site = root / ".venv" / "lib" / f"python{PYTHON}" / "site-packages"
    library = site / "demo" / "_demo.cpython-39-x86_64-linux-gnu.so"
    mark = f'-DMARK="{root / "RAN"}"'
    subprocess.run([COMPILER, "-shared", "-fPIC", mark, "-o", library, source], check=True)
    shutil.copy(library, site / "torch" / "libtorch_cuda.so")
    shutil.copy(library, root / ".venv" / "lib" / "libcudart.so.11.0")
    for arguments in LOOKING:
        done = run(root, surrounded(root, tmp_path), *arguments)
        assert "refused" not in done.stderr
        assert done.returncode in (0, 1), done.stderr
        assert ran(root) == ""
    # the mark is left where somebody does load it
    load = [sys.executable, "-c", f"import ctypes; ctypes.CDLL({str(library)!r})"]
    subprocess.run(load, check=True)
    assert ran(root) == "library "


STRACE = shutil.which("strace")


def _can_trace() -> bool:
    if STRACE is None:
        return False
    done = subprocess.run([STRACE, "-qq", "true"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.skipif(not _can_trace(), reason="strace is not installed, or may not trace here")
def test_the_kernel_saw_no_other_program_and_no_writing(root: Path, tmp_path: Path) -> None:
    # an audit hook sees what Python does; this sees what anything does
    log = tmp_path / "calls"
    calls = "trace=execve,fork,vfork,clone,clone3,openat,open,creat,connect,mkdir,rename,unlink"
    variables = surrounded(root, tmp_path)
    for arguments in LOOKING:
        command = [sys.executable, "-m", "mlenv", *arguments]
        done = subprocess.run(
            [str(STRACE), "-f", "-qq", "-o", str(log), "-e", calls, *command],
            cwd=root,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        lines = log.read_text("utf-8", "replace").splitlines()
        assert sum("execve(" in line for line in lines) == 1
        assert not [line for line in lines if _acts(line) and str(tmp_path / "cache") not in line]
        assert ran(root) == ""


def _acts(line: str) -> bool:
    if "open" in line:
        return ("O_WRONLY" in line or "O_RDWR" in line or "O_CREAT" in line) and (
            '"/dev/null"' not in line
        )
    return any(f"{call}(" in line for call in ("connect", "mkdir", "rename", "unlink", "creat"))
