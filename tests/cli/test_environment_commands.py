"""``mlenv env``, ``snapshot``, ``diff`` and ``tree`` as a shell calls them."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import making
import pytest
from invocation import KEPT, mlenv
from nvml_stub import COMPILER, build

from mlenv import schemas

TORCH = {
    "name": "torch",
    "version": "2.9.1",
    "requires": ["numpy", "sympy>=1.13.3", "gone; python_version < '3.9'"],
    "files": {"torch/version.py": "__version__ = '2.9.1+cu128'\ncuda = '12.8'\n"},
}
SOUND = [TORCH, {"name": "numpy", "version": "2.3.5"}, {"name": "sympy", "version": "1.14.0"}]
BROKEN = [TORCH, {"name": "numpy", "version": "2.3.5"}]


def write_environment(prefix: Path, distributions: Any, **options: Any) -> Path:
    """Write an environment whose interpreter is there, though it could not be run."""
    folder = making.write_environment(prefix, distributions, **options)
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python3").write_bytes(b"")
    return folder


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    write_environment(tmp_path / ".venv", SOUND)
    return tmp_path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    write_environment(tmp_path / ".venv", BROKEN)
    return tmp_path


def document(of: str, text: str) -> Any:
    """What was printed, held against its schema; every key of it is described there."""
    schema = json.loads((Path(schemas.__file__).parent / f"{of}.schema.json").read_text("utf-8"))
    found = json.loads(text)
    jsonschema.Draft202012Validator(schema).validate(found)
    described = set(keys(schema, "properties"))
    free = {name for one in ("packages", "conda_packages", "origins") for name in named(found, one)}
    assert set(keys(found)) - free <= described
    return found


def keys(value: Any, under: str = "") -> list[str]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    inner = [key for item in items for key in keys(item, under)]
    if not isinstance(value, dict):
        return inner
    return [*(value.get(under, {}) if under else value), *inner]


def named(value: Any, key: str) -> list[str]:
    """The names in a table of packages."""
    environment = value.get("environment") if isinstance(value, dict) else None
    table = environment.get(key) if isinstance(environment, dict) else None
    return list(table) if isinstance(table, dict) else []


def in_ascii(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mlenv", *arguments],
        cwd=folder,
        env={
            **{key: os.environ[key] for key in KEPT if key in os.environ},
            "CONDA_OVERRIDE_CUDA": "",
            "PYTHONIOENCODING": "ascii:strict",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode("ascii")


def test_env_is_one_screen(sound: Path) -> None:
    done = mlenv(sound, "env")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("mlenv 0.1.0: .venv")
    for said in ("  ✓ torch       2.9.1+cu128, built for CUDA 12.8", "  - GPU         none from"):
        assert any(line.startswith(said) for line in lines), said
    assert any("CPU only: no NVIDIA GPU" in line for line in lines)


def test_env_names_what_does_not_fit(broken: Path) -> None:
    done = mlenv(broken, "env")
    assert done.returncode == 0
    assert "✗ packages    2 Python packages\n                ENV001 " in done.stdout
    assert "sympy" in done.stdout
    assert mlenv(broken, "env", "--fail-on", "error").returncode == 1


def test_env_needs_no_environment(tmp_path: Path) -> None:
    done = mlenv(tmp_path, "env")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no environment" in done.stdout


def test_env_of_a_path(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for named in (sound, sound / ".venv"):
        assert "2.9.1+cu128" in mlenv(elsewhere, "env", str(named)).stdout
    assert "2.9.1+cu128" in mlenv(elsewhere, "env", "--env", str(sound / ".venv")).stdout
    for wrong in (["env", "nowhere"], ["env", "--env", "nowhere"], ["env", "--target", "none"]):
        done = mlenv(elsewhere, *wrong)
        assert (done.returncode, done.stdout) == (2, "")


def test_env_for_another_machine(sound: Path) -> None:
    target = "driver=470.82,gpu=A100"
    done = mlenv(sound, "env", "--target", target)
    assert "✗ driver      470.82\n                DRV001 " in done.stdout
    assert "✗ not as it is: " in done.stdout
    fine = mlenv(sound, "env", "--target", "driver=580.65.06,gpu=A100").stdout
    assert "✓ torch 2.9.1+cu128 can run on this GPU\n" in fine


def test_env_as_json(broken: Path) -> None:
    found = document("env", mlenv(broken, "env", "--format", "json").stdout)
    assert [one["rung"] for one in found["ladder"]] == [
        *("gpu", "driver", "cuda", "torch", "companions", "numpy", "packages", "python"),
    ]
    assert found["environment"]["packages"] == {"numpy": "2.3.5", "torch": "2.9.1+cu128"}
    assert (found["verdict"]["state"], found["summary"]["error"]) == ("error", 1)
    assert found["findings"][0]["rule"] == "ENV001"
    alone = document("env", mlenv(broken, "env", "--env", "none", "--format", "json").stdout)
    assert alone["environment"] is None


def test_env_as_markdown(broken: Path) -> None:
    text = mlenv(broken, "env", "--format", "markdown").stdout
    assert "| torch | ok | `2.9.1+cu128, built for CUDA 12.8` |" in text
    assert "| packages | **error** (ENV001) |" in text
    assert "```text\ntorch==2.9.1+cu128\nnumpy==2.3.5\n```" in text


def test_nothing_beyond_ascii_where_it_cannot_be_shown(broken: Path) -> None:
    assert "  ok torch  " in in_ascii(broken, "env")
    assert "  NO packages  " in in_ascii(broken, "env")
    assert "  - numpy 2.3.5\n" in in_ascii(broken, "tree")
    assert "~" not in in_ascii(broken, "diff", ".", ".venv")


HOSTILE = "1.0\x1b[2J|`</summary><b>@team##[error]\u202e"


def test_hostile_metadata_does_nothing(tmp_path: Path) -> None:
    text = f"Metadata-Version: 2.1\nName: jax\nVersion: {HOSTILE}\nRequires-Dist: gone{HOSTILE}\n"
    write_environment(
        tmp_path / ".venv",
        [{"name": "jax", "version": "1", "metadata": text}, {"name": "a", "requires": ["jax>=2"]}],
    )
    for arguments in (
        ["env"], ["env", "-v"], ["env", "-f", "markdown"], ["tree"], ["tree", "-f", "mermaid"],
        ["tree", "jax", "--reverse"], ["tree", "--heaviest"], ["diff", ".venv"], ["snapshot"],
        ["diff", ".venv", "-f", "markdown"],
    ):  # fmt: skip
        done = mlenv(tmp_path, *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        for line in done.stdout.splitlines():
            assert line.isprintable(), (arguments, line)
            assert "##[" not in line, (arguments, line)
        if "markdown" in arguments:
            outside = "".join(done.stdout.replace("\\|", "").split("`")[::2])
            assert "@team" not in outside
            assert "</summary><b>" not in outside
        if "mermaid" in arguments:
            assert not {"`", "@", "|"} & set(done.stdout)


@pytest.mark.skipif(COMPILER is None, reason="needs a C compiler for the driver's stub")
def test_gpus_of_a_driver_that_answers(sound: Path) -> None:
    gpus = [("NVIDIA H100 80GB HBM3", 9, 0)] * 8
    variables = {key: os.environ[key] for key in KEPT if key in os.environ}
    variables["LD_LIBRARY_PATH"] = build(sound, *gpus, driver="580.65.06", cuda=13000)

    def shown(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "mlenv", *arguments],
            cwd=sound,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout

    text = shown("env")
    assert "  ✓ GPU         8 x NVIDIA H100 80GB HBM3, compute capability 9.0" in text
    assert "  ✓ driver      580.65.06, offers CUDA 13.0\n" in text
    assert "✓ torch 2.9.1+cu128 can run on these GPUs\n" in text
    taken = json.loads(shown("snapshot", "--format", "json"))["machine"]
    (gpu,) = taken["gpus"]
    assert (gpu["name"], gpu["count"], taken["driver"]) == (gpus[0][0], 8, "580.65.06")


def test_a_snapshot_of_a_machine_without_a_gpu_says_so(sound: Path) -> None:
    mlenv(sound, "snapshot", "--output", "bare.toml")
    assert "\ngpus = []\n" in (sound / "bare.toml").read_text()
    shown = mlenv(sound, "env", "--target", "bare.toml").stdout
    assert "  - GPU         none\n  - driver      none\n" in shown
    assert "CPU only: no NVIDIA GPU" in shown


def test_a_snapshot_names_nobody(tmp_path: Path) -> None:
    home = tmp_path / "home" / "joe-planted"
    url = "https://joe:hunter2-planted@index-planted.example/own-1.0.tar.gz"
    folder = write_environment(home / "work-planted" / ".venv", SOUND)
    for name, direct in (
        ("own", {"url": url, "archive_info": {}}),
        ("mine", {"url": f"file://{home}/mine-planted", "dir_info": {"editable": True}}),
        ("forked", {"url": f"git+{url}", "vcs_info": {"vcs": "git", "commit_id": "ab" * 20}}),
    ):
        made = folder / f"{name}-1.0.dist-info"
        made.mkdir()
        (made / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (made / "direct_url.json").write_text(json.dumps(direct))
    for arguments in (["snapshot"], ["snapshot", "--format", "json"]):
        done = mlenv(home / "work-planted", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        found = done.stdout
        for planted in ("planted", "joe", "hunter2", str(tmp_path), "://", "index"):
            assert planted not in found, planted
        for mine in (getpass.getuser(), socket.gethostname(), os.path.expanduser("~")):
            # a name such as root or linux may stand there for something else
            assert mine in ("linux", "venv", "torch") or mine not in found, mine
    document("snapshot", found)
    assert json.loads(found)["environment"]["origins"] == {
        "forked": "git abababababab", "mine": "editable", "own": "url",
    }  # fmt: skip


def test_reports_show_no_home(tmp_path: Path) -> None:
    home = tmp_path / "home" / "joe-planted"
    folder = write_environment(home / ".venv", SOUND)
    (folder / "own.pth").write_text(f"{home}/gone-own\n")
    for form in ("text", "json", "markdown"):
        done = mlenv(tmp_path, "env", str(home), "--format", form, *["-v"][: form == "text"])
        assert done.returncode == 0
        assert str(tmp_path) not in done.stdout, form
        assert "joe-planted" not in done.stdout, form


def test_a_snapshot_is_a_target(broken: Path) -> None:
    for name in ("here.toml", "here.json"):
        assert mlenv(broken, "snapshot", "--output", name).stdout == ""
        (broken / "elsewhere").mkdir(exist_ok=True)
        (broken / "elsewhere" / "requirements.txt").write_text("torch==2.8.0\n")
        done = mlenv(broken, "audit", "elsewhere", "--target", name, "--format", "json")
        assert json.loads(done.stdout)["target"]["python"] == "3.11.7"
        shown = mlenv(broken, "env", "--target", name).stdout
        assert shown.startswith(f"mlenv 0.1.0: {name}\n  on linux, ")
        assert "2.9.1+cu128, built for CUDA 12.8" in shown
        assert "no differ" not in mlenv(broken, "diff", name, ".").stdout
        same = mlenv(broken, "diff", name, "here", "--exit-code")
        assert (same.returncode, same.stdout.splitlines()[1]) == (
            0, "nothing that is known of both differs",
        )  # fmt: skip


def test_diff(sound: Path) -> None:
    mlenv(sound, "snapshot", "--output", "before.json")
    write_environment(
        sound / "other", [{**TORCH, "version": "2.8.0", "files": {}}, SOUND[1]], python="3.12.1"
    )
    done = mlenv(sound, "diff", "before.json", "other")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == [
        "before.json against other",
        "Python differs most, 3.11.7 against 3.12.1: another minor Python: other wheels",
    ]
    assert "packages: 1 removed\n  - sympy  1.14.0\n" in done.stdout
    assert mlenv(sound, "diff", "before.json", "other", "--exit-code").returncode == 1
    found = document("diff", mlenv(sound, "diff", "before.json", "other", "-f", "json").stdout)
    assert [one["key"] for one in found["differences"]] == ["python", "torch", "sympy"]
    text = mlenv(sound, "diff", "before.json", "other", "-f", "markdown").stdout
    assert "| `Python` | `3.11.7` | `3.12.1` |" in text
    for name, gpus in (("a.json", "8xNVIDIA A100-SXM4-80GB"), ("b.json", "4xRTX 6000 Ada")):
        (sound / name).write_text(json.dumps({"machine": {"os": "linux", "gpus": gpus}}))
    assert mlenv(sound, "diff", "a.json", "b.json").stdout.splitlines()[-1] == (
        "  GPU  8 x A100-SXM4-80GB (8.0)  4 x RTX 6000 Ada (8.9)"
    )
    long = [{"name": "NVIDIA RTX 6000 Ada Generation Laptop GPU of a long name", "count": 4}]
    (sound / "b.json").write_text(json.dumps({"machine": {"os": "linux", "gpus": long}}))
    assert mlenv(sound, "diff", "a.json", "b.json").stdout.splitlines()[-2:] == [
        "  GPU  8 x A100-SXM4-80GB (8.0)",
        "       against 4 x RTX 6000 Ada Generation Laptop GPU of a long name (8.9)",
    ]
    for wrong in ("nowhere", "before.jsn"):
        done = mlenv(sound, "diff", wrong)
        assert (done.returncode, done.stdout) == (2, "")


def test_tree(broken: Path) -> None:
    done = mlenv(broken, "tree")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("torch 2.9.1\n├── numpy 2.3.5\n└── sympy (>=1.13.3)  <- missing\n")
    assert mlenv(broken, "tree", "numpy", "--reverse").stdout == (
        "numpy 2.3.5\n└── torch 2.9.1 (needs numpy)\n"
    )
    assert mlenv(broken, "tree", "--depth", "1").stdout == done.stdout
    assert mlenv(broken, "tree", "SymPy", "--reverse").stdout.startswith("sympy\n└── torch")
    wrong = mlenv(broken, "tree", "numpi")
    assert wrong.returncode == 2
    assert "did you mean 'numpy'?" in wrong.stderr
    assert mlenv(broken / ".venv" / "lib", "tree").returncode == 2


def test_tree_as_json_and_mermaid(broken: Path) -> None:
    found = document("tree", mlenv(broken, "tree", "--format", "json").stdout)
    assert found["roots"] == ["torch"]
    (torch,) = (one for one in found["packages"] if one["name"] == "torch")
    assert [(one["name"], one["state"]) for one in torch["requires"]] == [
        ("numpy", "fits"), ("sympy", "missing"),
    ]  # fmt: skip
    chart = mlenv(broken, "tree", "--format", "mermaid").stdout
    assert chart.startswith("flowchart TD\n")
    assert 'sympy["sympy' in chart
    assert "torch -.-> sympy\n" in chart or 'torch -- ">=1.13.3" --> sympy\n' in chart
    turned = mlenv(broken, "tree", "numpy", "--reverse", "--format", "mermaid").stdout
    assert 'numpy -- "any" --> torch\n' in turned


def test_tree_by_weight(tmp_path: Path) -> None:
    only = {"name": "only", "files": {"only.py": "x" * 5000}}
    write_environment(tmp_path / ".venv", [{"name": "big", "requires": ["only"]}, only])
    lines = mlenv(tmp_path, "tree", "--heaviest").stdout.splitlines()
    assert lines[0].split()[:3] == ["frees", "its", "own"]
    assert lines[1].split()[-3:] == ["big", "1.0", "only"]
    found = document("tree", mlenv(tmp_path, "tree", "--heaviest", "--format", "json").stdout)
    big, one = found["packages"]
    assert big["frees"] == big["size"] + one["size"] >= 5000
    assert big["alone"] == ["only"]


def test_nothing_is_imported_for_a_tree(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"open({str(mark)!r}, 'w').write('run')\n"
    files = {"gone.py": code, "sitecustomize.py": code, "here/__init__.py": code}
    here = {"name": "here", "requires": ["gone", "this"], "files": files}
    folder = write_environment(tmp_path / ".venv", [here])
    (folder / "x.pth").write_text(f"import os; {code}")
    (tmp_path / "gone.py").write_text(code)
    for form in ("text", "json", "mermaid"):
        done = mlenv(tmp_path, "tree", "--format", form)
        assert (done.returncode, done.stderr) == (0, "")
        # importing ``this`` prints a poem
        assert "Zen" not in done.stdout
    mlenv(tmp_path, "env")
    assert not mark.exists()


def test_findings_and_machines_have_one_schema() -> None:
    folder = Path(schemas.__file__).parent
    read = {
        name: json.loads((folder / f"{name}.schema.json").read_text("utf-8"))["$defs"]
        for name in ("audit", "env", "config", "snapshot")
    }
    for one, other in (("env", "audit"), ("snapshot", "config")):
        for name, definition in read[one].items():
            assert definition == read[other][name], (one, name)


def test_a_folder_is_no_package_of_a_tree(broken: Path) -> None:
    (broken / "src").mkdir(exist_ok=True)
    done = mlenv(broken, "tree", "src")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mlenv: error: 'src' is a folder: --env src names its environment\n"
