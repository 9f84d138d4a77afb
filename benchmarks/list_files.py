"""Turns mlenv's JSON report into the list of files and parsers that the bare parse reads."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from compare import PARSERS


def main() -> int:
    """Read the report, write the list: ``list_files.py REPORT LIST FOLDER``."""
    report, listed, folder = map(Path, sys.argv[1:4])
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    lines = [f"{PARSERS.get(file['kind'], 'read')}\t{folder / file['path']}\n" for file in files]
    listed.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
    return 0


if __name__ == "__main__":
    sys.exit(main())
