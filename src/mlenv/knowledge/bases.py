"""What a base image holds, so far as its name and tag tell: CUDA, torch, the operating system."""

from __future__ import annotations

import re
from functools import cached_property

from mlenv.model.finding import Evidence
from mlenv.model.image import Stage
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


CUDA = "cuda"
PYTORCH = "pytorch"
NGC = "ngc"
PYTHON = "python"
PLAIN = "plain"
"""Families of images: NVIDIA's CUDA, PyTorch's, NVIDIA's with PyTorch, Python's, a bare system."""

DEVEL = "devel"

_CUDA_TAG = (
    r"(?P<cuda>\d+\.\d+(?:\.\d+)?)(?P<cudnn>-cudnn\d*)?-(?P<flavor>base|runtime|devel)"
    r"(?:-(?P<system>[a-z]+[\d.]*))?"
)
_PYTORCH_TAG = (
    r"(?P<torch>\d+\.\d+\.\d+)-cuda(?P<cuda>\d+\.\d+)-cudnn(?P<cudnn>\d+)"
    r"(?:-(?P<flavor>runtime|devel))?"
)
_NGC_TAG = r"(?P<month>\d\d\.\d\d)-py3(?:-.*)?"
_PYTHON_WORD = r"\d+(?:\.\d+){0,2}"
_UV = r"(?:[^/]+/)*astral-sh/uv"
_UV_TAG = r"(?:\d[\w.]*-)?(?:python(?P<python>3\.\d+)-)?(?P<rest>(?:[a-z]+|alpine[\d.]*)(?:-slim)?)"
_LAMBDA = r"(?:public\.ecr\.aws/lambda/|(?:docker\.io/)?amazon/aws-lambda-)python"
_LAMBDA_TAG = r"(?P<python>3\.\d+)(?:[-.][\w.-]*)?"
_OFFICIAL = (
    r"(?!(?:cgr\.dev|dhi\.io|quay\.io|ghcr\.io|nvcr\.io|mcr\.microsoft\.com|gcr\.io)/)"
    r"(?:(?:localhost|[^/]+[.:][^/]*)/)?"
    r"(?:(?:library|docker|dockerhub|docker-?(?:hub|proxy|remote|mirror)[\w.-]*|proxy)/)*[^/]+"
)
"""Docker's official images, by themselves or where registries keep copies of them."""
_NEWER_LAMBDA = (3, 12)
"""The first Python whose Lambda images stand on Amazon Linux 2023."""
_SYSTEMS = frozenset(("debian", "ubuntu", "rockylinux", "centos", "amazonlinux", "fedora", "ubi8"))
_EL = ("rockylinux", "ubi", "oraclelinux", "almalinux")


@dataclass(frozen=True, slots=True, eq=False)
class BaseImage:
    """A base image as its name and tag describe it. What they do not tell is empty or None.

    Attributes:
        family: One of the constants above.
        cuda: The CUDA toolkit in it, as far down as the tag says (``12.4.1``, ``12.1``).
        cudnn: How the tag calls cuDNN: ``8``, ``9`` or ``any``; empty where it names none.
        flavor: ``base``, ``runtime`` or ``devel``, where it is of CUDA.
        torch: The torch in it.
        python: The Python that it is made for, such as ``3.11``; ``3`` for the newest one.
        system: The operating system with its release, such as ``debian 12``.
        system_floats: Whether the tag leaves the system's release to the day of the build.
        python_floats: Whether the tag leaves Python's minor to that day.
        is_slim: Whether it is the smaller variant, without compilers and common libraries.
        glibc: The version of the C library.
        is_musl: Whether the C library is musl, for which manylinux wheels are not.
    """

    family: str
    cuda: str = ""
    cudnn: str = ""
    flavor: str = ""
    torch: Version | None = None
    python: str = ""
    system: str = ""
    system_floats: bool = False
    python_floats: bool = False
    is_slim: bool = False
    glibc: str = ""
    is_musl: bool = False

    @property
    def has_nvcc(self) -> bool | None:
        """Whether CUDA's compiler is in it; None where that is not known."""
        if self.flavor:
            return self.flavor == DEVEL
        return {NGC: True, PYTHON: False, PLAIN: False}.get(self.family)

    @property
    def distribution_python(self) -> bool:
        """Whether its Python, if any, is that of the operating system's packages."""
        return self.family in (CUDA, PLAIN)


class Bases:
    """Typed questions on the records of ``bases.toml``."""

    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records

    def of(self, stage: Stage, day: str) -> BaseImage | None:
        """Return what a base image from elsewhere holds; None where its name tells nothing.

        Args:
            stage: The stage that begins with it.
            day: The day on which it is built, which decides where the tag does not.
        """
        if stage.parent is not None or not stage.is_complete or stage.is_empty:
            return None
        repository = stage.repository.lower()
        name = repository.rpartition("/")[2]
        if repository.endswith("nvidia/cuda"):
            return self._cuda(stage.tag)
        if repository.endswith(("pytorch/pytorch", "nvidia/pytorch")):
            return self._pytorch(stage.tag) or self._ngc(repository, stage.tag)
        if re.fullmatch(_LAMBDA, repository):
            return self._lambda(stage.tag)
        if re.fullmatch(_UV, repository):
            return self._uv(stage.tag)
        if name == "python":
            is_official = re.fullmatch(_OFFICIAL, repository)
            return self._python(stage, day) if is_official else None
        return self._plain(name, stage, day)

    def glibc_of(self, system: str) -> str:
        """Return the C library's version in an operating system; empty where it is not known."""
        return str(self._records["glibc"].get(system, ""))

    def python_of(self, system: str) -> str:
        """Return the python3 that an operating system's packages bring; empty where not known."""
        return str(self._records["python3"].get(system, ""))

    def cudnn_label(self, cuda: Version) -> str | None:
        """Return how tags of nvidia/cuda call cuDNN (``8``, ``9``, or empty); None if not known."""
        for label, versions in self._records["cudnn"]["labels"].items():
            admitted = pep440(versions)
            if admitted is not None and admitted.admits(cuda):
                return str(label)
        return None

    def pytorch_cudas(self, torch: str) -> tuple[str, ...]:
        """Return the CUDA versions of pytorch/pytorch's images of a release; none if not known."""
        return self._pytorch_tags.get(torch, ())

    def evidence(self, table: str = "") -> Evidence:
        """Return who says what tags there are."""
        source = self._records[table]["source"] if table else self._records["meta"]["source"]
        return Evidence("tags of this image follow a scheme", str(source))

    @cached_property
    def _pytorch_tags(self) -> dict[str, tuple[str, ...]]:
        return {one["torch"]: tuple(one["cuda"]) for one in self._records["pytorch"]}

    def _cuda(self, tag: str) -> BaseImage | None:
        match = re.fullmatch(_CUDA_TAG, tag)
        if match is None:
            return None
        system = _system(match["system"] or "")
        label = (match["cudnn"] or "").removeprefix("-cudnn")
        return BaseImage(
            CUDA,
            match["cuda"],
            (label or "any") if match["cudnn"] else "",
            match["flavor"],
            system=system,
            glibc=self.glibc_of(system),
        )

    def _pytorch(self, tag: str) -> BaseImage | None:
        match = re.fullmatch(_PYTORCH_TAG, tag)
        if match is None:
            return None
        return BaseImage(
            PYTORCH,
            match["cuda"],
            match["cudnn"],
            match["flavor"] or "",
            parse_version(match["torch"]),
        )

    def _ngc(self, repository: str, tag: str) -> BaseImage | None:
        match = re.fullmatch(_NGC_TAG, tag)
        if match is None or not repository.endswith("nvidia/pytorch"):
            return None
        known: list[dict[str, str]] = self._records["ngc"]
        record = next((one for one in known if one["month"] == match["month"]), {})
        return BaseImage(
            NGC,
            record.get("cuda", ""),
            torch=parse_version(record["torch"]) if record else None,
            python=record.get("python", ""),
        )

    def _lambda(self, tag: str) -> BaseImage | None:
        match = re.fullmatch(_LAMBDA_TAG, tag)
        if match is None:
            return None
        minor = int(match["python"].partition(".")[2])
        system = "amazonlinux 2" if (3, minor) < _NEWER_LAMBDA else "amazonlinux 2023"
        glibc = self.glibc_of(system)
        return BaseImage(PYTHON, python=match["python"], system=system, is_slim=True, glibc=glibc)

    def _uv(self, tag: str) -> BaseImage | None:
        match = re.fullmatch(_UV_TAG, tag)
        if match is None:
            return None
        family, python = PYTHON if match["python"] else PLAIN, match["python"] or ""
        word, _, slim = match["rest"].partition("-")
        if word.startswith("alpine"):
            return BaseImage(family, python=python, is_musl=True, is_slim=True)
        release = self._records["debian"]["names"].get(word)
        if release is None:
            return None
        system = f"debian {release}"
        glibc = self.glibc_of(system)
        return BaseImage(family, python=python, system=system, is_slim=bool(slim), glibc=glibc)

    def _python(self, stage: Stage, day: str) -> BaseImage | None:
        first, *rest = (stage.tag or "latest").split("-")
        is_number = re.fullmatch(_PYTHON_WORD, first) is not None
        words = frozenset(rest if is_number or first == "latest" else (first, *rest))
        if not is_number and (first[0].isdigit() or "rc" in words):
            return None
        python = {"2": "2.7"}.get(first, first) if is_number else "3"
        floats = "." not in python
        if floats and stage.digest:
            python = ""  # what it was on the day that it was pinned
        if any(word.startswith("alpine") for word in words):
            return BaseImage(
                PYTHON, python=python, python_floats=floats, is_musl=True, is_slim=True
            )
        names = self._records["debian"]["names"]
        named = next((names[word] for word in sorted(words) if word in names), "")
        release = named or ("" if stage.digest else self._debian_of(day))
        is_windows = not words.isdisjoint(("windowsservercore", "nanoserver"))
        system = f"debian {release}" if release and not is_windows else ""
        return BaseImage(
            PYTHON,
            python=python,
            system=system,
            system_floats=not named,
            python_floats=floats,
            is_slim="slim" in words,
            glibc=self.glibc_of(system),
        )

    def _debian_of(self, day: str) -> str:
        """Return the release that images without a code name stand on; empty where not known."""
        since = self._records["debian"]["since"]
        return next((one for one in reversed(since) if since[one] <= day), "")

    def _plain(self, name: str, stage: Stage, day: str) -> BaseImage | None:
        tag = stage.tag
        if name == "alpine":
            return BaseImage(PLAIN, is_musl=True, is_slim=True)
        debian = self._records["debian"]["names"]
        floats = False
        if name == "debian":
            word = tag.partition("-")[0].partition(".")[0]
            floats = word in ("", "latest", "stable")
            release = debian.get(word, word)
            if floats:
                release = "" if stage.digest else self._debian_of(day)
            system = f"debian {release}"
        elif name == "ubuntu":
            codes = {"bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04"}
            system = f"ubuntu {codes.get(tag.partition('-')[0], tag)}"
        else:
            system = _system(f"{name}{tag.partition('-')[0]}") if name in _SYSTEMS else ""
        glibc = self.glibc_of(system)
        if not glibc:
            return None
        return BaseImage(PLAIN, system=system, system_floats=floats, is_slim=True, glibc=glibc)


def _system(word: str) -> str:
    """Return the operating system that a word of a tag names: ``ubuntu22.04`` is ubuntu 22.04."""
    match = re.fullmatch(r"([a-z]+)([\d.]*)", word)
    if match is None:
        return ""
    name, release = match[1], match[2]
    if name in _EL:
        return f"el {release.partition('.')[0]}"
    return f"{name} {release}" if release else name
