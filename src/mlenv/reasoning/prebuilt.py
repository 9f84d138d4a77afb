"""Wheels whose name, local version or page says which torch, CUDA and Python they are built for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlenv.model.source import Index
from mlenv.reasoning.setting import INSTALLED
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Span
    from mlenv.reasoning.choice import Choice
    from mlenv.reasoning.setting import Setting

_TORCH = r"(?:^|[^a-z])(?:torch|pytorch|pyt|pt)[-_]?(?:(\d{1,2})\.(\d{1,2})|(\d{2,4}))(?!\d)"
_CUDA = r"(?:cu\d{2,3}(?!\d)|cpu)"
_PAGE_CUDA = r"(?:^|[/+_-])(cu\d{2,3}|cpu)(?=[/.+_-]|$)"
_CUDA_MAJORS = frozenset(("11", "12", "13", "14"))
_ABI = r"cxx11_?abi_?(true|false)"
_WHEEL = r"([A-Za-z0-9._]+?)-([A-Za-z0-9._+!]+?)(?:-\d[^-]*)?-([^-]+)-([^-]+)-([^-]+)\.whl"
_TAG = r"(cp|py)3(\d{1,2})?"
_HIGHEST_MINOR = 19
"""What looks like a higher second number of torch is two numbers: ``270`` is 2.7.0."""
_PLACES = frozenset(("find-links", "index", "extra", "explicit"))

Built = tuple[tuple[str, ...], "str | None", "bool | None"]
"""Torch, CUDA and ABI, as in :class:`Prebuilt`."""


@dataclass(frozen=True, slots=True, eq=False)
class Prebuilt:
    """A binary that says what it is built for.

    Attributes:
        name: The distribution.
        shown: What says so, as messages show it.
        span: Where that stands.
        torches: The minors of torch that its label can mean; empty where it names none.
        cuda: ``11.8``, ``12``; empty for a build without CUDA; None where it does not say.
        has_new_abi: Whether it uses the ABI of C++11; None where it does not say.
        pythons: Its Python tags; empty where it names none.
        abi: Its ABI tag.
        platforms: Its platform tags.
        is_page: Whether it is a page of wheels, from which an installer chooses by Python.
    """

    name: str
    shown: str
    span: Span
    torches: tuple[str, ...] = ()
    cuda: str | None = None
    has_new_abi: bool | None = None
    pythons: tuple[str, ...] = ()
    abi: str = ""
    platforms: tuple[str, ...] = ()
    is_page: bool = False

    def serves_python(self, minor: int) -> bool:
        """Whether it can be installed on CPython 3.``minor``, by its tags.

        Source: Python Packaging User Guide, Platform compatibility tags.
        """
        return not self.pythons or any(_fits(tag, self.abi, minor) for tag in self.pythons)

    def serves_platform(self, platform: str) -> bool:
        """Whether it is for a platform (``linux_x86_64``, ``win_amd64``), by its tags."""
        return not self.platforms or any(_is_for(tag, platform) for tag in self.platforms)


def prebuilts(setting: Setting) -> Iterator[Prebuilt]:
    """Yield what an installation has of such binaries, PyTorch's own builds left out."""
    for name in _telling(setting):
        choice = setting.choices[name]
        if choice.is_conda:
            continue
        found = _of_address(name, choice)
        if found is None and not setting.knowledge.indexes.serves(name):
            found = _of_version(name, choice) or _of_page(setting, name, choice)
        if found is not None:
            yield found


def _telling(setting: Setting) -> Iterable[str]:
    """Return the distributions that may say what they are built for."""
    installed = setting.target.installed if setting.target is not None else None
    if setting.kind != INSTALLED or installed is None:
        return setting.choices
    # of where it came from nothing is known: what is left is the label of a version
    return [name for name, version in installed.packages.items() if "+" in version]


def _of_address(name: str, choice: Choice) -> Prebuilt | None:
    """Return the wheel that the address of a requirement or of a lock's record leads to."""
    asked = [(one.url or one.path, one.span) for one in choice.requirements]
    # a lock for several platforms may hold one for each
    locked = [(one.origin, one.span) for one in choice.locked] if len(choice.locked) == 1 else []
    found = (_of_file(name, address, span) for address, span in (*asked, *locked))
    return next((one for one in found if one is not None), None)


def _of_file(name: str, address: str, span: Span) -> Prebuilt | None:
    if ".whl" not in address:
        return None
    from urllib.parse import unquote

    path = unquote(address.partition("#")[0].partition("?")[0])
    folder, _, file = path.rpartition("/")
    match = re.fullmatch(_WHEEL, file)
    if match is None:
        return None
    torches, cuda, abi = read_label(match[2].partition("+")[2].lower())
    if not torches:
        # the folder speaks where the name does not
        torches, of_folder, _ = read_page(folder)
        cuda = of_folder if cuda is None and torches else cuda
    pythons = tuple(match[3].lower().split("."))
    platforms = tuple(match[5].lower().split("."))
    return Prebuilt(name, file, span, torches, cuda, abi, pythons, match[4].lower(), platforms)


def _of_version(name: str, choice: Choice) -> Prebuilt | None:
    version = choice.exact
    if version is None or not version.local:
        return None
    built = read_label(".".join(version.local))
    if built == ((), None, None):
        return None
    return Prebuilt(name, f"{name} {version}", choice.span, *built)


def _of_page(setting: Setting, name: str, choice: Choice) -> Prebuilt | None:
    """Return the page of wheels that a distribution is taken from, where just one is named."""
    marks = setting.knowledge.companions.page_marks(name)
    if not marks or choice.is_direct or choice.installed or choice.locked:
        return None
    from urllib.parse import unquote

    pages = {}
    for index in places_for_packages(setting):
        address = unquote(index.url).lower()
        built = read_page(address) if any(mark in address for mark in marks) else ((), None, None)
        if built[0]:
            pages[built] = index
    if len(pages) != 1:
        return None  # an installer chooses among them
    built, index = next(iter(pages.items()))
    end = "/".join(unquote(index.url).rstrip("/").split("/")[-2:])
    return Prebuilt(name, f"{name} from the page {end}", index.span, *built, is_page=True)


def places_for_packages(setting: Setting) -> Iterator[Index]:
    """Yield the places that the files and commands of an installation name for packages."""
    install_set, project = setting.install_set, setting.project
    if install_set is None:
        return
    home = install_set.home
    sources = project.sources if project is not None else {home.path: home}
    for path in install_set.sources:
        if path in sources:
            yield from (one for one in sources[path].indexes if one.kind in _PLACES)
    for command in home.commands:
        if command.group == install_set.group:
            yield from (one for one in command.indexes if one.kind in _PLACES)


def read_label(label: str) -> Built:
    """Return what a local version such as ``cu118torch2.2cxx11abitrue`` or ``pt26cu124`` says.

    Args:
        label: The part behind ``+``, in lower case.
    """
    abi = re.search(_ABI, label)
    label = label[: abi.start()] if abi else label
    cuda = re.search(_CUDA, label)
    return (
        _torches(re.search(_TORCH, label)),
        _cuda(cuda[0]) if cuda else None,
        abi[1] == "true" if abi else None,
    )


def read_page(address: str) -> Built:
    """Return what the address of a page of wheels says; nothing where it names no torch."""
    path = address.lower().partition("://")[2].partition("/")[2]
    torch = re.search(_TORCH, path)
    if torch is None:
        return (), None, None
    cuda = re.search(_PAGE_CUDA, path)
    return _torches(torch), _cuda(cuda[1]) if cuda else None, None


def _torches(match: re.Match[str] | None) -> tuple[str, ...]:
    """Return the minors that a label can mean: ``26`` is 2.6, ``212`` is 2.12 or 2.1.2."""
    if match is None:
        return ()
    if match[1]:
        return (f"{int(match[1])}.{int(match[2])}",)
    major, rest = match[3][0], match[3][1:]
    if len(rest) == 1:
        return (f"{major}.{rest}",)
    two = int(rest[:2])
    found = [f"{major}.{two}"] if rest[0] != "0" and two <= _HIGHEST_MINOR else []
    return (*found, f"{major}.{rest[0]}")


def _cuda(label: str) -> str:
    """Return the CUDA of a label: ``12`` of ``cu12``, ``11.8`` of ``cu118``, empty of ``cpu``."""
    digits = label[2:]
    if label == "cpu" or digits in _CUDA_MAJORS:
        return "" if label == "cpu" else digits
    return f"{digits[:-1]}.{digits[-1]}"


def _fits(tag: str, abi: str, minor: int) -> bool:
    match = re.fullmatch(_TAG, tag)
    if match is None:
        return False
    if match[1] == "py" or abi == "abi3":
        return int(match[2] or 0) <= minor
    return match[2] is not None and int(match[2]) == minor


def _is_for(tag: str, platform: str) -> bool:
    system, _, machine = platform.partition("_")
    if system == "linux":
        return tag == "any" or ("linux" in tag and tag.endswith(machine))
    if system == "macos":
        return tag == "any" or (tag.startswith("macosx") and tag.endswith((machine, "universal2")))
    return tag in ("any", platform)
