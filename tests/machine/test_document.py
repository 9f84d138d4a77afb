"""A snapshot gives the target back, and names nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
from hypothesis import example, given
from hypothesis import strategies as st

from mlenv import schemas
from mlenv.machine.document import as_toml, document_of
from mlenv.machine.keys import MACHINE_KEYS
from mlenv.machine.snapshot import parse_snapshot
from mlenv.model.target import Gpu, Installed, Target
from mlenv.model.text import SourceText

if TYPE_CHECKING:
    from collections.abc import Mapping

SPAN = SourceText("target here", "").span(0, 0)
INSTALLED = (
    *("packages", "conda_packages", "complete", "manager", "torch_cuda", "torch_architectures"),
    *("blas", "origins"),
)


def machine(**fields: Any) -> Target:
    return Target("here", SPAN, **fields)


SCHEMA = json.loads((Path(schemas.__file__).parent / "snapshot.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def both(target: Target) -> list[Target]:
    document = document_of(target)
    VALIDATOR.validate(document)
    return [
        parse_snapshot(as_toml(document), "a.toml", "a"),
        parse_snapshot(json.dumps(document), "a.json", "a"),
    ]


def said(target: Target) -> Mapping[str, object]:
    installed = target.installed
    return {
        **{key: getattr(target, key) for key in MACHINE_KEYS},
        "installed": installed and {key: getattr(installed, key) for key in INSTALLED},
    }


numbers = st.lists(st.integers(0, 999), min_size=2, max_size=3).map(
    lambda parts: ".".join(map(str, parts))
)
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda name: "--" not in name
)
versions = st.sampled_from(["1.0", "2.9.1+cu128", "0.1.dev3+gabc", "3!1.0rc1"])
gpus = st.builds(
    Gpu,
    st.sampled_from(["NVIDIA A100-SXM4-80GB", "Tesla \u00dcber 9", "Mystery \U0001f5a5"]),
    st.just((8, 0)),
    st.integers(1, 8),
    st.integers(0, 192),
)
installed_sets = st.builds(
    Installed,
    st.dictionaries(names, versions, max_size=4),
    st.dictionaries(names, st.sampled_from(["2024.0", "9e", "1.0_1"]), max_size=3),
    st.booleans(),
    st.sampled_from(["", "venv", "conda", "system"]),
    st.sampled_from(["", "none", "12.8"]),
    st.lists(st.sampled_from(["sm_80", "sm_90a", "compute_120"]), max_size=3).map(tuple),
    st.sampled_from(["", "scipy-openblas 0.3.29"]),
)
targets = st.builds(
    machine,
    os=st.sampled_from(["", "linux", "windows"]),
    arch=st.sampled_from(["", "x86_64", "aarch64"]),
    **dict.fromkeys(
        ("glibc", "python", "driver", "driver_cuda", "cuda_toolkit", "cudnn", "image_cuda"),
        st.just("") | numbers,
    ),
    wants_gpu=st.sampled_from([None, True, False]),
    builds_extensions=st.booleans(),
    missing_libraries=st.sampled_from([(), ("libGL.so.1",)]),
    gpus=st.lists(gpus, max_size=2).map(tuple),
    installed=st.none() | installed_sets,
)


@given(targets)
@example(machine())
@example(machine(installed=Installed()))
def test_what_is_written_is_read_back(target: Target) -> None:
    for found in both(target):
        assert said(found) == said(target)


def test_that_there_is_no_gpu_can_be_said() -> None:
    bare = machine(os="linux")
    document = document_of(bare, without_gpu=True)
    assert document == {"machine": {"os": "linux", "gpus": []}}
    for text, name in ((as_toml(document), "a.toml"), (json.dumps(document), "a.json")):
        found = parse_snapshot(text, name, "a")
        assert (found.gpus, "gpus" in found.spans) == ((), True)
    assert "gpus" not in document_of(bare)["machine"]


def test_origins_come_back() -> None:
    origins = {"a": "editable", "b": "git 0123456789ab", "c": "local", "d": "url", "e": "git"}
    installed = Installed(dict.fromkeys(origins, "1.0"), origins=origins, complete=True)
    for found in both(machine(installed=installed)):
        assert found.installed is not None
        assert found.installed.origins == origins


ANY = st.text(max_size=20)


@given(
    st.builds(
        machine,
        os=ANY,
        driver=ANY,
        python=ANY,
        missing_libraries=st.lists(ANY, max_size=2).map(tuple),
        gpus=st.lists(st.builds(Gpu, ANY), max_size=2).map(tuple),
        installed=st.builds(
            Installed,
            st.dictionaries(ANY, ANY, max_size=3),
            st.dictionaries(ANY, ANY, max_size=3),
            st.just(True),
            st.just("venv"),
            ANY,
            st.lists(ANY, max_size=2).map(tuple),
            ANY,
            st.dictionaries(ANY, ANY, max_size=2),
        ),
    )
)
def test_whatever_is_found_can_be_read(target: Target) -> None:
    assert target.installed is not None
    for found in both(target):
        assert found.installed is not None
        left_out = len(found.installed.packages) < len(target.installed.packages)
        left_out |= len(found.installed.conda_packages) < len(target.installed.conda_packages)
        # where a package could not be written nothing may be called missing
        assert found.installed.complete == (not left_out)


def test_a_package_is_a_name_and_a_version() -> None:
    secret = "https://joe:hunter2@index.example/simple"
    installed = Installed(
        {"torch": "2.9.1", "own": secret, "/home/joe/own": "1.0", "other": "1.0"},
        {"mkl": secret},
        complete=True,
        blas=f"openblas {secret}",
        origins={"torch": secret, "other": "git /home/joe", "gone": "editable"},
        torch_cuda=secret,
        torch_architectures=(secret, "sm_80"),
    )
    target = machine(
        gpus=(Gpu("A\x1b[2J", (8, 0)),), missing_libraries=("libGL.so.1",), installed=installed
    )
    document = document_of(target)
    assert document == {
        "machine": {
            "missing_libraries": ["libGL.so.1"],
            "gpus": [{"compute_capability": "8.0", "count": 1}],
        },
        "environment": {
            "complete": False,
            "torch": {"arch_list": ["sm_80"]},
            "packages": {"other": "1.0", "torch": "2.9.1"},
        },
    }


def test_toml_has_a_line_for_each_package() -> None:
    installed = Installed({"b": "2", "a": "1.0"}, {"mkl": "2024"}, True, "conda", "12.8")
    gpu = Gpu("A100", (8, 0), 8, 80)
    assert as_toml(document_of(machine(driver="535.1", gpus=(gpu,), installed=installed))) == (
        '[machine]\ndriver = "535.1"\ngpus = [{ name = "A100", compute_capability = "8.0", '
        'count = 8, memory = 80 }]\n\n[environment]\ncomplete = true\nmanager = "conda"\n'
        'torch = { cuda = "12.8" }\n\n[environment.packages]\na = "1.0"\nb = "2"\n\n'
        '[environment.conda_packages]\nmkl = "2024"\n'
    )
