"""What the records of companions say, and that each of them can be read and names its source."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

import mlenv.knowledge.companions as module
from mlenv.knowledge import Knowledge
from mlenv.knowledge.releases import versions_of
from mlenv.versions.version import Version, parse_version

COMPANIONS = Knowledge().companions
FILE = Path(module.__file__).with_name("companions.toml")
RECORDS = tomli.loads(FILE.read_text("utf-8"))["companions"]
KEYS = {
    "torch": {"rows", "effect", "fact", "source"},
    "cuda": {"rows", "loads", "provider", "fact", "source"},
    "libraries": {"rows", "fact", "source"},
    "prebuilt": {"rows", "fact", "source"},
    "checks": {"rows", "other", "fact", "source"},
    "oldest": {"fact", "source"},
    "equal": {"fact", "source"},
    "page": {"mark"},
}


def version(text: str) -> Version:
    found = parse_version(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "record", RECORDS, ids=lambda record: f"{record['kind']}-{record['packages'][0]}"
)
def test_every_record_has_what_its_kind_needs(record: dict[str, object]) -> None:
    assert KEYS[str(record["kind"])] <= set(record)
    for line in str(record.get("rows", "")).splitlines():
        assert versions_of(line.split()[0]).understood, line


def test_packages_come_first_so_that_a_record_is_found_without_being_parsed() -> None:
    for block in FILE.read_text("utf-8").split("[[companions]]\n")[1:]:
        assert block.startswith("packages = ["), block[:80]


@pytest.mark.parametrize(
    ("name", "release", "cuda", "cudnn"),
    [
        ("onnxruntime-gpu", "1.18.1", "11.8", "8"),
        ("onnxruntime-gpu", "1.19.0", "12", "9"),
        ("onnxruntime-gpu", "1.27.0", "13.0", "9"),
        ("tensorflow", "2.3.0", "10.1", "7.6"),
        ("tensorflow", "2.15.1", "12.2", "8.9"),
        ("xformers", "0.0.22", "11.8", ""),
        ("xformers", "0.0.22.post7", "12.1", ""),
        ("xformers", "0.0.33", "13.0", ""),
        ("xformers", "0.0.33.post1", "12.8", ""),
        ("vllm", "0.8.5", "12", ""),
        ("vllm", "0.20.0", "13", ""),
        ("paddlepaddle-gpu", "2.6.2", "11.8", "8.6"),
    ],
)
def test_the_cuda_that_wheels_on_pypi_are_built_for(
    name: str, release: str, cuda: str, cudnn: str
) -> None:
    found = COMPANIONS.cuda_build(name, version(release))
    assert found is not None
    assert (found.cuda, found.cudnn) == (cuda, cudnn)
    assert release in found.evidence[0].fact


@pytest.mark.parametrize(("name", "release"), [("onnxruntime-gpu", "1.40.0"), ("numpy", "2.0.0")])
def test_what_is_newer_than_the_records_or_not_on_them_is_unknown(name: str, release: str) -> None:
    assert COMPANIONS.cuda_build(name, version(release)) is None


def test_extras_bring_libraries_only_from_the_release_on_that_has_them() -> None:
    with_extras = COMPANIONS.cuda_build("onnxruntime-gpu", version("1.21.0"))
    without = COMPANIONS.cuda_build("onnxruntime-gpu", version("1.20.1"))
    assert with_extras is not None
    assert without is not None
    assert (with_extras.extras, without.extras) == (("cuda", "cudnn"), ())


@pytest.mark.parametrize(
    ("release", "cuda", "held"),
    [
        ("0.39.1", "12.1", True),
        ("0.39.1", "12.2", False),
        ("0.40.2", "11.6", False),
        ("0.43.0", "12.4", False),
        ("0.43.1", "12.4", True),
        ("0.47.0", "13.0", False),
        ("0.48.0", "13.0", True),
    ],
)
def test_the_libraries_inside_bitsandbytes(release: str, cuda: str, held: bool) -> None:
    found = COMPANIONS.libraries("bitsandbytes", version(release))
    assert found is not None
    assert (cuda in found.versions) is held


def test_a_bitsandbytes_that_loads_the_nearest_library_is_not_on_record() -> None:
    assert COMPANIONS.libraries("bitsandbytes", version("0.50.0")) is None


def test_the_wheels_of_flash_attn() -> None:
    old = COMPANIONS.wheels("flash-attn", version("2.7.4.post1"))
    new = COMPANIONS.wheels("flash-attn", version("2.8.3"))
    assert old is not None
    assert new is not None
    assert ("2.7" in old.torches, "2.8" in new.torches) == (False, True)
    assert (old.pythons, new.pythons) == ((9, 13), (9, 13))
    assert (old.glibc, new.glibc) == ("", "2.32")
    assert COMPANIONS.newest_glibc("flash-attn") == "2.32"


@pytest.mark.parametrize(
    ("name", "release", "torch", "fits"),
    [
        ("torchaudio", "2.11.0", "2.10.0", False),
        ("torchaudio", "2.11.0", "2.15.0", True),
        ("torchtext", "0.18.0", "2.3.1", True),
        ("torchtext", "0.18.0", "2.4.0", False),
        ("torchcodec", "0.7.0", "2.8.0", True),
        ("torchcodec", "0.7.0", "2.9.0", False),
        ("torchcodec", "0.17.0", "2.15.0", True),
        ("fbgemm-gpu", "1.0.0", "2.4.1", False),
        ("intel-extension-for-pytorch", "2.2.0", "2.1.0", False),
    ],
)
def test_the_torch_that_binaries_load_beside(
    name: str, release: str, torch: str, fits: bool
) -> None:
    binding = COMPANIONS.binding(name, version(release))
    assert binding is not None
    assert binding.fits.admits(version(torch)) is fits


def test_an_older_companion_says_its_torch_itself() -> None:
    assert COMPANIONS.binding("torchaudio", version("2.10.0")) is None


def test_what_is_checked_on_import() -> None:
    (check,) = COMPANIONS.checks("mmdet", version("3.3.0"))
    assert check.other == "mmcv"
    assert check.accepts.admits(version("2.1.0"))
    assert not check.accepts.admits(version("2.2.0"))
    assert not list(COMPANIONS.checks("mmdet", version("4.0.0")))
    assert COMPANIONS.newer_jaxlib()
    assert COMPANIONS.equal_to_jaxlib("jax-cuda12-plugin")
    assert not COMPANIONS.equal_to_jaxlib("jax")


def test_pages_of_wheels_are_told_by_their_address() -> None:
    assert COMPANIONS.page_marks("torch-sparse") == ("/whl/torch-",)
    assert COMPANIONS.page_marks("mmcv") == ("/mmcv/dist/",)
    assert COMPANIONS.page_marks("numpy") == ()


def test_the_builds_on_the_pages_of_wheels() -> None:
    labels, evidence = COMPANIONS.page_builds("torch-scatter", "2.6")
    assert labels == ("cpu", "cu118", "cu124", "cu126")
    assert "2.6" in evidence[0].fact
    assert COMPANIONS.page_builds("torch-scatter", "1.9") == ((), ())
    assert COMPANIONS.page_builds("mmcv", "2.6") == ((), ())


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (COMPANIONS.bound, {"torch"}),
        (COMPANIONS.checking, {"checks"}),
        (COMPANIONS.with_cuda, {"cuda", "libraries"}),
        (COMPANIONS.with_wheels, {"prebuilt"}),
    ],
)
def test_of_whom_there_is_something_to_ask(names: frozenset[str], kinds: set[str]) -> None:
    assert names == {
        name for record in RECORDS if record["kind"] in kinds for name in record["packages"]
    }
