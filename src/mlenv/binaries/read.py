"""One compiled file of any format, to the model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from mlenv.binaries import elf, elf_symbols, macho, pe
from mlenv.binaries.fatbin import LINKED_AGAIN, RUNS, read_kernels
from mlenv.binaries.numpy_marks import numpy_use
from mlenv.binaries.window import Damaged, Window, opened
from mlenv.model.binary import ELF, MACHO, PE, Binary, Kernels
from mlenv.project.files import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    _T = TypeVar("_T")

_WITHOUT_TEXTS = (
    ".eh_frame",
    ".gcc_except_table",
    ".got",
    ".data.rel.ro",
    ".nv",
    "__nv",
)
"""Sections of data in ELF files that hold no texts, by the beginnings of their names."""
_OF_GPU = RUNS | LINKED_AGAIN
_MOST_TEXT = 128
"""So much of a file is looked at to tell whether it is a text."""


def read_binary(full: str, path: str, owner: str = "") -> Binary | Unreadable | None:
    """Return what a compiled file tells.

    Args:
        full: The file, as the system takes it.
        path: As findings call it: relative to the prefix, with ``/``.
        owner: The distribution that records it.

    Returns:
        Why it was not read where it is damaged or in no known format; None where it is a text,
        such as a linker's script, which has the suffix of a library as well.
    """
    try:
        with opened(full) as window:
            head = window.up_to(0, _MOST_TEXT)
            if head.startswith(elf.MAGIC):
                return _read_elf(window, path, owner)
            if head.startswith(pe.MAGIC):
                return _read_pe(window, path, owner)
            if head.startswith(macho.MAGICS):
                return _read_macho(window, path, owner)
            return None if _is_text(head) else Unreadable("it is in no format of compiled files")
    except Damaged as error:
        return Unreadable(str(error))


def stem_of(path: str) -> str:
    """Return the name of the module that a file would be: its name up to the first dot."""
    return os.path.basename(path).partition(".")[0]


class _Parts:
    """Asks for one thing after another, so that damage to one leaves the others."""

    def __init__(self) -> None:
        self.damage = ""

    def ask(self, question: Callable[[], _T], otherwise: _T) -> _T:
        """Return an answer, or something else where that part is damaged."""
        try:
            return question()
        except Damaged as error:
            self.damage = self.damage or str(error)
            return otherwise


def _read_elf(window: Window, path: str, owner: str) -> Binary:
    file = elf.Elf(window)
    parts = _Parts()
    is_extension = parts.ask(lambda: elf_symbols.is_extension(file, stem_of(path)), False)
    calls_python = is_extension or parts.ask(lambda: elf_symbols.takes_from_python(file), False)
    none: tuple[str, ...] = ()
    versions = parts.ask(lambda: elf.highest_versions(file.version_needs), none)
    numpy = parts.ask(lambda: numpy_use(window, _texts(file)) if calls_python else None, None)
    kernels = parts.ask(lambda: _kernels(window, file.sections), None)
    return Binary(
        path,
        owner,
        ELF,
        file.machine,
        window.size,
        file.soname,
        file.needed,
        file.rpath,
        file.runpath,
        versions,
        is_extension,
        numpy,
        kernels,
        parts.damage,
    )


def _read_pe(window: Window, path: str, owner: str) -> Binary:
    file = pe.Pe(window)
    parts = _Parts()
    needed = file.needed
    is_extension = path.lower().endswith(".pyd")
    calls_python = is_extension or any(name.lower().startswith("python3") for name in needed)
    numpy = parts.ask(lambda: numpy_use(window, file.data()) if calls_python else None, None)
    kernels = parts.ask(lambda: _kernels(window, file.sections), None)
    return Binary(
        path,
        owner,
        PE,
        file.machine,
        window.size,
        needed=needed,
        is_extension=is_extension,
        numpy=numpy,
        kernels=kernels,
        damage=parts.damage,
    )


def _read_macho(window: Window, path: str, owner: str) -> Binary:
    file = macho.MachO(window)
    parts = _Parts()
    is_extension = parts.ask(lambda: file.is_extension(stem_of(path)), False)
    calls_python = is_extension or "python" in os.path.basename(path).lower()
    return Binary(
        path,
        owner,
        MACHO,
        file.machine,
        window.size,
        file.soname,
        file.needed,
        file.rpath,
        is_extension=is_extension,
        numpy=parts.ask(
            lambda: numpy_use(file.window, file.data()) if calls_python else None, None
        ),
        damage=parts.damage,
    )


def _texts(file: elf.Elf) -> list[tuple[int, int]]:
    """Return where in an ELF file texts stand; a section of GPU code may be a gigabyte."""
    named = [one for one in file.sections if one.is_data]
    if not named:
        return file.loaded_data()
    return [(one.at, one.size) for one in named if not one.name.startswith(_WITHOUT_TEXTS)]


def _kernels(window: Window, sections: Iterable[elf.Section | pe.PeSection]) -> Kernels | None:
    code = [(one.name, one.at, one.size) for one in sections if one.name in _OF_GPU]
    return read_kernels(window, code) if code else None


def _is_text(head: bytes) -> bool:
    return bool(head) and all(byte >= 32 or byte in b"\t\n\f\r" for byte in head)
