"""A target's file: what people write is understood, and what is wrong is refused in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlenv.errors import ConfigError, UsageError
from mlenv.machine.keys import MACHINE_KEYS
from mlenv.machine.snapshot import MOST_BYTES, read_snapshot
from mlenv.model.target import Gpu, Target

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
# the cluster
[machine]
os = "Ubuntu 22.04"
arch = "amd64"
glibc = "2.35"
python = "3.10.12"
driver = "535.104.05"
driver_cuda = "CUDA 12.2"
cuda_toolkit = "12.2"
cudnn = "8.9.2"
image_cuda = "12.1"
wants_gpu = true
builds_extensions = true
missing_libraries = ["libGL.so.1"]
gpus = ["8xA100", { name = "NVIDIA A100-SXM4-80GB", compute_capability = "8.0", count = 8 }]

[environment]
complete = true
manager = "venv"
packages = { Torch = "2.1.0+cu118", "ruamel.yaml" = "0.18.6" }
conda_packages = { MKL = "2024.0" }
torch = { cuda = "12.1", arch_list = ["sm_80", "sm_90"] }
"""


def read(folder: Path, text: str, name: str = "a100.toml") -> Target:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return read_snapshot(str(folder / name), name)


def machine(folder: Path, **keys: object) -> Target:
    return read(folder, json.dumps({"machine": keys}), "a.json")


def test_every_key(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert (found.name, found.os, found.arch, found.glibc) == (
        "a100.toml", "linux", "x86_64", "2.35",
    )  # fmt: skip
    assert (found.python, found.driver, found.driver_cuda) == ("3.10.12", "535.104.05", "12.2")
    assert (found.cuda_toolkit, found.cudnn, found.image_cuda) == ("12.2", "8.9.2", "12.1")
    assert (found.wants_gpu, found.builds_extensions) == (True, True)
    assert found.missing_libraries == ("libGL.so.1",)
    assert found.gpus == (Gpu("A100", (8, 0), 8), Gpu("NVIDIA A100-SXM4-80GB", (8, 0), 8))
    assert set(found.spans) == set(MACHINE_KEYS)
    installed = found.installed
    assert installed is not None
    assert installed.packages == {"torch": "2.1.0+cu118", "ruamel-yaml": "0.18.6"}
    assert installed.conda_packages == {"mkl": "2024.0"}
    assert (installed.complete, installed.manager, installed.torch_cuda) == (True, "venv", "12.1")
    assert installed.torch_architectures == ("sm_80", "sm_90")


def test_places_lead_into_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert found.installed is not None
    assert (found.where("driver").line, found.where("driver").text) == (7, '"535.104.05"')
    assert found.installed.spans["torch"].text == 'Torch = "2.1.0+cu118"'
    assert (found.span.line, found.span.text) == (2, "[machine]")
    assert found.span.path == "target a100.toml"
    assert found.span.target == "a100.toml"


@pytest.mark.parametrize("indent", [None, 2])
def test_json_says_the_same(tmp_path: Path, indent: int | None) -> None:
    values = {
        "machine": {"driver": "535", "gpus": [{"name": "T4", "count": "2"}], "cudnn": None},
        "environment": {"packages": {"torch": "2.1.0"}, "torch": {"cuda": "none"}},
    }
    found = read(tmp_path, json.dumps(values, indent=indent), "a.json")
    assert (found.driver, found.gpus, found.cudnn) == ("535", (Gpu("T4", (7, 5), 2),), "")
    assert found.where("driver").text == '"535"'
    assert found.installed is not None
    assert found.installed.torch_cuda == "none"
    assert found.installed.spans["torch"].text == '"torch": "2.1.0"'
    assert read(tmp_path, json.dumps(values), "a.txt").driver == "535"


def test_an_empty_file_states_nothing(tmp_path: Path) -> None:
    for text, name in (("", "a.toml"), ("{}", "a.json"), ("[machine]\n", "a.toml")):
        found = read(tmp_path, text, name)
        assert (found.spans, found.gpus, found.installed, found.driver) == ({}, (), None, "")
        assert found.where("driver") == found.span


@pytest.mark.parametrize(
    ("written", "system"),
    [
        ("linux", "linux"), ("Linux", "linux"), ("Ubuntu 22.04", "linux"), ("CentOS 8", "linux"),
        ("Linux container", "linux"), ("Windows 11 (WSL2)", "linux"), ("Windows 11", "windows"),
        ("win32", "windows"), ("macOS 14.7.1", "macos"), ("Darwin", "macos"), ("OS X", "macos"),
    ],
)  # fmt: skip
def test_systems_have_many_names(tmp_path: Path, written: str, system: str) -> None:
    assert machine(tmp_path, os=written).os == system


@pytest.mark.parametrize(
    ("system", "written", "arch"),
    [
        ("linux", "amd64", "x86_64"), ("windows", "x64", "x86_64"), ("linux", "arm64", "aarch64"),
        ("macos", "aarch64", "arm64"), ("macos", "arm64", "arm64"), ("linux", "ppc64le", "ppc64le"),
    ],
)  # fmt: skip
def test_architectures_have_two_names(tmp_path: Path, system: str, written: str, arch: str) -> None:
    assert machine(tmp_path, os=system, arch=written).arch == arch


@pytest.mark.parametrize(
    ("written", "gpus"),
    [
        ("A100", (Gpu("A100", (8, 0)),)),
        ("2 x RTX 4090", (Gpu("RTX 4090", (8, 9), 2),)),
        ("4090 x2 + T4", (Gpu("4090", (8, 9), 2), Gpu("T4", (7, 5)))),
        ([{"compute_capability": 12}], (Gpu("", (12, 0)),)),
        ([{"compute_capability": "sm_86"}], (Gpu("", (8, 6)),)),
        ([{"name": "A100", "compute_capability": 8.6}], (Gpu("A100", (8, 6)),)),
        (["Apple M2", "Mystery 9"], (Gpu("Apple M2"), Gpu("Mystery 9"))),
        ([], ()),
    ],
)
def test_gpus_are_named_in_many_ways(
    tmp_path: Path, written: object, gpus: tuple[Gpu, ...]
) -> None:
    assert machine(tmp_path, gpus=written).gpus == gpus


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[machin]", "unknown key 'machin'; did you mean 'machine'?"),
        ("driver = '535'", "'driver' belongs in [machine]"),
        ("packages = {}", "'packages' belongs in [environment]"),
        ("[machine]\ndrivr = '535'", "machine: unknown key 'drivr'; did you mean 'driver'?"),
        ("machine = 1", "'machine' must be a table"),
        ("[machine]\ndriver = 535", "'machine.driver' must be a version in quotes"),
        ("[machine]\npython = 3.10", "'machine.python' must be a version in quotes"),
        ("[machine]\npython = '3.x.y'", "'machine.python' must be a version in quotes"),
        ("[machine]\ndriver = ''", "'machine.driver' must be a version in quotes"),
        (f"[machine]\ndriver = '{'9' * 40}'", "'machine.driver' must be a version"),
        ("[machine]\nos = 'BeOS'", "'machine.os' must be linux, windows or macos"),
        ("[machine]\nwants_gpu = 'yes'", "'machine.wants_gpu' must be true or false"),
        ("[machine]\nmissing_libraries = 'x'", "'machine.missing_libraries' must be a list"),
        ("[machine]\ngpus = [1]", "'machine.gpus.0' must be the name of a GPU or a table"),
        ("[machine]\ngpus = ['A100', {count = 1}]", "'machine.gpus.1' must have a name or"),
        ("[machine]\ngpus = [{name = 'A100', count = 0}]", "'machine.gpus.0.count' must be"),
        (f"[machine]\ngpus = '{10**9}xA100'", "'machine.gpus' must be"),
        ("[machine]\ngpus = [{compute_capability = 'new'}]", "must be a compute capability such"),
        ("[machine]\ngpus = [[]]", "'machine.gpus.0' must be the name of a GPU or a table"),
        ("environment = []", "'environment' must be a table"),
        ("[environment]\ncomplete = 1", "'environment.complete' must be true or false"),
        ("[environment]\nmanager = 'uv'", "'environment.manager' must be one of venv, conda"),
        ("[environment]\nmanager = []", "'environment.manager' must be one of venv, conda"),
        ("[environment]\npackages = ['torch']", "'environment.packages' must be a table of names"),
        ("[environment]\npackages.torch = 2.1", "'environment.packages.torch' must be a version"),
        ("[environment]\npackages.torch = 'a b'", "'environment.packages.torch' must be"),
        ("[environment]\npackages.torch = 'new'", "'environment.packages.torch' must be"),
        (
            "[environment.packages]\ntorch = '2.1'\nTorch = '2.2'",
            "'environment.packages.Torch' stands twice, as torch with another version",
        ),
        ("[environment]\ntorch.cuda = 'x'", "'environment.torch.cuda' must be a version"),
        ("[environment]\ntorch.archs = []", "environment.torch: unknown key 'archs'"),
        ("[machine", "it is no TOML"),
        ("a = " + "[" * 5000, "it is no TOML"),
        ("a = " + "9" * 5000, "it is no TOML"),
        ("{", "it is no JSON"),
        ('{"a": ' + "[" * 100_000, "it is no JSON"),
        ('{"machine": {"driver": "535", "driver": "470"}}', "'driver' stands twice"),
        ('{"machine": {"driver": NaN}}', "'machine.driver' must be a version"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text, "a.target")
    told = str(caught.value)
    assert told.startswith("a.target:")
    assert why in told
    assert "\n" not in told
    assert len(told) < 500


def test_a_list_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it must be a table"):
        read(tmp_path, "[1]", "a.json")


def test_size_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it is larger than 1 MiB"):
        read(tmp_path, "#" * (MOST_BYTES + 1))
    packages = {f"package-{number}": "1.0" for number in range(30_000)}
    found = read(tmp_path, json.dumps({"environment": {"packages": packages}}), "a.json")
    assert found.installed is not None
    assert found.installed.spans["package-29999"].text == '"package-29999": "1.0"'


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it cannot be read"):
        read_snapshot(str(tmp_path))


def is_target(folder: Path, data: bytes) -> bool:
    (folder / "any").write_bytes(data)
    try:
        read_snapshot(str(folder / "any"))
    except UsageError:
        return False
    return True


any_value: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-16")))
@example(b"\xff\xfe{\x00}\x00")
@example(b'{"machine": {"os": "\\ud800"}}')
def test_any_bytes_are_a_target_or_refused(tmp_path: Path, data: bytes) -> None:
    is_target(tmp_path, data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(st.sampled_from(MACHINE_KEYS), any_value, max_size=3),
    st.dictionaries(st.sampled_from(("complete", "packages", "torch")), any_value, max_size=2),
)
def test_any_value_is_taken_or_refused(
    tmp_path: Path, machine: dict[str, Any], environment: dict[str, Any]
) -> None:
    values = {"machine": machine, "environment": environment}
    is_target(tmp_path, json.dumps(values).encode())


def test_there_are_targets_among_any_bytes(tmp_path: Path) -> None:
    assert is_target(tmp_path, b"\xff\xfe{\x00}\x00")
    assert not is_target(tmp_path, b"\xff")
