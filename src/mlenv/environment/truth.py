"""What torch and its companions say of their own build, read from ``version.py`` and not run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from mlenv.environment.disk import read_bytes
from mlenv.environment.known import Constants, KnownMetadata, constants_of
from mlenv.model.environment import TorchTruth

SPEAKING = ("torch", "torchvision", "torchaudio")
"""Packages whose build writes ``version.py``."""
_MOST_BYTES = 1 << 14
_LONGEST = 60


def read_truths(
    sites: Iterable[tuple[str, str]], known: KnownMetadata | None = None
) -> dict[str, TorchTruth]:
    """Return what each package that speaks of its build says, by canonical name.

    Args:
        sites: Folders of packages, whole and as messages have them, in the order of imports.
        known: What an earlier run read of them.
    """
    found: dict[str, TorchTruth] = {}
    for site, shown in sites:
        for name in SPEAKING:
            if name in found or not os.path.isdir(os.path.join(site, name)):
                continue
            module = os.path.join(site, name, "version.py")
            said = constants_of(module, _assigned, known)
            version = said.get("__version__")
            if version:
                place = f"{shown}/{name}/version.py".removeprefix("./")
                found[name] = TorchTruth(version, _cuda(said), _version(said.get("hip")), place)
    return found


def _assigned(path: str) -> Constants:
    """Return the texts, and Nones, that a module assigns to names at its top."""
    import ast  # what is known needs none

    text = (read_bytes(path, _MOST_BYTES) or b"").decode("utf-8", "replace")
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, str | None] = {}
    for node in body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        value = getattr(node, "value", None)
        if isinstance(value, ast.Constant) and (
            value.value is None or isinstance(value.value, str)
        ):
            for target in targets:
                if isinstance(target, ast.Name):
                    found[target.id] = value.value
    return found


def _cuda(said: Constants) -> str:
    cuda = said.get("cuda", "")
    if cuda is None:
        return "none"
    match = re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){0,2}", cuda)
    return match[0] if match else ""


def _version(value: str | None) -> str:
    match = re.match(r"[0-9][0-9A-Za-z.+-]*", value) if value else None
    return match[0][:_LONGEST] if match else ""
