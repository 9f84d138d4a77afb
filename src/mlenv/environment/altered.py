"""Which files of a distribution are missing, or not as its record has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice

from mlenv.environment.entries import UNSTATED, Entry, Sample, bytes_of, text_of
from mlenv.environment.sheets import MISSING, UNKNOWN, Sheet, has_content, name_of, size_at
from mlenv.model.installed_files import Altered
from mlenv.model.installed_path import ASIDE, weight

MATTERS = (
    "numpy", "scipy", "pandas", "torch", "torchvision", "torchaudio", "triton", "nvidia-", "jax",
    "tensorflow", "keras", "opencv-", "onnx", "transformers", "tokenizers", "safetensors",
    "huggingface-hub", "accelerate", "datasets", "pyarrow", "scikit-learn", "matplotlib", "pillow",
    "xgboost", "lightgbm", "catboost", "cupy-", "numba", "llvmlite", "flash-attn", "xformers",
    "bitsandbytes", "vllm", "deepspeed", "ray", "polars", "pydantic-core", "cuda-",
)  # fmt: skip
"""Beginnings of the names of distributions of which some files are looked at."""
_SAMPLE = 8
_BINARIES = 4
_BEGINNING, _BEGINNINGS, _DEEPEST = b"/__init__.py,", 24, 2
"""What a package begins with: a folder that is gone is seen by it."""
_MOST_SHOWN = 1_000
_GONE, _CHANGED = "gone", "changed"


def is_suspect(sheet: Sheet, sample: Sample, shared: AbstractSet[bytes]) -> bool:
    """Whether some of a few files of a distribution are not as recorded."""
    site = sheet.site + os.sep
    for text, size in sample.items():
        # nearly all are where plain names say, and as large as recorded
        if text.isascii() and size_at(site + text) == size:
            continue
        if _state(sheet, Entry(bytes_of(text), b"", size), shared) is not None:
            return True
    return False


def find_altered(
    sheet: Sheet, shared: AbstractSet[bytes], *, whole: bool = False
) -> Altered | None:
    """Return which files of a distribution are not as recorded; None where all are.

    Args:
        sheet: Its record.
        shared: The paths that other distributions claim too, whose copies may lie there.
        whole: Whether files are hashed, and those are looked at that nobody imports.
    """
    from mlenv.environment.record_lines import entry_of

    entries = (entry_of(line) for line in sheet.record.split(b"\n"))
    kept = [one for one in entries if one and _counts(one, whole=whole)]
    states = [(one.path, _state(sheet, one, shared, is_hashed=whole)) for one in kept]
    odd = sorted((_weight(path), path, state) for path, state in states if state)
    if not odd:
        return None
    missing = [sheet.shown(path) for _, path, state in odd if state == _GONE]
    changed = [sheet.shown(path) for _, path, state in odd if state == _CHANGED]
    return Altered(
        sheet.owner.name,
        tuple(missing[:_MOST_SHOWN]),
        tuple(changed[:_MOST_SHOWN]),
        len(kept),
        sheet.record.count(b"\n"),
        min(which for which, _, state in odd if state == _GONE or not missing),
    )


def _weight(path: bytes) -> int:
    return weight(path.decode("utf-8", "replace"))


def is_gone(site: str, beginning: bytes) -> bool:
    """Whether what some paths begin with should be in a folder of packages, and is not.

    Args:
        site: The folder, in whose list of names it was not found.
        beginning: A folder with its ``/``, or a file.
    """
    if _is_outside(beginning) or beginning == b"__pycache__/":
        return False
    # systems that do not tell cases apart list the first of two spellings
    return size_at(os.path.join(site, name_of(beginning))) == MISSING


def _is_outside(path: bytes) -> bool:
    return path.startswith((b"../", b"./", b"/")) or path[1:2] == b":"


def _counts(entry: Entry, *, whole: bool = False) -> bool:
    """Whether a file is one that should be as recorded; installers write the metadata anew."""
    folder = entry.path.partition(b"/")[0]
    if _is_outside(entry.path) or folder.endswith(b".dist-info"):
        return False
    if b"/../" in entry.path or entry.path.endswith((b".pyc", b".pth")):
        return False
    return whole or _weight(entry.path) != ASIDE


def sample_of(sheet: Sheet) -> Sample:
    """Return the largest binaries of a record, what packages begin with, and some lines between.

    None of a distribution that does not matter, and none that need not be as recorded.
    """
    if not sheet.owner.name.startswith(MATTERS):
        return {}
    record, length = sheet.record, len(sheet.record)
    found = sorted(_binaries(sheet), key=lambda one: -one.size)[:_BINARIES]
    found += islice(_beginnings(record), _BEGINNINGS)
    for number in range(_SAMPLE):
        entry = _entry_at(record, length * number // _SAMPLE)
        if entry is not None:
            found.append(entry)
    return {text_of(one.path): one.size for one in found if _counts(one)}


def _beginnings(record: bytes) -> Iterator[Entry]:
    """Yield the files that packages and those right in them begin with."""
    at = record.find(_BEGINNING)
    while at >= 0:
        entry = _entry_at(record, at)
        if entry is not None and entry.path.count(b"/") <= _DEEPEST:
            yield entry
        at = record.find(_BEGINNING, at + len(_BEGINNING))


def _binaries(sheet: Sheet) -> Iterator[Entry]:
    tags = " ".join(sheet.owner.tags)
    if tags.endswith("-any"):
        return
    for extension in (b".pyd,", b".dll,") if "-win" in tags else (b".so", b".dylib,"):
        if extension == b".dylib," and "-macosx" not in tags:
            return
        at = sheet.record.find(extension)
        while at >= 0:
            entry = _entry_at(sheet.record, at)
            if entry is not None:
                yield entry
            at = sheet.record.find(extension, at + len(extension))


def _entry_at(record: bytes, at: int) -> Entry | None:
    """Return what the line says that a byte lies in."""
    from mlenv.environment.record_lines import entry_of

    end = record.find(b"\n", at)
    return entry_of(record[record.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(record)])


def _state(
    sheet: Sheet, entry: Entry, shared: AbstractSet[bytes], *, is_hashed: bool = False
) -> str | None:
    """Return what is wrong with a file; None where nothing is, or nothing can be told."""
    place = sheet.place(entry.path)
    size = size_at(place)
    if size == MISSING or (size == 0 < entry.size):  # a full disk leaves files empty
        return _GONE
    if size == UNKNOWN or entry.path in shared:
        return None
    if entry.size not in (size, UNSTATED):
        return _CHANGED
    return _CHANGED if is_hashed and has_content(place, entry) is False else None
