"""What differs is told by what it can do, and what is not known is not told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlenv.knowledge import Knowledge
from mlenv.model.difference import DECISIVE, LIKELY, MINOR, Comparison, Difference
from mlenv.model.target import Gpu, Installed, Target
from mlenv.model.text import SourceText
from mlenv.reasoning.differences import differences

KNOWLEDGE = Knowledge()
SPAN = SourceText("target a", "").span(0, 0)


def machine(packages: dict[str, str] | None = None, **fields: Any) -> Target:
    inner = ("complete", "manager", "torch_cuda", "blas", "origins", "conda_packages")
    stated = {key: fields.pop(key) for key in inner if key in fields}
    installed = None
    if packages is not None:
        installed = Installed(packages, **{"complete": True, **stated})
    return Target("a", SPAN, **fields, installed=installed)


def found(left: Target, right: Target) -> list[tuple[str, str, str, str]]:
    told = differences(left, right, KNOWLEDGE)
    return [(one.key, one.left, one.right, one.weight) for one in told]


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        ({"python": "3.10.4"}, {"python": "3.11.9"}, [("python", DECISIVE)]),
        ({"python": "3.11.4"}, {"python": "3.11.9"}, [("python", MINOR)]),
        ({"python": "3.11"}, {"python": "3.11.9"}, []),
        ({"python": "3.11.4"}, {}, []),
        ({"driver": "535.104.05"}, {"driver": "580.65.06"}, [("driver", LIKELY)]),
        ({"driver": "535.104.05"}, {"driver": "535.183.01"}, [("driver", MINOR)]),
        ({"driver_cuda": "12.2"}, {"driver_cuda": "13.0"}, [("driver_cuda", LIKELY)]),
        ({"os": "linux"}, {"os": "windows"}, [("os", DECISIVE)]),
        ({"cuda_toolkit": "12.2"}, {"cuda_toolkit": "12.8"}, [("cuda_toolkit", MINOR)]),
        ({"cuda_toolkit": "12.2"}, {}, []),
        ({"glibc": "2.35"}, {"glibc": "2.39"}, [("glibc", MINOR)]),
    ],
)
def test_machines(left: Any, right: Any, told: list[tuple[str, str]]) -> None:
    seen = found(machine(**left), machine(**right))
    assert [(key, weight) for key, _, _, weight in seen] == told


T4, A100, A100_40 = Gpu("Tesla T4", (7, 5)), Gpu("A100-80GB", (8, 0)), Gpu("A100-40GB", (8, 0))


def test_gpus() -> None:
    one, other = machine(os="linux", gpus=(T4,)), machine(os="linux", gpus=(A100,))
    (difference,) = differences(one, other, KNOWLEDGE)
    assert (difference.weight, difference.source) == (
        DECISIVE, "PyTorch's documentation, CUDA semantics",
    )  # fmt: skip
    assert "TF32" in difference.reason
    (difference,) = differences(other, machine(os="linux", gpus=(A100_40,)), KNOWLEDGE)
    assert (difference.weight, "TF32" in difference.reason) == (LIKELY, False)
    newer = machine(os="linux", gpus=(Gpu("H100", (9, 0)),))
    (difference,) = differences(other, newer, KNOWLEDGE)
    assert (difference.weight, "TF32" in difference.reason) == (DECISIVE, False)
    bare = machine(os="linux", spans={"gpus": SPAN})
    assert found(other, bare)[0][2:] == ("", DECISIVE)
    assert found(bare, bare) == []
    # a machine without any word of GPUs may have some
    assert found(other, machine(os="linux")) == []


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        ("2.9.1+cu128", "2.9.1+cu130", [("torch", DECISIVE), ("cuda", DECISIVE)]),
        ("2.9.1+cu128", "2.9.1", []),
        ("2.9.1+cu128", "2.9.0+cu128", [("torch", LIKELY)]),
        ("2.9.1+cu128", "2.8.0+cu128", [("torch", DECISIVE)]),
        ("2.9.1+cpu", "2.9.1+cu128", [("torch", DECISIVE), ("cuda", DECISIVE)]),
    ],
)
def test_builds_of_torch(left: str, right: str, told: list[tuple[str, str]]) -> None:
    seen = found(machine({"torch": left}), machine({"torch": right}))
    assert [(key, weight) for key, _, _, weight in seen] == told


def test_numpy_and_blas() -> None:
    left = machine({"numpy": "1.26.4"}, blas="openblas 0.3.23")
    right = machine({"numpy": "2.3.5"}, blas="mkl 2024.0")
    assert found(left, right) == [
        ("numpy", "1.26.4", "2.3.5", DECISIVE),
        ("blas", "openblas 0.3.23", "mkl 2024.0", LIKELY),
    ]
    newer = machine({"numpy": "2.3.4"}, blas="mkl 2025.0")
    assert [one[3] for one in found(right, newer)] == [LIKELY, MINOR]


def test_packages_are_ranked_and_known_to_be_missing() -> None:
    left = machine({"transformers": "4.57.1", "zzz": "1.2", "ruff": "0.9", "aaa": "1.0"})
    right = machine({"transformers": "5.0.0", "zzz": "2.0", "ruff": "1.0", "bbb": "1.0"})
    assert found(left, right) == [
        ("transformers", "4.57.1", "5.0.0", LIKELY),
        ("zzz", "1.2", "2.0", LIKELY),
        ("ruff", "0.9", "1.0", MINOR),
        ("aaa", "1.0", "", MINOR),
        ("bbb", "", "1.0", MINOR),
    ]
    partial = machine({"transformers": "4.57.1"}, complete=False)
    # what it does not name may be there; what the other one lacks is not
    assert found(left, partial) == []
    assert found(machine({}), partial) == [("transformers", "", "4.57.1", LIKELY)]


def test_the_same_version_from_elsewhere() -> None:
    left = machine({"own": "1.0"}, origins={"own": "git 0123456789ab"})
    right = machine({"own": "1.0"}, origins={"own": "editable"})
    assert found(left, right) == [("own", "from git 0123456789ab", "from editable", LIKELY)]


def test_surroundings_come_in_the_order_of_what_they_can_do() -> None:
    left = machine(
        {"torch": "2.9.1+cu128", "numpy": "2.3.5", "zzz": "1"},
        blas="mkl 1", python="3.11.1", driver="535.1", gpus=(T4,), os="linux", glibc="2.35",
    )  # fmt: skip
    right = machine(
        {"torch": "2.8.0+cu126", "numpy": "2.3.4", "zzz": "2"},
        blas="openblas 1", python="3.11.2", driver="580.1", gpus=(A100,), os="linux", glibc="2.36",
    )  # fmt: skip
    assert [one[0] for one in found(left, right)] == [
        *("python", "torch", "cuda", "driver", "gpu", "numpy", "blas", "glibc", "zzz"),
    ]
    top = Comparison("a", "b", differences(left, right, KNOWLEDGE)).headline
    assert top.startswith("torch differs most, 2.9.1+cu128 against 2.8.0+cu126: another minor")


def test_nothing_differs() -> None:
    assert Comparison("a", "b", ()).headline == "nothing that is known of both differs"


versions = st.dictionaries(
    st.sampled_from(["torch", "numpy", "jax", "own"]),
    st.sampled_from(["1.0", "2.1+cu118", "2.1+cpu", "3.0.1"]),
)
machines = st.builds(
    machine,
    st.none() | versions,
    python=st.sampled_from(["", "3.11", "3.11.2", "3.12.1"]),
    driver=st.sampled_from(["", "535.1", "580.1"]),
    gpus=st.sampled_from([(), (T4,), (A100,), (Gpu("Apple M2"),)]),
    os=st.sampled_from(["", "linux", "macos"]),
)


@given(machines, machines)
def test_the_other_way_round_it_is_the_same(left: Target, right: Target) -> None:
    def sides(one: Target, other: Target) -> set[tuple[str, str, str, str]]:
        return set(found(one, other))

    assert sides(left, right) == {(k, r, le, w) for k, le, r, w in sides(right, left)}
    assert sides(left, left) == set()


def test_a_difference_knows_what_became_of_it() -> None:
    pairs = (("1", "2", "changed"), ("", "2", "added"), ("1", "", "removed"))
    for left, right, change in pairs:
        assert Difference("a", "a", left, right, MINOR).change == change
