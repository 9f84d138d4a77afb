"""Symbols of torch that extensions were built with and that the installed torch does not export."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

from mlenv.binaries.breakage import Breakage
from mlenv.binaries.elf_symbols import exported_among, undefined_symbols
from mlenv.binaries.loader import Loader
from mlenv.model.binary import Binary, MissingSymbols
from mlenv.project.files import Unreadable

_LIBRARY = re.compile(r"lib(?:c10|torch)(?:_\w+)?\.so")
_FOLDER = re.compile(r"(?:^|/)torch/lib/[^/]+$")
_OF_TORCH = re.compile(r"_Z(?:T[VISTh])?N?K?(?:3c10|2at|5torch)|(?:aoti_)?torch_[a-z]")
"""Names in torch's namespaces as C++ mangles them, and those of its interface in C."""
_NUMBERS = re.compile(r"\d+(?:[._]\d+)*")
_MOST_SHOWN = 4
_STRING = "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
_TAKING_TEXT = (
    "_ZN3c106detail14torchCheckFailEPKcS2_jRK{}",
    "_ZN3c105ErrorC1ENS_14SourceLocationE{}",
    "_ZN3c105ErrorC2ENS_14SourceLocationE{}",
)
"""Functions that every torch and nearly every extension has; their names hold the text's type.

Source: GCC, "Dual ABI": ``_GLIBCXX_USE_CXX11_ABI=0`` gives ``std::string`` the old name ``Ss``.
"""
_ABIS = {
    **{name.format(_STRING): "new" for name in _TAKING_TEXT},
    **{name.format("Ss"): "old" for name in _TAKING_TEXT},
}


def missing_symbols(loader: Loader, breakage: Breakage) -> Iterator[MissingSymbols]:
    """Yield the extensions that do not load beside the installed torch, in order of path.

    Only what links torch's libraries is looked at, where all of those are there and can be read.
    A symbol that a library of the same kind gives is there, whoever loads it.

    Args:
        loader: What the loader finds.
        breakage: What is broken by it.
    """
    torch = {one.path: one for one in loader.files if _is_of_torch(one.path)}
    linked = [
        one
        for one in loader.files
        if one.path not in torch
        and (libraries := [name for name in one.needed if _LIBRARY.match(name)])
        and all(loader.find(one, name) in torch for name in libraries)
    ]
    wanted = {one.path: _wanted(loader, one) for one in linked}
    names = {name for names in wanted.values() for name in names}
    given = _given(loader, [*torch.values(), *linked], names) if linked else None
    if given is None:
        return
    abi = _abi(_given(loader, tuple(torch.values()), _ABIS) or ())
    lacks = {
        path: tuple(name for name in names if name not in given) for path, names in wanted.items()
    }
    fitting = {_variant(path) for path, names in lacks.items() if not names}
    for one in linked:
        lacking = lacks[one.path]
        if not lacking or _variant(one.path) in fitting:
            continue
        own = _abi(frozenset(wanted[one.path]).intersection(_ABIS))
        other = own if own and abi and own != abi else ""
        imports = breakage.imports((one.path,))
        shown = lacking[:_MOST_SHOWN]
        yield MissingSymbols(one.path, one.owner, shown, len(lacking), other, imports)


def _is_of_torch(path: str) -> bool:
    """Whether a file is one of torch's libraries, which conda keeps in the prefix's folder."""
    return bool(_FOLDER.search(path) or _LIBRARY.match(posixpath.basename(path)))


def _variant(path: str) -> str:
    """Return what files have in common that are made for one version each, of which one is used.

    DGL brings ``libtensoradapter_pytorch_2.2.1.so`` and its like for every torch.
    """
    folder, _, name = path.rpartition("/")
    return f"{folder}/{_NUMBERS.sub('#', name.partition('.cpython')[0])}"


def _wanted(loader: Loader, binary: Binary) -> tuple[str, ...]:
    """Return the symbols of torch that a binary must be given, in its order."""
    symbols = undefined_symbols(os.path.join(loader.prefix, binary.path))
    if not isinstance(symbols, tuple):
        return ()
    return tuple(name for name in symbols if _OF_TORCH.match(name))


def _given(
    loader: Loader, files: Sequence[Binary], names: Collection[str]
) -> frozenset[str] | None:
    """Return which of some symbols any of some binaries gives; None where one cannot be read."""
    left = set(names)
    for one in files:
        found = exported_among(os.path.join(loader.prefix, one.path), left) if left else left
        if isinstance(found, Unreadable):
            return None
        left.difference_update(found)
    return frozenset(names) - left


def _abi(names: Collection[str]) -> str:
    """Return the C++ ABI that some symbols are of: ``old``, ``new``, or nothing where unclear."""
    abis = {_ABIS[name] for name in names}
    return abis.pop() if len(abis) == 1 else ""
