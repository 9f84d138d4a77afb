"""Reads and parses listed files with the usual parsers and does nothing else: the corpus's floor.

Takes a list with one file a line, its parser before it: ``toml``, ``yaml``, ``json``,
``requirements`` or ``read``; prints how many files there were and how many did not parse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tomli
import yaml
from packaging.requirements import InvalidRequirement, Requirement


def main() -> int:
    """Parse what the list on the command line names."""
    listed = Path(sys.argv[1]).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    refused = 0
    for line in listed:
        parser, _, path = line.partition("\t")
        refused += not parse(parser, Path(path).read_bytes())
    print(f"{len(listed)} files, {refused} of which did not parse")
    return 0


def parse(parser: str, content: bytes) -> bool:
    """Parse one file and return whether all of it could be."""
    try:
        text = content.decode("utf-8-sig", "replace")
        if parser == "toml":
            tomli.loads(text)
        elif parser == "yaml":
            yaml.load(text, Loader=yaml.CSafeLoader)
        elif parser == "json":
            json.loads(text)
        elif parser == "requirements":
            return requirements(text)
    except (ValueError, yaml.YAMLError):
        return False
    return True


def requirements(text: str) -> bool:
    """Parse a requirements file line by line and return whether every line could be."""
    is_whole = True
    for line in text.replace("\\\n", " ").splitlines():
        written = line.partition("#")[0] if line.startswith("#") else line.partition(" #")[0]
        written = written.partition(" --")[0].strip()
        if not written or written.startswith("-"):
            continue
        try:
            Requirement(written)
        except InvalidRequirement:
            is_whole = False
    return is_whole


if __name__ == "__main__":
    sys.exit(main())
