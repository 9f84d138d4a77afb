"""How much an installed file tells: what is imported, or something beside it."""

from __future__ import annotations

COMPILED, MODULE, DATA, ASIDE = range(4)
"""From what decides most, a shared library, to what nothing depends on."""

_COMPILED = (".so", ".pyd", ".dll", ".dylib", ".bc", ".cubin", ".fatbin", ".metallib")
_ASIDE_FOLDERS = frozenset(
    (
        *("test", "tests", "unittests", "doc", "docs", "example", "examples", "sample", "samples"),
        *("demo", "demos", "benchmark", "benchmarks", "include"),
    )
)
_ASIDE_TOP = frozenset(("share", "etc", "man", "bin", "scripts"))
_ASIDE_NAMES = frozenset(
    (
        *("license", "licence", "licenses", "licences", "copying", "notice", "readme", "changelog"),
        *("changes", "history", "authors", "contributors", "news", "third_party_licenses"),
    )
)
_ASIDE_ENDINGS = frozenset(
    (
        *("md", "rst", "txt", "pyi", "h", "hpp", "cuh", "inl", "html", "css", "map", "ipynb"),
        "typed",
    )
)


def weight(path: str) -> int:
    """Return how much a file tells: :data:`COMPILED`, :data:`MODULE`, :data:`DATA` or less.

    Args:
        path: Relative to its folder of packages, with ``/``.
    """
    *folders, name = path.lower().split("/")
    if folders and (folders[0] in _ASIDE_TOP or not _ASIDE_FOLDERS.isdisjoint(folders)):
        return ASIDE
    # what is no package: another folder, the root, a drive, or a file beside the packages
    if folders and (folders[0] in ("", ".", "..") or ":" in folders[0]):
        return ASIDE
    if name.partition(".")[0] in _ASIDE_NAMES or name.rpartition(".")[2] in _ASIDE_ENDINGS:
        return ASIDE
    if name.endswith(_COMPILED) or ".so." in name:
        return COMPILED
    if name.endswith(".py"):
        return MODULE
    return DATA if folders else ASIDE
