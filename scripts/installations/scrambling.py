"""Removes distributions by chance and gives others a version that nobody asked for."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from random import Random

_OTHERS = ("0.1", "99.0", "0.5rc1", "3!1", "1.0.post9", "2.dev0")
_MARKS = ("+local", ".dev1", "rc1")
"""What turns a version into one before it, or into a local one."""


def scramble(site: Path, seed: int, removed: int, changed: int) -> None:
    """Remove the metadata of some distributions, and give others another version.

    Args:
        site: The folder of packages.
        seed: Another one takes others.
        removed: How many are removed.
        changed: How many get another version.
    """
    rng = Random(seed)  # noqa: S311 - nothing is kept secret with it
    infos = sorted(site.glob("*.dist-info"))
    gone = rng.sample(infos, removed)
    for info in gone:
        shutil.rmtree(info)
    for info in rng.sample([one for one in infos if one not in gone], changed):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        marked = [f"{version}{mark}" for mark in _MARKS if re.fullmatch(r"[\d.]+", version)]
        other = rng.choice((*_OTHERS, *marked))
        path = info / "METADATA"
        text = path.read_text("utf-8", errors="replace")
        path.unlink()  # the installer's cache may hold the same file
        path.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {other}", text, count=1), "utf-8")
        info.rename(site / f"{name}-{other}.dist-info")
