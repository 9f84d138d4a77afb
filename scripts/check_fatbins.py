"""Compares the GPU code that mlenv finds in binaries with what NVIDIA's cuobjdump lists.

The arguments are shared libraries, read from their ELF sections. Every entry is compared: how many
there are of each kind and architecture, in the section that runs, or, where there is none, in the
one that was to be linked again. The exit code is 1 where a file differs. ``cuobjdump`` comes with
the package nvidia-cuda-cuobjdump; ``CUOBJDUMP`` names it where it is not on the path.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mlenv.binaries.elf import Elf
from mlenv.binaries.fatbin import CUBIN, LINKED_AGAIN, PTX, RUNS, entries
from mlenv.binaries.window import opened

Codes = Counter[tuple[str, str]]
"""How many entries there are, by kind (``elf``, ``ptx``) and architecture (``90a``)."""

_HEADER = re.compile(r"^Fatbin (elf|ptx) code:\n=+\narch = sm_(\w+)$", re.MULTILINE)
_LISTED = re.compile(r"\.sm_(\w+)\.(?:cubin|ptx)$", re.MULTILINE)


def main(arguments: Sequence[str]) -> int:
    """Compare some files, print a table in Markdown, and return the exit code."""
    tool = os.environ.get("CUOBJDUMP", "cuobjdump")
    _say("| binary | containers | machine code | PTX | mlenv | cuobjdump | |")
    _say("| --- | --- | --- | --- | --- | --- | --- |")
    return min(1, sum(not compared(tool, path) for path in arguments))


def compared(tool: str, path: str) -> bool:
    """Print the row of a file, and return whether both say the same."""
    start = time.perf_counter()
    containers, ours = found(path)
    middle = time.perf_counter()
    theirs = said(tool, path)
    end = time.perf_counter()
    same = ours == theirs and in_lists(tool, path, ours)
    row = (
        Path(path).name,
        str(containers),
        shown(ours, "elf"),
        shown(ours, "ptx"),
        f"{(middle - start) * 1000:.0f} ms",
        f"{end - middle:.1f} s",
        "equal" if same else f"differs: {dict(ours - theirs)}, {dict(theirs - ours)}",
    )
    _say(f"| {' | '.join(row)} |")
    return same


def found(path: str) -> tuple[int, Codes]:
    """Return the number of containers that mlenv finds, and what they hold."""
    kinds = {PTX: "ptx", CUBIN: "elf"}
    with opened(path) as window:
        sections = Elf(window).sections
        for names in (RUNS, LINKED_AGAIN):
            section = next((one for one in sections if one.name in names), None)
            if section is not None:
                codes = list(entries(window, section.at, section.size))
                counted = Counter(
                    (kinds[kind], architecture) for _, kind, architecture in codes if kind in kinds
                )
                return len({container for container, _, _ in codes}), counted
    return 0, Counter()


def said(tool: str, path: str) -> Codes:
    """Return what cuobjdump says of each entry."""
    return Counter((kind, name) for kind, name in _HEADER.findall(_run(tool, path)))


def in_lists(tool: str, path: str, codes: Codes) -> bool:
    """Whether cuobjdump's lists of files hold as many; its names of cubins have no ``f``."""
    for kind, option in (("elf", "--list-elf"), ("ptx", "--list-ptx")):
        listed = Counter(name.rstrip("f") for name in _LISTED.findall(_run(tool, option, path)))
        expected: Counter[str] = Counter()
        for (one, name), count in codes.items():
            if one == kind:
                expected[name.rstrip("f")] += count
        if listed != expected:
            return False
    return True


def shown(codes: Codes, kind: str) -> str:
    """Return the architectures of one kind with how often each is there."""
    counts = [(name, count) for (one, name), count in codes.items() if one == kind]
    counts.sort(key=lambda one: (int(one[0].rstrip("af")), one[0]))
    each = {count for _, count in counts}
    if len(each) == 1 and len(counts) > 1:
        return f"{' '.join(name for name, _ in counts)}: {each.pop()} each"
    return " ".join(f"{name}: {count}" for name, count in counts) or "none"


def _run(tool: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - the tool that the maintainer names
        [tool, *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
