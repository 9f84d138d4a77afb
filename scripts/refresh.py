"""Regenerates the parts of the documentation that the program itself says.

Between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` stands what a run printed: ``rules`` is
the table of rules, ``audit FOLDER`` the report on a folder, relative to the file that shows it,
with the options behind it.
With ``--check`` nothing is written, and the exit code is 1 where something is not current.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from mlenv.knowledge import KNOWLEDGE_DATE
from mlenv.rules.registry import RULES

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- begin (?P<name>[^>]+?) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)
_DAY = KNOWLEDGE_DATE


def main() -> int:
    """Refresh every documentation file, or check that all are current; return the exit code."""
    check = "--check" in sys.argv[1:]
    stale = []
    for file in [*ROOT.glob("*.md"), *ROOT.glob("examples/**/*.md")]:
        text = file.read_text("utf-8")
        fresh = refreshed(text, file.parent)
        if fresh == text:
            continue
        stale.append(str(file.relative_to(ROOT)))
        if not check:
            file.write_text(fresh, "utf-8", newline="\n")
    for name in stale:
        print(f"{name} {'is not current' if check else 'refreshed'}")  # noqa: T201
    return int(check and bool(stale))


def refreshed(text: str, folder: Path) -> str:
    """Return a file's text with every generated block made anew."""
    return BLOCK.sub(lambda match: match[1] + generated(match["name"], folder) + match[3], text)


def generated(name: str, folder: Path) -> str:
    """Return what belongs into the block of a name.

    Raises:
        ValueError: There is no such block.
    """
    if name == "rules":
        return rules_table()
    command, _, argument = name.partition(" ")
    if command != "audit":
        message = f"no block is called {name!r}"
        raise ValueError(message)
    return audit_output(folder, argument or ".")


def rules_table() -> str:
    """Return the table of all rules in Markdown."""
    rows = [
        f"| {rule.code} | {rule.name} | {rule.topic} | {rule.severity.value} | {rule.summary} |"
        for rule in RULES
    ]
    head = ["| code | name | topic | severity | what it finds |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def audit_output(folder: Path, argument: str) -> str:
    """Return what ``mlenv audit`` prints on a folder, as a fenced block with the exit code."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    environment["CONDA_OVERRIDE_CUDA"] = ""  # whoever has a GPU writes the same
    done = subprocess.run(  # noqa: S603 - our own program
        # on another day a Python may have reached its end of life
        [sys.executable, "-m", "mlenv", "audit", *argument.split(), "--no-config", "--as-of", _DAY],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return f"```console\n$ mlenv audit {argument}\n{done.stdout}$ echo $?\n{done.returncode}\n```\n"


if __name__ == "__main__":
    sys.exit(main())
