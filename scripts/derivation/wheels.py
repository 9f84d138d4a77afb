"""What the files of a release serve, in the words of ``releases.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from derivation.index import File
from mlenv.records import dataclass, field

PLATFORMS = ("linux_x86_64", "linux_aarch64", "macos_arm64", "macos_x86_64", "win_amd64")
_OLD_TAGS = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MAC = {
    "universal2": ("macos_arm64", "macos_x86_64"),
    "arm64": ("macos_arm64",),
    "x86_64": ("macos_x86_64",),
    "intel": ("macos_x86_64",),
}
_OLDEST = 6


@dataclass(slots=True, eq=False)
class _Wheels:
    """The wheels for one platform.

    Attributes:
        minors: CPython minors with one.
        open_from: The minor from which on one serves all; None where none does.
        glibc: The C libraries that their tags ask for.
    """

    minors: set[int] = field(default_factory=set)
    open_from: int | None = None
    glibc: set[tuple[int, int]] = field(default_factory=set)

    def add(self, interpreter: str, abi: str) -> None:
        """Note one combination of tags; one for a free-threaded or an old Python is left out."""
        match = re.fullmatch(r"(cp|py)3(\d*)", interpreter)
        if match is None or abi.endswith("t"):
            return
        minor = max(_OLDEST, int(match[2] or 0))
        if match[1] == "py" or abi == "abi3":
            self.open_from = minor if self.open_from is None else min(minor, self.open_from)
        elif int(match[2] or 0) >= _OLDEST:
            self.minors.add(minor)

    def text(self) -> str:
        """Return the wheels as one word; empty where nothing is served."""
        parts = [*_ranges(one for one in sorted(self.minors) if one < (self.open_from or 1000))]
        if self.open_from is not None:
            parts.append(f"3.{self.open_from}+")
        glibc = "/{}.{}".format(*min(self.glibc)) if self.glibc else ""
        return ",".join(parts) + glibc if parts else ""


def header(files: Sequence[File]) -> str:
    """Return the line, without its ``@``, that says what the files of a release serve.

    Source: PyPA, "Platform compatibility tags".
    """
    python = next((one.python for one in files if one.python), "*")
    # older metadata compare with a wildcard, which PEP 440 forbids and means nothing more
    words = [re.sub(r"(>=|<|>|<=)(\d+(?:\.\d+)*)\.\*", r"\1\2", python)]
    platforms: dict[str, _Wheels] = {}
    pure = False
    for interpreter, abi, tag in _tags(files):
        pure |= tag == "any" and interpreter.startswith(("py3", "cp3"))
        for platform, glibc in _platforms(tag):
            wheels = platforms.setdefault(platform, _Wheels())
            wheels.add(interpreter, abi)
            if glibc is not None:
                wheels.glibc.add(glibc)
    words += ["any"] * pure
    words += ["sdist"] * any(not one.name.endswith((".whl", ".egg", ".exe")) for one in files)
    for platform in PLATFORMS:
        text = platforms[platform].text() if platform in platforms else ""
        words += [f"{platform}={text}"] * bool(text)
    return " ".join(words)


def speaking_wheel(files: Sequence[File]) -> File | None:
    """Return the wheel whose metadata stands for a release: for all, for Linux, or the first."""
    wheels = [one for one in files if one.name.endswith(".whl")]
    for ending in (r"-any\.whl", r"-manylinux[^-]*x86_64[^-]*\.whl", r"\.whl"):
        found = [one for one in wheels if re.search(f"{ending}$", one.name)]
        if found:
            return max(found, key=lambda one: (one.has_metadata, one.uploaded, one.name))
    return None


def _tags(files: Iterable[File]) -> Iterator[tuple[str, str, str]]:
    for file in files:
        try:
            tags = parse_wheel_filename(file.name)[3]
        except InvalidWheelFilename:
            continue
        yield from ((one.interpreter, one.abi, one.platform) for one in tags)


def _platforms(tag: str) -> Iterator[tuple[str, tuple[int, int] | None]]:
    if match := re.fullmatch(r"manylinux_(\d+)_(\d+)_(x86_64|aarch64)", tag):
        yield f"linux_{match[3]}", (int(match[1]), int(match[2]))
    elif match := re.fullmatch(r"(manylinux\d+)_(x86_64|aarch64)", tag):
        yield f"linux_{match[2]}", _OLD_TAGS.get(match[1])
    elif match := re.fullmatch(r"macosx_\d+_\d+_(\w+)", tag):
        for platform in _MAC.get(match[1], ()):
            yield platform, None
    elif tag in ("linux_x86_64", "linux_aarch64", "win_amd64"):
        yield tag, None


def _ranges(minors: Iterable[int]) -> Iterator[str]:
    """Yield ``3.8-3.10`` for minors that follow each other."""
    run: list[int] = []
    for minor in [*minors, -1]:
        if run and minor != run[-1] + 1:
            yield f"3.{run[0]}" if len(run) == 1 else f"3.{run[0]}-3.{run[-1]}"
            run = []
        run.append(minor)
