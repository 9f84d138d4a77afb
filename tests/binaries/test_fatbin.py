"""GPU code in binaries: containers made byte by byte, and kernels that nvcc compiled."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from elf_making import make_elf

from mlenv.binaries.elf import Elf
from mlenv.binaries.fatbin import entries
from mlenv.binaries.read import read_binary
from mlenv.binaries.window import Damaged, opened
from mlenv.model.binary import Binary, Kernels, supported
from mlenv.project.files import Unreadable

PTX, CUBIN, LTO = 1, 2, 8
HOST = 0x11
"""Flags of code for 64 bits and Linux, as nvcc writes them."""
ALONE, FAMILY, COMPRESSED = 1 << 20, 1 << 21, 1 << 15


def entry(
    kind: int, architecture: int, flags: int = 0, payload: bytes = b"", header: int = 64
) -> bytes:
    payload += bytes(-len(payload) % 8)
    fixed = (kind, 0x101, header, len(payload), 0, 0x40, 8, 1, architecture, 0, 0, HOST | flags)
    return struct.pack("<HHIQIIHHIIIQ", *fixed) + bytes(header - 48) + payload


def container(*held: bytes) -> bytes:
    body = b"".join(held)
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body


def kernels_of(folder: Path, **sections: bytes) -> Kernels | None:
    read = reading(folder, **sections)
    assert isinstance(read, Binary)
    assert not read.damage
    return read.kernels


def reading(folder: Path, **sections: bytes) -> Binary | Unreadable | None:
    path = folder / "made.so"
    names = {"runs": ".nv_fatbin", "again": "__nv_relfatbin", "rodata": ".rodata"}
    held = {names[key]: data for key, data in sections.items()}
    path.write_bytes(make_elf(needed=["libcudart.so.13"], sections=held))
    return read_binary(str(path), "made.so")


def test_each_kind_of_code_by_architecture(tmp_path: Path) -> None:
    """The headers are those that nvcc 13.5 writes, and the names those of its cuobjdump."""
    data = container(
        entry(CUBIN, 80, payload=b"\x7fELF" + bytes(100)),
        entry(CUBIN, 90, ALONE),
        entry(CUBIN, 90),
        entry(PTX, 90, COMPRESSED, b"\x28\xb5\x2f\xfd", header=80),
        entry(CUBIN, 100, FAMILY | 1 << 24, header=120),
        entry(PTX, 103, ALONE, b".version 9.5\n.target sm_103a\n", header=80),
        entry(PTX, 120, FAMILY),
        entry(LTO, 89, COMPRESSED, header=120),
    )
    assert kernels_of(tmp_path, runs=data) == Kernels(
        (("sm_80", 1), ("sm_90", 1), ("sm_90a", 1), ("sm_100f", 1)),
        (("compute_90", 1), ("compute_103a", 1), ("compute_120f", 1)),
        1,
    )


def test_containers_are_counted_and_not_entries(tmp_path: Path) -> None:
    twice = container(entry(CUBIN, 80), entry(CUBIN, 80), entry(CUBIN, 90))
    data = twice + bytes(40) + container(entry(CUBIN, 80)) + container(entry(LTO, 75))
    assert kernels_of(tmp_path, runs=data) == Kernels((("sm_80", 2), ("sm_90", 1)), (), 2)


@pytest.mark.parametrize("gap", [0, 8, 4095, 1 << 20])
def test_what_linkers_leave_between_containers_is_passed_over(gap: int, tmp_path: Path) -> None:
    data = bytes(gap) + container(entry(CUBIN, 80)) + b"\x50" * gap + container(entry(PTX, 80))
    found = kernels_of(tmp_path, runs=data + bytes(gap))
    assert found == Kernels((("sm_80", 1),), (("compute_80", 1),), 2)


def test_a_payload_may_hold_what_looks_like_a_container(tmp_path: Path) -> None:
    inner = container(entry(CUBIN, 50))
    data = container(entry(CUBIN, 80, payload=inner), entry(CUBIN, 90))
    assert kernels_of(tmp_path, runs=data) == Kernels((("sm_80", 1), ("sm_90", 1)), (), 1)


def test_linked_code_counts_with_the_intermediate_code_that_all_of_its_parts_have(
    tmp_path: Path,
) -> None:
    linked = container(entry(CUBIN, 80), entry(CUBIN, 90))
    part = container(entry(CUBIN, 70), entry(CUBIN, 80), entry(PTX, 90))
    last = container(entry(CUBIN, 80), entry(PTX, 90), entry(PTX, 100))
    assert kernels_of(tmp_path, again=part + last, runs=linked) == Kernels(
        (("sm_80", 1), ("sm_90", 1)), (("compute_90", 1),), 1
    )
    assert kernels_of(tmp_path, again=part) == Kernels(
        (("sm_70", 1), ("sm_80", 1)), (("compute_90", 1),), 1
    )


def test_a_binary_without_gpu_code_has_none(tmp_path: Path) -> None:
    assert kernels_of(tmp_path, rodata=container(entry(CUBIN, 80))) is None
    assert kernels_of(tmp_path, runs=bytes(64)) is None
    assert kernels_of(tmp_path, runs=container(entry(LTO, 80))) is None
    assert kernels_of(tmp_path, runs=b"") is None


@pytest.mark.parametrize(
    "data",
    [
        container(entry(CUBIN, 80))[:-1],
        struct.pack("<IHHQ", 0xBA55ED50, 1, 16, 1 << 62),
        struct.pack("<IHHQ", 0xBA55ED50, 1, 0, 0),
        container(struct.pack("<HHIQ", CUBIN, 1, 0, 0) + bytes(48)),
        container(struct.pack("<HHIQ", CUBIN, 1, 64, (1 << 64) - 64) + bytes(48)),
        container(entry(CUBIN, 80)[:40]),
    ],
    ids=["cut", "long", "no-header", "no-entry-header", "negative", "short-entry"],
)
def test_damaged_code_is_named(data: bytes, tmp_path: Path) -> None:
    found = reading(tmp_path, runs=container(entry(CUBIN, 70)) + data)
    assert isinstance(found, Binary)
    assert "GPU code" in found.damage
    assert found.kernels is None
    assert found.needed == ("libcudart.so.13",)


def test_a_flood_of_entries_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlenv.binaries.fatbin._MOST_ENTRIES", 100)
    kernels_of(tmp_path, runs=container(*[entry(CUBIN, 80)] * 100))
    found = reading(tmp_path, runs=container(*[entry(CUBIN, 80)] * 101))
    assert isinstance(found, Binary)
    assert "GPU code" in found.damage


def test_a_long_gap_is_not_searched_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlenv.binaries.fatbin._MOST_SEARCHED", 1000)
    near, far = (bytes(gap) + container(entry(CUBIN, 80)) for gap in (900, 2000))
    assert kernels_of(tmp_path, runs=near) is not None
    assert kernels_of(tmp_path, runs=far) is None


def test_stray_architectures_are_of_special_kernels() -> None:
    """The figures are of libtorch_cuda.so of torch 2.15.0."""
    usual = [(f"sm_{number}", 476) for number in (75, 80, 86, 90, 100, 120)]
    stray = [("sm_89", 1), ("sm_90a", 4), ("sm_120a", 1), ("sm_121a", 1)]
    kernels = Kernels((*usual, *stray), (("compute_80", 3),), 476)
    assert supported(kernels) == tuple(name for name, _ in usual)


def test_code_that_is_split_by_gpu_is_supported_throughout() -> None:
    """The figures are of libonnxruntime_providers_cuda.so of onnxruntime-gpu."""
    counts = (("sm_75", 217), ("sm_80", 308), ("sm_90a", 600), ("sm_120a", 317))
    assert supported(Kernels(counts, (), 609)) == ("sm_75", "sm_80", "sm_90a", "sm_120a")
    assert supported(Kernels((("sm_80", 1),), (("compute_80", 1),), 1)) == ("sm_80", "compute_80")
    assert supported(Kernels((), (), 0)) == ()


def tool(name: str) -> str | None:
    """Return where a program of the CUDA toolkit is: on the path, or in NVIDIA's wheels."""
    folders = [Path(one) / "nvidia" for one in sys.path if one]
    wheels = [str(found.parent) for one in folders for found in one.glob(f"cu*/bin/{name}")]
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *wheels)))


NVCC, CUOBJDUMP = tool("nvcc"), tool("cuobjdump")
COMPILED = [
    ["-gencode=arch=compute_80,code=sm_80", "-gencode=arch=compute_90,code=[sm_90,compute_90]"],
    ["-gencode=arch=compute_90a,code=[sm_90a,compute_90a]", "-gencode=arch=compute_80,code=sm_80"],
    ["-gencode=arch=compute_100f,code=[sm_100f,compute_100f]"],
    ["-gencode=arch=compute_103a,code=sm_103a", "-gencode=arch=compute_89,code=lto_89"],
    ["-gencode=arch=compute_80,code=sm_80", "-no-compress"],
    ["-gencode=arch=compute_75,code=compute_75", "--compress-mode=size"],
    ["-gencode=arch=compute_80,code=[sm_80,compute_80]", "-rdc=true"],
]


@pytest.mark.skipif(
    not (NVCC and CUOBJDUMP),
    reason="nvcc and cuobjdump are not here (nvidia-cuda-nvcc, nvidia-cuda-cuobjdump)",
)
@pytest.mark.parametrize("options", COMPILED, ids=lambda options: " ".join(options)[-40:])
def test_compiled_kernels_are_found_as_cuobjdump_finds_them(
    options: Sequence[str], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        source = f"__global__ void {name}(float *x) {{ x[threadIdx.x] += 1; }}\n"
        source += f'extern "C" void go_{name}(float *x) {{ {name}<<<1, 32>>>(x); }}\n'
        (tmp_path / f"{name}.cu").write_text(source)
    assert NVCC
    assert CUOBJDUMP
    path = tmp_path / "made.so"
    sources = [str(tmp_path / f"{name}.cu") for name in ("one", "two")]
    command = [NVCC, "-shared", "-Xcompiler", "-fPIC", "-cudart", "none", *options, *sources]
    subprocess.run([*command, "-o", str(path)], check=True, capture_output=True, cwd=tmp_path)
    said = subprocess.run([CUOBJDUMP, str(path)], check=True, capture_output=True, text=True)
    header = re.compile(r"^Fatbin (\w+) code:\n=+\narch = sm_(\w+)$", re.MULTILINE)
    theirs = Counter(header.findall(said.stdout))
    kinds = {PTX: "ptx", CUBIN: "elf", LTO: "nvvm"}
    with opened(str(path)) as window:
        elf = Elf(window)
        section = elf.section(".nv_fatbin") or elf.section("__nv_relfatbin")
        assert section is not None
        found = list(entries(window, section.at, section.size))
    assert Counter((kinds[kind], architecture) for _, kind, architecture in found) == theirs


def test_entries_outside_of_the_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(bytes(10))
    with opened(str(path)) as window, pytest.raises(Damaged):
        list(entries(window, 0, 100))
