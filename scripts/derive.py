"""Derives ``releases.toml`` and ``requires.toml`` from a package index, for maintainers.

For each distribution its list of releases is asked once, and the metadata of some of its wheels:
the first and the last of each release line, and more only where these two differ. Answers are kept
in a folder, so that a second run asks nothing. Name the distributions that are wanted; ``--all``
reads every one on the list, some thousand requests: see first that the index's rules allow it.

With ``--check`` nothing is written: the difference to what is committed is printed, and the exit
code is 1 where there is one. What could not be read stays as it is committed, and is named.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tomli
from derivation.index import Fetch, Index, fetch
from derivation.requirements import Covered, Requirements, changes, requirements
from derivation.texts import difference, releases_block, requires_block, with_blocks
from derivation.wheels import speaking_wheel
from packaging.version import Version

from mlenv.knowledge import KNOWLEDGE_DATE

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE = ROOT / "src" / "mlenv" / "knowledge"
COVERED = Path(__file__).resolve().parent / "derivation" / "covered.toml"
_AT_ONCE = 12


def main(arguments: Sequence[str] | None = None, read: Fetch = fetch) -> int:
    """Run the program; return its exit code.

    Args:
        arguments: Of the command line; None for those of the process.
        read: How an address is read.
    """
    options = _parser().parse_args(arguments)
    covered = covered_names(COVERED.read_text("utf-8"))
    names = sorted(covered.names if options.all else options.names)
    unknown = [name for name in names if name not in covered.names]
    if unknown or not names or not options.index_url:
        reason = f"not in {COVERED.name}: {', '.join(unknown)}" if unknown else "see --help"
        print(f"derive: {reason}", file=sys.stderr)  # noqa: T201
        return 2
    index = Index(options.index_url, options.cache, KNOWLEDGE_DATE, read)
    fresh: dict[str, tuple[str, str]] = {}
    failed = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tasks = {name: pool.submit(derive, name, index, covered, options.since) for name in names}
    for name, task in tasks.items():
        error = task.exception()
        if isinstance(error, OSError):
            failed.append(name)
            print(f"derive: {name}: {error}", file=sys.stderr)  # noqa: T201
        else:
            fresh[name] = task.result()
    differs = _store(options.knowledge, fresh, write=not options.check)
    return int(bool(failed) or (options.check and differs))


def derive(name: str, index: Index, covered: Covered, since: str) -> tuple[str, str]:
    """Return the blocks of a distribution: its releases, and what they require.

    Raises:
        OSError: The index did not answer.
    """
    releases = index.releases(name)
    recent = {
        version: files
        for version, files in releases.items()
        if min(file.uploaded for file in files) >= since
    }

    def required(version: Version) -> Requirements | None:
        wheel = speaking_wheel(recent[version])
        return None if wheel is None else requirements(name, index.metadata(wheel), covered)

    found = changes([*recent], required)
    return releases_block(recent, since), requires_block(found)


def covered_names(text: str) -> Covered:
    """Return the list of distributions that a file holds."""
    table = tomli.loads(text)
    return Covered(frozenset(table["names"]), table["extras"], table["dropped"])


def _store(folder: Path, fresh: dict[str, tuple[str, str]], *, write: bool) -> bool:
    """Write the two files, or print in what they differ; return whether they do."""
    differs = False
    for at, name in enumerate(("releases.toml", "requires.toml")):
        path = folder / name
        old = path.read_text("utf-8")
        new = with_blocks(old, {one: texts[at] for one, texts in fresh.items()})
        differs |= old != new
        if write:
            path.write_text(new, "utf-8", newline="\n")
        else:
            print(difference(name, old, new), end="")  # noqa: T201
    return differs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Derive the records of releases from a package index."
    )
    parser.add_argument("names", nargs="*", help="distributions, by their canonical names")
    parser.add_argument("--all", action="store_true", help="every distribution on the list")
    parser.add_argument("--check", action="store_true", help="print the difference, write nothing")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what was read")
    parser.add_argument("--since", default="2019-01-01", help="leave out releases before this day")
    parser.add_argument("--knowledge", type=Path, default=KNOWLEDGE, help=argparse.SUPPRESS)
    parser.add_argument(
        "--index-url",
        default=os.environ.get("MLENV_INDEX", ""),
        help="the index, above its /pypi/NAME/json; else MLENV_INDEX",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
