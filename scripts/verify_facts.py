"""Compares the records of releases and of torch with the metadata of wheels themselves.

Metadata are read from wheels, and from poetry.lock files, which hold those of every package that
they lock; name files, or folders that are searched for both. For each release that these and the
records speak of,

- Requires-Python, and what each file serves, are compared with ``releases.toml``;
- the requirements with ``requires.toml``;
- the CUDA and cuDNN that torch pins with ``torch.toml``.

Differences are printed, and how many pairs of a distribution and a version agree in everything that
could be compared. A lock tells less than a wheel: Poetry leaves out setuptools, and what only those
Pythons need that its project does not admit. So what a lock has must be on record, while the
requirements of a wheel must be the same. The exit code is 1 where something differs.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from email.parser import Parser
from pathlib import Path

from derivation.index import File
from derivation.locks import Recorded, lock_records
from derivation.requirements import Covered, requirements
from derivation.wheels import header
from derive import COVERED, covered_names
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from mlenv.knowledge import Knowledge
from mlenv.knowledge.releases import Dependency, Files, Release, versions_of
from mlenv.knowledge.torch import label_of_cuda
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import VersionSet, pep440


def main(arguments: Sequence[str]) -> int:
    """Print what differs and how many pairs agree; return the exit code."""
    covered = covered_names(COVERED.read_text("utf-8"))
    knowledge = Knowledge()
    seen: dict[tuple[str, str], bool] = {}
    told = set()
    for record in read(map(Path, arguments)):
        version = parse_version(record.version)
        release = version and knowledge.releases.find(record.name, version)
        if record.name not in covered.names or not release:
            continue
        found = [*differences(record, release, knowledge, covered)]
        pair = (record.name, record.version)
        seen[pair] = seen.get(pair, True) and not found
        for one in found:
            if (pair, one) not in told:
                told.add((pair, one))
                print(f"{record.name} {record.version}: {one} ({record.source})")  # noqa: T201
    print(f"{sum(seen.values())} of {len(seen)} pairs agree")  # noqa: T201
    return int(not all(seen.values()))


def read(paths: Iterable[Path]) -> Iterator[Recorded]:
    """Yield what wheels and locks tell, of files and of all below folders."""
    for path in paths:
        if path.is_dir():
            yield from read(sorted(path.iterdir()))
        elif path.suffix == ".whl":
            yield from _wheel(path)
        elif path.suffix == ".lock":
            yield from lock_records(path.read_text("utf-8", "replace"), path.name)


def differences(
    record: Recorded, release: Release, knowledge: Knowledge, covered: Covered
) -> Iterator[str]:
    """Yield in what the records differ from what a wheel or a lock tells of a release."""
    if record.python and not _same(record.python, release.files.python):
        yield f"requires Python {record.python}, on record is {release.files.python.text or '*'}"
    for name in record.files:
        if not _served(name, release.files):
            yield f"{name} is not served on record"
    held = knowledge.releases.requires(record.name, release.version)
    if held is not None:
        yield from _requirements(record, held, covered)
    if record.name == "torch":
        yield from _build(record, release.version, knowledge)


def _requirements(record: Recorded, held: Sequence[Dependency], covered: Covered) -> Iterator[str]:
    lines = "".join(f"Requires-Dist: {one}\n" for one in record.requires)
    asked = {_parsed(text): text for text in requirements(record.name, lines, covered)}
    on_record = {_key(one): one for one in held}
    for key, text in asked.items():
        if key not in on_record:
            yield f"requires {text}, which is not on record"
    for key, one in on_record.items():
        if record.is_whole and key not in asked:
            yield f"does not require {one.name}{one.text}, which is on record"


def _build(record: Recorded, version: Version, knowledge: Knowledge) -> Iterator[str]:
    """Yield in what torch's build on record differs from the libraries that a wheel pins."""
    release = knowledge.torch.release(version)
    if release is None:
        return
    for text in record.requires:
        name, _, rest = text.partition("==")
        pinned = rest.partition(";")[0].strip()
        if name.startswith("nvidia-cuda-runtime-cu"):
            label = label_of_cuda(".".join(pinned.split(".")[:2]))
            if label != release.default("linux_x86_64"):
                yield f"pins CUDA {pinned}, on record is {release.default('linux_x86_64')}"
        held = release.cudnn if name.startswith("nvidia-cudnn-cu") and pinned else ""
        if held and not f"{pinned}.".startswith(f"{held}."):
            yield f"pins cuDNN {pinned}, on record is {held}"


def _wheel(path: Path) -> Iterator[Recorded]:
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as archive:
            member = next(
                one
                for one in archive.namelist()
                if one.count("/") == 1 and one.endswith(".dist-info/METADATA")
            )
            text = archive.read(member).decode("utf-8", "replace")
    except (InvalidWheelFilename, zipfile.BadZipFile, StopIteration, OSError):
        return
    if version.local:
        return
    message = Parser().parsestr(text, headersonly=True)
    yield Recorded(
        name=canonicalize_name(name),
        version=str(version),
        requires=tuple(map(str, message.get_all("Requires-Dist") or ())),
        python=str(message.get("Requires-Python") or ""),
        files=(path.name,),
        is_whole=True,
        source="wheel",
    )


def _served(name: str, files: Files) -> bool:
    if not name.endswith(".whl"):
        return files.has_sdist or name.endswith((".egg", ".exe"))
    words = header([File(name, "", 0, "")]).split()[1:]
    for word in words:
        platform, equals, minors = word.partition("=")
        if not equals:
            return files.is_pure
        minor = int(minors.partition("/")[0].split("-")[0].rstrip("+").partition(".")[2])
        if not files.has_wheel(minor, platform):
            return False
    return True


def _same(text: str, versions: VersionSet) -> bool:
    read_here = pep440(text.replace(" ", ""))
    return read_here is None or read_here.intervals == versions.intervals


def _key(one: Dependency) -> tuple[str, object, bool]:
    return one.name, one.versions.intervals, "extra ==" in one.marker


def _parsed(text: str) -> tuple[str, object, bool]:
    asked, _, marker = text.partition(" ; ")
    name = asked.split("[")[0]
    for sign in "=<>!~":
        name = name.split(sign)[0]
    rest = asked.partition("]")[2] if "[" in asked else asked[len(name) :]
    return name, versions_of(rest.strip()).intervals, "extra ==" in marker


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
