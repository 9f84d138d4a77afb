"""Whether the wheel that something was installed from is for the interpreter: its tags.

Sources: PEP 425, 513, 571, 599, 600, 656, 738, 779; packaging, ``tags``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.model.environment import Interpreter
from mlenv.model.target import MACOS, WINDOWS

_LEGACY = {"1": (2, 5), "2010": (2, 12), "2014": (2, 17)}
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


@lru_cache(maxsize=1024)
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


def _is_for(tag: str, interpreter: Interpreter) -> bool | None:
    parts = tag.lower().rsplit("-", 2)
    if len(parts) != 3:
        return None
    pythons, abis, platforms = (part.split(".") for part in parts)
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
    match = re.fullmatch(r"(py|cp|pp|graalpy\D*)(\d)_?(\d*)", python)
    if match is None:
        return False
    kind, its_major, its_minor = match[1], int(match[2]), int(match[3] or -1)
    if its_major != major:
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
    match = re.fullmatch(
        r"(linux|manylinux_(\d+)_(\d+)|manylinux(1|2010|2014)|musllinux_(\d+)_(\d+))_(.+)", platform
    )
    if match is None:
        return False
    machine = interpreter.machine.lower()
    if not machine:
        return None
    if match[7] not in _MACHINES.get(machine, (machine,)):
        return False
    if match[1] == "linux":
        return True
    if match[5]:
        return interpreter.libc == "musl" if interpreter.libc else None
    if interpreter.libc != "glibc":
        return False if interpreter.libc else None
    needed = _LEGACY[match[4]] if match[4] else (int(match[2]), int(match[3]))
    there = re.fullmatch(r"(\d+)\.(\d+)", interpreter.libc_version)
    return needed <= (int(there[1]), int(there[2])) if there else None
