"""Whether the wheel that something was installed from is for the interpreter: its tags.

Sources: PEP 425, 513, 571, 599, 600, 656, 738, 779; packaging, ``tags``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlenv.model.binary import ELF, MACHO, PE, Binary
from mlenv.model.environment import Interpreter
from mlenv.model.target import LINUX, MACOS, WINDOWS

_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
"""The C library that the older names of manylinux stand for."""
_MACHINES = {
    "x86_64": ("x86_64", "amd64"),
    "amd64": ("x86_64", "amd64"),
    "aarch64": ("aarch64", "arm64"),
    "arm64": ("aarch64", "arm64"),
    "i686": ("i686", "i386", "x86", "win32"),
}
_MAC_FAT = {
    "x86_64": ("x86_64", "universal2", "intel", "fat64", "fat3", "universal"),
    "arm64": ("arm64", "universal2"),
}

_FORMATS = {LINUX: ELF, MACOS: MACHO, WINDOWS: PE}
_OF_PYTHON = r"\.(cpython-|cp|pypy)(\d)(\d+)(t?)"
"""The Python that an extension's file name speaks of: ``x.cpython-312-x86_64-linux-gnu.so``."""
_GLIBC = "GLIBC_"
_MOST_DIGITS = 9
_MOST_PAIRS = 64
"""Of a Python and an interface in one compressed tag; real ones have four."""


def is_supported(tags: tuple[str, ...], interpreter: Interpreter) -> bool | None:
    """Return whether any of a wheel's tags is for an interpreter; None where nobody can tell.

    Args:
        tags: As ``WHEEL`` has them, compressed ones among them; none for a file without any,
            which pip takes for a wheel that nothing supports.
        interpreter: What they must be for.
    """
    answers = [_is_for(tag, interpreter) for tag in tags]
    if True in answers:
        return True
    return None if None in answers else False


def speaks_against(files: Iterable[Binary], interpreter: Interpreter) -> str:
    """Return the first compiled file of a distribution that an interpreter cannot use.

    Judged by what the loader and the import system look at: format, processor, the C library that
    is needed, and the Python in an extension's name. Of an extension for several Pythons one will
    do.

    Args:
        files: The compiled files.
        interpreter: What they must be for.

    Returns:
        Its path; empty where nothing speaks against the interpreter.
    """
    foreign: dict[str, str] = {}
    fitting = set()
    for one in files:
        if not _is_loadable(one, interpreter):
            return one.path
        folder, _, name = one.path.rpartition("/")
        module, of_python = f"{folder}/{name.partition('.')[0]}", re.search(_OF_PYTHON, name)
        if of_python is None or _is_own(of_python, interpreter):
            fitting.add(module)
        else:
            foreign.setdefault(module, one.path)
    return next((path for module, path in foreign.items() if module not in fitting), "")


def _is_own(of_python: re.Match[str], interpreter: Interpreter) -> bool:
    is_pypy = interpreter.implementation == "pypy"
    if is_pypy is not (of_python[1] == "pypy") or interpreter.free_threaded is not bool(
        of_python[4]
    ):
        return False
    return interpreter.version.split(".")[:2] == [of_python[2], of_python[3]]


def _is_loadable(binary: Binary, interpreter: Interpreter) -> bool:
    if binary.format != _FORMATS.get(interpreter.system, binary.format):
        return False
    machine = interpreter.machine.lower()
    built = {one.lower() for one in binary.machine.split("+")} - {"unknown"}
    if machine and built and built.isdisjoint(_MACHINES.get(machine, (machine,))):
        return False
    there = _release(interpreter.libc_version)
    if interpreter.libc != "glibc" or there is None:
        return True
    needed = [_release(one[len(_GLIBC) :]) for one in binary.versions if one.startswith(_GLIBC)]
    return all(one <= there for one in needed if one is not None)


def _release(text: str) -> tuple[int, int] | None:
    """Return the two numbers that a text consists of; None where it does not."""
    parts = text.partition(".")
    major, minor = _number(parts[0]), _number(parts[2])
    return None if major is None or minor is None else (major, minor)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _is_for(tag: str, interpreter: Interpreter) -> bool | None:
    parts = tag.lower().rsplit("-", 2)
    if len(parts) != 3:
        return None
    pythons, abis, platforms = (part.split(".") for part in parts)
    if len(pythons) * len(abis) > _MOST_PAIRS:
        return None
    if not any(_is_python(python, abi, interpreter) for python in pythons for abi in abis):
        return False
    # what uses an interpreter's own interface is compiled, and no installer takes it for any system
    fitting = [platform for platform in platforms if platform != "any" or "none" in abis]
    answers = [_is_platform(platform, interpreter) for platform in fitting]
    if True in answers:
        return True
    return None if None in answers else False


def _is_python(python: str, abi: str, interpreter: Interpreter) -> bool:
    major, minor = (int(part) for part in (*interpreter.version.split("."), "0")[:2])
    kind, its_major, rest = python[:2], python[2:3], python[3:].removeprefix("_")
    its_minor = _number(rest) if rest else -1
    if its_major != str(major) or its_minor is None:
        return False
    if kind == "py":
        return abi == "none" and its_minor <= minor
    if kind == "pp":
        return interpreter.implementation == "pypy" and its_minor in (-1, minor)
    if kind != "cp" or interpreter.implementation != "cpython":
        return False
    if abi.startswith("abi3"):
        is_free = abi.endswith("t") or "t" in abi[4:]
        return its_minor <= minor and (is_free or not interpreter.free_threaded)
    if its_minor not in (-1, minor):
        return False
    if abi == "none":
        return True
    expected = f"cp{major}{minor}" + ("t" if interpreter.free_threaded else "")
    return abi.rstrip("mu") == expected or abi in (expected, f"{expected}d")


def _is_platform(platform: str, interpreter: Interpreter) -> bool | None:
    if platform == "any":
        return True
    if interpreter.system == WINDOWS:
        return _is_windows(platform, interpreter)
    if interpreter.system == MACOS:
        return _is_mac(platform, interpreter)
    return _is_linux(platform, interpreter)


def _is_windows(platform: str, interpreter: Interpreter) -> bool | None:
    if not platform.startswith("win"):
        return False
    machine = interpreter.machine.lower()
    if not machine:
        return None
    return platform == {"amd64": "win_amd64", "arm64": "win_arm64"}.get(machine, "win32")


def _is_mac(platform: str, interpreter: Interpreter) -> bool | None:
    match = re.fullmatch(r"macosx_(\d+)_(\d+)_(.+)", platform)
    if match is None:
        return False
    if not interpreter.machine:
        return None
    # the system's release is not known, and pip installs nothing that is newer
    return match[3] in _MAC_FAT.get(interpreter.machine.lower(), (interpreter.machine,))


def _is_linux(platform: str, interpreter: Interpreter) -> bool | None:
    kind, _, built = platform.partition("_")
    needed = _LEGACY.get(kind)
    if kind in ("manylinux", "musllinux"):
        major, _, rest = built.partition("_")
        minor, _, built = rest.partition("_")
        needed = _release(f"{major}.{minor}")
    if not built or (needed is None and kind != "linux"):
        return False
    machine = interpreter.machine.lower()
    if not machine:
        return None
    if built not in _MACHINES.get(machine, (machine,)):
        return False
    if needed is None:
        return True
    if kind == "musllinux":
        return interpreter.libc == "musl" if interpreter.libc else None
    if interpreter.libc != "glibc":
        return False if interpreter.libc else None
    there = _release(interpreter.libc_version)
    return needed <= there if there else None
