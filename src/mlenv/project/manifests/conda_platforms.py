"""What ties a conda file to a platform: selectors on lines, and packages that one platform has."""

from __future__ import annotations

import re

from mlenv.model.marker import Marker, parse_marker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LINUX = 'sys_platform == "linux"'
_MAC = 'sys_platform == "darwin"'
_WINDOWS = 'sys_platform == "win32"'
_X86 = 'platform_machine == "x86_64"'
_ARM_LINUX = 'platform_machine == "aarch64"'
_ARM_MAC = 'platform_machine == "arm64"'
_SELECTORS = {
    "linux": _LINUX,
    "osx": _MAC,
    "win": _WINDOWS,
    "unix": 'sys_platform != "win32"',
    "not linux": 'sys_platform != "linux"',
    "not osx": 'sys_platform != "darwin"',
    "not win": 'sys_platform != "win32"',
    "linux64": f"{_LINUX} and {_X86}",
    "linux-64": f"{_LINUX} and {_X86}",
    "aarch64": f"{_LINUX} and {_ARM_LINUX}",
    "linux-aarch64": f"{_LINUX} and {_ARM_LINUX}",
    "osx64": f"{_MAC} and {_X86}",
    "osx-64": f"{_MAC} and {_X86}",
    "arm64": f"{_MAC} and {_ARM_MAC}",
    "osx-arm64": f"{_MAC} and {_ARM_MAC}",
    "win64": _WINDOWS,
    "win-64": _WINDOWS,
}
_COMMENT = re.compile(r"[ \t]*#[ \t]*\[([^\]\r\n]{1,40})\]")
_KEY = re.compile(r"sel\(([^()]{1,40})\)")
_BOUND = re.compile(r".+_((?:linux|osx|win)-(?:64|32|aarch64|arm64|ppc64le|s390x))")
_TELLING = {
    "vs2015_runtime": "win-64",
    "vc14_runtime": "win-64",
    "vc": "win-64",
    "ucrt": "win-64",
    "wincertstore": "win-64",
    "win_inet_pton": "win-64",
    "pywin32": "win-64",
    "m2w64-gcc-libs": "win-64",
    "_libgcc_mutex": "linux-64",
    "libgcc-ng": "linux-64",
    "libstdcxx-ng": "linux-64",
    "libcxx": "osx-64",
    "appnope": "osx-64",
}


def comment_selector(text: str, end: int) -> Marker | None:
    """Return the marker for a comment such as ``# [linux]`` right behind an entry, or None.

    Args:
        text: The file.
        end: Where the entry ends.

    Source: conda-lock's documentation, "Platform specific dependencies"; conda itself passes over
    the comment.
    """
    match = _COMMENT.match(text, end)
    return _marker(match[1]) if match else None


def is_key_selector(key: str) -> bool:
    """Whether a key is a selector, such as ``sel(linux)``."""
    return _KEY.fullmatch(key) is not None


def key_selector(key: str) -> Marker | None:
    """Return the marker for the selector ``sel(linux)``, or None where it cannot be said.

    Source: conda-lock's documentation, "Platform selectors".
    """
    match = _KEY.fullmatch(key)
    return _marker(match[1]) if match else None


def _marker(selector: str) -> Marker | None:
    text = _SELECTORS.get(" ".join(selector.split()))
    return parse_marker(text) if text else None


def platform_of(pinned: Iterable[str]) -> str:
    """Return conda's name of the platform that only has these packages; empty where none shows.

    Args:
        pinned: Names of packages that are wanted in a definite version.
    """
    guess = ""
    for name in pinned:
        bound = _BOUND.fullmatch(name)
        if bound:
            return bound[1]
        guess = guess or _TELLING.get(name, "")
    return guess
