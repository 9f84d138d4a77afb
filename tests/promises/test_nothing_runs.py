"""Promise 5: nothing of the audited project is run or built, and no socket is opened."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from guarding import GUARD, plant, ran
from program import SOURCE, environment, program
from wellformed import PATHS, SAMPLES

from mlenv.machine.presence import may_have_driver

MODULES = (
    *(
        "yaml",
        "tomli",
        "packaging",
        "typer",
        "rich",
        "click",
        "pynvml",
        "pipdeptree",
        "mlenv_rules",
    ),
    *("typing", "re", "json", "enum", "dataclasses", "bisect", "fnmatch", "difflib", "inspect"),
    *("__future__", "shutil", "tempfile", "socket", "tomllib", "hashlib", "datetime", "textwrap"),
    *("sitecustomize", "usercustomize", "setup", "conftest", "noxfile", "tasks", "antigravity"),
)
"""What a stranger may call a file in the hope that somebody imports it."""
BEFORE_US = ("importlib", "contextlib", "warnings", "types", "functools", "collections", "operator")
"""What Python imports for ``-m`` before it comes to mlenv."""


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A project with a file of every kind and code that leaves a mark wherever it is run."""
    root = tmp_path / "trap"
    root.mkdir()
    for kind, name in PATHS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(SAMPLES[kind] + "\n", "utf-8")
    (root / "packages.txt").write_text("-e .\na @ file:./setup.py\n-r setup.py\n")
    (root / "odd.txt").write_text("a; (python_version in '3.8')\nb==1; not\n")
    for module in MODULES:
        plant(root, module)
    (root / "evil.pth").write_text("import setup\n")
    (root / "setup.cfg").write_text("[metadata]\nversion = attr: setup.version\n")
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text("home = /nowhere\n")
    plant(root / ".venv" / "bin", "python")
    uses = (root / "train.py", root / "numpy.py")
    for path in uses:
        plant(root, path.stem)
        path.write_text(path.read_text() + "import transformers\ntransformers.AdamW\n")
    (root / "transformers.txt").write_text("transformers==4.57.0\nnumpy==2.0.0\ntorch==1.7.1\n")
    (root / "machine.json").write_text('{"machine": {"driver": "470.1", "gpus": ["H100"]}}')
    return root


@pytest.fixture
def guard(tmp_path: Path, trap: Path) -> dict[str, str]:
    folder = tmp_path / "guard"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(GUARD)
    path = os.pathsep.join((str(folder), SOURCE))
    # what is known of an environment is remembered for its user, and nowhere else
    cache = str(tmp_path / "cache")
    return {
        "PYTHONPATH": path,
        "GUARDED": str(trap),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": cache,
        "MAY_WRITE": cache,
    }


COMMANDS = (
    ("audit", "."),
    ("audit", ".", "--format", "json"),
    ("audit", ".", "--format", "github", "--static"),
    ("audit", "requirements.txt", "setup.py", "-v"),
    ("audit", ".", "--target", "local"),
    ("audit", ".", "--target", "driver=470,gpu=A100", "--target", "machine.json"),
    ("deps", "."),
    ("deps", ".", "--format", "json"),
    ("rules",),
    ("explain", "PIN001"),
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_is_run_written_or_connected_to(
    trap: Path, guard: dict[str, str], arguments: tuple[str, ...]
) -> None:
    done = program(trap, *arguments, **guard)
    assert done.stderr == ""
    assert done.returncode in (0, 1)
    assert done.stdout
    assert ran(trap) == ""


@pytest.mark.skipif(may_have_driver({}), reason="this machine has a driver")
def test_a_driver_is_asked_only_where_there_is_one(
    trap: Path, guard: dict[str, str], tmp_path: Path
) -> None:
    # without the variable that says that there is none
    without = {key: value for key, value in environment(**guard).items() if "CONDA" not in key}
    done = [_audited(trap, without)]
    (tmp_path / "libnvidia-ml.so.1").write_bytes(b"")
    done.append(_audited(trap, {**without, "LD_LIBRARY_PATH": str(tmp_path)}))
    assert [one.returncode for one in done] == [1, 99]
    assert done[0].stderr == ""
    assert done[1].stderr.startswith("refused: subprocess.Popen")
    assert ran(trap) == ""


def _audited(folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlenv", "audit", "."],
        cwd=folder,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.socket()",
        "import os; os.system('true')",
        "import subprocess; subprocess.Popen(['true'])",
        "open('x', 'w')",
        "exec(open('setup.py').read())",
        "import runpy; runpy.run_path('setup.py')",
        "import yaml",
    ],
)
def test_the_guard_would_see_it(trap: Path, guard: dict[str, str], code: str) -> None:
    # ``exec`` of a text without a name is seen by what the text then does
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=trap,
        env=environment(**guard),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 99
    assert done.stderr.startswith("refused: ")


def test_python_m_imports_nothing_from_the_working_folder(trap: Path) -> None:
    done = program(trap, "audit", ".", "-v", PYTHONPATH=SOURCE)
    assert done.returncode == 1
    assert done.stderr == ""
    assert ran(trap) == ""
    done = program(trap, "--help", PYTHONPATH=SOURCE)  # typer, which much is imported for
    assert (done.returncode, done.stderr, ran(trap)) == (0, "", "")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 brought the option -P")
def test_python_p_m_imports_nothing_at_all_from_it(trap: Path) -> None:
    for module in BEFORE_US:
        plant(trap, module)
    done = program(trap, "audit", ".", flags="-P", PYTHONPATH=SOURCE)
    assert (done.returncode, done.stderr, ran(trap)) == (1, "", "")


SCRIPT = Path(sysconfig.get_path("scripts")) / ("mlenv.exe" if os.name == "nt" else "mlenv")


@pytest.mark.skipif(not SCRIPT.exists(), reason="mlenv is not installed beside this Python")
def test_the_command_imports_nothing_at_all_from_it(trap: Path) -> None:
    for module in BEFORE_US:
        plant(trap, module)
    for arguments in (("audit", "."), ("--help",)):
        done = subprocess.run(
            [str(SCRIPT), *arguments],
            cwd=trap,
            env=environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert (done.stderr, ran(trap)) == ("", "")
        assert done.returncode == (1 if arguments[0] == "audit" else 0)
