"""The texts of ``releases.toml`` and ``requires.toml``: one block for each distribution."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from packaging.version import Version

from derivation.index import File
from derivation.requirements import Requirements
from derivation.wheels import header

_BLOCK = re.compile(r"^([a-z0-9-]+) = '''\n([^']*(?:'(?!'')[^']*)*)'''\n", re.MULTILINE)


def releases_block(releases: Mapping[Version, tuple[File, ...]], since: str) -> str:
    """Return the block of a distribution in ``releases.toml``.

    Args:
        releases: Its releases in ascending order, with their files.
        since: Releases before this day are left out.
    """
    lines: list[str] = []
    held = ""
    for version, files in releases.items():
        day = min(file.uploaded for file in files)
        if day < since:
            continue
        serves = header(files)
        if serves != held:
            held = serves
            lines.append(f"@ {serves}\n")
        yanked = " yanked" if all(file.yanked for file in files) else ""
        lines.append(f"{version} {day}{yanked}\n")
    return "".join(lines)


def requires_block(changes: Iterable[tuple[Version, Requirements | None]]) -> str:
    """Return the block of a distribution in ``requires.toml``."""
    lines: list[str] = []
    for version, required in changes:
        lines.append(f"{version}{' ?' if required is None else ''}\n")
        lines += (f" {one}\n" for one in required or ())
    return "".join(lines)


def blocks(text: str) -> dict[str, str]:
    """Return the blocks of a file by distribution."""
    return {match[1]: match[2] for match in _BLOCK.finditer(text)}


def with_blocks(text: str, fresh: Mapping[str, str]) -> str:
    """Return a file's text in which some distributions have new blocks; the others stay."""
    start = _BLOCK.search(text)
    head = text[: start.start()] if start else text
    merged = {**blocks(text), **fresh}
    return head + "".join(f"{name} = '''\n{merged[name]}'''\n" for name in sorted(merged))


def difference(name: str, old: str, new: str) -> str:
    """Return the lines in which two texts of a file differ."""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), name, name, n=1
    )
    return "".join(lines)
