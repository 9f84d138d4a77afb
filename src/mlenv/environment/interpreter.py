"""The Python of an environment by its files: version, system, processor and C library."""

from __future__ import annotations

import os
import re
import struct
import sys

from mlenv.environment.disk import names_in, read_bytes, read_text
from mlenv.environment.layout import Layout
from mlenv.model.environment import CONDA, Interpreter
from mlenv.model.target import LINUX, MACOS, WINDOWS

_NUMBER = r"\d{1,3}\.\d{1,3}(?:\.\d{1,4}(?:(?:a|b|rc)\d{1,3})?)?"
_ELF = b"\x7fELF"
_MACHINES = {62: "x86_64", 183: "aarch64", 3: "i686", 21: "ppc64le", 22: "s390x", 243: "riscv64"}
"""Source: System V ABI, ``e_machine``."""
_MACHO = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_PE = {0x8664: "AMD64", 0xAA64: "ARM64", 0x14C: "x86"}
_HERE = {"linux": LINUX, "darwin": MACOS, "win32": WINDOWS, "cygwin": WINDOWS}
_LIBC = r"(?:libc-|ld-)(\d+\.\d+)\.so"


def read_interpreter(layout: Layout) -> Interpreter | None:
    """Return the Python of an environment; None where nothing tells which it is."""
    version = _version(layout)
    if not version:
        return None
    system, machine = _platform(layout)
    libc, libc_version = _libc(layout.root) if system == LINUX else ("", "")
    return Interpreter(
        version, system, machine, layout.implementation, layout.free_threaded, libc, libc_version
    )


def _version(layout: Layout) -> str:
    config = layout.config.get("version_info") or layout.config.get("version", "")
    match = re.match(_NUMBER, config)
    if match and layout.implementation == "cpython":
        return match[0]
    if layout.manager == CONDA:
        for name in names_in(os.path.join(layout.prefix, "conda-meta")):
            match = re.match(rf"python-({_NUMBER})-", name)
            if match:
                return match[1]
    header = os.path.join("include", f"python{layout.python}", "patchlevel.h")
    text = read_text(os.path.join(layout.prefix, header)) if layout.python else ""
    match = re.search(rf'#define\s+PY_VERSION\s+"({_NUMBER})', text)
    return match[1] if match else layout.python


def base_folder(layout: Layout) -> str:
    """Return the folder of the interpreter that a virtual environment was made from; or none."""
    return layout.config.get("home", "")


def executable(layout: Layout) -> str:
    """Return the interpreter's file; empty where there is none."""
    if layout.windows:
        names = [os.path.join("Scripts", "python.exe"), "python.exe"]
    else:
        names = [os.path.join("bin", name) for name in ("python3", "python", "pypy3")]
    paths = (os.path.join(layout.prefix, name) for name in names)
    return next((path for path in paths if os.path.isfile(path)), "")


def _platform(layout: Layout) -> tuple[str, str]:
    """Return the system and the processor by the interpreter's file, else by the layout."""
    here = _HERE.get(sys.platform, LINUX)
    found = _of_file(executable(layout))
    if found:
        return found
    if layout.windows:
        return WINDOWS, ""
    if layout.root:
        return LINUX, ""
    system = here if here != WINDOWS else LINUX
    machine = os.uname().machine if hasattr(os, "uname") and system == here else ""
    return system, machine


def _of_file(path: str) -> tuple[str, str] | None:
    data = (read_bytes(path, 4096) or b"") if path else b""
    if data[:4] == _ELF and len(data) >= 20:
        order = "<" if data[5] == 1 else ">"
        number = struct.unpack_from(f"{order}H", data, 18)[0]
        return LINUX, _MACHINES.get(number, "")
    if data[:4] == b"\xcf\xfa\xed\xfe" and len(data) >= 8:
        return MACOS, _MACHO.get(struct.unpack_from("<I", data, 4)[0], "")
    if data[:4] == b"\xca\xfe\xba\xbe":
        # a universal binary: which half runs is the machine's choice
        is_here = sys.platform == "darwin"
        return MACOS, os.uname().machine if is_here else ""
    if data[:2] == b"MZ" and len(data) >= 64:
        at = struct.unpack_from("<I", data, 60)[0]
        if data[at : at + 4] == b"PE\0\0" and len(data) >= at + 6:
            return WINDOWS, _PE.get(struct.unpack_from("<H", data, at + 4)[0], "")
    return None


def _libc(root: str) -> tuple[str, str]:
    """Return the C library and its version, of this machine or of a tree that holds a system."""
    if not root:
        return _libc_here()
    for folder in ("lib", "lib64", "usr/lib", "usr/lib64"):
        home = os.path.join(root, *folder.split("/"))
        for name in names_in(home):
            if name.startswith("ld-musl-"):
                return "musl", ""
            inner = os.path.join(home, name)
            names = [name] if ".so" in name else []
            if name.endswith(("-linux-gnu", "-linux-gnueabihf")):
                names = names_in(inner)
            for one in names:
                match = re.match(_LIBC, one)
                if match:
                    return "glibc", match[1]
    return "", ""


def _libc_here() -> tuple[str, str]:
    try:
        said = os.confstr("CS_GNU_LIBC_VERSION") if hasattr(os, "confstr") else ""
    except (OSError, ValueError):  # another C library
        said = ""
    match = re.search(r"\d+\.\d+", said or "")
    return ("glibc", match[0]) if match else ("", "")
