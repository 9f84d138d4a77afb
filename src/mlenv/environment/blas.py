"""Which library NumPy computes with, as its build wrote it down, or as conda's packages tell."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from mlenv.environment.disk import read_text
from mlenv.environment.known import Constants, KnownMetadata, constants_of

_MOST_BYTES = 1 << 16
_BLOCK = r'"blas":\s*\{([^{}]*)\}'
_FIELD = r'"{}":\s*r?"([0-9A-Za-z._ +-]{{1,40}})"'
_CONDA = {"openblas": "libopenblas", "mkl": "mkl", "blis": "blis", "accelerate": ""}
"""What a build of conda's ``libblas`` names, with the package that has its version."""
_INTERFACES = ("blas", "cblas", "")
"""What conda-forge builds NumPy against, whatever stands behind it."""


def read_blas(
    sites: Iterable[str],
    conda: Mapping[str, tuple[str, str]],
    known: KnownMetadata | None = None,
) -> str:
    """Return a name and a version such as ``scipy-openblas 0.3.29``; empty where nothing tells.

    Args:
        sites: Folders of packages, in the order of imports.
        conda: Version and build of conda's packages by name; ``libblas`` stands for the library
            where NumPy was built against the interface alone.
        known: What an earlier run read of NumPy's module.

    Source: NumPy, ``numpy/__config__.py`` from 1.26 on; conda-forge, "Switching BLAS
    implementation".
    """
    for site in sites:
        module = os.path.join(site, "numpy", "__config__.py")
        said = constants_of(module, _built_with, known)
        blas = said.get("blas")
        if blas:
            return blas
        if said:
            break
    build = conda.get("libblas", ("", ""))[1]
    for name, package in _CONDA.items():
        if name in build:
            return f"{name} {conda.get(package, ('', ''))[0]}".strip()
    return ""


def _built_with(path: str) -> Constants:
    """Return what NumPy was built with; nothing where its module is not there."""
    text = read_text(path, _MOST_BYTES)
    if not text:
        return {}
    block = re.search(_BLOCK, text)
    name, version = (_said(block[1] if block else "", key) for key in ("name", "version"))
    return {"blas": f"{name} {version}".strip() if name not in _INTERFACES else ""}


def _said(block: str, key: str) -> str:
    match = re.search(_FIELD.format(key), block)
    return match[1] if match and match[1] != "unknown" else ""
